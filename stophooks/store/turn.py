"""One run at a time in each project: two at once would judge each other's half-done work."""

from __future__ import annotations

import os
import time

from stophooks.contexts import contextmanager, suppress
from stophooks.digests import sha256
from stophooks.errors import StoreError
from stophooks.store.lock import FileLock
from stophooks.store.place import places
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks import threads

NAME = "runs.lock"
# An offset in a file has 63 bits.
_SPARE_BITS = 4


@contextmanager
def turn(
    state_dir: str,
    project: int,
    *,
    wait_s: float,
    stop: threads.Event,
    waiting: Callable[[], None],
) -> Iterator[float | None]:
    """Hold a project's turn for the length of the block; it ends with the process too.

    Yields the seconds that were waited for it, or None: after ``wait_s`` seconds, or when
    ``stop`` was set, another process still had it. Where there is no place for the file of all
    turns nobody waits: what is to be run then still says what it says.

    Args:
        state_dir: Where the file of all turns is; a private place where that cannot be written.
        project: See `number`.
        wait_s: 0 to take the turn at once or not at all.
        stop: Ends the waiting.
        waiting: Called once when the turn cannot be had at once.
    """
    began = time.monotonic()
    lock = _lock(state_dir, project)
    if lock is None:
        yield 0.0
        return
    with lock:
        taken = lock.take(wait_s=0)
        if not taken and wait_s > 0:
            waiting()
            taken = lock.take(wait_s=wait_s, stop=stop)
        yield time.monotonic() - began if taken else None


def number(project_dir: str) -> int:
    """The number of a project, whatever links lead to it; who shares one only wait in turn."""
    data = os.fsencode(os.path.realpath(project_dir))
    return int.from_bytes(sha256(data).digest()[:8], "big") >> _SPARE_BITS


def _lock(state_dir: str, offset: int) -> FileLock | None:
    with suppress(StoreError):
        for directory in places(state_dir):
            with suppress(OSError):
                return FileLock(os.path.join(directory, NAME), offset)
    return None
