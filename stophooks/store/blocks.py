"""How often in a row each session was kept from stopping, counted across processes."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from stophooks.errors import StoreError
from stophooks.store.place import PRIVATE_FILE, writable_dir

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from types import TracebackType

DATABASE = "state.db"
KEEP_S = 30 * 24 * 3600.0
# Every transaction is one small row; a lock held longer than this is a stuck machine.
LOCK_TIMEOUT_S = 5.0

_TABLE = """CREATE TABLE IF NOT EXISTS blocks (
    session TEXT PRIMARY KEY, count INTEGER NOT NULL, updated REAL NOT NULL
) WITHOUT ROWID"""
_ADD = """INSERT INTO blocks VALUES (?, 1, ?)
    ON CONFLICT (session) DO UPDATE SET count = count + 1, updated = excluded.updated
    RETURNING count"""


def open_store(state_dir: str) -> Store:
    """Open the store in ``state_dir``, or in a private place where that cannot be written.

    Raises:
        StoreError: There is no directory that can be written.

    """
    return Store(writable_dir(state_dir))


class Store:
    """The counts of one user; every method is one transaction, safe across processes.

    The file is made at the first block: a project whose checks pass never pays for a database.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.path = os.path.join(directory, DATABASE)
        self._connection: sqlite3.Connection | None = None

    def blocks(self, session_key: str) -> int:
        """Return how many blocks in a row were recorded for this session."""
        if not self._exists():
            return 0
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT count FROM blocks WHERE session = ?", (session_key,)
            ).fetchone()
        return int(row[0]) if row else 0

    def record_block(self, session_key: str) -> int:
        """Count one more block and return the new number, this one included."""
        now = time.time()
        with self._transaction() as connection:
            connection.execute("DELETE FROM blocks WHERE updated < ?", (now - KEEP_S,))
            row = connection.execute(_ADD, (session_key, now)).fetchone()
        return int(row[0])

    def reset(self, session_key: str) -> None:
        """Forget the blocks of this session: it has passed."""
        if not self._exists():
            return
        with self._transaction() as connection:
            connection.execute("DELETE FROM blocks WHERE session = ?", (session_key,))

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        """Return this store; it is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def _exists(self) -> bool:
        return self._connection is not None or os.path.exists(self.path)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        import sqlite3  # noqa: PLC0415 -- several milliseconds that a stop without a database saves

        try:
            connection = self._connection or self._connect()
            # IMMEDIATE: two processes that both read first could otherwise not both write.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as err:
            raise StoreError(
                f"cannot count blocks in {self.path}: {err}. "
                "Make the file readable and writable for you, or delete it."
            ) from err

    def _connect(self) -> sqlite3.Connection:
        import sqlite3  # noqa: PLC0415 -- see above

        # SQLite gives its journal the mode of the database, so the file is made first, private.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
        # A rollback journal, not WAL: homes on network file systems have no shared memory.
        connection = sqlite3.connect(
            self.path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute(_TABLE)
        self._connection = connection
        return connection
