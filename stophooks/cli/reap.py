"""``stophooks reap``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from stophooks import invocation
from stophooks.cli import COULD_NOT_RUN, console
from stophooks.cli.formats import Format, FormatOption
from stophooks.executors.docker import reap as reaping
from stophooks.reports import reap as report
from stophooks.store import state_dir

DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be removed; remove nothing.")
]
AllOption = Annotated[
    bool,
    typer.Option(
        "--all", help="Also what nobody here can be asked about; a living run's stays all the same."
    ),
]


def reap(
    dry_run: DryRunOption = False,
    all_: AllOption = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Remove the containers that killed runs left behind."""
    environ = invocation.public_environ()
    done = reaping.reap(
        environ,
        invocation.home() or "/",
        lock_dir=os.path.join(state_dir(environ), "locks"),
        everything=all_,
        dry_run=dry_run,
    )
    console.out(report.json(done) if format_ is Format.JSON else report.text(done))
    if done.failures:
        raise typer.Exit(COULD_NOT_RUN)
