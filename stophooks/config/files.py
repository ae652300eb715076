"""Read a file that a person named: regular, small, UTF-8; never waits for a writer."""

from __future__ import annotations

import os
import stat

from stophooks.errors import StophooksError
from stophooks.models import KIB

# A hundred times a large configuration; keeps the answer to any file within 2 s and 200 MB.
MAX_BYTES = 256 * KIB


class FileUnusableError(StophooksError):
    """A named file cannot be read as text; the text says why, without the file's name."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def read_text(path: str) -> str:
    """The text of a regular file of at most 256 KiB, without its byte order mark.

    Raises:
        FileUnusableError: It is missing, unreadable, no regular file, too large or no UTF-8 text.
    """
    data = _read(path)
    if b"\0" in data:
        hint = "save it as UTF-8" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else None
        raise FileUnusableError("it is not a text file: it contains NUL bytes", hint=hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        raise FileUnusableError(
            f"it is not UTF-8 text: byte 0x{data[err.start]:02x} in line {line}",
            hint="save it as UTF-8",
        ) from err


def _read(path: str) -> bytes:
    try:
        # Non-blocking, so that opening a FIFO without a writer returns at once.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as err:
        raise FileUnusableError(_open_error(path, err)) from err
    try:
        data = _content(descriptor)
    except OSError as err:
        raise FileUnusableError(f"it cannot be read: {err.strerror}") from err
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise FileUnusableError("it is larger than 256 KiB")
    return data


def _content(descriptor: int) -> bytes:
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        raise FileUnusableError(f"it is {_kind(mode)}, not a regular file")
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(MAX_BYTES + 1)


def _open_error(path: str, err: OSError | ValueError) -> str:
    if isinstance(err, FileNotFoundError):
        return "it is a link to nothing" if os.path.islink(path) else "it does not exist"
    if isinstance(err, PermissionError):
        return "it cannot be read: no permission"
    return f"it cannot be read: {getattr(err, 'strerror', None) or err}"


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
