"""Locks between processes that end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
import time

from stophooks import threads
from stophooks.store.place import PRIVATE_FILE
from stophooks.typed import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

# How often somebody who waits looks again, in seconds: at first, and at last.
_FIRST_LOOK_S = 0.005
_LAST_LOOK_S = 0.05


class FileLock:
    """One byte of a file, locked for this process.

    Record locks, not flock: a forked watchdog does not inherit them, and one file serves any
    number of names without ever growing. They hold between processes only, and closing any
    descriptor of a file gives up all of this process's locks in it: one `FileLock` per file and
    process.

    Args:
        path: The file; made if need be, and left.
        offset: Which byte; it need not exist.

    Raises:
        OSError: The file cannot be made or opened, or its file system has no locks.
    """

    def __init__(self, path: str, offset: int = 0) -> None:
        self._offset = offset
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        self._descriptor = os.open(path, flags, PRIVATE_FILE)
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, offset)
        except OSError:
            self.close()
            raise

    def take(self, *, wait_s: float, stop: threads.Event | None = None) -> bool:
        """Take it within ``wait_s`` seconds, or until ``stop`` is set; whether that was done."""
        until = time.monotonic() + wait_s
        stop = stop or threads.Event()
        pause = _FIRST_LOOK_S
        while not self._try():
            left = until - time.monotonic()
            if left <= 0 or stop.wait(min(pause, left)):
                return False
            pause = min(pause * 2, _LAST_LOOK_S)
        return True

    def close(self) -> None:
        """Give it up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        """Return this lock; it is given up at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None
    ) -> None:
        """Give it up."""
        self.close()

    def _try(self) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._offset)
        except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: fcntl(2)
            return False
        return True
