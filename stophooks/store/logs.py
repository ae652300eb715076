"""The full output of each command of a run in a file of its own; old runs are removed."""

from __future__ import annotations

import fcntl
import os
import time

from stophooks import threads
from stophooks.errors import StoreError
from stophooks.models import KIB, MIB
from stophooks.store.place import PRIVATE_DIR, PRIVATE_FILE, writable_dir
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of an overlong log; the end is in memory until its command has ended.
HEAD_BYTES = 60 * MIB
TAIL_BYTES = 4 * MIB
# Smaller pieces of it are put together.
PIECE_BYTES = 16 * KIB
KEEP_S = 7 * 24 * 3600.0
KEEP_BYTES = 512 * MIB
KEEP_RUNS = 200
# How many runs come together before the oldest are removed, and after how much of one run's
# output and after what time they are looked at in any case; bytes, seconds.
SPARE_RUNS = 20
LONG_BYTES = MIB
PRUNE_S = 900.0
# An empty file that tells when that was done last.
_PRUNED = "logs.pruned"
NAME_LENGTH = 60


class RunLogs:
    """The log files of one run, in ``<state_dir>/logs/<run_id>``; made when the first one opens.

    Safe across threads; each log is for one of them.
    """

    def __init__(self, state_dir: str, run_id: str) -> None:
        self.state_dir = state_dir
        self._run_id = _safe(run_id)
        self._lock: int | None = None
        self._making = threads.Lock()
        self._opened: list[RunLog] = []
        self.directory = os.path.join(state_dir, "logs", self._run_id)

    def open(self, index: int, name: str) -> RunLog:
        """Open the log of the command at ``index`` (from 0).

        Raises:
            StoreError: No file can be made.

        """
        try:
            with self._making:
                if self._lock is None:
                    self._make()
            log = RunLog(os.path.join(self.directory, f"{index}-{_safe(name)}.log"))
        except OSError as err:
            raise StoreError(
                f"cannot write a log in {self.directory}: {err.strerror}. "
                "Make room, or make the directory writable for you."
            ) from err
        self._opened.append(log)
        return log

    @property
    def bytes(self) -> int:
        """How much the commands of this run have said; bytes."""
        return sum(log.total_bytes for log in self._opened)

    def close(self) -> None:
        """Let `prune` have this run when its time has come."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _make(self) -> None:
        self.state_dir = writable_dir(self.state_dir)
        self.directory = os.path.join(self.state_dir, "logs", self._run_id)
        os.makedirs(self.directory, mode=PRIVATE_DIR, exist_ok=True)
        # Held until this process ends, however it ends: prune leaves a locked run alone.
        self._lock = os.open(self.directory, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


class RunLog:
    """One command's log: its first bytes in order, and of a very long one the last bytes too.

    Writing never raises: a full disk must not end the command whose output it was. ``error`` then
    says what went wrong, and the file has what fitted.
    """

    def __init__(
        self, path: str, *, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES
    ) -> None:
        self.path = path
        self.error: str | None = None
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._last: list[bytes | bytearray] = []
        self._last_bytes = 0
        self._total = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, PRIVATE_FILE)

    @property
    def total_bytes(self) -> int:
        """How much was written, what was dropped of it included."""
        return self._total

    def write(self, data: bytes) -> None:
        """Take the next piece of output."""
        if self.error is not None:
            return
        room = self._head_bytes - self._total
        self._total += len(data)
        try:
            if room > 0:
                self._write(data[:room])
                data = data[room:]
        except OSError as err:
            self._fail(err)
        if data and self.error is None:
            self._keep(data)

    def close(self) -> None:
        """Write the last bytes of an overlong log and close the file."""
        if self._fd < 0:
            return
        try:
            if self._last and self.error is None:
                self._end()
        except OSError as err:
            self._fail(err)
        try:
            os.close(self._fd)
        except OSError as err:  # a network file system may say only now that it is full
            self._fail(err)
        self._fd = -1
        self._last.clear()

    def _fail(self, err: OSError) -> None:
        self.error = self.error or err.strerror or str(err)

    def _keep(self, data: bytes) -> None:
        """Have the last pieces wait for the end: to write what is left out takes time."""
        last = self._last
        self._last_bytes += len(data)
        if len(data) >= PIECE_BYTES:
            last.append(data)
        elif last and isinstance(piece := last[-1], bytearray) and len(piece) < PIECE_BYTES:
            # Each piece costs memory of its own, and some commands write single bytes.
            piece += data
        else:
            last.append(bytearray(data))
        while self._last_bytes - len(last[0]) >= self._tail_bytes:
            self._last_bytes -= len(last.pop(0))

    def _end(self) -> None:
        """Put the last bytes behind the first ones, with a mark between where some are left out."""
        over = max(0, self._last_bytes - self._tail_bytes)
        cut = self._total - self._head_bytes - self._last_bytes + over
        if cut:
            self._write(f"\n[stophooks: {cut} bytes left out here]\n".encode())
        self._last[0] = self._last[0][over:]
        for piece in self._last:
            self._write(piece)

    def _write(self, data: bytes | bytearray) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]


def is_due(logs: RunLogs) -> bool:
    """Whether `prune` is worth its time after a run; it reads every run's directory.

    So it is after long output, every quarter of an hour, and when runs have come together.
    """
    parent = os.path.dirname(logs.directory)
    try:
        if logs.bytes >= LONG_BYTES or len(os.listdir(parent)) > KEEP_RUNS + SPARE_RUNS:
            return True
        return time.time() - os.stat(os.path.join(logs.state_dir, _PRUNED)).st_mtime > PRUNE_S
    except OSError:
        return True


def prune(state_dir: str, *, keep: str | None = None) -> None:
    """Remove the logs of old runs: beyond 7 days, 200 runs or 512 MiB in all, oldest first.

    The newest run, the one of the id ``keep`` and those that are still going are never touched:
    somebody was just told where they are. What cannot be removed is left for next time.
    """
    _note_pruned(state_dir)
    oldest_allowed = time.time() - KEEP_S
    spared = _safe(keep) if keep else None
    kept_bytes = 0
    for kept, (changed, path) in enumerate(_runs(os.path.join(state_dir, "logs"))):
        kept_bytes += _size(path)
        if kept == 0 or os.path.basename(path) == spared:
            continue
        if changed < oldest_allowed or kept >= KEEP_RUNS or kept_bytes > KEEP_BYTES:
            _remove(path)


def _note_pruned(state_dir: str) -> None:
    if not os.path.isdir(os.path.join(state_dir, "logs")):
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(os.path.join(state_dir, _PRUNED), flags, PRIVATE_FILE)
    except OSError:
        # It will be done again the sooner.
        return
    os.utime(descriptor)
    os.close(descriptor)


def _runs(logs_dir: str) -> list[tuple[float, str]]:
    """Every run's directory with the time of its last change, the newest first."""
    try:
        with os.scandir(logs_dir) as entries:
            runs = list(_changes(entries))
    except OSError:
        return []
    return sorted(runs, reverse=True)


def _changes(entries: Iterator[os.DirEntry[str]]) -> Iterator[tuple[float, str]]:
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield entry.stat(follow_symlinks=False).st_mtime, entry.path
        except FileNotFoundError:  # another process prunes at the same time
            continue


def _size(path: str) -> int:
    try:
        with os.scandir(path) as entries:
            return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    except OSError:
        return 0


def _remove(path: str) -> None:
    import shutil  # noqa: PLC0415 -- takes milliseconds, and most runs remove nothing

    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)


def _safe(name: str) -> str:
    """A name as one of a file: what is no letter, digit, dot, dash or underscore is a dash."""
    kept = ""
    is_odd = False
    for one in name:
        if one.isascii() and (one.isalnum() or one in "._-"):
            kept, is_odd = kept + one, False
        elif not is_odd:
            kept, is_odd = kept + "-", True
    return kept.strip("-.")[:NAME_LENGTH] or "log"
