"""Commands that passed, by everything that decides their result, so that they need not run again.

What cannot be read counts as not known: a broken store costs a run, never a check.
"""

from __future__ import annotations

import os
import time

from stophooks import jsonvalues
from stophooks.digests import checksum, is_checksum
from stophooks.errors import StoreError
from stophooks.store import place
from stophooks.store.database import DamagedError, Database, Databases
from stophooks.store.pin import name
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

# After that long the machine around a command is hardly the same. Seconds.
KEEP_S = 30 * 24 * 3600.0
# Of one user, the newest; each has a few KiB.
KEEP = 1000
# Whatever keeps a store from being used: it, its library, or the memory for either.
UNUSABLE = (StoreError, ImportError, MemoryError)
_COLUMNS = "key, project, command, parts, at, sum"
_PUT = f"INSERT OR REPLACE INTO passes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608 -- names of ours

_CLEAR = "DELETE FROM passes WHERE project = ? OR ? IS NULL"
_FORGET = "DELETE FROM passes WHERE key = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass: what it depended on, part by part, and when it ended, in seconds since 1970."""

    key: str
    project: str
    command: str
    parts: dict[str, Any]
    at: float


class Passes(Databases):
    """The passes of one user, in the state directory or, where that cannot be used, a private one.

    Every method is one transaction, safe across processes; a thread has its own.
    """

    def __init__(self, state_dir: str) -> None:
        super().__init__(state_dir, _check)

    def get(self, key: str) -> Pass | None:
        """The pass with this key, or None where there is none, or it is too old."""
        return self._first(
            f"SELECT {_COLUMNS} FROM passes WHERE key = ? AND at > ?",  # noqa: S608 -- as above
            (key, time.time() - KEEP_S),
        )

    def last(self, project: str, command: str) -> Pass | None:
        """The latest pass of a command, whatever it depended on."""
        return self._first(
            f"SELECT {_COLUMNS} FROM passes WHERE project = ? AND command = ? "  # noqa: S608 -- as above
            "ORDER BY at DESC LIMIT 1",
            (name(project), command),
        )

    def put(self, found: Pass) -> None:
        """Remember a pass, and forget those that are too old or too many.

        Raises:
            StoreError: It can be remembered nowhere.
        """
        text = jsonvalues.dumps(found.parts)
        project = name(found.project)
        told = (found.key, project, found.command, text, found.at)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(_PUT, (*told, checksum(_checked(*told))))
            connection.execute("DELETE FROM passes WHERE at < ?", (time.time() - KEEP_S,))
            connection.execute(
                "DELETE FROM passes WHERE key IN "
                "(SELECT key FROM passes ORDER BY at DESC LIMIT -1 OFFSET ?)",
                (KEEP,),
            )

        self._somewhere(write)

    def forget(self, key: str) -> None:
        """Forget one pass, wherever it is kept.

        Raises:
            StoreError: It may still be known.
        """
        for found in self._present():
            found.run(lambda connection: connection.execute(_FORGET, (key,)).rowcount)

    def clear(self, project: str | None) -> int:
        """Forget the passes of a project, or with None all; how many there were.

        Raises:
            StoreError: They may still be known.
        """
        values = (None if project is None else name(project),) * 2
        return sum(
            found.run(lambda connection: connection.execute(_CLEAR, values).rowcount)
            for found in self._present()
        )

    def _first(self, sql: str, values: tuple[Any, ...]) -> Pass | None:
        def read(connection: sqlite3.Connection) -> Pass | None:
            row = connection.execute(sql, values).fetchone()
            return None if row is None else _pass(*row)

        try:
            for database in self._present():
                found = database.run(read, is_single=True)
                if found is not None:
                    return found
        except UNUSABLE:
            return None
        return None

    def _present(self) -> Iterator[Database]:
        # Looking must not make it: a dry run leaves nothing.
        if not os.path.isdir(self._state_dir):
            return
        for directory in place.places(self._state_dir):
            found = self._database(directory)
            if found.exists():
                yield found
            if directory == self._state_dir:
                # The second is made, and looked at whose it is, only where the first is of no use.
                return


def _pass(key: str, project: str, command: str, text: str, at: float, told: int) -> Pass:  # noqa: PLR0917 -- the columns of a row
    if not isinstance(text, str) or not is_checksum(
        told, _checked(key, project, command, text, at)
    ):
        raise DamagedError("a pass is not what was written")
    return Pass(key=key, project=project, command=command, parts=jsonvalues.loads(text), at=at)


def _check(connection: sqlite3.Connection) -> None:
    """Read every pass.

    Raises:
        DamagedError: One of them is not what was written.
    """
    for row in connection.execute(f"SELECT {_COLUMNS} FROM passes").fetchall():  # noqa: S608 -- as above
        _pass(*row)


def _checked(*told: Any) -> bytes:
    return "\0".join(map(str, told)).encode("utf-8", "replace")
