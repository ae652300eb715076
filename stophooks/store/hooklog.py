"""What the hooks of a set of services have said, line by line, with whose hook it was.

It is kept apart from what the services themselves say, so that it can be shown among it or left
out. A file that is full becomes ``hooks.log.old`` and a new one is begun.
"""

from __future__ import annotations

import json
import os

from stophooks.contexts import suppress
from stophooks.models import KIB, MIB
from stophooks.store.place import PRIVATE_DIR, PRIVATE_FILE
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "hooks.log"
FULL_BYTES = 8 * MIB
# A longer line is kept in pieces.
LINE_BYTES = 8 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class HookLine:
    """A line of a hook's output.

    ``service`` is None for a general hook; ``at`` is in seconds since 1970.
    """

    service: str | None
    event: str
    command: str
    text: str
    at: float


class HookLog:
    """The lines of one set of services, in a directory that is made when the first one comes.

    Writing never raises: a full disk must not end the hook whose output it was.
    """

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, NAME)

    def add(self, line: HookLine) -> None:
        """Append a line; other processes append to the same file."""
        data = json.dumps(asdict(line), separators=(",", ":")).encode() + b"\n"
        with suppress(OSError):
            os.makedirs(os.path.dirname(self.path), mode=PRIVATE_DIR, exist_ok=True)
            if _size(self.path) + len(data) > FULL_BYTES:
                os.replace(self.path, f"{self.path}.old")
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.path, flags, PRIVATE_FILE)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)

    def lines(self) -> Iterator[HookLine]:
        """Every line that is kept, the oldest first."""
        for path in (f"{self.path}.old", self.path):
            yield from _lines(_read(path, 0))

    def end(self) -> Place:
        """Where the log ends now, to read on from later."""
        return Place(inode=_inode(self.path), offset=_size(self.path))

    def since(self, place: Place) -> tuple[tuple[HookLine, ...], Place]:
        """The whole lines that have come since, and where they end."""
        found: list[HookLine] = []
        inode, offset = _inode(self.path), place.offset
        if inode != place.inode:
            if place.inode and _inode(f"{self.path}.old") == place.inode:
                found += _lines(_read(f"{self.path}.old", offset))
            offset = 0
        data = _read(self.path, offset)
        whole = data[: data.rfind(b"\n") + 1]
        return (*found, *_lines(whole)), Place(inode=inode, offset=offset + len(whole))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a log: which file, and how far into it."""

    inode: int
    offset: int


def _lines(data: bytes) -> Iterator[HookLine]:
    for row in data.splitlines():
        with suppress(ValueError, TypeError, KeyError):
            yield _line(json.loads(row))


def _line(found: dict[str, Any]) -> HookLine:
    service = found["service"]
    return HookLine(
        service=None if service is None else str(service),
        event=str(found["event"]),
        command=str(found["command"]),
        text=str(found["text"]),
        at=float(found["at"]),
    )


def _read(path: str, offset: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(2 * FULL_BYTES)
    except OSError:
        return b""


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
