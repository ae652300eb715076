"""From a working directory or a path to a plan, or to every reason why there is none."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from stophooks import config, invocation
from stophooks.errors import StophooksError, UsageError
from stophooks.reports import problems as report

if TYPE_CHECKING:
    from pathlib import Path

    from stophooks.models import Problem
    from stophooks.plan import Plan, Section


class ConfigInvalidError(StophooksError):
    """The configuration has problems; the text shows all of them."""


def plan(path: Path | None) -> Plan:
    """The plan of a configuration file, or of the one that belongs to the working directory.

    Raises:
        UsageError: There is no configuration.
        ConfigInvalidError: There is one, with problems.
    """
    loaded = config.load(find(path), environ=invocation.public_environ())
    if loaded.plan is None:
        errors = [problem for problem in loaded.problems if not problem.warning]
        raise ConfigInvalidError("invalid configuration\n" + report.text(shown(errors)))
    return loaded.plan


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
