"""Files that say that a run is alive: locked while it is, by a lock that the kernel lets go."""

from __future__ import annotations

import errno
import fcntl
import os
import time

from stophooks.contexts import suppress
from stophooks.patterns import compiled

# Who clears away old files holds a new one, at worst, for the moment in which it is made; that
# is waited for so often, so long (seconds).
_ATTEMPTS = 5
_PAUSE_S = 0.01
_UNSAFE = compiled(r"[^A-Za-z0-9._-]+")


def is_locked(path: str | None) -> bool | None:
    """Whether a process keeps this file locked; None when that cannot be told.

    No file, and no lock at all, count as free: then the process alone decides.
    """
    if path is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        # Shared, so that two who look at the same time do not take each other for the owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False


class Lock:
    """A file in ``directory`` that this process keeps locked; the kernel lets go at its end.

    ``path`` is None when no file could be made, which nobody needs to be told: the process alone
    is then what its containers are judged by.
    """

    def __init__(self, directory: str | None, run_id: str) -> None:
        self._descriptor = -1
        self.path: str | None = None
        if directory is None:
            return
        # Our own names are plain, and need no `re`.
        plain = run_id.isascii() and run_id.replace("-", "").isalnum()
        name = (run_id if plain else _UNSAFE.sub("-", run_id)).strip("-.") or "run"
        path = os.path.join(os.path.abspath(directory), f"{name}.lock")
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            self._descriptor = _locked(path)
        except OSError:
            return
        self.path = path

    def close(self) -> None:
        """Let go of the lock and remove its file."""
        if self.path is None:
            return
        # Somebody cleared it away, or the directory can no longer be written: it is free.
        with suppress(OSError):
            os.unlink(self.path)
        os.close(self._descriptor)
        self.path = None


def _locked(path: str) -> int:
    """A descriptor that holds the lock on the file that is at ``path``.

    Raises:
        OSError: There can be no such file.
    """
    for _ in range(_ATTEMPTS):
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                return descriptor
        # Held, or already removed, by somebody who clears away.
        os.close(descriptor)
        time.sleep(_PAUSE_S)
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), path)


def clear_locks(directory: str) -> int:
    """Remove the lock files that nobody holds; how many there were."""
    try:
        names = os.listdir(directory)
    except OSError:
        return 0
    paths = [os.path.join(directory, name) for name in names if name.endswith(".lock")]
    return sum(_clear_lock(path) for path in paths)


def _clear_lock(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Exclusive until it is unlinked, so that a run which has just made it makes another.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
