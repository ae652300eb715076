"""Why a program could not be started, and what a person does about it."""

from __future__ import annotations

import errno
import os

from stophooks.executors.base import unavailable
from stophooks.executors.host import account
from stophooks.models import Outcome, Status
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.models import Command
    from stophooks.process import StartError

# Of a file that begins with `#!`, as much as the kernel reads (execve(2)).
_FIRST_LINE_BYTES = 256
# What setgroups(2), setregid(2) and setreuid(2) answer, and neither chdir(2) nor execve(2) here.
_NOT_THAT_USER = frozenset({errno.EPERM, errno.EINVAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    fault: str
    reason: str
    remedy: str


def not_started(command: Command, argv: tuple[str, ...], err: StartError) -> Outcome:
    """The outcome of a command for which the system refused to make a process."""
    if command.user and isinstance(err.cause, OSError) and err.cause.errno in _NOT_THAT_USER:
        return unavailable(account.refused(command.user, _plain(err), command.source))
    found = _explain(command, argv, err)
    return Outcome(
        status=Status.UNAVAILABLE, fault=found.fault, reason=found.reason, remedy=found.remedy
    )


def _explain(command: Command, argv: tuple[str, ...], err: StartError) -> _Fault:
    number = err.cause.errno if isinstance(err.cause, OSError) else None
    directory = command.working_dir or command.project_dir
    if err.in_directory:
        return _directory(directory, command.user, err)
    if number in {errno.ENOENT, errno.ENOTDIR}:
        return _missing(argv[0], directory)
    if number in {errno.EACCES, errno.EISDIR}:
        return _forbidden(argv[0], command.user)
    if number == errno.ENOEXEC:
        return _Fault(
            fault="exec-format",
            reason=f"{argv[0]} is not in a format that this machine executes.",
            remedy="Give a script a first line such as #!/bin/sh, or build it for this machine.",
        )
    if number == errno.E2BIG:
        return _Fault(
            fault="argument-too-long",
            reason=f"{_longest(command, argv)} is longer than the system takes.",
            remedy="Put it into a file in the project and name that file instead.",
        )
    return _Fault(
        fault="start-failed",
        reason=f"{argv[0]!r} could not be started: {err.cause}.",
        remedy="Look at this user's limits (ulimit -a), the free memory and the command's text.",
    )


def _directory(directory: str, user: str | None, err: StartError) -> _Fault:
    remedy = "Create it, or correct working_dir in the configuration."
    if user and isinstance(err.cause, PermissionError):
        remedy = f"Let that user into it and every directory above it (namei -l {directory} shows "
        remedy += "their rights), or set working_dir."
    by = f" by user {user}" if user else ""
    return _Fault(
        fault="working-directory",
        reason=f"The working directory {directory} cannot be entered{by}: {_plain(err)}.",
        remedy=remedy,
    )


def _forbidden(program: str, user: str | None) -> _Fault:
    by = f" by user {user}" if user else ""
    remedy = f"Make it executable (chmod +x {program}), or start what reads it."
    if user:
        remedy = "Let that user execute it, what its first line names and every directory above "
        remedy += "them (namei -l shows their rights)."
    return _Fault(
        fault="not-executable",
        reason=f"{program} cannot be executed{by}: permission denied.",
        remedy=remedy,
    )


def _missing(program: str, directory: str) -> _Fault:
    path = os.path.join(directory, program)
    if os.sep in program and os.path.exists(path):
        return _Fault(
            fault="exec-format",
            reason=f"{program} is there, but {_interpreter(path)} is not.",
            remedy="Correct its first line, or install what it needs.",
        )
    where = path if os.sep in program else f"{program} on PATH"
    return _Fault(
        fault="command-not-found",
        reason=f"There is no {where}.",
        remedy=f"Install {program}, or correct the command in the configuration.",
    )


def _interpreter(path: str) -> str:
    """What reads this file: its first line says so, or it is a program with a loader."""
    try:
        with open(path, "rb") as file:
            first = file.read(_FIRST_LINE_BYTES).split(b"\n")[0]
    except OSError:
        first = b""
    if not first.startswith(b"#!"):
        return "the loader that it was built for"
    named = first[2:].decode("utf-8", "replace").strip()
    hint = " (the line ends with a carriage return)" if first.endswith(b"\r") else ""
    return f"{named}, which its first line names{hint},"


def _longest(command: Command, argv: tuple[str, ...]) -> str:
    """The part that is most likely too long."""
    if command.run is not None:
        named = {"The script": command.run}
    else:
        named = {f"Argument {number}": text for number, text in enumerate(argv)}
    named |= {f"The variable {name}": value for name, value in command.env}
    return max(named, key=lambda name: len(named[name]))


def _plain(err: StartError) -> str:
    return os.strerror(err.cause.errno or 0) if isinstance(err.cause, OSError) else str(err.cause)
