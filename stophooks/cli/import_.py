"""``stophooks import``."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import config, invocation
from stophooks.cli import console, project
from stophooks.config.files import MAX_BYTES
from stophooks.config.search import NAMES
from stophooks.errors import StophooksError, UsageError
from stophooks.importing import IMPORTERS, Source, absent, document
from stophooks.importing.tree import Block
from stophooks.models import human_size
from stophooks.reports import problems as report
from stophooks.store import textfile

if TYPE_CHECKING:
    from stophooks.importing import Importer
    from stophooks.models import Problem

NAME = "stophooks.yaml"
# Our YAML in a file of another ending would not be read as YAML.
_OTHER_ENDINGS = (".json", ".toml")
_NOTHING = "Nothing was written."

_TOOLS = ", ".join(IMPORTERS)

ToolArgument = Annotated[
    str, typer.Argument(metavar="TOOL", help=f"One of {_TOOLS}.", show_default=False)
]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Its configuration file.", show_default=False)
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Where our configuration is written; default: standard output.",
        show_default=False,
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite OUT.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be written to OUT; write nothing.")
]


class ImportRefusedError(StophooksError):
    """The file cannot be made into a configuration of ours; the text says why."""


def import_(
    tool: ToolArgument,
    file: FileArgument,
    output: OutOption = None,
    force: ForceOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Make another tool's configuration into one of ours.

    What has no equal here is a comment that begins with "no equal", beside the place where it
    would be. The result is checked as `stophooks validate` does before anything is written.
    """
    importer = _importer(tool)
    given = os.path.join(invocation.directory(), file)
    target = os.path.join(invocation.directory(), output or NAME)
    if output is not None:
        _refuse(target, given, force=force)
    tree = _converted(tool, importer, given, os.path.dirname(target))
    text = document.text(tree, tool=tool, file=os.path.basename(given))
    _check(text, target, given)
    if output is None or dry_run:
        console.out(text.rstrip("\n"))
    else:
        textfile.write(os.path.realpath(target), text)
    console.err(document.summary(tree, file=project.short(given)))
    if output is not None:
        console.err(f"{'Would write' if dry_run else 'Wrote'} {project.short(target)}.")


def _importer(tool: str) -> Importer:
    if tool not in IMPORTERS:
        raise UsageError(f'no tool "{tool}" is known to import from. Name one of {_TOOLS}.')
    return IMPORTERS[tool]


def _refuse(target: str, given: str, *, force: bool) -> None:
    """Raise where the target cannot be ours, or is somebody's file."""
    name, shown = os.path.basename(target), project.short(target)
    if name.endswith(_OTHER_ENDINGS):
        raise UsageError(f"{shown}: what is written is YAML. Let the name end in .yaml. {_NOTHING}")
    others = [other for other in NAMES if other != name and _exists(os.path.dirname(target), other)]
    if name in NAMES and others:
        raise UsageError(
            f"{others[0]} is that directory's configuration already, and two cannot be. "
            f"Remove or rename it to have {shown} written. {_NOTHING}"
        )
    if os.path.realpath(target) == os.path.realpath(given):
        raise UsageError(f"{shown} is the file to be read. Name another one. {_NOTHING}")
    if not os.path.lexists(target):
        return
    if not force:
        raise UsageError(f"{shown} exists. Overwrite it with --force. {_NOTHING}")
    if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        raise UsageError(f"{shown} is no regular file. Name another one. {_NOTHING}")


def _exists(directory: str, name: str) -> bool:
    return os.path.lexists(os.path.join(directory, name))


def _converted(tool: str, importer: Importer, given: str, directory: str) -> Block:
    """The tree of a tool's file for a configuration in a directory.

    Raises:
        ImportRefusedError: The file cannot be read, or is not the tool's, or has nothing for us.
    """
    shown = project.short(given)
    try:
        read = config.read_foreign(given, parsed=importer.parsed, tags=importer.tags)
        source = Source(
            path=_from(directory, given),
            text=read.text,
            value=read.value,
            runs=_runs(os.path.dirname(given), importer.program),
        )
        tree = Block() if read.problem else importer.convert(source)
        tree = absent.without(tree, partial(_is_there, directory))
    except StophooksError as err:
        said = f"{shown} cannot be imported as {tool}'s: {err}. {_NOTHING}"
        raise ImportRefusedError(said) from err
    if read.problem is not None:
        raise ImportRefusedError(_told([read.problem]))
    if not tree.pairs:
        lost = "".join(f"\n  {line}" for line in document.lost(tree))
        raise ImportRefusedError(f"{shown}: nothing in it has an equal here. {_NOTHING}{lost}")
    return tree


def _check(text: str, target: str, given: str) -> None:
    """Raise where our own loader would not take the text at its place."""
    if len(text.encode()) > MAX_BYTES:
        raise ImportRefusedError(
            f"{project.short(given)}: our configuration of it would be larger than "
            f"{human_size(MAX_BYTES)}. {_NOTHING}"
        )
    loaded = config.judge(target, text, environ=invocation.public_environ())
    if loaded.plan is None:
        errors = [problem for problem in loaded.problems if not problem.warning]
        raise ImportRefusedError(
            f"{project.short(given)}: what it says is no valid configuration of ours:\n"
            f"{_told(errors)}\n"
            f"Mend {project.short(given)}, or what is missing beside {project.short(target)}."
        )


def _told(problems: list[Problem]) -> str:
    """Problems as `stophooks validate` shows them; of an import something else is true."""
    return report.text(project.shown(problems)).removesuffix("Nothing was run.") + _NOTHING


def _from(directory: str, path: str) -> str:
    """A path as a configuration in a directory names it: relative where it lies below it."""
    base = os.path.realpath(directory)
    real = os.path.realpath(path)
    relative = os.path.relpath(real, base)
    return real if relative.startswith("../") else relative


def _runs(directory: str, program: str | None) -> bool | None:
    """Whether a program in a directory can be run; None where nothing has its name."""
    if program is None or not _exists(directory, program):
        return None
    path = os.path.join(directory, program)
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_there(directory: str, key: str, given: str) -> bool:
    """Whether what a key of a configuration in a directory names is there."""
    path = os.path.normpath(os.path.join(directory, given))
    return os.path.isdir(path) if key == "working_dir" else os.path.exists(path)
