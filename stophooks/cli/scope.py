"""Which settings files of which agents are meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import config, invocation
from stophooks.agents import INSTALLABLE
from stophooks.agents.shape import PROJECT, SCOPES, USER
from stophooks.errors import UsageError
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.agents.base import Installable

BACKUP_SUFFIX = ".stophooks-backup"

AgentsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[AGENT]...", help=f"One of {', '.join(INSTALLABLE)}.")
]
UserOption = Annotated[
    bool, typer.Option("--user", help="Your own settings, for all of your projects.")
]
ProjectOption = Annotated[
    bool, typer.Option("--project", help="The project's shared settings (the default).")
]
LocalOption = Annotated[
    bool,
    typer.Option("--local", help="Your own settings of this project, where the agent has any."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the change and write nothing.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One settings file, and where the checks of the project are configured."""

    agent: Installable
    scope: str
    path: str
    place: config.Place


def scope_named(*, user: bool, project: bool, local: bool) -> str:
    """Return the one scope that is meant.

    Raises:
        UsageError: More than one is named.
    """
    named = [
        scope for scope, is_named in zip(SCOPES, (user, project, local), strict=True) if is_named
    ]
    if len(named) > 1:
        raise UsageError("only one of --user, --project and --local can be meant. Leave one.")
    return named[0] if named else PROJECT


def check_names(names: Sequence[str] | None, *, every: bool) -> None:
    """Refuse agents that are not known, and a command line that names none or too many.

    Raises:
        UsageError: See above.
    """
    unknown = [name for name in names or () if name not in INSTALLABLE]
    known = f"Known: {', '.join(INSTALLABLE)}."
    if unknown:
        raise UsageError(f'unknown agent "{unknown[0]}". {known}')
    if every and names:
        raise UsageError("--all and a name exclude each other. Leave one of them.")
    if not every and not names:
        raise UsageError(f"no agent is named. Name one or several, or give --all. {known}")


def target(agent: str, scope: str, *, directory: str | None = None) -> Target:
    """Return an agent's settings file of a scope, seen from ``directory``: the working directory.

    Raises:
        UsageError: The agent has no such file, or there is no home.
    """
    adapter = INSTALLABLE[agent]
    settings = adapter.settings()
    if scope not in settings.files:
        options = " or ".join(f"--{one}" for one in settings.files)
        raise UsageError(f"{adapter.TITLE} has no settings for --{scope}. Take {options}.")
    home, environ = invocation.home(), invocation.environ()
    place = config.locate([directory or invocation.directory()], home=home, environ=environ)
    project_dir = place.project_dir if place else None
    base = settings.folder(environ, home) if scope == USER else project_dir
    if place is None or base is None:
        raise UsageError("there is no home directory for --user. Set HOME, or use --project.")
    path = os.path.join(base, settings.files[scope])
    return Target(agent=adapter, scope=scope, path=path, place=place)
