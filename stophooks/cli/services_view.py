"""Services for a person and for a program: what was done, what would be done, how they are."""

from __future__ import annotations

import time

from stophooks.lifecycles.services.order import Kind
from stophooks.reports import json as json_report
from stophooks.reports import preview
from stophooks.reports.clean import line, text
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stophooks.cli.services_door import Door
    from stophooks.lifecycles.services.action import Done, Foreseen
    from stophooks.lifecycles.services.base import LogLine, Service
    from stophooks.lifecycles.services.order import Wanted
    from stophooks.store.hooklog import HookLine

_WOULD = {
    Kind.SPAWN: "would start: ",
    Kind.HALT: "would stop: ",
    Kind.CLEAN: "would remove what is left of: ",
}
# Whose hook it is where it is nobody's.
EVERYBODY = "*"


def done(wanted: Wanted, found: Done) -> str:
    """What an action has done, in a few lines."""
    rows = {"started": found.started, "stopped": found.stopped, "removed": found.removed}
    told = [f"{what}: {', '.join(names)}" for what, names in rows.items() if names]
    told += [
        f"{one.service}: {line(one.text, width=800)}" if one.service else line(one.text, width=800)
        for one in found.problems
    ]
    return "\n".join(told) or f"nothing to {wanted.verb}"


def done_values(door: Door, wanted: Wanted, found: Done) -> dict[str, Any]:
    """The same as JSON-ready values."""
    return {
        **_about(door),
        "verb": str(wanted.verb),
        "started": found.started,
        "stopped": found.stopped,
        "removed": found.removed,
        "problems": [{"service": one.service, "text": one.text} for one in found.problems],
        "events": [json_report.values(report) for report in found.reports if report.results],
    }


def foreseen(steps: Iterable[Foreseen]) -> str:
    """What would be done, step by step."""
    rows = [
        _WOULD[one.step.kind] + ", ".join(one.step.names)
        if one.occasion is None
        else preview.text(one.occasion, one.hooks)
        for one in steps
    ]
    return "\n".join(rows) or "nothing would be done"


def foreseen_values(door: Door, steps: Iterable[Foreseen]) -> dict[str, Any]:
    """The same as JSON-ready values."""
    rows = [
        {"do": str(one.step.kind), "services": list(one.step.names)}
        if one.occasion is None
        else {"do": "fire", **preview.values(one.occasion, one.hooks)}
        for one in steps
    ]
    return {**_about(door), "steps": rows}


def status(
    door: Door,
    services: Sequence[Service],
    failures: Mapping[str, list[dict[str, Any]]],
    last: Mapping[str, Any] | None,
) -> str:
    """How the services are, what failed last around each, and what was done last."""
    width = max((len(one.name) for one in services), default=0)
    rows = [f"{door.engine.name}: {line(door.engine.project)} ({line(door.engine.file)})"]
    for one in services:
        rows.append(f"  {line(one.name):<{width}}  {_state(one)}")
        rows += _failures(failures.get(one.name, ()))
    rows += _failures(failures.get("", ()))
    if last is not None:
        rows.append(_last(last))
    return "\n".join(rows)


def status_values(
    door: Door,
    services: Sequence[Service],
    failures: Mapping[str, list[dict[str, Any]]],
    last: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The same as JSON-ready values; ``failed_hooks`` is what did not pass the last time."""
    return {
        **_about(door),
        "services": [
            {
                "name": one.name,
                "state": str(one.state),
                "health": one.health,
                "exit_code": one.exit_code,
                "restarts": one.restarts,
                "failed_hooks": failures.get(one.name, []),
            }
            for one in services
        ],
        "failed_hooks": failures.get("", []),
        "last_action": last,
    }


def failed(
    entries: Iterable[Mapping[str, Any]], project: str, names: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """From a history, the latest first: what did not pass the last time, by service.

    What is about no service of these is under the empty name. What has passed since is no failure
    any more.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    known: set[tuple[object, object, object]] = set()
    services = set(names)
    for entry in entries:
        event, subject = str(entry.get("event")), entry.get("subject") or {}
        if entry.get("project") != project or not event.startswith("service."):
            continue
        for result in entry.get("results") or ():
            about = (event, subject.get("id"), result.get("name"))
            if about in known or result.get("status") == "skipped":
                continue
            known.add(about)
            if result.get("status") != "passed" and result.get("severity") != "ignore":
                name = subject.get("id") if subject.get("id") in services else ""
                found.setdefault(str(name), []).append(_failed(entry, result))
    return found


def log_line(one: LogLine) -> str:
    """A line of a service."""
    return f"{line(one.service)} | {text(one.text)}"


def hook_line(one: HookLine) -> str:
    """A line of a hook, marked with its event."""
    return f"{line(one.service or EVERYBODY)} ({line(one.event)}) | {text(one.text)}"


def _about(door: Door) -> dict[str, Any]:
    engine = door.engine
    return {"engine": engine.name, "project": engine.project, "file": engine.file}


def _state(one: Service) -> str:
    parts = [str(one.state)]
    if one.health is not None:
        parts.append(one.health)
    if one.exit_code is not None:
        parts.append(f"exit code {one.exit_code}")
    return ", ".join(parts)


def _failed(entry: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event": entry.get("event"),
        "command": result.get("name"),
        "status": result.get("status"),
        "exit_code": result.get("exit_code"),
        "reason": result.get("reason"),
        "log_path": result.get("log_path"),
        "at": entry.get("at"),
    }


def _failures(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in found:
        code = one["exit_code"]
        why = f"exit code {code}" if code is not None else line(str(one["reason"] or one["status"]))
        name = line(str(one["command"]))
        yield f"    {one['event']}: {name} did not pass: {why} ({_when(one['at'])})"


def _last(last: Mapping[str, Any]) -> str:
    names = ", ".join(map(str, last.get("names") or ())) or "all services"
    head = f"last: {last.get('verb')} {line(names)}, {_when(last.get('began'))}"
    if last.get("ended") is None:
        return f"{head}: {'not finished yet' if last.get('running') else 'broken off'}"
    problems = last.get("problems") or []
    told = "".join(
        f"\n    {line(str(one.get('service') or '-'))}: {line(str(one.get('text')), width=800)}"
        for one in problems
    )
    return f"{head}: {'done' if last.get('passed') else 'failed'}{told}"


def _when(at: object) -> str:
    moment = at if isinstance(at, (int, float)) else 0
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
