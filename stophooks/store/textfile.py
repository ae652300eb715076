"""Text files of other programs, read whole and replaced whole or not at all."""

from __future__ import annotations

import os
import stat

from stophooks.errors import StoreError
from stophooks.models import MIB, human_size
from stophooks.store.place import PRIVATE_FILE
from stophooks.values import dataclass

MAX_BYTES = 16 * MIB
BOM = "\ufeff"
# Before the umask, as any program makes a file that was not there.
_NEW_FILE = 0o666


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file's text, or None where there is no file; ``path`` has no links left in it."""

    path: str
    text: str | None


def read(path: str) -> TextFile:
    """Read a UTF-8 file through any symbolic link, its line ends as they are.

    Raises:
        StoreError: It is not a regular file, not UTF-8, too large or not readable.

    """
    real = os.path.realpath(path)
    try:
        if not stat.S_ISREG(os.stat(real).st_mode):
            raise StoreError(f"{path} is not a regular file. Move it away and try again.")
        with open(real, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return TextFile(path=real, text=None)
    except OSError as err:
        raise StoreError(f"cannot read {path}: {err.strerror}. Make it readable for you.") from err
    if len(data) > MAX_BYTES:
        raise StoreError(f"{path} is larger than {human_size(MAX_BYTES)}. Make it smaller.")
    try:
        return TextFile(path=real, text=data.decode())
    except UnicodeDecodeError as err:
        raise StoreError(
            f"{path} is not UTF-8 text (byte {err.start}). Save it as UTF-8 and try again."
        ) from err


def write(path: str, text: str, *, like: str | None = None) -> None:
    """Replace the file in one step; missing directories are made.

    Mode and owner are those of the file ``like``, else of the file before; at no time can anybody
    read the text who cannot read that file.

    Raises:
        StoreError: It cannot be written; the old file is then as it was.

    """
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}.new")
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            _fill(temporary, like or path, text.encode())
            os.replace(temporary, path)
        except BaseException:
            _discard(temporary)
            raise
        _sync_directory(os.path.dirname(path))
    except OSError as err:
        raise StoreError(
            f"cannot write {path}: {err.strerror}. "
            "Make the file and its directory writable for you."
        ) from err


def remove(path: str) -> None:
    """Remove the file.

    Raises:
        StoreError: It cannot be removed.

    """
    try:
        os.unlink(path)
    except OSError as err:
        raise StoreError(f"cannot remove {path}: {err.strerror}. Remove it by hand.") from err


def _fill(temporary: str, like: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    model = _stat(like)
    with open(os.open(temporary, flags, PRIVATE_FILE if model else _NEW_FILE), "wb") as file:
        if model:
            _resemble(file.fileno(), model)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _resemble(fd: int, old: os.stat_result) -> None:
    new = os.fstat(fd)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(fd, old.st_uid, old.st_gid)
    os.fchmod(fd, stat.S_IMODE(old.st_mode))


def _discard(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)


def _sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
