"""The runner's side: starts the watchdog and tells it what exists."""

from __future__ import annotations

import fcntl
import os
import stat
import sys

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.process import family, orphan, table
from stophooks.process.family import GUARDS, TOKEN, WATCHDOG
from stophooks.typed import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.process.table import Entry

# Programs that start another one for somebody: who waits for the answer is behind them.
SHELLS = frozenset({"ash", "bash", "busybox", "dash", "fish", "ksh", "mksh", "sh", "zsh"})
_INIT = 1
# Not `-m`: without `site` only the standard library is found, and nothing else is wanted.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from stophooks.watchdog.main import main; main()"
)
# At so many bytes of the pipe's 64 KiB it waits no more; the rest is for what is told meanwhile.
_UNREAD_BYTES = 16384
# How many bytes a pipe holds: asm-generic/ioctls.h. Another system takes it for an error.
_FIONREAD = 0x541B
# Watchdogs of earlier runs of this process that may not have ended yet.
_earlier: list[int] = []
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Guard:
    """Tells a watchdog what there is to end if this process dies; a context for one run.

    No call waits for the watchdog, and none fails: a run that cannot be watched over is still a
    run. A watchdog that died is replaced at the next call.

    At first it is a shell that waits (`orphan.Nap`), while the pipe keeps what it is told: a run
    that is over in a moment costs no interpreter.

    Args:
        environ: The environment of this process, for the watchdog's own.
        with_caller: Whether the run ends with the process that started it (the agent, a terminal's
            shell); see `callers`.
        leaks_dir: Where the watchdog keeps in mind what it could not remove; see `leaks`. Empty
            for nowhere.
    """

    def __init__(
        self, environ: Mapping[str, str], *, with_caller: bool = False, leaks_dir: str = ""
    ) -> None:
        # With a command's mark it would be ended as one of that command's processes.
        self._environ = {name: value for name, value in environ.items() if name != TOKEN}
        self._environ[WATCHDOG] = "1"
        # This run's own watchdog is, as an orphan, below the runs around it, and dies with them
        # when all their descendants are killed.
        self._outer = tuple(filter(None, environ.get(GUARDS, "").split(",")))
        self._with_caller = with_caller
        self._leaks_dir = leaks_dir
        self._lock = threads.Lock()
        self._control: int | None = None
        self._nap: orphan.Nap | None = None
        self._starting: orphan.Starting | None = None
        self._written = 0
        self._registered: dict[str, list[str]] = {}

    def begin(self) -> None:
        """Have the watchdog started while this process goes on, where that is possible.

        It waits as a shell until the run begins, however long that takes.
        """
        with self._lock:
            if self._control is None and family.before_orphans(self._settle):
                self._start(after=orphan.nap(), waits=False)

    def __enter__(self) -> Self:
        """Start the watchdog; takes one or two milliseconds, and does not wait until it is up."""
        self._settle()
        with self._lock:
            if self._control is None:
                self._start(after=orphan.nap())
            if self._nap is not None:
                self._nap.count()
        return self

    def __exit__(self, *_: object) -> None:
        """See `close`."""
        self.close()

    def holds(self) -> bool:
        """Whether all that is still registered is in the hands of a watchdog that lives."""
        self._settle()
        with self._lock:
            known = [line for lines in self._registered.values() for line in lines]
            if self._control is None:
                return not known
            try:
                for line in known:
                    # Anew: it may have been dropped, and only who lives takes it.
                    self._written += os.write(self._control, f"{line}\n".encode("ascii"))
            except (BrokenPipeError, BlockingIOError):
                return False
            return True

    def close(self) -> None:
        """Let the watchdog go; what is still registered it ends, whatever becomes of us."""
        self._settle()
        with self._lock:
            if not self._registered:
                with suppress(BrokenPipeError):  # it died: there was nothing left to end
                    self._write("bye")
                self._call_off()
            self._let_go()

    @property
    def address(self) -> str:
        """The control pipes of this watchdog and of those around it, for runs inside this one."""
        with self._lock:
            own = []
            if self._control is not None:
                inode = os.fstat(self._control).st_ino
                own = [f"{os.getpid()}:{self._control}:{inode}"]
        return ",".join((*self._outer, *own))

    def container(self, name: str, *, url: str, tls_dir: str | None, tls_verify: bool) -> None:
        """A container of this name is about to be asked for, of the engine at ``url``."""
        fields = (_hex(url), _hex(tls_dir or ""), str(int(tls_verify)))
        line = f"container {name} {' '.join(fields)}"
        self._register(name, line)
        self._tell_outer(f"{line} {_own()}")

    def container_gone(self, name: str) -> None:
        """It is certain that this container is not there and will not be."""
        self._forget(name, f"removed {name}")
        self._tell_outer(f"removed {name}")

    def family(self, token: str, others: Iterable[Entry], pipes: Iterable[int]) -> None:
        """A command with this token is about to start.

        ``others`` are none of its processes; ``pipes`` are the inodes of its two outputs.
        """
        inodes = ",".join(map(str, pipes))
        self._register(token, " ".join(["family", _hex(token), inodes, *map(_key, others)]))

    def leader(self, token: str, pid: int) -> None:
        """The first process of the command has started."""
        entry = table.current(pid)
        self._register(token, f"leader {_hex(token)} {pid} {entry.started if entry else 0}")

    def family_gone(self, token: str, kept: Iterable[Entry] = ()) -> None:
        """Nothing of the command is left but what is ``kept`` and may stay."""
        self._forget(token, " ".join(["ended", _hex(token), *map(_key, kept)]))

    def _settle(self) -> None:
        """Wait for the shell that starts the watchdog; it is gone then."""
        with self._lock:
            starting, self._starting = self._starting, None
            if starting is None:
                return
            try:
                _earlier.append(starting.number())
            except OSError:
                self._let_go()

    def _start(self, *, after: orphan.Nap | None = None, waits: bool = True) -> None:
        self._nap = after
        with suppress(OSError):
            reading, self._control = os.pipe()
            self._written = 0
            try:
                os.set_blocking(self._control, False)
                _earlier[:] = [pid for pid in _earlier if not orphan.ended(pid)]
                argv = [sys.executable, "-I", "-S", "-c", _PROGRAM, _PACKAGES]
                if waits:
                    pid = orphan.start(argv, stdin=reading, env=self._environ, after=after)
                    _earlier.append(pid)
                else:
                    self._starting = orphan.begin(
                        argv, stdin=reading, env=self._environ, after=after
                    )
            except OSError:
                self._let_go()
                raise
            finally:
                os.close(reading)
            for line in self._introduction():
                self._write(line)

    def _call_off(self) -> None:
        """Let the watchdog not start at all, if nobody but us has told it anything."""
        if self._nap is not None and self._control is not None:
            with suppress(OSError):
                unread = fcntl.ioctl(self._control, _FIONREAD, bytes(4))
                if int.from_bytes(unread, sys.byteorder) == self._written:
                    self._nap.call_off()

    def _let_go(self) -> None:
        if self._control is not None:
            os.close(self._control)
            self._control = None
        self._wake()

    def _wake(self) -> None:
        if self._nap is not None:
            self._nap.close()
            self._nap = None

    def _introduction(self) -> list[str]:
        lines = [f"runner {_own()}"]
        if self._leaks_dir:
            lines.append(f"leaks {_hex(self._leaks_dir)}")
        if self._with_caller:
            lines += [f"agent {one.pid} {one.started}" for one in callers()]
        return lines

    def _register(self, name: str, line: str) -> None:
        with self._lock:
            self._registered.setdefault(name, []).append(line)
            self._tell(line)

    def _forget(self, name: str, line: str) -> None:
        with self._lock:
            self._registered.pop(name, None)
            self._tell(line)

    def _tell(self, line: str) -> None:
        if self._control is None:
            return
        try:
            self._write(line)
        except BrokenPipeError:
            self._let_go()
            self._start()
            known = [line for lines in self._registered.values() for line in lines]
            try:
                for told in known:
                    self._write(told)
            except BrokenPipeError:
                # It cannot even start here: there is no use in a third one.
                self._let_go()

    def _tell_outer(self, line: str) -> None:
        """Tell the watchdogs around this one; one that is gone has nothing to hear."""
        for address in self._outer:
            with suppress(OSError, ValueError):
                _tell_pipe(address, line)

    def _write(self, line: str) -> None:
        """Hand one line over; a pipe that is full, because the watchdog is stopped, drops it."""
        if self._control is not None:
            data = f"{line}\n".encode("ascii")
            if self._written + len(data) > _UNREAD_BYTES:
                self._wake()
            with suppress(BlockingIOError):
                self._written += os.write(self._control, data)


def _tell_pipe(address: str, line: str) -> None:
    """Write one line, at once, into another process's pipe that `Guard.address` names.

    Raises:
        OSError: There is no such pipe any more, or nobody reads it.
        ValueError: That is no address.
    """
    pid, number, inode = map(int, address.split(":"))
    pipe = os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        # The number may mean another file by now.
        found = os.fstat(pipe)
        if stat.S_ISFIFO(found.st_mode) and found.st_ino == inode:
            os.write(pipe, f"{line}\n".encode("ascii"))
    finally:
        os.close(pipe)


def callers() -> list[Entry]:
    """Who waits for this process: its parent, and behind a shell that one's parent."""
    found: list[Entry] = []
    pid = os.getppid()
    while pid > _INIT and (entry := table.current(pid)) and len(found) <= 1:
        found.append(entry)
        if entry.name not in SHELLS:
            break
        pid = entry.parent
    return found


def _own() -> str:
    """This process, by its number and its start."""
    entry = table.current(os.getpid())
    return f"{os.getpid()} {entry.started if entry else 0}"


def _key(entry: Entry) -> str:
    return f"{entry.pid}:{entry.started}"


def _hex(text: str) -> str:
    return os.fsencode(text).hex()
