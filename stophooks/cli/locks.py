"""``stophooks locks``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import invocation
from stophooks.cli import console, project
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.reports import locks as report
from stophooks.reports.locks import Clearing
from stophooks.store import held, state_dir
from stophooks.store.holder import State, distinct

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from stophooks.store.held import Shelf

FAILED = 1

app = typer.Typer(add_completion=False, rich_markup_mode=None)

AllOption = Annotated[bool, typer.Option("--all", help="Those of every project.")]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Resources; default: every one.", show_default=False),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be cleared; clear nothing.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Also those that are still held, which ends nobody.")
]


@app.command(name="list")
def list_(
    config: ConfigOption = None,
    all_: AllOption = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Show the resources that tasks hold: of this project, and shared by all."""
    found = distinct(one for shelf in _shelves(config, all_=all_) for one in shelf.held())
    console.out(
        report.json(found) if format_ is Format.JSON else report.text(found, now=time.time())
    )


@app.command()
def clear(
    *,
    names: NamesArgument = None,
    config: ConfigOption = None,
    all_: AllOption = False,
    dry_run: DryRunOption = False,
    force: ForceOption = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Clear the locks of dead holders; nobody has to, as the next task takes them over."""
    every = [
        one
        for shelf in _shelves(config, all_=all_)
        for one in _cleared(shelf, names, force=force, dry_run=dry_run)
    ]
    told = distinct(one.held for one in every)
    done = [one for one in every if any(one.held is held for held in told)]
    if format_ is Format.JSON:
        console.out(report.cleared_json(done, dry_run=dry_run))
    else:
        console.out(report.cleared_text(done, now=time.time(), dry_run=dry_run))
    if names and not all(one.is_cleared for one in done):
        raise typer.Exit(FAILED)


def _shelves(config: Path | None, *, all_: bool) -> Iterable[Shelf]:
    state = state_dir(invocation.environ())
    if all_:
        return held.shelves(state)
    return (held.shelf(state, project.directory(config)), held.shelf(state, None))


def _cleared(
    shelf: Shelf, names: list[str] | None, *, force: bool, dry_run: bool
) -> Iterable[Clearing]:
    """What becomes of each lock that is meant; the living ones are only told of when named."""
    found = [one for one in shelf.held() if not names or one.resource in names]
    meant = [one for one in found if names or force or one.state is State.DEAD]
    if dry_run:
        gone = {one.resource for one in meant if force or one.state is State.DEAD}
    else:
        gone = {one.resource for one in shelf.clear([one.resource for one in meant], force=force)}
    return [Clearing(held=one, is_cleared=one.resource in gone) for one in meant]
