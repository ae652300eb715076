"""What every agent's adapter offers, and the words that several agents' protocols share."""

from __future__ import annotations

import os

from stophooks import jsonvalues
from stophooks.agents.signs import Signs
from stophooks.events import STOP, Event
from stophooks.typed import TYPE_CHECKING, Any, Protocol
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.shape import Settings

BLOCK_EXIT = 2
# Agents cut a message for the person, the first of them at 10,000 characters; well below that it
# stays whole.
NOTE_CHARACTERS = 8000
# What a task that is over says of itself; any other word is taken for one that goes on.
_OVER = ("cancelled", "complete", "completed", "done", "failed", "killed", "stopped")
_ENDLESS = ("monitor", "shell")
# No system opens a longer path (PATH_MAX of Linux).
PATH_LIMIT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to an agent, whole: nothing else may reach its two streams."""

    stdout: str
    stderr: str
    exit_code: int


class Agent(Protocol):
    """One agent's protocol: its payload in, its answers out.

    ``NAME`` is the one given to ``--agent``, ``TITLE`` the one a person knows it by, ``EVENTS``
    maps its names of events to ours, and ``SIGNS`` tells its calls from others'.
    """

    NAME: str
    TITLE: str
    EVENTS: dict[str, str]
    SIGNS: Signs

    def parse(self, payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
        """Return what happened; fields that are missing or of another type count as absent."""

    def block(self, reason: str) -> Reply:
        """Keep the agent from stopping; it reads ``reason``."""

    def allow(self, note: str | None) -> Reply:
        """Let the agent stop; the person reads ``note``, where there is one."""

    def private(self, name: str) -> bool:
        """Whether an environment variable is the agent's own business and not a command's."""


class Installable(Agent, Protocol):
    """An agent whose settings we can write an entry into."""

    def settings(self) -> Settings:
        """Return where and how its hooks are installed."""


def event(
    agent: tuple[str, Mapping[str, str]],
    payload: Mapping[str, Any],
    *directories: str | None,
    unfinished: str | None = None,
) -> Event:
    """Return what a payload with the field names that most agents share says.

    A payload without an event's name counts as a stop. An event of another name keeps that name:
    no section answers to it.

    Args:
        agent: Its name, and our kinds of events by its names of them.
        payload: What it sent.
        directories: Where the project is, most trusted first; ``cwd``, which the model can
            change, comes last.
        unfinished: As in `Event`; it holds for the agent's own stop alone.

    """
    name, kinds = agent
    said = text(payload, "hook_event_name")
    kind = kinds.get(said, said) if said else STOP.name
    return Event(
        kind=kind,
        agent=name,
        session=text(payload, "session_id"),
        helper=text(payload, "agent_id"),
        directories=paths(*directories, text(payload, "cwd")),
        unfinished=unfinished if kind == STOP.name else None,
        moment=_moment(payload),
    )


def _moment(payload: Mapping[str, Any]) -> str | None:
    found = payload.get("timestamp") or payload.get("message_id")
    return str(found) if isinstance(found, (str, int)) else None


def tasks(payload: Mapping[str, Any], key: str) -> str | None:
    """Say how many tasks of a stopping agent's list go on, or None.

    Shell commands do not count: nobody knows whether a server ends, and while it ran no stop
    would be checked. Each of the others asks the agent again when it is over.
    """
    found = payload.get(key)
    running = [one for one in found if _goes_on(one)] if isinstance(found, list) else []
    if not running:
        return None
    if len(running) == 1:
        return "1 background task of the agent is running"
    return f"{len(running)} background tasks of the agent are running"


def capital(events: Mapping[str, str]) -> dict[str, str]:
    """Return the same events with names that begin with a capital letter."""
    return {name[0].upper() + name[1:]: kind for name, kind in events.items()}


def text(payload: Mapping[str, Any], key: str) -> str | None:
    """Return a field that is a text with something in it."""
    value = payload.get(key)
    return value if isinstance(value, str) and value and "\0" not in value else None


def paths(*found: str | None) -> tuple[str, ...]:
    """Return those that are absolute paths, each once, in their order."""
    kept = (path for path in found if path and os.path.isabs(path) and len(path) < PATH_LIMIT)
    return tuple(dict.fromkeys(kept))


def block(reason: str) -> Reply:
    """Return the one answer that keeps every measured agent from stopping.

    Of Claude Code 2.1, Codex 0.169, Gemini CLI 0.61, Qwen Code 0.24, Copilot CLI 1.0 and droid
    0.225 (measured 2026-11-21) each misses at least one of: JSON with exit 0, exit 2 alone, a key
    more than these two. The JSON, the same text on stderr and exit 2 together reach all of them.
    """
    return Reply(stdout=_decision(reason), stderr=reason + "\n", exit_code=BLOCK_EXIT)


def block_by_json(reason: str) -> Reply:
    """Return the same JSON alone, for an agent that takes another exit code than 0 for a fault."""
    return Reply(stdout=_decision(reason), stderr="", exit_code=0)


def silent() -> Reply:
    """Let the agent stop without a word."""
    return Reply(stdout="", stderr="", exit_code=0)


def message(note: str | None) -> Reply:
    """Let the agent stop and have it show ``note`` to the person, not to the model."""
    if not note:
        return silent()
    shown = jsonvalues.dumps({"systemMessage": note[:NOTE_CHARACTERS]})
    return Reply(stdout=shown + "\n", stderr="", exit_code=0)


def remark(note: str | None, *, exit_code: int = 0) -> Reply:
    """Let the agent stop, with ``note`` on stderr: its protocol has no place for one."""
    if not note:
        return silent()
    return Reply(stdout="", stderr=note + "\n", exit_code=exit_code)


def _decision(reason: str) -> str:
    return jsonvalues.dumps({"decision": "block", "reason": reason}) + "\n"


def _goes_on(task: object) -> bool:
    if not isinstance(task, dict):
        return False
    return task.get("status") not in _OVER and task.get("type") not in _ENDLESS


class _Unknown:
    """Stands in for an agent that is not known: no event, and answers for everybody."""

    NAME = "unknown"
    TITLE = "an agent that is not known"
    EVENTS: dict[str, str] = {}  # noqa: RUF012 -- the protocol's field, never changed
    SIGNS = Signs()

    def parse(self, payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
        """Refuse: without a protocol no payload can be read."""
        raise NotImplementedError(payload, environ)

    def block(self, reason: str) -> Reply:
        """Keep the agent from stopping."""
        return block(reason)

    def allow(self, note: str | None) -> Reply:
        """Let the agent stop; only stderr takes a note that no protocol has a place for."""
        return remark(note)

    private = SIGNS.private


UNKNOWN: Agent = _Unknown()
