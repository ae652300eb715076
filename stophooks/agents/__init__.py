"""The agents that can ask whether they may stop, by the name given to ``--agent``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from stophooks.agents.signs import SIGNS
from stophooks.typed import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from stophooks.agents.base import Agent, Installable


class _Adapters(Mapping[str, Any]):
    """Adapters by name, each imported when it is asked for: a stop needs one of them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        whole = f"{__name__}.{name}"
        if whole not in sys.modules:
            __import__(whole)
        return sys.modules[whole]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


AGENTS: Mapping[str, Agent] = cast("Mapping[str, Agent]", _Adapters(tuple(SIGNS)))
INSTALLABLE: Mapping[str, Installable] = cast("Mapping[str, Installable]", _Adapters(tuple(SIGNS)))

# Whether a variable of this name is an agent's own; the same few dozen are asked about again.
_private: dict[str, bool] = {}


def adapter(name: str, environ: Mapping[str, str], *, lent: bool = False) -> Agent:
    """Return what speaks to an agent in this call.

    Args:
        name: As in ``--agent``.
        environ: What the agent left us.
        lent: Whether it calls by way of another agent's settings.

    """
    found = AGENTS[name]
    vary = getattr(found, "variant", None)
    return cast("Agent", vary(environ, lent=lent)) if vary else found


def public(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what belongs to an agent, whichever of them is there."""
    altered: set[str] = set()
    for signs in SIGNS.values():
        if any(environ.get(name) for name in signs.variables):
            altered |= signs.alters
    for name in environ:
        if name not in _private:
            _private[name] = any(signs.private(name) for signs in SIGNS.values())
    return {
        name: value for name, value in environ.items() if name not in altered and not _private[name]
    }


def marks(session: str) -> tuple[tuple[str, str], ...]:
    """Return the variables, and their value, by which agents mark what a session starts."""
    names = (name for signs in SIGNS.values() for name in (signs.session, *signs.started) if name)
    return tuple((name, session) for name in dict.fromkeys(names))
