"""The records of who holds which resource: a file each, which its holder keeps locked.

Only looked at and changed under the short lock of `stophooks.store.held`.
"""

from __future__ import annotations

import fcntl
import os
import time

from stophooks.contexts import suppress
from stophooks.errors import StoreError
from stophooks.plan import RESOURCE
from stophooks.store import holder as holders
from stophooks.store.holder import RECORD_BYTES, Held, State
from stophooks.store.place import PRIVATE_FILE
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.store.holder import Holder

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Records:
    """The records in one directory."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def names(self) -> list[str]:
        """The resources that there are records of, sorted."""
        return [name for name in sorted(os.listdir(self.directory)) if RESOURCE.fullmatch(name)]

    def look(self, name: str) -> Held | None:
        """What the record of a resource says, and whether its holder lives."""
        try:
            descriptor = os.open(self._path(name), _FLAGS)
        except FileNotFoundError:
            return None
        try:
            is_locked = not _lock(descriptor)
            beat = os.fstat(descriptor).st_mtime
            holder = holders.read(os.read(descriptor, RECORD_BYTES))
        finally:
            os.close(descriptor)
        state = State.ALIVE if is_locked else holders.state(holder, beat, time.time())
        return Held(resource=name, holder=holder, beat=beat, state=state)

    def claim(self, names: Iterable[str], holder: Holder) -> dict[str, int]:
        """New records of this process in place of those that there are, open and locked.

        Raises:
            OSError: One of them cannot be made; then none is.
        """
        files: dict[str, int] = {}
        try:
            for name in names:
                with suppress(FileNotFoundError):
                    os.unlink(self._path(name))
                flags = _FLAGS | os.O_CREAT | os.O_EXCL
                files[name] = os.open(self._path(name), flags, PRIVATE_FILE)
                _lock(files[name])
                os.write(files[name], holder.to_json())
        except OSError:
            self.remove(files)
            raise
        return files

    def remove(self, files: Mapping[str, int]) -> None:
        """Remove these open records, and close them.

        One that was taken away by force stays as it is: it is another's.
        """
        for name, descriptor in files.items():
            with suppress(OSError):
                if self.has(name, descriptor):
                    os.unlink(self._path(name))
            os.close(descriptor)

    def clear(self, name: str) -> None:
        """Remove a record, whoever holds it."""
        os.unlink(self._path(name))

    def has(self, name: str, descriptor: int) -> bool:
        """Whether this open record is still the one of its resource."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.lstat(self._path(name)))
        except OSError:
            return False

    def _path(self, name: str) -> str:
        if not RESOURCE.fullmatch(name):
            raise StoreError(f"{name!r} is no name of a resource.")
        return os.path.join(self.directory, name)


def _lock(descriptor: int) -> bool:
    """Take the kernel's lock of a record; whether that was done."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
