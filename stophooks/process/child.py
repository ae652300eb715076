"""One started program: its pipes, its end, and the family that it founds."""

from __future__ import annotations

import errno
import os
import time

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.errors import StophooksError
from stophooks.models import Stream
from stophooks.process import family, spawn, tag
from stophooks.process.family import Family
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING, Protocol, Self
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stophooks.process.identity import Identity
    from stophooks.process.spawn import Started
    from stophooks.process.table import Entry


class StartError(StophooksError):
    """A program could not be started.

    ``cause`` is the system's own error; ``in_directory`` says that the working directory is at
    fault, not the program.
    """

    def __init__(self, cause: OSError | ValueError, *, in_directory: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.in_directory = in_directory


class Guard(Protocol):
    """Is told what would be left if this process died; no call waits."""

    @property
    def address(self) -> str:
        """By which a run inside a command tells it about that run's containers."""

    def family(self, token: str, others: Iterable[Entry], pipes: Iterable[int]) -> None:
        """A command is about to start.

        Its processes bear the token and write to the pipes (inodes); ``others`` are not its.
        """

    def leader(self, token: str, pid: int) -> None:
        """Its first process has started, in a session of its own."""

    def family_gone(self, token: str, kept: Iterable[Entry] = ()) -> None:
        """Nothing of it is left but what is ``kept`` and may stay."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Descriptors of this process that a program gets as its own; nothing of it is then seen."""

    stdin: int
    stdout: int
    stderr: int


class Child:
    """The started program: its pipes, and a descriptor that becomes readable when it ends.

    ``keep`` can be set before the end: what is left of the family then stays. ``beside`` says
    that other commands may run at the same time.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        guard: Guard | None = None,
        user: Identity | None = None,
        streams: Streams | None = None,
        beside: bool = False,
    ) -> None:
        self._argv = argv
        self._beside = beside
        self._streams = streams
        self._cwd = cwd
        self._guard = guard
        self._user = user
        self.keep = False
        self._pipes: dict[int, Stream] = {}
        outer = env.get(family.TOKEN)
        # A command may be this program again: the inner token names the outer command as well.
        self._token = f"{outer}.{os.urandom(8).hex()}" if outer else os.urandom(8).hex()
        self._env = {**env, family.TOKEN: self._token}
        self._env.pop(family.WATCHDOG, None)
        if guard is not None:
            self._env[family.GUARDS] = guard.address
        self.code: int | None = None
        self.ended = False
        self.duration_s = 0.0
        self.exit_descriptor = -1

    def __enter__(self) -> Self:
        """Start it."""
        family.become_reaper()
        keep_exit_codes()
        self.family = Family(self._token, tagged=self._beside)
        self.began = time.monotonic()
        try:
            self._process = self._start()
        except BaseException:
            # Without a process there is no family; who waits for it would wait for ever.
            self.family.close()
            raise
        self.family.lead(self._process.pid)
        if self._guard is not None:
            self._guard.leader(self._token, self._process.pid)
        try:
            self.exit_descriptor = _exit_descriptor(self._process)
        except OSError as err:
            # No descriptor is left: a command whose end cannot be seen must not go on.
            self.__exit__()
            self.close_pipes()
            raise StartError(err, in_directory=False) from err
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs: after an exception, a sink's or Ctrl-C, that is everything."""
        if not self.ended:
            self.family.kill()
            self.note_end()
        kept = self.family.keep() if self.keep else []
        gone = self.family.close()
        # Who could not be ended stays in the guard's care.
        if self._guard is not None and (gone or self.keep):
            self._guard.family_gone(self._token, kept)
        if self.exit_descriptor >= 0:
            os.close(self.exit_descriptor)

    @property
    def pipes(self) -> dict[int, Stream]:
        """The reading ends of its output."""
        return dict(self._pipes)

    def close_pipes(self) -> None:
        """Let go of its output: who still writes gets SIGPIPE."""
        while self._pipes:
            descriptor, _ = self._pipes.popitem()
            os.close(descriptor)

    def note_end(self) -> None:
        """Take its exit code if it has ended."""
        self.duration_s = time.monotonic() - self.began
        try:
            self.code = _wait_without_blocking(self._process)
            self.ended = self.code is not None
        except ChildProcessError:
            # Somebody else waited for it: it has ended, and its exit code is lost.
            self.ended = True
        if self.ended:
            self.family.leader_ended()

    def _start(self) -> Started:
        """Start it; the guard knows its pipes before it exists, so that it is never unknown."""
        writing: list[int] = []
        try:
            for stream in () if self._streams else (Stream.STDOUT, Stream.STDERR):
                reading, end = os.pipe()
                self._pipes[reading] = stream
                writing.append(end)
            if self._user is not None:
                self._make_usable(writing, self._user)
            if self._guard is not None:
                inodes = [os.fstat(descriptor).st_ino for descriptor in writing]
                self._guard.family(self._token, self.family.others, inodes)
            return self._spawn(writing)
        except (OSError, ValueError) as err:
            self.close_pipes()
            if self._guard is not None:
                self._guard.family_gone(self._token)
            named = getattr(err, "filename", None)
            in_directory = named == self._cwd and named != self._argv[0]
            raise StartError(err, in_directory=in_directory) from err
        finally:
            for descriptor in writing:
                os.close(descriptor)

    def _make_usable(self, pipes: list[int], user: Identity) -> None:
        """Let another user open its outputs by name and stand in the working directory.

        Raises:
            PermissionError: That user cannot enter the directory, which this one can.
        """
        from stophooks.process import identity  # noqa: PLC0415 -- few commands have a user

        for descriptor in pipes:
            with suppress(PermissionError):  # without it only /dev/stdout and its like are refused
                os.fchown(descriptor, user.uid, user.gid)
        if os.path.isdir(self._cwd) and not identity.enters(user, self._cwd):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), self._cwd)

    def _spawn(self, writing: list[int]) -> Started:
        given = self._streams
        nothing = -1 if given else os.open(os.devnull, os.O_RDWR)
        try:
            with tag.under(self.family.tag):
                return spawn.start(
                    self._argv,
                    cwd=self._cwd,
                    env=self._env,
                    streams=(given.stdin, given.stdout, given.stderr)
                    if given
                    else (nothing, writing[0], writing[1]),
                    user=self._user,
                )
        finally:
            if nothing >= 0:
                os.close(nothing)


def keep_exit_codes() -> None:
    """Undo an ignored SIGCHLD, which a parent may hand down: with it every exit code is lost."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        with suppress(ValueError):  # only the main thread may
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _wait_without_blocking(process: Started) -> int | None:
    """Its exit code, or minus the number of the signal that ended it; None if it still runs.

    A lost exit code is never taken for 0, which here would be a check that passed.

    Raises:
        ChildProcessError: Somebody else took the exit code.
    """
    if process.code is None:
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if pid:
            process.ended(status)
    return process.code


def _exit_descriptor(process: Started) -> int:
    """A descriptor that becomes readable when the process has ended."""
    try:
        return os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return _exit_pipe(process)


def _exit_pipe(process: Started) -> int:
    """The same where there is no pidfd (macOS, Linux before 5.3): a thread waits."""
    reading, writing = os.pipe()

    def wait() -> None:
        with suppress(ChildProcessError):  # lost: `_wait_without_blocking` finds that out as well
            process.ended(os.waitpid(process.pid, 0)[1])
        os.close(writing)

    threads.Thread(target=wait, daemon=True).start()
    return reading
