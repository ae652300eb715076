"""Which settings file of an agent is meant, and how its changes are written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import config, invocation
from stophooks.agents import INSTALLABLE
from stophooks.errors import UsageError

if TYPE_CHECKING:
    from stophooks.agents.base import Installable

BACKUP_SUFFIX = ".stophooks-backup"

AgentArgument = Annotated[str, typer.Argument(help="The agent, for example claude.")]
UserOption = Annotated[
    bool, typer.Option("--user", help="Your own settings, for all of your projects.")
]
ProjectOption = Annotated[
    bool, typer.Option("--project", help="The project's shared settings (the default).")
]
LocalOption = Annotated[bool, typer.Option("--local", help="Your own settings of this project.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One settings file; ``config_path`` is the project's configuration, where there is one."""

    agent: Installable
    scope: str
    path: str
    config_path: str | None


def target(
    agent: str, *, user: bool, project: bool, local: bool, directory: str | None = None
) -> Target:
    """Return the settings file that is meant, seen from ``directory``: the working directory.

    Raises:
        UsageError: The agent is not known, more than one scope is named, or there is no home.

    """
    if agent not in INSTALLABLE:
        raise UsageError(f'unknown agent "{agent}". Known: {", ".join(INSTALLABLE)}.')
    flags = {"user": user, "project": project, "local": local}
    named = [scope for scope, wanted in flags.items() if wanted]
    if len(named) > 1:
        raise UsageError("only one of --user, --project and --local can be meant. Leave one.")
    scope = named[0] if named else "project"
    home = invocation.home()
    if scope == "user" and home is None:
        raise UsageError("there is no home directory for --user. Set HOME, or use --project.")
    directory = directory or invocation.directory()
    config_path = config.find(directory, home=home)
    in_home = home if scope == "user" else None
    base = in_home or _project_dir(directory, config_path)
    return Target(
        agent=INSTALLABLE[agent],
        scope=scope,
        path=os.path.join(base, INSTALLABLE[agent].SETTINGS[scope]),
        config_path=config_path,
    )


def _project_dir(directory: str, config_path: str | None) -> str:
    """Return the configuration's directory, else the git repository's root, else the given one."""
    if config_path is not None:
        return os.path.dirname(config_path)
    above = directory
    while not os.path.lexists(os.path.join(above, ".git")):
        if above == os.path.dirname(above):
            return directory
        above = os.path.dirname(above)
    return above
