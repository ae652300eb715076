"""What became of a cleanup, for a person, for a program and for `stophooks status`."""

from __future__ import annotations

from datetime import UTC, datetime
from json import dumps

from stophooks.models import human_duration
from stophooks.reports import json as reports
from stophooks.reports import text as texts
from stophooks.reports.clean import line
from stophooks.reports.preview import row
from stophooks.reports.words import happened
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stophooks.models import Report

GOING_ON, DONE = "going_on", "done"
# Of those that are named, the first so many.
MOST = 10


def json(found: Mapping[str, Any], report: Report | None) -> str:
    """Everything as one JSON document.

    Args:
        found: As `stophooks.lifecycles.cleanup.account.values` has it.
        report: Of the project's own part, where it had one.
    """
    results = reports.values(report)["results"] if report else []
    return dumps({**found, "own": {**found["own"], "results": results}}, indent=2)


def text(found: Mapping[str, Any], report: Report | None) -> str:
    """The same in lines, without a newline at the end."""
    return "\n".join(_rows(found, report))


def kept(found: Mapping[str, Any], report: Report | None) -> dict[str, Any]:
    """What there is to remember of it."""
    results = [
        {"name": result.title, "status": str(result.outcome.status), "happened": happened(result)}
        for result in (report.results if report else ())
    ]
    own = {name: value for name, value in found["own"].items() if name != "steps"}
    return {**found, "own": {**own, "results": results}}


def entry(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the history has of it beside its commands: what ended, what went, and what is left."""
    processes, containers = found["processes"], found["containers"]
    left = [*_named(processes["left"]), *(one["name"] for one in containers["left"])]
    return {
        "passed": found["passed"],
        "problem": found["own"]["problem"],
        "ended": [*processes["ended"], *processes["killed"]],
        "removed": list(containers["removed"]),
        "left": [*left, *found["own"]["left"]],
    }


def values(last: Mapping[str, Any] | None, *, goes_on: bool) -> dict[str, Any] | None:
    """The last cleanup, as it was kept, for a program; None where there was none."""
    if not last:
        return None
    rest = {name: value for name, value in last.items() if name not in {"process", "project"}}
    state = last.get("state")
    broken = state == GOING_ON and not goes_on
    return {**rest, "at": _when(last.get("at")), "state": "broken_off" if broken else state}


def status(last: Mapping[str, Any] | None, *, goes_on: bool) -> list[str]:
    """What the last cleanup did, in lines; none where there was none.

    Args:
        last: As it was kept, with ``state``, ``at``, ``agent`` and ``reason``.
        goes_on: Whether the process that does it is still there.
    """
    if not last:
        return []
    where = f"{_when(last.get('at'))}, level {last.get('level')}"
    if last.get("session"):
        where += f", session {line(str(last['session']), width=60)}"
    if last.get("state") == GOING_ON:
        word = "is going on" if goes_on else "did NOT come to its end"
        return [f"cleanup: {word}, {where}"]
    result = "done" if last.get("passed") else "NOT all was done"
    return [f"cleanup: {result}, {where}", *(f"  {row}" for row in _kept_rows(last))]


def _kept_rows(last: Mapping[str, Any]) -> Iterator[str]:
    own = last["own"]
    for one in own.get("results") or ():
        yield f"{line(str(one.get('name')), width=60)}: {line(str(one.get('happened')), width=200)}"
    yield from _about_own(own)
    yield from _about_rest(last)


def _rows(found: Mapping[str, Any], report: Report | None) -> Iterator[str]:
    session = f", session {line(found['session'])}" if found["session"] else ""
    user = f", all of {line(found['user'])}" if found["user"] else ""
    dry = "would be cleaned up" if found["dry_run"] else "cleaned up"
    yield f"{line(found['project'], width=1000)}: {dry}, level {found['level']}{session}{user}"
    if report is not None and report.results:
        yield texts.render(report)
    yield from map(row, found["own"]["steps"])
    yield from _about_own(found["own"])
    yield from _about_rest(found)
    if not found["dry_run"]:
        took = human_duration(found["duration_s"])
        yield f"Done in {took}." if found["passed"] else f"NOT all was done, in {took}."


def _about_own(own: Mapping[str, Any]) -> Iterator[str]:
    if own["problem"]:
        yield f"PROBLEM: {line(own['problem'], width=1000)}"
    elif own["by"] == "nothing" and not own["notes"]:
        yield "The project has neither cleanup commands nor a script nor a Compose file in use."
    yield from (line(note, width=1000) for note in own["notes"])
    if own["left"]:
        yield f"LEFT: containers of Compose: {_list(own['left'])}"


def _about_rest(found: Mapping[str, Any]) -> Iterator[str]:
    processes, containers = found["processes"], found["containers"]
    parts = [
        ("would be ended", _named(processes["found"])),
        ("ended", _named(processes["ended"])),
        ("killed", _named(processes["killed"])),
        ("LEFT", _named(processes["left"])),
    ]
    yield _about("processes", processes["not_looked_for"], parts)
    left = [f"{one['name']} ({one['why']})" for one in containers["left"]]
    parts = [
        ("would be removed", containers["found"]),
        ("removed", containers["removed"]),
        ("LEFT", left),
    ]
    yield _about("containers", containers["not_looked_for"], parts)


def _about(what: str, why: str | None, parts: Sequence[tuple[str, Sequence[str]]]) -> str:
    if why:
        return f"{what}: NOT looked for: {line(why, width=400)}"
    told = [f"{len(names)} {word} ({_list(names)})" for word, names in parts if names]
    return f"{what}: {', '.join(told) or 'none'}"


def _named(processes: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{one['name'] or '?'} (pid {one['pid']})" for one in processes]


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(line(name, width=200) for name in names[:MOST]) + more


def _when(moment: object) -> str:
    if not isinstance(moment, (int, float)):
        return "at a time that is not known"
    try:
        return datetime.fromtimestamp(moment, UTC).astimezone().isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return "at a time that is not known"
