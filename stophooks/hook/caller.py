"""Which agent calls, and whether another hook of ours answers the same stop.

An agent may obey another's settings beside its own. With our hook in both it would ask twice about
one stop. The call by way of its own settings is then the one that counts: the other stands aside,
but only as often as the former has really come since.
"""

from __future__ import annotations

from stophooks.agents import AGENTS, adapter, base
from stophooks.agents.signs import SIGNS
from stophooks.contexts import suppress
from stophooks.events import SESSION_EVENTS
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.agents.base import Agent, Reply
    from stophooks.events import Event
    from stophooks.hook.arguments import Arguments

_PREFIX = "stophooks: debug: "
_NAME_CHARACTERS = 100
# Facts of the store: the calls by way of an agent's own settings, and how many of them there were
# when another call last stood aside.
_OWN, _ASIDE = "own_calls", "own_calls_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The agent that answers are for, what it says, by what it was known, and who answers.

    ``aside``: another hook of ours is asked about this stop; this one lets the agent go on.
    """

    agent: Agent
    event: Event
    because: str
    aside: bool


def named(arguments: Arguments) -> Agent:
    """Return the agent whose settings called us, or one that all of them understand."""
    return AGENTS[arguments.agent] if arguments.agent else base.UNKNOWN


def find(
    arguments: Arguments,
    payload: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    state_dir: str,
) -> Caller:
    """Return who called.

    Raises:
        UnknownAgentError: No agent is named, and nothing tells which one it is.

    """
    from stophooks.agents.recognise import UnknownAgentError, recognise  # noqa: PLC0415 -- a payload that cannot be read needs none

    name, because, lent = arguments.agent, "--agent names it", False
    try:
        found = recognise(payload, environ)
    except UnknownAgentError:
        if name is None:
            raise
    else:
        lent = name in SIGNS[found.agent].reads
        if name is None or lent:
            name, because = found.agent, found.because
    agent = adapter(name, environ, lent=lent)
    event = agent.parse(payload, environ)
    aside = bool(agent.SIGNS.reads) and _stands_aside(arguments.agent, event, state_dir)
    return Caller(agent=agent, event=event, because=because, aside=aside)


def explained(caller: Caller) -> tuple[str, ...]:
    """Return what ``--debug`` says about a caller, line by line."""
    event = caller.event
    told = [
        f"the agent is {caller.agent.TITLE} ({caller.agent.NAME}): {caller.because}",
        f"the event is {_shown(event.kind)} of session {_shown(event.session or 'unknown')}",
    ]
    if event.helper:
        told.append(f"it is about the helper {_shown(event.helper)}")
    if event.unfinished:
        told.append(f"nothing is checked: {event.unfinished}")
    if caller.aside:
        told.append("nothing is checked: the hook in the agent's own settings answers")
    return tuple(told)


def debugged(reply: Reply, lines: Iterable[str]) -> Reply:
    """Return the answer with these lines on stderr, behind what the agent may read there."""
    told = "".join(f"{_PREFIX}{line}\n" for line in lines)
    return replace(reply, stderr=reply.stderr + told)


def _shown(text: str) -> str:
    """What an agent has named, on one line and of a length that leaves room for the rest."""
    return text.encode("unicode_escape")[:_NAME_CHARACTERS].decode()


def _stands_aside(settings: str | None, event: Event, state_dir: str) -> bool:
    """Count a call by way of the agent's own settings; say whether one by another's is spare."""
    if event.session is None:
        return False
    from stophooks.store.facts import Facts  # noqa: PLC0415 -- most agents never need it
    from stophooks.store.memory import UNUSABLE, key  # noqa: PLC0415 -- the same

    calls = key(event.agent, "calls", event.session)
    with Facts(state_dir) as facts:
        own = _count(facts.get(_OWN, calls))
        if settings in {None, event.agent}:
            # Uncounted, the next call by another's settings runs the checks once more than needed.
            with suppress(*UNUSABLE):
                facts.put(_OWN, calls, own + 1)
            return False
        if event.kind in SESSION_EVENTS or own <= _count(facts.get(_ASIDE, calls)):
            return False
        try:
            facts.put(_ASIDE, calls, own)
        except UNUSABLE:
            return False
    return True


def _count(known: object) -> int:
    return known if isinstance(known, int) else 0
