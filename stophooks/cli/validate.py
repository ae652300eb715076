"""``stophooks validate``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import config, invocation
from stophooks.cli import COULD_NOT_RUN, console, project
from stophooks.cli.formats import Format, FormatOption
from stophooks.errors import UsageError
from stophooks.reports import problems as report
from stophooks.store import contents
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.config.loading import Loaded
    from stophooks.plan import Plan

PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH",
        help="Configuration files, or directories that hold one; default: the nearest one upward.",
        show_default=False,
    ),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Take warnings for problems.")]


def validate(
    paths: PathsArgument = None,
    format_: FormatOption = Format.TEXT,
    strict: StrictOption = False,
) -> None:
    """Check configuration files and show every problem at once."""
    environ = invocation.public_environ()
    files = list(dict.fromkeys(_file(path) for path in paths)) if paths else _ours()
    loaded = {path: _load(path, environ) for path in files}
    problems = project.shown([item for one in loaded.values() for item in one.problems])
    if strict:
        problems = [replace(problem, warning=False) for problem in problems]
    if format_ is Format.JSON:
        console.out(report.json(problems, paths=[project.short(path) for path in files]))
    else:
        _tell(loaded, strict=strict)
        if problems:
            console.err(report.text(problems))
    if any(not problem.warning for problem in problems):
        raise typer.Exit(COULD_NOT_RUN)


def _ours() -> list[str]:
    """The project's configuration and the user's own."""
    place = project.place(None)
    return [path for path in (place.project_path, place.user_path) if path is not None]


def _load(path: str, environ: Mapping[str, str]) -> Loaded:
    place = project.locate()
    return config.load(
        path, environ=environ, user_for=place.project_dir if path == place.user_path else None
    )


def _file(path: Path) -> str:
    if not path.is_dir():
        return project.find(path)
    directory = os.path.join(invocation.directory(), path)
    # Its own home, so that the search does not leave it.
    found = config.find(directory, home=directory)
    if found is None:
        raise UsageError(f"No stophooks.yaml in {path}. Write one there with: stophooks init")
    return found


def _tell(loaded: dict[str, Loaded], *, strict: bool) -> None:
    for path, one in loaded.items():
        if one.plan is not None and not (strict and one.problems):
            count = sum(len(section.commands) for section in one.plan.sections)
            noun = "command" if count == 1 else "commands"
            console.out(f"{project.short(path)}: ok, {count} {noun}{_protected(one.plan)}")
            for note in _idle(one.plan):
                console.out(f"{project.short(path)}: {note}")


def _idle(plan: Plan) -> Iterator[str]:
    """Patterns that fit no file: a check that they are for may never run, or run too seldom."""
    for section in plan.sections:
        for command in section.commands:
            where = f"{section.event}: {command.name}"
            for key, patterns in (("inputs", command.inputs), ("files", command.files)):
                for pattern in patterns:
                    if not contents.fits_any(plan.project_dir, pattern):
                        yield f'{where}: {key}: "{pattern}" fits no file now'


def _protected(plan: Plan) -> str:
    """How many files are protected: none is seldom what somebody meant."""
    if not plan.protect:
        return ""
    count = len(contents.protected(plan.project_dir, plan.protect))
    return f", {count} protected {'file' if count == 1 else 'files'}"
