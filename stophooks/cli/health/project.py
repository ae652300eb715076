"""The configuration that belongs to the working directory."""

from __future__ import annotations

import os

from stophooks import config
from stophooks.cli.health import ok, problem, warn
from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.models import Command, Problem
    from stophooks.plan import Plan
    from stophooks.proofs import Finding

ABOUT = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is known about the configuration: its findings, and its plan where it has one."""

    findings: tuple[Finding, ...]
    plan: Plan | None = None

    @property
    def commands(self) -> tuple[Command, ...]:
        """Every command of every event."""
        sections = self.plan.sections if self.plan else ()
        return tuple(command for section in sections for command in section.commands)


def look(
    path: str | None, *, directory: str, home: str | None, environ: Mapping[str, str]
) -> Found:
    """The configuration at ``path``, else the one of the directory, and the user's own with it."""
    try:
        place = config.locate((directory,), home=home, environ=environ)
    except StophooksError as err:
        return Found(findings=(problem(ABOUT, str(err), "See `stophooks validate`."),))
    user = place.user_path if place else None
    if path is not None and path != user:
        place = config.Place(project_dir=os.path.dirname(path), project_path=path, user_path=user)
    path = (place.project_path if place else None) or user
    if place is None or path is None:
        text = f"there is none in {directory} or above it, so nothing is checked here"
        return Found(findings=(warn(ABOUT, text, "Write one: stophooks init"),))
    loaded = config.effective(place, environ=environ)
    errors = [one for one in loaded.problems if not one.warning]
    if loaded.plan is None:
        text = f"it cannot be used: {_number(len(errors), 'problem')}, {_first(errors)}"
        remedy = "See all of them: stophooks validate"
        return Found(findings=(problem(ABOUT, text, remedy, where=errors[0].path),))
    return Found(findings=_valid(loaded.plan, path, len(loaded.problems)), plan=loaded.plan)


def _valid(plan: Plan, path: str, warnings: int) -> tuple[Finding, ...]:
    counts = [f"{_number(len(one.commands), 'command')} at {one.event}" for one in plan.sections]
    findings = [ok(ABOUT, ", ".join(counts) or "valid, without a command", where=path)]
    if not any(section.commands for section in plan.sections):
        findings = [warn(ABOUT, "it has no command, so nothing is checked", "Add one.", where=path)]
    if warnings:
        text = f"{_number(warnings, 'warning')} about isolation that is wider than it need be"
        findings.append(warn(ABOUT, text, "See them: stophooks validate", where=path))
    return tuple(findings)


def _first(errors: list[Problem]) -> str:
    one = errors[0]
    place = f"line {one.line}: " if one.line else ""
    return f"the first at {place}{one.message}" if place else f"the first: {one.message}"


def _number(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
