"""``stophooks hook``: its entry in the help; a real call never comes this far (see __main__)."""

from __future__ import annotations

from typing import Annotated

import typer

from stophooks.agents import AGENTS
from stophooks.errors import UsageError


def hook(
    agent: Annotated[
        str, typer.Option(help=f"Who calls: {', '.join(AGENTS)}. Else it is recognised.")
    ] = "",
    debug: Annotated[
        bool, typer.Option("--debug", help="Say on stderr which agent it is and why.")
    ] = False,
) -> None:
    """Refuse: the agents' door is taken only where ``hook`` is the first argument."""
    del agent, debug
    raise UsageError("hook must be the first argument, as in: stophooks hook --agent claude")
