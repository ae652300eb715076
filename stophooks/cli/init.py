"""``stophooks init``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from stophooks import config, invocation
from stophooks.cli import console, template
from stophooks.cli.detect import Project, detect
from stophooks.config.search import NAMES
from stophooks.errors import UsageError
from stophooks.store import textfile

NAME = "stophooks.yaml"

ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite an existing stophooks.yaml.")]


def init(force: ForceOption = False) -> None:
    """Write a stophooks.yaml that fits this project."""
    directory = Path(invocation.directory())
    _refuse(directory, force=force)
    project = detect(directory)
    textfile.write(str(directory / template.SCHEMA), config.schema_text())
    textfile.write(os.path.realpath(directory / NAME), template.render(project))
    console.out(_next_steps(project))


def _refuse(directory: Path, *, force: bool) -> None:
    """Raise where the file would replace, or lie beside, somebody's configuration."""
    others = [name for name in NAMES if name != NAME and (directory / name).exists()]
    if others:
        raise UsageError(
            f"{others[0]} is this directory's configuration already, and two cannot be. "
            f"Remove or rename it to have {NAME} written. Nothing was changed."
        )
    if os.path.lexists(directory / NAME) and not force:
        raise UsageError(
            f"{NAME} exists. Nothing was changed. Overwrite it with: stophooks init --force"
        )


def _next_steps(project: Project) -> str:
    found = ", ".join(project.languages) or "nothing known, so it holds a placeholder"
    checks = "".join(f"\n  {check.name}: {check.run}" for check in project.checks)
    return (
        f"Wrote {NAME} and {template.SCHEMA} (found: {found}).{checks}\n"
        "Next:\n"
        "  stophooks run              run the checks now\n"
        "  stophooks install claude   let Claude Code run them when it wants to stop"
    )
