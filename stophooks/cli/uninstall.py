"""``stophooks uninstall``: an agent no longer asks us whether it may stop."""

from __future__ import annotations

import typer

from stophooks.agents import settings
from stophooks.cli.scope import (
    BACKUP_SUFFIX,
    AgentArgument,
    LocalOption,
    ProjectOption,
    Target,
    UserOption,
    target,
)
from stophooks.errors import UsageError
from stophooks.store import textfile


def uninstall(
    agent: AgentArgument,
    user: UserOption = False,
    project: ProjectOption = False,
    local: LocalOption = False,
) -> None:
    """Take our entries, and nothing else, out of an agent's settings."""
    _uninstall(target(agent, user=user, project=project, local=local))


def _uninstall(meant: Target) -> None:
    file = textfile.read(meant.path)
    backup = textfile.read(file.path + BACKUP_SUFFIX)
    text = _without(meant, file.text or "", backup.text)
    if file.text is None or text == file.text:
        typer.echo(f"Not installed in {meant.path}; nothing was changed.")
        return
    if backup.text is None and text == settings.EMPTY:
        textfile.remove(file.path)
        typer.echo(f"Removed {meant.path}: nothing else was in it.")
        return
    textfile.write(file.path, text)
    typer.echo(f"Removed from {meant.path}.")
    if text == backup.text:
        textfile.remove(backup.path)
    elif backup.text is not None:
        typer.echo(f"{backup.path} is as the file was before; remove it when you like.")


def _without(meant: Target, text: str, original: str | None) -> str:
    if not text.strip():
        return text
    try:
        return settings.uninstalled(text, original, meant.agent.EVENTS, agent=meant.agent.NAME)
    except settings.SettingsError as err:
        raise UsageError(
            f"{meant.path} cannot be read: {err}. Nothing was changed. Mend the file first."
        ) from err
