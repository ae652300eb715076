"""The words behind ``stophooks hook``, read without the command line's imports."""

from __future__ import annotations

from stophooks.agents import AGENTS
from stophooks.errors import UsageError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The same as --debug, for an agent whose settings one does not want to change.
DEBUG = "STOPHOOKS_DEBUG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What the agent's settings say: whose they are, where they say it, and whether to explain."""

    agent: str | None = None
    debug: bool = False


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Arguments:
    """Return what these words mean.

    Raises:
        UsageError: One of them is none of ours, or names no agent that is known.

    """
    agent: str | None = None
    debug = environ.get(DEBUG, "") not in {"", "0"}
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--debug":
            debug = True
        elif word.startswith("--agent="):
            agent = word.removeprefix("--agent=")
        elif word == "--agent" and words:
            agent = words.pop(0)
        else:
            raise _refused(argv)
    if agent is not None and agent not in AGENTS:
        raise _refused(argv)
    return Arguments(agent=agent, debug=debug)


def _refused(argv: Sequence[str]) -> UsageError:
    return UsageError(
        f"`{' '.join(('stophooks hook', *argv))}` names no agent that is known. Write, in the "
        "agent's settings, usage: stophooks hook --agent NAME, where NAME is one of: "
        f"{', '.join(AGENTS)}; `stophooks install` writes it for you."
    )
