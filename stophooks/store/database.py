"""One SQLite file that is written by several processes, and maybe several versions, at once."""

from __future__ import annotations

import os
import stat
import sys
import time

from stophooks.errors import StoreError
from stophooks.store import tables
from stophooks.store.lock import FileLock
from stophooks.store.place import PRIVATE_FILE, places
from stophooks.typed import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    T = TypeVar("T")

NAME = "state.db"
# Every transaction is one small row; a lock held longer than this is a stuck machine.
LOCK_TIMEOUT_S = 5.0
_REPAIR = "repair.lock"
# The second attempt finds what the first one, or another process, has made anew.
_ATTEMPTS = 3
# Primary result codes (sqlite.org/rescode.html, read 2026-11-21) that no later attempt would
# change: ERROR, CORRUPT, SCHEMA, CONSTRAINT, MISMATCH, FORMAT, NOTADB. The file is not ours, or
# no longer what we wrote.
_DAMAGED = frozenset({1, 11, 17, 19, 20, 24, 26})


class DamagedError(Exception):
    """What is in the file was not written by this program, or was changed since."""


class Database:
    """The file in one directory; made at the first `run`, mended when it is damaged.

    A damaged file is set aside under another name and a new one is begun; ``notes`` then says so,
    for a person. A file that a newer version has written is left to it: this version then keeps
    one of its own beside it.
    """

    def __init__(self, directory: str, check: Callable[[sqlite3.Connection], None]) -> None:
        self.path = os.path.join(directory, NAME)
        self.notes: list[str] = []
        self._directory = directory
        self._check = check
        self._connection: sqlite3.Connection | None = None

    def exists(self) -> bool:
        """Whether there is anything to read."""
        return self._connection is not None or os.path.lexists(self.path)

    def run(self, work: Callable[[sqlite3.Connection], T], *, is_single: bool = False) -> T:
        """Return what ``work`` returns; it runs as one transaction, and again after a repair.

        Args:
            work: Reads and writes.
            is_single: Whether it is a single statement, which is a transaction by itself.

        Raises:
            StoreError: The file cannot be read or written, or not be mended.

        """
        sqlite3 = sqlite()

        problem: Exception | None = None
        for _ in range(_ATTEMPTS):
            try:
                if is_single:
                    return work(self._connection or self._connect())
                return self._transaction(work)
            except (DamagedError, ValueError) as err:  # ValueError: a text that is not UTF-8
                problem = err
            except sqlite3.Error as err:
                if not _is_damage(err):
                    raise self._unusable(err) from err
                problem = err
            except OSError as err:
                raise self._unusable(err) from err
            self._repair(str(problem))
        raise self._unusable(problem)

    def close(self) -> None:
        """Close the file, unless connections are kept open (`keep_open`)."""
        if self._connection is not None and not _keeps(self.path, self._connection):
            self._connection.close()
        self._connection = None

    def _drop(self) -> None:
        """Close the file for certain."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _unusable(self, err: Exception | None) -> StoreError:
        self._drop()
        return StoreError(
            f"cannot count blocks in {self.path}: {err}. "
            "Make room, or make the file and its directory writable for you."
        )

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection or self._connect()
        # IMMEDIATE: two processes that both read first could otherwise not both write.
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            # A full disk has rolled it back already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _connect(self) -> sqlite3.Connection:
        connection = self._connection = _kept(self.path)
        if connection is not None:
            return connection
        connection = self._connection = _open(self.path)
        if tables.version(connection) > tables.VERSION:
            self._drop()
            self.path = os.path.join(self._directory, f"state.v{tables.VERSION}.db")
            connection = self._connection = _open(self.path)
        if tables.version(connection) != tables.VERSION:
            self._transaction(tables.make)
        # What a loss of power spoils is found by a checksum, or by SQLite, and begun anew. To wait
        # for a disk at every stop costs more than most of the rest; a dying process spoils nothing.
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def _repair(self, problem: str) -> None:
        """Set the file aside, unless another process has done so since."""
        self._drop()
        try:
            with FileLock(os.path.join(self._directory, _REPAIR)) as lock:
                if not lock.take(wait_s=LOCK_TIMEOUT_S):
                    raise self._unusable(TimeoutError("another process is mending it"))
                if self._is_damaged():
                    aside = _set_aside(self.path)
                    self.notes.append(
                        f"stophooks: the counts of blocks in {self.path} were damaged "
                        f"({problem}); the file is now {aside}, and a new one was begun."
                    )
        except OSError as err:
            raise self._unusable(err) from err

    def _is_damaged(self) -> bool:
        sqlite3 = sqlite()

        try:
            connection = _open(self.path)
        except DamagedError:
            return True
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            # Another process may be about to make the tables.
            if tables.version(connection) == tables.VERSION:
                tables.look(connection)
                self._check(connection)
        except (DamagedError, ValueError):
            return True
        except sqlite3.Error as err:
            return _is_damage(err)
        finally:
            connection.close()
        return bool(found != ("ok",))


class Databases:
    """The file in the state directory, and where that cannot be used a private one.

    A context for as long as they are open.

    Args:
        state_dir: Where the first one is.
        check: Reads everything of one kind in a file, and raises `DamagedError` where that is not
            what was written.
    """

    def __init__(self, state_dir: str, check: Callable[[sqlite3.Connection], None]) -> None:
        self._state_dir = state_dir
        self._check = check
        self._databases: dict[str, Database] = {}

    @property
    def notes(self) -> list[str]:
        """What a person has to know: files that were set aside."""
        return [note for found in self._databases.values() for note in found.notes]

    def close(self) -> None:
        """Close the files."""
        for found in self._databases.values():
            found.close()

    def __enter__(self) -> Self:
        """Return this; its files are closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def _somewhere(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` gives in the first file that can be used.

        Raises:
            StoreError: There is none.
        """
        problem: StoreError | None = None
        for directory in places(self._state_dir):
            try:
                return self._database(directory).run(work)
            except StoreError as err:
                problem = err
        raise problem or StoreError("no state can be kept")

    def _database(self, directory: str) -> Database:
        return self._databases.setdefault(directory, Database(directory, self._check))


# Connections that somebody has closed and somebody else may use, by their files, each with what its
# file was then; None: they are closed.
_open_ones: dict[str, tuple[sqlite3.Connection, tuple[int, int]]] | None = None


def keep_open() -> None:
    """Keep connections open for those who use the same file next: for a short process."""
    global _open_ones  # noqa: PLW0603 -- a property of the process
    _open_ones = {}


def _keeps(path: str, connection: sqlite3.Connection) -> bool:
    found = _file(path)
    if _open_ones is None or found is None or path in _open_ones or connection.in_transaction:
        return False
    _open_ones[path] = connection, found
    return True


def _kept(path: str) -> sqlite3.Connection | None:
    """A connection that was kept, unless its file is not the one of that name any more."""
    connection, found = (_open_ones or {}).pop(path, (None, None))
    if connection is not None and found != _file(path):
        connection.close()
        return None
    return connection


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open(path: str) -> sqlite3.Connection:
    # SQLite gives its journal the mode of the database, so the file is made first, private. Not
    # waiting, and looked at first, because of FIFOs and devices.
    descriptor = _descriptor(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise DamagedError("not a regular file")
    finally:
        os.close(descriptor)
    # A rollback journal, not WAL: homes on network file systems have no shared memory.
    connection: sqlite3.Connection = sqlite().connect(
        path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    return connection


def _descriptor(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, flags, PRIVATE_FILE)
    except OSError as err:
        # A directory, a socket, a link to itself: nothing that could become a database.
        if not os.path.isfile(path) and os.path.lexists(path):
            raise DamagedError(f"not a regular file: {err.strerror}") from err
        raise


def sqlite() -> Any:
    """SQLite, without what `sqlite3` adds for dates, whose import takes as long as its own."""
    found = sys.modules.get("_sqlite3")
    if found is not None:
        return found
    try:
        return _without_functools() if "functools" not in sys.modules else __import__("_sqlite3")
    except ImportError:
        import sqlite3  # noqa: PLC0415 -- what there is instead

        return sqlite3


def _without_functools() -> Any:
    """`_sqlite3`, which looks up `functools.lru_cache` for its statements, and nothing else there.

    The import of `functools` takes longer than that of SQLite; what is behind that name is not in
    it but in `_functools`.
    """
    compiled: Any = __import__("_functools")
    _lru_cache_wrapper = compiled._lru_cache_wrapper  # noqa: SLF001 -- its name there

    stand_in: Any = type(sys)("functools")
    stand_in.lru_cache = lambda size: lambda call: _lru_cache_wrapper(call, size, False, _counts)  # noqa: FBT003 -- it has no names
    sys.modules["functools"] = stand_in
    try:
        import _sqlite3  # noqa: PLC0415 -- milliseconds that a stop without a database need not spend
    finally:
        del sys.modules["functools"]
    return _sqlite3


def _counts(*counts: int) -> tuple[int, ...]:
    return counts


def _is_damage(err: sqlite3.Error) -> bool:
    return getattr(err, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _set_aside(path: str) -> str:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = f"{path}.corrupt-{stamp}"
    number = 1
    while os.path.lexists(aside):
        number += 1
        aside = f"{path}.corrupt-{stamp}-{number}"
    # First the journal: beside a new file it would be played back into it.
    for ending in ("-journal", ""):
        if os.path.lexists(path + ending):
            os.rename(path + ending, aside + ending)
    return aside
