"""The log files of programs: what they have written, and what they write from now on."""

from __future__ import annotations

import os
import stat

from stophooks.lifecycles.services.base import LogLine, ServicesUnavailableError
from stophooks.models import KIB
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE_BYTES = 64 * KIB


class Tail:
    """One log file, from its beginning; another one in its place is read from its beginning too.

    Args:
        service: Whose it is.
        path: Where it is, or will be.
        write: Takes each line.

    Raises:
        ServicesUnavailableError: It is there and may not be read.
    """

    def __init__(self, service: str, path: str, write: Callable[[LogLine], None]) -> None:
        self._service = service
        self._path = path
        self._write = write
        self._rest = b""
        self._descriptor: int | None = None
        self._open()

    @property
    def is_open(self) -> bool:
        """Whether there is a file to read."""
        return self._descriptor is not None

    def take(self) -> None:
        """Read on to the end, in the file that follows after it too."""
        self._read()
        if self._was_replaced():
            self._read()
            self.close()
            self._open()
            self._read()

    def close(self) -> None:
        """Give what has no line end yet, and let go of the file."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return
        except OSError as err:
            raise ServicesUnavailableError(
                f"The log {self._path} of {self._service} cannot be read: {err.strerror}. Read it "
                "as its owner."
            ) from err
        # A terminal or a pipe (/dev/stdout) has nothing that was written before.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return
        self._descriptor = descriptor

    def _read(self) -> None:
        if self._descriptor is None:
            return
        if os.fstat(self._descriptor).st_size < os.lseek(self._descriptor, 0, os.SEEK_CUR):
            # It was emptied.
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        while piece := os.read(self._descriptor, _PIECE_BYTES):
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for line in lines:
                self._line(line)

    def _line(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        self._write(LogLine(service=self._service, text=text))

    def _was_replaced(self) -> bool:
        try:
            now = os.stat(self._path)
        except OSError:
            return False
        if self._descriptor is None:
            return True
        return not os.path.samestat(now, os.fstat(self._descriptor))
