"""``stophooks install``: an agent asks us from now on whether it may stop."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any

import typer

from stophooks import config
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
from stophooks.plan import DEFAULT_DEADLINE_S
from stophooks.store import textfile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.plan import Plan

# The agent's limit lies this much beyond our own deadline: an agent takes a hook that it had to
# end for a pass. Seconds.
MARGIN_S = 60


def install(
    agent: AgentArgument,
    user: UserOption = False,
    project: ProjectOption = False,
    local: LocalOption = False,
) -> None:
    """Make an agent ask, when it wants to stop, whether the checks pass."""
    _install(target(agent, user=user, project=project, local=local))


def _install(meant: Target) -> None:
    file = textfile.read(meant.path)
    try:
        longest = settings.timeouts(file.text, meant.agent.EVENTS, agent=meant.agent.NAME)
        entries = _entries(meant, longest)
        text = settings.installed(file.text, entries, agent=meant.agent.NAME)
        present = settings.has_entries(file.text, meant.agent.EVENTS, agent=meant.agent.NAME)
    except settings.SettingsError as err:
        raise UsageError(
            f"{meant.path} cannot be added to: {err}. Nothing was changed. Mend the file, or put "
            "the hook into another one with --user, --project or --local."
        ) from err
    if text == file.text:
        typer.echo(f"Already installed in {meant.path}; nothing was changed.")
        return
    backup = file.path + BACKUP_SUFFIX
    keeps = file.text is not None and not (present and os.path.lexists(backup))
    if keeps and file.text is not None:
        textfile.write(backup, file.text, like=file.path)
    textfile.write(file.path, text)
    typer.echo(f"{'Updated' if present else 'Installed'} in {meant.path}:")
    for event, entry in entries.items():
        typer.echo(f"  {event}: {entry['command']} (timeout {entry['timeout']} s)")
    if keeps:
        typer.echo(f"Before it was as in {backup}.")
    _remarks(meant, text, [str(entry["command"]) for entry in entries.values()])


def _remarks(meant: Target, text: str, commands: list[str]) -> None:
    by_name = all(command.startswith(f"{settings.PROGRAM} ") for command in commands)
    if meant.scope == "project" and not by_name:
        typer.echo(
            f"`{settings.PROGRAM}` is not on PATH outside this virtual environment, so the entry "
            "has a path that only this machine knows.",
            err=True,
        )
    if json.loads(text.removeprefix("\ufeff")).get("disableAllHooks") is True:
        typer.echo(f"`disableAllHooks` is true in {meant.path}: no hook runs.", err=True)
    if meant.config_path is None and meant.scope != "user":
        typer.echo("There is no configuration yet: `stophooks init` writes one.", err=True)


def _entries(meant: Target, longest: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """The entry of every event; a limit that is larger already (``longest``) stays."""
    plan = _plan(meant)
    command = f"{_program(meant.scope)} hook --agent {meant.agent.NAME}"
    entries = {}
    for event, kind in meant.agent.EVENTS.items():
        needed_s = _needed_s(plan, kind, meant.scope)
        kept_s = longest.get(event, 0)
        if kept_s > needed_s:
            typer.echo(
                f"{event}: the timeout of {kept_s} s that is there stays; {needed_s} s would do.",
                err=True,
            )
        entries[event] = settings.entry(command, max(needed_s, kept_s))
    return entries


def _plan(meant: Target) -> Plan | None:
    if meant.config_path is None:
        return None
    loaded = config.load(meant.config_path, environ=os.environ)  # noqa: TID251 -- floor 4
    if loaded.plan is None:
        typer.echo(
            f"{meant.config_path} has problems, so the default deadline is taken. See them with "
            "`stophooks validate`, then install again.",
            err=True,
        )
    return loaded.plan


def _needed_s(plan: Plan | None, kind: str, scope: str) -> int:
    """The agent's limit that is longer than our deadline, in seconds.

    The user's entry is for every project: those without a deadline of their own take the default.
    """
    section = plan.section(kind) if plan else None
    deadline_s = section.deadline_s if section else DEFAULT_DEADLINE_S
    if scope == "user":
        deadline_s = max(deadline_s, DEFAULT_DEADLINE_S)
    return math.ceil(deadline_s) + MARGIN_S


def _program(scope: str) -> str:
    """Return how a shell starts us: in shared settings by name, where that will always work."""
    found = shutil.which(settings.PROGRAM)
    stable = found is not None and os.path.isabs(found) and not _passing(found)
    if found is not None and stable:
        return settings.PROGRAM if scope == "project" else shlex.quote(found)
    own = os.path.join(os.path.dirname(sys.executable), settings.PROGRAM)
    if not os.access(own, os.X_OK):
        raise UsageError(
            f"there is no `{settings.PROGRAM}` program on PATH or in {os.path.dirname(own)}. "
            "Install it from its checkout with `uv tool install .` or `pipx install .`."
        )
    if _is_cache(own):
        raise UsageError(
            f"{own} lies in a cache and will go away, and the agent would then stop unchecked. "
            "Install it first, from its checkout: `uv tool install .` or `pipx install .`."
        )
    return shlex.quote(own)


def _passing(program: str) -> bool:
    """Whether a program is on PATH only for now: in a virtual environment or in a cache."""
    directory = os.path.dirname(program)
    in_venv = os.path.exists(os.path.join(os.path.dirname(directory), "pyvenv.cfg"))
    return in_venv or _is_cache(program)


def _is_cache(program: str) -> bool:
    parts = program.split(os.sep)
    return ".cache" in parts or any(part.startswith("archive-v") for part in parts)
