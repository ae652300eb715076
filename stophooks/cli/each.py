"""The same for each of several agents: what one of them refuses does not keep the others."""

from __future__ import annotations

import typer

from stophooks.cli import console
from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COULD_NOT = 3


def each(names: Sequence[str], do: Callable[[str], None]) -> None:
    """Do it for each of these agents, in their order and each once.

    Raises:
        StophooksError: The only one of them could not.
        typer.Exit: One of several could not; that was told.
    """
    wanted = list(dict.fromkeys(names))
    if len(wanted) == 1:
        do(wanted[0])
        return
    failed = False
    for name in wanted:
        try:
            do(name)
        except StophooksError as err:
            console.err(f"stophooks: {name}: {err}")
            failed = True
    if failed:
        raise typer.Exit(_COULD_NOT)
