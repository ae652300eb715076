"""``stophooks uninstall``: an agent no longer asks us whether it may stop."""

from __future__ import annotations

from typing import Annotated

import typer

from stophooks.agents import INSTALLABLE, settings
from stophooks.cli import console
from stophooks.cli.difference import difference
from stophooks.cli.each import each
from stophooks.cli.entry import without
from stophooks.cli.scope import (
    BACKUP_SUFFIX,
    AgentsArgument,
    DryRunOption,
    LocalOption,
    ProjectOption,
    Target,
    UserOption,
    check_names,
    scope_named,
    target,
)
from stophooks.errors import UsageError
from stophooks.store import textfile


def uninstall(
    agents: AgentsArgument = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every agent that has such settings.")
    ] = False,
    user: UserOption = False,
    project: ProjectOption = False,
    local: LocalOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take our entries, and nothing else, out of agents' settings."""
    check_names(agents, every=every)
    scope = scope_named(user=user, project=project, local=local)
    having = [name for name, agent in INSTALLABLE.items() if scope in agent.settings().files]
    names = having if every else agents or []
    each(names, lambda name: _uninstall(target(name, scope), dry_run=dry_run))


def _uninstall(meant: Target, *, dry_run: bool) -> None:
    file = textfile.read(meant.path)
    backup = textfile.read(file.path + BACKUP_SUFFIX)
    text = _without(meant, file.text, backup.text)
    if text == file.text:
        console.out(f"Not installed in {meant.path}; nothing was changed.")
    elif dry_run:
        console.out(difference(meant.path, file.text, text))
    elif text is None:
        textfile.remove(file.path)
        console.out(f"Removed {meant.path}: nothing else was in it.")
    else:
        textfile.write(file.path, text)
        console.out(f"Removed from {meant.path}.")
        _clear(backup, text)


def _clear(backup: textfile.TextFile, text: str) -> None:
    if text == backup.text:
        textfile.remove(backup.path)
    elif backup.text is not None:
        console.out(f"{backup.path} is as the file was before; remove it when you like.")


def _without(meant: Target, text: str | None, original: str | None) -> str | None:
    if text is None:
        return None
    try:
        return without(meant, text, original)
    except settings.SettingsError as err:
        raise UsageError(
            f"{meant.path} cannot be read: {err}. Nothing was changed. Mend the file first."
        ) from err
