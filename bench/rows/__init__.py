"""The rows: one thing that is measured each, by name, in the order in which they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.rows import (
    commands,
    container,
    containers,
    door,
    files,
    fleet,
    flood,
    imports,
    leftovers,
    output,
    parallel,
    unchanged,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stand import Stand
    from bench.values import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: ``measure`` raises `BrokenError` where nothing can be said."""

    title: str
    measure: Callable[[Stand], Measured]


ROWS = {
    "door": Row(title=door.TITLE, measure=door.measure),
    "door-unchanged": Row(title=unchanged.TITLE, measure=unchanged.measure),
    "parallel": Row(title=parallel.TITLE, measure=parallel.measure),
    "container": Row(title=container.TITLE, measure=container.measure),
    "containers-4": Row(title=containers.TITLE, measure=containers.measure),
    "output": Row(title=output.TITLE, measure=output.measure),
    "leftovers": Row(title=leftovers.TITLE, measure=leftovers.measure),
    "growth-commands": Row(title=commands.TITLE, measure=commands.measure),
    "growth-files": Row(title=files.TITLE, measure=files.measure),
    "growth-containers": Row(title=fleet.TITLE, measure=fleet.measure),
    "growth-output": Row(title=flood.TITLE, measure=flood.measure),
    "imports": Row(title=imports.TITLE, measure=imports.measure),
}
