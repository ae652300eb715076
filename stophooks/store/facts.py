"""Small things that are remembered between two calls: one JSON value by kind and key.

What cannot be read counts as not known, and each of these facts is one whose absence makes us run
the checks, block, or say more: a broken store can cost time, never a check.
"""

from __future__ import annotations

import time

from stophooks import jsonvalues
from stophooks.digests import checksum, is_checksum
from stophooks.errors import StoreError
from stophooks.store import place
from stophooks.store.database import DamagedError, Databases
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

KEEP_S = 30 * 24 * 3600.0
# A kind of fact that is kept for good: something is done once in all.
ONCE = "once"
_SET = """INSERT INTO facts (kind, key, value, at, sum) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, key) DO UPDATE
    SET value = excluded.value, at = excluded.at, sum = excluded.sum"""


class Facts(Databases):
    """What is known, in the file of ``state_dir`` or, where that cannot be used, a private one.

    ``get`` raises nothing; what a write cannot do is a `StoreError`.
    """

    def __init__(self, state_dir: str) -> None:
        super().__init__(state_dir, _check)

    def get(self, kind: str, key: str) -> Any:
        """What was put last under this kind and key, or None where nothing is known."""
        try:
            for directory in place.places(self._state_dir, makes=False):
                found = self._database(directory)
                if not found.exists():
                    continue
                row = found.run(lambda connection: _row(connection, kind, key), is_single=True)
                if row is not None:
                    return row
        except (StoreError, ImportError, MemoryError):
            return None
        return None

    def put(self, kind: str, key: str, value: Any) -> None:
        """Remember it, for 30 days after the last time; what is done once, for good.

        Raises:
            StoreError: It can be remembered nowhere.
        """
        self.put_all((kind, key, value))

    def put_all(self, *facts: tuple[str, str, Any]) -> None:
        """Remember these (kind, key, value), all or none.

        Raises:
            StoreError: They can be remembered nowhere.
        """

        def write(connection: sqlite3.Connection) -> None:
            for kind, key, value in facts:
                _write(connection, kind, key, value)

        self._somewhere(write)

    def change(self, kind: str, key: str, change: Callable[[Any], Any]) -> None:
        """Put what ``change`` makes of what is known (None where nothing is), in one transaction.

        It may be called again where the first attempt cannot be kept.

        Raises:
            StoreError: It can be remembered nowhere.
        """

        def write(connection: sqlite3.Connection) -> None:
            _write(connection, kind, key, change(_row(connection, kind, key)))

        self._somewhere(write)

    def forget(self, kind: str, *keys: str) -> None:
        """Forget these, wherever they are kept.

        Raises:
            StoreError: They may still be known.
        """

        def remove(connection: sqlite3.Connection) -> None:
            for key in keys:
                connection.execute("DELETE FROM facts WHERE kind = ? AND key = ?", (kind, key))

        for directory in dict.fromkeys((self._state_dir, place.fallback_dir())):
            found = self._database(directory)
            if found.exists():
                found.run(remove)


def _write(connection: sqlite3.Connection, kind: str, key: str, value: Any) -> None:
    text = jsonvalues.dumps(value)
    now = time.time()
    old = (now - KEEP_S, ONCE)
    connection.execute("DELETE FROM facts WHERE at < ? AND kind != ?", old)
    connection.execute(_SET, (kind, key, text, now, checksum(_checked(kind, key, text))))


def _row(connection: sqlite3.Connection, kind: str, key: str) -> Any:
    found = connection.execute(
        "SELECT value, sum FROM facts WHERE kind = ? AND key = ?", (kind, key)
    ).fetchone()
    if found is None:
        return None
    text, checked = found
    if not isinstance(text, str) or not is_checksum(checked, _checked(kind, key, text)):
        raise DamagedError("a fact is not what was written")
    return jsonvalues.loads(text)


def _check(connection: sqlite3.Connection) -> None:
    """Read every fact.

    Raises:
        DamagedError: One of them is not what was written.
    """
    for kind, key in connection.execute("SELECT kind, key FROM facts").fetchall():
        _row(connection, kind, key)


def _checked(kind: str, key: str, text: str) -> bytes:
    return f"{kind}\0{key}\0{text}".encode("utf-8", "replace")
