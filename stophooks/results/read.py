"""The failing cases of a command that has ended."""

from __future__ import annotations

import os
import stat

from stophooks.models import Cases
from stophooks.results import junit, linters, runners
from stophooks.results.asked import asked
from stophooks.results.base import MAX_BYTES, NotUnderstoodError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.models import Command, Outcome, ResultFile, Tail
    from stophooks.results.base import Found

FORMATS: dict[str, Callable[[bytes], Found]] = {
    "junit": junit.read,
    "ruff-json": linters.ruff,
    "mypy-json": linters.mypy,
    "eslint-json": linters.eslint,
    "jest-json": runners.jest,
    "tsc": linters.tsc,
    "go-test-json": runners.go,
    "cargo-json": linters.cargo,
    "sarif": linters.sarif,
}
# What a line of these says is said by that line alone.
_BY_LINE = {"mypy-json", "tsc", "go-test-json", "cargo-json"}
WORKSPACE = "/workspace"
# File systems write down times with the kernel's tick, which is up to so much behind; ns.
_TICK_NS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The cases, or none; and why there are none where there should be some."""

    cases: Cases | None = None
    note: str | None = None


class _UnusableError(Exception):
    """The results are not there, or not this command's; the text says why."""


def read(command: Command, outcome: Outcome, *, began_ns: int) -> Read:
    """The failing cases that the command's own results tell.

    Args:
        command: What was run.
        outcome: What became of it; its output is where results are that are in no file.
        began_ns: When it was started, in nanoseconds since 1970: older files are not its own.
    """
    where = command.report or asked(command)
    if where is None:
        return Read()
    try:
        data = _file(command, where.path, began_ns) if where.path else _output(outcome, where)
        found = FORMATS[where.format](data)
    except (_UnusableError, NotUnderstoodError) as err:
        return Read(note=f"its {where.format} results are not shown apart: {err}")
    if not found.total:
        return Read()
    return Read(cases=Cases(format=where.format, total=found.total, first=tuple(found.first)))


def _output(outcome: Outcome, where: ResultFile) -> bytes:
    stdout: Tail = outcome.stdout
    if not stdout.cut_bytes:
        return stdout.head + stdout.tail
    if where.format in _BY_LINE:
        return stdout.head + b"\n" + stdout.tail
    raise _UnusableError(
        f"they have {stdout.total_bytes} bytes, and of standard output only "
        f"{stdout.kept_bytes} are kept; let them be written to a file"
    )


def _file(command: Command, path: str, began_ns: int) -> bytes:
    path = _outside(command, path)
    name = os.path.basename(path)
    project = os.path.realpath(command.project_dir)
    try:
        real = os.path.realpath(path)
        if _is_inside(path, command.project_dir) and not _is_inside(real, project):
            raise _UnusableError(f"{name} leads out of the project")
        # Non-blocking, so that opening a FIFO without a writer returns at once.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as err:
        raise _UnusableError(f"{name} cannot be read ({err.strerror})") from err
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _UnusableError(f"{name} is no regular file")
        if status.st_mtime_ns < began_ns - _TICK_NS:
            raise _UnusableError(f"{name} is older than this run")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as err:
        raise _UnusableError(f"{name} cannot be read ({err.strerror})") from err
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise _UnusableError(f"{name} is larger than 4 MiB")
    return data


def _outside(command: Command, path: str) -> str:
    """Where a path of the command is on this machine."""
    if command.container is None:
        return path
    if command.container.workspace == "none" or not _is_inside(path, WORKSPACE):
        raise _UnusableError(f"{path} is not in the project, and is gone with the container")
    return os.path.normpath(os.path.join(command.project_dir, path[len(WORKSPACE) + 1 :]))


def _is_inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
