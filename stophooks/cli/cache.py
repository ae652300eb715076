"""``stophooks cache``."""

from __future__ import annotations

from json import dumps
from typing import Annotated

import typer

from stophooks import invocation
from stophooks.cli import console, project
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.store import state_dir
from stophooks.store.passes import Passes

app = typer.Typer(add_completion=False, rich_markup_mode=None)

AllOption = Annotated[bool, typer.Option("--all", help="Those of every project.")]


@app.command()
def clear(
    *,
    config: ConfigOption = None,
    all_: AllOption = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Forget the results that are remembered of this project, or of all."""
    place = None if all_ else project.directory(config)
    with Passes(state_dir(invocation.environ())) as passes:
        count = passes.clear(place)
        notes = passes.notes
    for note in notes:
        console.err(note)
    if format_ is Format.JSON:
        console.out(dumps({"project": place, "cleared": count}, indent=2))
        return
    of = "all projects" if place is None else place
    noun = "result" if count == 1 else "results"
    console.out(f"Forgot {count} remembered {noun} of {of}.")
