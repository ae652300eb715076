"""The shell of this machine that reads a script."""

from __future__ import annotations

import os

from stophooks.errors import ExecutorUnavailableError

# Without `shell`: the first of these that there is.
SHELLS = ("bash", "sh")
# What takes a script that begins with a dash only after `--`; others (fish, python3) would take
# `--` for the script. Tried with dash 0.5.12, bash 5.2, zsh 5.9, busybox 1.35 and fish 3.6.
TAKES_DASHES = frozenset({"ash", "bash", "dash", "ksh", "lksh", "mksh", "rbash", "sh", "zsh"})
_USUAL = ("/bin", "/usr/bin")


def arguments(shell: str, script: str) -> tuple[str, ...]:
    """The argument list by which a shell (an absolute path) reads a whole script."""
    if os.path.basename(shell) in TAKES_DASHES:
        return (shell, "-c", "--", script)
    return (shell, "-c", script)


def find_shell(path: str, asked: str | None = None) -> str:
    """The absolute path of a shell: the one that is asked for, else bash, else sh.

    Args:
        path: Where a name is looked for, besides where systems keep shells.
        asked: A name or an absolute path.

    Raises:
        ExecutorUnavailableError: There is none.
    """
    if asked is not None and os.path.isabs(asked):
        if _is_program(asked):
            return asked
        raise _no_shell(f"No shell {asked} is there that can be executed.", asked)
    directories = [item for item in path.split(os.pathsep) if os.path.isabs(item)]
    for name in SHELLS if asked is None else (asked,):
        for directory in (*directories, *_USUAL):
            if os.sep not in name and _is_program(f"{directory}/{name}"):
                return f"{directory}/{name}"
    named = asked or f"({' or '.join(SHELLS)})"
    raise _no_shell(f"No shell {named} is in {path}, /bin or /usr/bin.", asked)


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _no_shell(reason: str, asked: str | None) -> ExecutorUnavailableError:
    mend = "Install bash" if asked is None else "Install it, correct `shell`"
    return ExecutorUnavailableError(
        reason,
        remedy=f"{mend}, or write the command as a list under `command`, which needs no shell.",
        fault="no-shell",
    )
