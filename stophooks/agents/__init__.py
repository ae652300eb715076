"""The agents that can ask whether they may stop, by the name given to ``--agent``."""

from __future__ import annotations

import sys

from stophooks.agents.signs import SIGNS
from stophooks.typed import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.agents.base import Agent, Installable


class _Adapters:
    """Adapters by name, as a mapping; each is imported when it is asked for.

    A stop needs one of them, and not the import of `collections.abc` either.
    """

    def __getitem__(self, name: str) -> Any:
        if name not in SIGNS:
            raise KeyError(name)
        whole = f"{__name__}.{name}"
        if whole not in sys.modules:
            __import__(whole)
        return sys.modules[whole]

    def get(self, name: str, default: Any = None) -> Any:
        """The adapter of this name, or the default."""
        return self[name] if name in SIGNS else default

    def __contains__(self, name: object) -> bool:
        return name in SIGNS

    def __iter__(self) -> Iterator[str]:
        return iter(SIGNS)

    def __len__(self) -> int:
        return len(SIGNS)

    def keys(self) -> Any:
        """The names."""
        return SIGNS.keys()

    def values(self) -> Any:
        """The adapters."""
        return [self[name] for name in SIGNS]

    def items(self) -> Any:
        """Both."""
        return [(name, self[name]) for name in SIGNS]


AGENTS: Mapping[str, Agent] = cast("Mapping[str, Agent]", _Adapters())
INSTALLABLE: Mapping[str, Installable] = cast("Mapping[str, Installable]", AGENTS)

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
