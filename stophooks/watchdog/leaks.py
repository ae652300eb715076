"""Containers that could not be removed, kept until somebody has been told of them.

One empty file for each in a folder, so that neither the watchdog nor the runs that read them need
a lock.
"""

from __future__ import annotations

import os

# As `stophooks.executors.docker.removal.new_name` makes them; nothing else is ever shown.
_PREFIX, _DIGITS = "stophooks-", frozenset("0123456789abcdef")


def keep(folder: str, name: str) -> None:
    """Keep in mind a container that is still there.

    Raises:
        OSError: That is not possible.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(os.path.join(folder, name), flags, 0o600))


def take(folder: str) -> list[str]:
    """The names of those that nobody has been told of; whoever asks is to tell."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        # Another run was first.
        return []
    return [name for name in names if _is_ours(name) and _is_let_go(os.path.join(folder, name))]


def _is_ours(name: str) -> bool:
    digits = name.removeprefix(_PREFIX)
    return name.startswith(_PREFIX) and bool(digits) and _DIGITS.issuperset(digits)


def _is_let_go(path: str) -> bool:
    """Forget one; False where another run was first, or where it would be told for ever."""
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
