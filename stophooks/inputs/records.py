"""Listings of directories, each under the digest of what it says: a tree's id is its root's."""

from __future__ import annotations

import os
import stat

from stophooks import threads
from stophooks.contexts import contextmanager
from stophooks.digests import sha256
from stophooks.inputs.values import UnknownError
from stophooks.models import MIB
from stophooks.store.database import sqlite
from stophooks.store.place import PRIVATE_FILE
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

# A file of a larger size is begun anew, with the newest tree alone; some 10,000 changes.
MAX_BYTES = 256 * MIB
# For another run of this program that writes at the same moment. Seconds.
_WAIT_S = 1.0
# Primary result codes (sqlite.org/rescode.html) that no later attempt would change: ERROR, CORRUPT,
# NOTADB.
_DAMAGED = frozenset({1, 11, 26})
DIRECTORY = "d"
_REPOSITORY = "r"
# No file's name: at a repository's root its commit, where another one lies within its listing.
SELF = ""

_Entries = dict[str, str]


class LostError(UnknownError):
    """A listing is not known any more."""


class Records:
    """All listings of one project.

    An entry is a name and a word: of a file as `prints` has it, of a directory (whose name ends
    with ``/``) its listing.

    Args:
        path: Their file, made when there is something to keep; None keeps them in memory alone.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._fresh: dict[str, bytes] = {}
        self._connection: sqlite3.Connection | None = None
        self._lock = threads.Lock()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Let one thread use them; their file is closed at the end."""
        with self._lock:
            try:
                yield
            finally:
                self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def change(self, listing: str, changes: Mapping[str, str]) -> str:
        """The listing that differs from another one by these words at paths below it.

        Args:
            listing: That one, or empty for nothing.
            changes: A word for each path; the empty one takes it out.

        Raises:
            LostError: It is not known.
        """
        entries = self.entries(listing) if listing else {}
        below: dict[str, dict[str, str]] = {}
        for path, word in changes.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name + "/", {})[rest] = word
            else:
                entries[name] = word
        for name, inner in below.items():
            new = self.change(entries.get(name, "")[1:], inner)
            entries[name] = new and DIRECTORY + new
        return self._add({name: word for name, word in entries.items() if word})

    def entries(self, listing: str) -> _Entries:
        """What a listing says.

        Raises:
            LostError: It is not known.
        """
        data = self._fresh.get(listing)
        if data is None:
            data = self._read(listing)
        fields = os.fsdecode(data).split("\0")
        return dict(zip(fields[::2], fields[1::2], strict=False))

    def files(self, listing: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        """The path and word of every file, those of repositories within included."""
        for name, word in self.entries(listing).items() if listing else ():
            if name.endswith("/"):
                yield from self.files(word[1:], prefix + name)
            elif name != SELF:
                yield prefix + name, word
            elif word[0] == _REPOSITORY:
                yield from self.files(word[1:], prefix)

    def differences(self, before: str, now: str, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """The path of every file that differs, and whether it is there now."""
        if before == now:
            return
        old = self.entries(before) if before else {}
        new = self.entries(now) if now else {}
        for name in {**old, **new}:
            was, word = old.get(name, ""), new.get(name, "")
            if name.endswith("/"):
                yield from self.differences(was[1:], word[1:], prefix + name)
            elif name == SELF:
                if _REPOSITORY in {was[:1], word[:1]}:
                    yield from self.differences(was[1:], word[1:], prefix)
            elif was != word:
                yield prefix + name, bool(word)

    def keep(self, newest: str) -> bool:
        """Write what is new to the file; whether that was possible.

        Args:
            newest: The listing to have in any case, of a tree.
        """
        if self._path is None:
            return False
        try:
            if _size(self._path) > MAX_BYTES:
                self._renew(newest)
            connection = self._open()
            with connection:
                connection.executemany(
                    "INSERT OR IGNORE INTO listing VALUES (?, ?)",
                    [(bytes.fromhex(name), data) for name, data in self._fresh.items()],
                )
        except sqlite().Error as err:
            self._mend(err)
            return False
        except OSError:
            return False
        self._fresh.clear()
        return True

    def are_there(self) -> bool:
        """Whether anything was ever kept, and not lost since."""
        return self._path is not None and os.path.lexists(self._path)

    def _renew(self, newest: str) -> None:
        waiting = [newest]
        while waiting:
            listing = waiting.pop()
            entries = self.entries(listing)
            self._add(entries)
            waiting += [word[1:] for word in entries.values() if word[0] in "dr"]
        self.forget()

    def forget(self) -> None:
        """Remove the file."""
        self._close()
        if self._path is not None:
            for ending in ("", "-journal"):
                if os.path.lexists(self._path + ending):
                    os.unlink(self._path + ending)

    def _mend(self, err: sqlite3.Error) -> None:
        if getattr(err, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            self.forget()

    def _add(self, entries: _Entries) -> str:
        if not entries:
            return ""
        data = os.fsencode("".join(f"{name}\0{entries[name]}\0" for name in sorted(entries)))
        listing = _digest(data)
        self._fresh[listing] = data
        return listing

    def _read(self, listing: str) -> bytes:
        if self._path is None or not os.path.lexists(self._path):
            raise LostError
        try:
            row = (
                self._open()
                .execute("SELECT data FROM listing WHERE id = ?", (bytes.fromhex(listing),))
                .fetchone()
            )
        except sqlite().Error as err:
            self._mend(err)
            raise LostError from err
        except (OSError, ValueError) as err:
            raise LostError from err
        if row is None or not isinstance(row[0], bytes) or _digest(row[0]) != listing:
            raise LostError
        return row[0]

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._path is None:
                raise LostError
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            os.close(os.open(self._path, flags, PRIVATE_FILE))
            connection: sqlite3.Connection = sqlite().connect(
                self._path, timeout=_WAIT_S, check_same_thread=False
            )
            # What a loss of power spoils is found by its digest, and made again.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS listing (id BLOB PRIMARY KEY, data BLOB) WITHOUT ROWID"
            )
            self._connection = connection
        return self._connection


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _size(path: str) -> int:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
