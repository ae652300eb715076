"""From a working directory or a path to a plan, or to every reason why there is none."""

from __future__ import annotations

import os

from stophooks import config, invocation
from stophooks.errors import StophooksError, UsageError
from stophooks.plan import Plan
from stophooks.reports import problems as report
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from pathlib import Path

    from stophooks.models import Problem
    from stophooks.plan import Section


class ConfigInvalidError(StophooksError):
    """The configuration has problems; the text shows all of them."""


def plan(path: Path | None) -> Plan:
    """The plan of a configuration file, or of the one that belongs to the working directory.

    The user's own configuration has its part in it.

    Raises:
        UsageError: There is no configuration.
        ConfigInvalidError: There is one, with problems.
    """
    loaded = config.effective(place(path), environ=invocation.public_environ())
    if loaded.plan is None:
        errors = [problem for problem in loaded.problems if not problem.warning]
        raise ConfigInvalidError("invalid configuration\n" + report.text(shown(errors)))
    return loaded.plan


def plan_if_any(path: Path | None) -> Plan:
    """The same; a plan of nothing for the working directory's project, where it has none.

    Raises:
        ConfigInvalidError: It has one, with problems.
    """
    found = locate()
    if path is None and found.project_path is found.user_path is None:
        return Plan(config_path="", project_dir=found.project_dir)
    return plan(path)


def place(path: Path | None) -> config.Place:
    """Where the project's configuration and the user's own are; at least one is there.

    Raises:
        UsageError: There is none.
    """
    found = locate()
    if path is not None:
        given = os.path.join(invocation.directory(), path)
        if given != found.user_path:
            folder = os.path.dirname(os.path.abspath(given))
            found = replace(found, project_dir=folder, project_path=given)
    if found.project_path is found.user_path is None:
        find(None)
    return found


def locate() -> config.Place:
    """Where the configurations for the working directory are, if there are any."""
    directory = invocation.directory()
    home, environ = invocation.home(), invocation.environ()
    found = config.locate((directory,), home=home, environ=environ)
    return found or config.Place(project_dir=directory, project_path=None, user_path=None)


def directory(path: Path | None) -> str:
    """The project that the working directory, or a configuration file, belongs to; absolute."""
    if path is not None:
        return os.path.dirname(os.path.abspath(os.path.join(invocation.directory(), path)))
    return locate().project_dir


def find(path: Path | None) -> str:
    """The absolute path of the configuration file.

    Raises:
        UsageError: No path was given and there is none to be found.
    """
    if path is not None:
        return os.path.join(invocation.directory(), path)
    directory = invocation.directory()
    found = config.find(directory, home=invocation.home())
    if found is None:
        raise UsageError(
            f"No stophooks.yaml in {directory} or above it. Write one with: stophooks init"
        )
    return found


def section(whole: Plan, event: str) -> Section:
    """The section of an event.

    Raises:
        UsageError: The configuration has none.
    """
    found = whole.section(event)
    if found is None or not found.commands:
        raise UsageError(f"Nothing to run: {short(whole.config_path)} has no {event} section.")
    return found


def shown(found: list[Problem]) -> list[Problem]:
    """The problems with their paths as short as the working directory allows."""
    return [replace(problem, path=short(problem.path)) for problem in found]


def short(path: str) -> str:
    """A path relative to the working directory where it lies below it."""
    below = invocation.directory().rstrip("/") + "/"
    return path.removeprefix(below)
