"""What there is of a user's state and whether it can be used, looked at without a change."""

from __future__ import annotations

import os

from stophooks.store.database import NAME
from stophooks.store.place import writable_dir
from stophooks.values import dataclass

# A damaged file of this size is found to be one in well under a second; bytes of SQLite's cache.
_CHECK = "PRAGMA quick_check(1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One state directory; ``directory`` is where state is kept, ``wanted`` where it belongs.

    ``damage`` says what is wrong with the store's file, or is None. ``log_bytes`` and ``runs``
    are what the logs of past runs take.
    """

    wanted: str
    directory: str
    database: str
    damage: str | None
    log_bytes: int
    runs: int


def condition(wanted: str) -> Condition:
    """How it stands with the state that belongs in ``wanted``.

    Raises:
        StoreError: State can be kept nowhere.

    """
    directory = wanted if _can_be_kept(wanted) else writable_dir(wanted)
    database = os.path.join(directory, NAME)
    log_bytes, runs = _logs(os.path.join(directory, "logs"))
    return Condition(
        wanted=wanted,
        directory=directory,
        database=database,
        damage=_damage(database),
        log_bytes=log_bytes,
        runs=runs,
    )


def _can_be_kept(wanted: str) -> bool:
    """Whether the directory is there and writable, or could be made."""
    above = wanted
    while not os.path.lexists(above) and above != os.path.dirname(above):
        above = os.path.dirname(above)
    return os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK)


def _damage(database: str) -> str | None:
    import sqlite3  # noqa: PLC0415 -- costs milliseconds that only a look at the store needs

    if not os.path.lexists(database):
        return None
    if not os.access(database, os.R_OK | os.W_OK):
        return "it cannot be read and written by you"
    try:
        connection = sqlite3.connect(f"file:{_quoted(database)}?mode=ro", uri=True, timeout=2)
        try:
            row = connection.execute(_CHECK).fetchone()
        finally:
            connection.close()
    except sqlite3.Error as err:
        return str(err)
    return None if row and row[0] == "ok" else str(row[0] if row else "nothing is known")


def _quoted(path: str) -> str:
    """A path as part of a URI (sqlite.org/uri.html)."""
    from urllib.parse import quote  # noqa: PLC0415 -- as above

    return quote(path)


def _logs(logs_dir: str) -> tuple[int, int]:
    """How many bytes the logs have, and of how many runs."""
    total = runs = 0
    for folder, folders, files in os.walk(logs_dir):
        runs += len(folders) if folder == logs_dir else 0
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:  # another process prunes at the same time
                continue
    return total, runs
