"""An index file for git that holds nothing but times: git compares them faster than we could.

It names the files that were read when they had settled, with the numbers that `lstat` gave then.
``git diff-files`` on it names those that were written since; the objects in it do not exist and
git never looks for them. Format: git's ``index-format``, version 2, SHA-1 (read 2026-11-30).
"""

from __future__ import annotations

import os
import struct

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADER = struct.Struct(">4sII")
# Times, device, inode, mode, user, group, size, object, flags with the name's length.
_ENTRY = struct.Struct(">10I20sH")
_NAME_BITS = 0xFFF
_WORD = 0xFFFFFFFF
_SECOND_NS = 10**9
_OBJECT = b"\x01" * 20
# git takes an entry of size 0 for one to look into, unless its object is that of an empty file.
_EMPTY = bytes.fromhex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")


def read(data: bytes) -> dict[bytes, bytes]:
    """The entries of an index, each whole, by name."""
    found = {}
    _, _, count = _HEADER.unpack_from(data)
    at = _HEADER.size
    for _ in range(count):
        end = data.index(b"\0", at + _ENTRY.size)
        length = _length(end - at - _ENTRY.size)
        found[data[at + _ENTRY.size : end]] = data[at : at + length]
        at += length
    return found


def entry(name: bytes, stamp: str) -> bytes:
    """The entry of a regular file with a stamp as `prints.stamp_of` makes it."""
    mode, size, modified, changed, inode, device, user, group = map(int, stamp.split(" "))
    fixed = _ENTRY.pack(
        changed // _SECOND_NS & _WORD,
        changed % _SECOND_NS,
        modified // _SECOND_NS & _WORD,
        modified % _SECOND_NS,
        device & _WORD,
        inode & _WORD,
        0o100755 if mode & 0o100 else 0o100644,
        user & _WORD,
        group & _WORD,
        size & _WORD,
        _OBJECT if size else _EMPTY,
        min(len(name), _NAME_BITS),
    )
    return (fixed + name).ljust(_length(len(name)), b"\0")


def whole(entries: Mapping[bytes, bytes]) -> bytes:
    """An index of these entries."""
    import hashlib  # noqa: PLC0415 -- only where something changed

    pieces: Iterable[bytes] = (entries[name] for name in sorted(entries))
    data = _HEADER.pack(b"DIRC", 2, len(entries)) + b"".join(pieces)
    return data + hashlib.sha1(data, usedforsecurity=False).digest()


def write(path: str, entries: Mapping[bytes, bytes], mode: int) -> None:
    """Write an index to a new file.

    Raises:
        OSError: It cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(path, flags, mode), "wb") as file:
        file.write(whole(entries))


def _length(name: int) -> int:
    # At least one NUL, up to a multiple of eight.
    return (_ENTRY.size + name + 8) & ~7
