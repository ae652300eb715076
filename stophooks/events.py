"""The events that commands react to: one row each, read by the engine and by the agents' doors."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event: its key in the configuration and whether failure stops the action."""

    name: str
    gate: bool
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One call by an agent: which event, whose session, where.

    ``session`` is the agent's own id, or None when the payload has none. ``directories`` are
    where a configuration is looked for, most trusted first; absolute paths. ``helper`` is the id
    of the agent's helper that stops, or None when the agent itself does. ``unfinished`` says why
    this is not the end of the work although the agent asks, or is None. ``moment`` is what only
    this one event of the session has in its payload, where there is such a thing: two calls with
    the same one are about the same event.
    """

    kind: str
    agent: str
    session: str | None
    directories: tuple[str, ...]
    helper: str | None = None
    unfinished: str | None = None
    moment: str | None = field(default=None, compare=False)


STOP = EventKind(name="stop", gate=True, summary="the agent says that it is done")
SUBAGENT_STOP = EventKind(
    name="subagent_stop", gate=True, summary="an agent's helper says that it is done"
)
SESSION_START = EventKind(name="session_start", gate=False, summary="an agent's session begins")
SESSION_END = EventKind(name="session_end", gate=False, summary="an agent's session is over")
# Those that a configuration has a section for.
EVENTS: dict[str, EventKind] = {kind.name: kind for kind in (STOP, SUBAGENT_STOP)}
# Those that only tell us where a session begins and ends; they are never blocked.
SESSION_EVENTS: dict[str, EventKind] = {kind.name: kind for kind in (SESSION_START, SESSION_END)}
