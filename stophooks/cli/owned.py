"""Whose a configuration is: one that others can write decides nothing about others' work."""

from __future__ import annotations

import os
import shlex
import stat

from stophooks.errors import UsageError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.plan import Section


def check(section: Section | None) -> None:
    """Refuse commands from a file that somebody else owns, or that everybody may write.

    Raises:
        UsageError: There is such a command.
    """
    commands = section.commands if section else ()
    for path in dict.fromkeys(command.source for command in commands):
        if path is not None:
            _check_file(path)


def _check_file(path: str) -> None:
    try:
        found = os.stat(path)
    except OSError as err:
        raise UsageError(f"Whose {path} is cannot be told: {err.strerror}.") from err
    without = "Without its commands: --no-hooks"
    if found.st_uid not in {0, os.geteuid()}:
        raise UsageError(
            f"{path} belongs to user {found.st_uid}, who is neither you nor root, and its commands "
            f"would run as you. {without}. Or look at it, then: "
            f"chown {os.geteuid()} {shlex.quote(path)}"
        )
    if found.st_mode & stat.S_IWOTH:
        raise UsageError(
            f"Everybody may write {path}, and its commands would run as you. {without}. "
            f"Or look at it, then: chmod o-w {shlex.quote(path)}"
        )
