"""How it stands with a project: the last result of each event, for a person or a program."""

from __future__ import annotations

from stophooks.reports.clean import line
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


_UNKNOWN = "nothing is known of it yet"


def passed(states: Mapping[str, Mapping[str, Any] | None]) -> bool:
    """Whether nothing that is known did not pass."""
    return all(not state or state.get("result") != "failed" for state in states.values())


def json(
    project_dir: str,
    states: Mapping[str, Mapping[str, Any] | None],
    cleanup: Mapping[str, Any] | None,
) -> str:
    """One document: the project, whether it passed (null: not known), and each event's state.

    ``cleanup`` is the last one, or None.
    """
    from json import dumps  # noqa: PLC0415 -- every stop of an agent imports this module

    known = any(state and state.get("result") for state in states.values())
    values = {
        "project": project_dir,
        "passed": passed(states) if known or not passed(states) else None,
        "events": {event: _values(state) for event, state in states.items()},
        "cleanup": cleanup,
    }
    return dumps(values, indent=2)


def text(project_dir: str, states: Mapping[str, Mapping[str, Any] | None]) -> str:
    """The same in lines, without a newline at the end."""
    rows = [line(project_dir, width=1000)]
    for event, state in states.items():
        rows += _rows(event, state)
    return "\n".join(rows)


def _values(state: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not state:
        return None
    skipped = state.get("skipped")
    return {
        **state,
        "at": _when(state.get("at")),
        "skipped": {**skipped, "at": _when(skipped.get("at"))} if skipped else None,
    }


def _rows(event: str, state: Mapping[str, Any] | None) -> list[str]:
    if not state:
        return [f"{event}: {_UNKNOWN}"]
    rows = [f"{event}: {_result(state)}"]
    rows += [
        f"  {line(str(one.get('name')), width=60)}: {line(str(one.get('happened')), width=200)}"
        for one in state.get("failures") or ()
    ]
    if reason := state.get("reason"):
        rows.append(f"  {line(str(reason), width=400)}")
    if state.get("result") == "failed" and state.get("agent"):
        rows.append(f"  {_budget(state)}")
    if logs := state.get("logs"):
        rows.append(f"  Full output: {line(str(logs), width=1000)}")
    if skipped := state.get("skipped"):
        why = line(str(skipped.get("reason")), width=400)
        rows.append(f"  Not checked since, {_where(skipped)}: {why}")
    return rows


def _result(state: Mapping[str, Any]) -> str:
    result = state.get("result")
    if result is None:
        return _UNKNOWN
    return f"{'passed' if result == 'passed' else 'did NOT pass'}, {_where(state)}"


def _where(state: Mapping[str, Any]) -> str:
    agent, session = state.get("agent"), state.get("session")
    when = _when(state.get("at")) or "at a time that is not known"
    if not agent:
        return f"{when}, by hand"
    of = f"session {line(str(session), width=60)}" if session else "a session without an id"
    return f"{when}, {line(str(agent), width=60)}, {of}"


def _budget(state: Mapping[str, Any]) -> str:
    used = f"Sent back {state.get('blocks')} of {state.get('max_blocks')} times in a row"
    return f"{used}; then the agent was allowed to stop." if state.get("allowed") else f"{used}."


def _when(moment: object) -> str | None:
    """A moment as in RFC 3339, in this machine's zone; None where it is not known."""
    if not isinstance(moment, (int, float)):
        return None
    from datetime import UTC, datetime  # noqa: PLC0415 -- as above

    try:
        return datetime.fromtimestamp(moment, UTC).astimezone().isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return None
