"""What one path holds, in a word, and by which times one sees that it was not written since."""

from __future__ import annotations

import os
import stat
import time

from stophooks.digests import LARGE_BYTES, sha256
from stophooks.models import MIB
from stophooks.typed import Any, Self

# Of a larger file only size and times are kept: a check must not wait for a disk to be read.
MAX_BYTES = 64 * MIB
# A file written so shortly before it is read may be written again within the same tick of its file
# system's clock, and the times do not tell. Coarsest clock: 2 s (FAT); git compares whole seconds.
SETTLED_NS = 2_000_000_000
UNSETTLED = "~"
# Nothing is there, as far as the project's content goes.
GONE = ""
_PIECE = MIB
_ATTEMPTS = 3


class Print(tuple[str, str]):
    """What a path held when it was read.

    ``stamp`` are the numbers that change when it is written again; behind `UNSETTLED` they need
    not, and where it is no file there are none. ``word`` is what it holds: its first letter says
    what it is, and it is `GONE` for nothing.
    """

    __slots__ = ()

    def __new__(cls, stamp: str, word: str) -> Self:
        """What they say; made by the ten thousand, so it is no more than the two."""
        return tuple.__new__(cls, (stamp, word))

    @property
    def stamp(self) -> str:
        """When it was written, as far as that is known."""
        return self[0]

    @property
    def word(self) -> str:
        """What it held."""
        return self[1]

    @property
    def is_settled(self) -> bool:
        """Whether it holds this as long as the stamp is the same."""
        return self.stamp != "" and not self.stamp.startswith(UNSETTLED)


NOTHING = Print("", GONE)


def stamp_of(found: os.stat_result) -> str:
    """All that changes when a file is written, replaced or given away."""
    return (
        f"{found.st_mode} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} "
        f"{found.st_ino} {found.st_dev} {found.st_uid} {found.st_gid}"
    )


def look_at(path: str, known: Print) -> Print:
    """What is at a path; it is read only if its stamp is another one than the known one.

    Of a file that is its content and whether it can be executed; of a link where it leads, and the
    content of the file that it leads to. Times and owners do not count, but for a file over 64 MiB,
    whose content is not read. What is no file is never opened. A directory is nothing.
    """
    try:
        found = os.lstat(path)
        if stat.S_ISREG(found.st_mode):
            if stamp_of(found) == known.stamp:
                return known
            return _file(path, os.O_NOFOLLOW)
        if stat.S_ISLNK(found.st_mode):
            return _link(path, found, known)
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING
    except (OSError, ValueError) as err:
        return Print("", f"u{getattr(err, 'errno', None)}")
    return NOTHING if stat.S_ISDIR(found.st_mode) else Print("", f"k{stat.S_IFMT(found.st_mode)}")


def is_settled(stamp: str, read_at_ns: int) -> bool:
    """Whether a later write, after this moment, changes a stamp for certain."""
    return int(stamp.split(" ", 4)[3]) < read_at_ns - SETTLED_NS


def _link(path: str, found: os.stat_result, known: Print) -> Print:
    began = time.time_ns()
    own = stamp_of(found)
    try:
        end = os.stat(path)
    except (OSError, ValueError):
        end = None
    leads_to_file = end is not None and stat.S_ISREG(end.st_mode)
    stamp = f"{own} {stamp_of(end) if end and leads_to_file else '-'}"
    if stamp == known.stamp:
        return known
    digest = sha256(os.fsencode(os.readlink(path)) + b"\0")
    settled = is_settled(own, began)
    if leads_to_file:
        inner = _file(path, 0)
        digest.update(inner.word.encode())
        settled = settled and f"{own} {inner.stamp}" == stamp
    return Print(stamp if settled else UNSETTLED + stamp, f"l{digest.hexdigest()}")


def _file(path: str, flags: int) -> Print:
    """A file's print; one that is written meanwhile is read again, and at last not relied upon."""
    for _ in range(_ATTEMPTS):
        began = time.time_ns()
        # Not waiting: it may have become a FIFO meanwhile.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return Print("", f"k{stat.S_IFMT(found.st_mode)}")
            stamp = stamp_of(found)
            word = _content(descriptor, found)
            if stamp_of(os.fstat(descriptor)) == stamp:
                break
        finally:
            os.close(descriptor)
    else:
        return Print(UNSETTLED + stamp, word)
    return Print(stamp if is_settled(stamp, began) else UNSETTLED + stamp, word)


def _content(descriptor: int, found: os.stat_result) -> str:
    runs = found.st_mode & 0o100
    if found.st_size > MAX_BYTES:
        times = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
        return f"{'X' if runs else 'F'}{times}"
    digest = _large() if found.st_size > LARGE_BYTES else sha256()
    while piece := os.read(descriptor, _PIECE):
        digest.update(piece)
    return f"{'x' if runs else 'f'}{digest.hexdigest()}"


def _large() -> Any:
    import hashlib  # noqa: PLC0415 -- OpenSSL is loaded only for what is faster with it

    return hashlib.sha256()
