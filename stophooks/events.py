"""The events that commands react to: one row each, read by the engine and by the agents' doors."""

from __future__ import annotations

from dataclasses import dataclass


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
    of the agent's helper that stops, or None when the agent itself does.
    """

    kind: str
    agent: str
    session: str | None
    directories: tuple[str, ...]
    helper: str | None = None


STOP = EventKind(name="stop", gate=True, summary="the agent says that it is done")
SUBAGENT_STOP = EventKind(
    name="subagent_stop", gate=True, summary="an agent's helper says that it is done"
)
EVENTS: dict[str, EventKind] = {kind.name: kind for kind in (STOP, SUBAGENT_STOP)}
