"""The queue for resources: who came first is served first, and who is dead or stopped is not."""

from __future__ import annotations

import fcntl
import json
import os
import time

from stophooks.contexts import suppress
from stophooks.models import KIB
from stophooks.store.place import PRIVATE_FILE
from stophooks.typed import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

# Who waits looks this often at first and at last, in seconds.
_FIRST_LOOK_S = 0.01
_LAST_LOOK_S = 0.2
# Who has not looked for so long was stopped, and lets the others pass meanwhile; seconds.
STOPPED_S = 10.0
_TICKET_BYTES = 64 * KIB


class Ticket:
    """A place in the queue; a context, at whose end it is given up."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.name = os.path.basename(path)
        self._path = path
        self._descriptor = descriptor
        self._pause_s = _FIRST_LOOK_S

    def touch(self) -> None:
        """Say that its owner still waits."""
        os.utime(self._descriptor)

    def pause(self) -> float:
        """How long to wait until the next look; longer each time, in seconds."""
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, _LAST_LOOK_S)
        return pause_s

    def __enter__(self) -> Self:
        """Return this place."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the queue."""
        with suppress(OSError):
            os.unlink(self._path)
        os.close(self._descriptor)


class Tickets:
    """All places in the queue of one scope; to be used under that scope's short lock."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def draw(self, names: Iterable[str]) -> Ticket:
        """The last place in the queue, for these resources; the kernel frees it at our end.

        Raises:
            OSError: There can be none.
        """
        last = max((int(name) for name in self._names()), default=0)
        path = os.path.join(self.directory, f"{last + 1:012}")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, PRIVATE_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, json.dumps(list(names)).encode())
        return Ticket(path, descriptor)

    def ahead(self, names: Iterable[str], own: str | None) -> bool:
        """Whether somebody else who waits for one of these resources came first."""
        wanted = set(names)
        for name in self._names():
            if name == own:
                return False
            if wanted & self._wanted(name):
                return True
        return False

    def _names(self) -> list[str]:
        return sorted(name for name in os.listdir(self.directory) if name.isdecimal())

    def _wanted(self, name: str) -> set[str]:
        """What the owner of a ticket waits for; nothing where it does not wait any more."""
        path = os.path.join(self.directory, name)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return set()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            looked = os.fstat(descriptor).st_mtime
            # Not longer ago, and not in a time to come: clocks are set.
            waits = abs(time.time() - looked) < STOPPED_S
            return set(json.loads(os.read(descriptor, _TICKET_BYTES))) if waits else set()
        else:
            with suppress(FileNotFoundError):
                os.unlink(path)
            return set()
        finally:
            os.close(descriptor)
