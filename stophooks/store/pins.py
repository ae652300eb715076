"""What each session of an agent is held to, and which configurations a person trusts."""

from __future__ import annotations

import os
import time

from stophooks.errors import StoreError
from stophooks.store import place
from stophooks.store.database import Databases
from stophooks.store.pin import Pin, name, read, row
from stophooks.typed import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from stophooks.store.database import Database

    T = TypeVar("T")

# As long as counts of blocks are kept: no agent resumes an older session. Seconds.
KEEP_S = 30 * 24 * 3600.0
_ADD = "INSERT OR IGNORE INTO pins (session, project, plan, files, made) VALUES (?, ?, ?, ?, ?)"
_PUT = "INSERT OR REPLACE INTO pins (session, project, plan, files, made) VALUES (?, ?, ?, ?, ?)"


class Pins(Databases):
    """The pins of one user, in the state directory or, where that cannot be used, a private one.

    Every method is one transaction, safe across processes.
    """

    def __init__(self, state_dir: str) -> None:
        super().__init__(state_dir, _check)
        self._unreadable: list[str] = []

    @property
    def notes(self) -> list[str]:
        """What a person has to know: files that were set aside, or that cannot be read."""
        return super().notes + [
            "stophooks: what this session was held to is not known, so that it is held to what is "
            f"there now: {problem}"
            for problem in self._unreadable
        ]

    def get(self, session: str) -> Pin | None:
        """What a session is held to, or None for one that was not seen yet.

        None too where it cannot be read; ``notes`` then say so.
        """
        unreadable = []
        for database in self._present():
            try:
                pin = database.run(lambda connection: _get(connection, session), is_single=True)
            except StoreError as err:
                unreadable += [str(err)] * _has_content(database.path)
                continue
            if pin is not None:
                return pin
        self._unreadable += unreadable
        return None

    def add(self, pin: Pin) -> Pin:
        """Keep a pin, unless its session has one already; returns the one that counts.

        Raises:
            StoreError: It can be kept nowhere.
        """

        def write(connection: sqlite3.Connection) -> Pin:
            connection.execute("DELETE FROM pins WHERE made < ?", (time.time() - KEEP_S,))
            connection.execute(_ADD, row(pin))
            kept = _get(connection, pin.session)
            if kept is None:
                connection.execute(_PUT, row(pin))
            return kept or pin

        return self._somewhere(write)

    def replace(self, *pins: Pin) -> None:
        """Keep these in place of those that their sessions have.

        Raises:
            StoreError: They cannot be kept.
        """
        rows = [row(pin) for pin in pins]

        def remove(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM pins WHERE session = ?", [one[:1] for one in rows])

        # From every place: what the first one has is found before what is put into the second.
        for database in self._present():
            database.run(remove)
        self._somewhere(lambda connection: connection.executemany(_PUT, rows))

    def of_project(self, project_dir: str) -> list[Pin]:
        """The pins of a project, the latest first.

        Raises:
            StoreError: They cannot be read.
        """

        def read(connection: sqlite3.Connection) -> list[Pin]:
            rows = connection.execute(
                "SELECT session FROM pins WHERE project = ? ORDER BY made DESC",
                (name(project_dir),),
            ).fetchall()
            return [pin for (session,) in rows if (pin := _get(connection, session)) is not None]

        found: dict[str, Pin] = {}
        for database in self._present():
            for pin in database.run(read):
                found.setdefault(pin.session, pin)
        return [*found.values()]

    def trusted(self, project_dir: str) -> set[str]:
        """The digests of the configurations of a project that a person trusts.

        Raises:
            StoreError: They cannot be read.
        """

        def read(connection: sqlite3.Connection) -> list[tuple[str]]:
            return connection.execute(
                "SELECT digest FROM trusted WHERE project = ?", (name(project_dir),)
            ).fetchall()

        return {digest for one in self._present() for (digest,) in one.run(read)}

    def trust(self, project_dir: str, digest: str) -> None:
        """Remember that a person trusts a configuration, and no earlier one of the project.

        Raises:
            StoreError: It can be remembered nowhere.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM trusted WHERE project = ?", (name(project_dir),))
            connection.execute(
                "INSERT INTO trusted (project, digest, at) VALUES (?, ?, ?)",
                (name(project_dir), digest, time.time()),
            )

        self._somewhere(write)

    def _present(self) -> Iterator[Database]:
        first = self._database(self._state_dir)
        if first.exists():
            yield first
        fallback = place.fallback_dir()
        if fallback != self._state_dir and os.path.lexists(fallback):
            # It is looked at whose it is: anybody can make a directory there.
            second = self._database(next(place.places(fallback)))
            if second.exists():
                yield second


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False


def _get(connection: sqlite3.Connection, session: str) -> Pin | None:
    """The pin of a session, as `read` gives it."""
    found = connection.execute(
        "SELECT plan, files FROM pins WHERE session = ?", (session,)
    ).fetchone()
    return None if found is None else read(session, *found)


def _check(connection: sqlite3.Connection) -> None:
    """Read every pin.

    Raises:
        DamagedError: One of them is not what was written.
    """
    for (session,) in connection.execute("SELECT session FROM pins").fetchall():
        _get(connection, session)
