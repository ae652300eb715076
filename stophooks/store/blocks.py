"""How often in a row each session was kept from stopping, counted across processes."""

from __future__ import annotations

import os
import time

from stophooks.digests import checksum, is_checksum
from stophooks.errors import StoreError
from stophooks.store import database, place
from stophooks.store.database import DamagedError, Databases
from stophooks.typed import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import sqlite3

    T = TypeVar("T")

KEEP_S = 30 * 24 * 3600.0
_SET = """INSERT INTO blocks VALUES (?, ?, ?, ?)
    ON CONFLICT (session) DO UPDATE
    SET count = excluded.count, updated = excluded.updated, sum = excluded.sum"""


def open_store(state_dir: str) -> Store:
    """Open the store in ``state_dir``, or in a private place where that cannot be written.

    Raises:
        StoreError: There is no directory that can be written.

    """
    place.writable_dir(state_dir)
    return Store(state_dir)


class Store(Databases):
    """The counts of one user; every method is one transaction, safe across processes.

    The file is made at the first block: a project whose checks pass never pays for a database.
    Where it cannot be read or written (a full disk, a read-only home, a file that stays locked),
    counting goes on from 0 in a directory for temporary files.
    """

    def __init__(self, state_dir: str) -> None:
        super().__init__(state_dir, _check)

    @property
    def path(self) -> str:
        """The file, where nothing is in its way."""
        return os.path.join(self._state_dir, database.NAME)

    def blocks(self, session_key: str) -> int:
        """Return how many blocks in a row were recorded for this session."""
        for directory in place.places(self._state_dir, makes=False):
            found = self._database(directory)
            if found.exists():
                return found.run(lambda connection: _count(connection, session_key), is_single=True)
        return 0

    def record_block(self, session_key: str) -> int:
        """Count one more block and return the new number, this one included.

        Raises:
            StoreError: It can be counted nowhere.

        """

        def add(connection: sqlite3.Connection) -> int:
            now = time.time()
            connection.execute("DELETE FROM blocks WHERE updated < ?", (now - KEEP_S,))
            count = _count(connection, session_key) + 1
            connection.execute(
                _SET, (session_key, count, now, checksum(_checked(session_key, count)))
            )
            return count

        problems = []
        try:
            for directory in place.places(self._state_dir):
                try:
                    return self._database(directory).run(add)
                except StoreError as err:
                    problems.append(str(err))
        except StoreError as err:
            problems.append(str(err))
        raise StoreError(f"cannot count blocks in any place: {' '.join(problems)}")

    def reset(self, *session_keys: str) -> None:
        """Forget the blocks of these sessions, wherever they were counted: they have passed.

        Raises:
            StoreError: They may still be counted.

        """

        def forget(connection: sqlite3.Connection) -> None:
            for key in session_keys:
                connection.execute("DELETE FROM blocks WHERE session = ?", (key,))

        for directory in dict.fromkeys((self._state_dir, place.fallback_dir())):
            found = self._database(directory)
            if found.exists():
                found.run(forget)


def _count(connection: sqlite3.Connection, session: str) -> int:
    """Return the count of a session.

    Raises:
        DamagedError: It is not the number that was written. A larger one would let an agent stop.

    """
    found = connection.execute(
        "SELECT count, sum FROM blocks WHERE session = ?", (session,)
    ).fetchone()
    if found is None:
        return 0
    count, checked = found
    if not isinstance(count, int) or not is_checksum(checked, _checked(session, count)):
        raise DamagedError("a count is not what was written")
    return count


def _check(connection: sqlite3.Connection) -> None:
    """Read every count.

    Raises:
        DamagedError: One of them is not what was written.

    """
    for (session,) in connection.execute("SELECT session FROM blocks").fetchall():
        _count(connection, session)


def _checked(session: object, count: int) -> bytes:
    return f"{session} {count}".encode("utf-8", "replace")
