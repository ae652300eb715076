"""Every run of every event, the latest last: a line of JSON each, appended in one write.

A file of its own and not the database: an entry is never changed, needs no lock, and whatever
ends a run, the entries before it stay whole.
"""

from __future__ import annotations

import os

from stophooks import jsonvalues
from stophooks.errors import StoreError
from stophooks.models import MIB
from stophooks.store.place import PRIVATE_FILE, places
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "history.jsonl"
# Then the file becomes the old one, and the one before that goes: some 10,000 runs are kept.
FULL_BYTES = 4 * MIB


class History:
    """The runs of one user, in ``state_dir`` or, where that cannot be written, a private place."""

    def __init__(self, state_dir: str) -> None:
        self._state_dir = state_dir

    def add(self, entry: dict[str, Any]) -> None:
        """Append an entry.

        Raises:
            StoreError: It can be kept nowhere.
        """
        data = jsonvalues.dumps(entry, compact=True).encode() + b"\n"
        problem = "no place"
        for directory in places(self._state_dir):
            try:
                _append(os.path.join(directory, NAME), data)
            except OSError as err:
                problem = f"{directory}/{NAME} ({err.strerror})"
            else:
                return
        raise StoreError(f"no state can be kept: {problem}. Make room in it, or make it writable.")

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every entry that is kept, the latest first; what is no whole entry is left out."""
        for name in (NAME, f"{NAME}.old"):
            try:
                with open(os.path.join(self._state_dir, name), "rb") as file:
                    rows = file.read(2 * FULL_BYTES).splitlines()
            except OSError:
                continue
            for row in reversed(rows):
                if (entry := _read(row)) is not None:
                    yield entry


def _append(path: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, PRIVATE_FILE)
    try:
        if os.fstat(descriptor).st_size + len(data) > FULL_BYTES:
            os.replace(path, f"{path}.old")
            os.close(descriptor)
            descriptor = os.open(path, flags, PRIVATE_FILE)
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _read(row: bytes) -> dict[str, Any] | None:
    try:
        entry = jsonvalues.loads(row.decode())
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
