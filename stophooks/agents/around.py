"""Whether a program was started by an agent, as far as its environment tells."""

from __future__ import annotations

from stophooks.agents import AGENTS
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# What several agents set, without saying which of them.
_ANY = ("AI_AGENT",)


def around(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The title of the agent whose variable is set, and that variable; None where there is none.

    An agent can take a variable away, so that None proves nothing.
    """
    for agent in AGENTS.values():
        for name in (*agent.SIGNS.started, *agent.SIGNS.variables):
            if environ.get(name):
                return agent.TITLE, name
    return next((("an agent", name) for name in _ANY if environ.get(name)), None)
