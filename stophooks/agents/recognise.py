"""Whose call this is, told from what the agent sent and from the environment it left.

The kinds of signs are tried in the order in which they deserve trust: a payload is about this one
call, while variables are inherited by every program that an agent starts, other agents among them.
"""

from __future__ import annotations

from stophooks.agents import AGENTS, base
from stophooks.agents.signs import SIGNS
from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Payload = Mapping[str, Any]
    Environ = Mapping[str, str]

# Tried from left to right where only variables tell: those that say most about who set them first.
_BY_VARIABLES = ("claude", "copilot", "gemini", "qwen", "droid", "cursor", "codex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The agent's name as in ``--agent``, and by what it was known."""

    agent: str
    because: str


class UnknownAgentError(StophooksError):
    """Neither the payload nor the environment says which agent this is."""


def recognise(payload: Payload, environ: Environ) -> Recognised:
    """Return which agent sent this payload.

    Raises:
        UnknownAgentError: Nothing tells.

    """
    for tell in _KINDS:
        found = tell(payload, environ)
        if found is not None:
            return found
    raise UnknownAgentError(
        "neither the payload nor the environment says which agent this is. Write, in the agent's "
        f"settings, `stophooks hook --agent NAME`, where NAME is one of: {', '.join(AGENTS)}; "
        "`stophooks install` writes it for you."
    )


def _by_fields(payload: Payload, _environ: Environ) -> Recognised | None:
    for agent, signs in SIGNS.items():
        for field in signs.fields:
            if field in payload:
                return _as(agent, f'the payload has the field "{field}"')
    return None


def _by_event(payload: Payload, _environ: Environ) -> Recognised | None:
    name = base.text(payload, "hook_event_name")
    for agent, signs in SIGNS.items():
        if name in signs.events:
            return _as(agent, f'the event is named "{name}"')
    return None


def _by_transcript(payload: Payload, _environ: Environ) -> Recognised | None:
    path = base.text(payload, "transcript_path") or ""
    # The last one: a home directory may itself lie in a directory of another agent.
    at, agent = max(
        (path.rfind(signs.transcripts), agent)
        for agent, signs in SIGNS.items()
        if signs.transcripts
    )
    return None if at < 0 else _as(agent, f"its transcript lies in {SIGNS[agent].transcripts}")


def _by_session(payload: Payload, environ: Environ) -> Recognised | None:
    session = base.text(payload, "session_id")
    for agent, signs in SIGNS.items():
        name = signs.session
        if session and name and environ.get(name) == session:
            return _as(agent, f"the variable {name} is the payload's session")
    return None


def _by_variables(payload: Payload, environ: Environ) -> Recognised | None:
    event = base.text(payload, "hook_event_name")
    marked = [
        (agent, name)
        for agent in _BY_VARIABLES
        for name in (SIGNS[agent].session, *SIGNS[agent].variables)
        # Some shells and tools clear a variable by making it empty.
        if name and environ.get(name)
    ]
    for agent, name in marked:
        if event is None or event in AGENTS[agent].EVENTS:
            return _as(agent, f"the variable {name} is set")
    return _as(marked[0][0], f"the variable {marked[0][1]} is set") if marked else None


def _by_little(payload: Payload, _environ: Environ) -> Recognised | None:
    for agent, signs in SIGNS.items():
        if signs.only == frozenset(payload):
            return _as(agent, f"the payload has no more than {', '.join(sorted(payload))}")
    return None


def _as(agent: str, because: str) -> Recognised:
    return Recognised(agent=agent, because=because)


_KINDS: tuple[Callable[[Payload, Environ], Recognised | None], ...] = (
    _by_fields,
    _by_event,
    _by_transcript,
    _by_session,
    _by_variables,
    _by_little,
)
