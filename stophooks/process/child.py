"""One started program: its pipes, its end, and the family that it founds."""

from __future__ import annotations

import os
import signal
import subprocess  # noqa: TID251 - this package is the one place that starts processes
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from stophooks.errors import StophooksError
from stophooks.models import Stream
from stophooks.process import family
from stophooks.process.family import Family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class StartError(StophooksError):
    """A program could not be started.

    ``cause`` is the system's own error; ``in_directory`` says that the working directory is at
    fault, not the program.
    """

    def __init__(self, cause: OSError | ValueError, *, in_directory: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.in_directory = in_directory


class Child:
    """The started program: its pipes, and a descriptor that becomes readable when it ends."""

    def __init__(self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> None:
        self._argv = argv
        self._cwd = cwd
        outer = env.get(family.TOKEN)
        # A command may be this program again: the inner token names the outer command as well.
        self._token = f"{outer}.{os.urandom(8).hex()}" if outer else os.urandom(8).hex()
        self._env = {**env, family.TOKEN: self._token}
        self.code: int | None = None
        self.ended = False
        self.duration_s = 0.0
        self.exit_descriptor = -1

    def __enter__(self) -> Self:
        """Start it."""
        family.become_reaper()
        _keep_exit_codes()
        others = family.children()
        self.began = time.monotonic()
        self._process = self._start()
        self.family = Family(self._process.pid, token=self._token, others=others)
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
        self.family.reap()
        self.family.close()
        if self.exit_descriptor >= 0:
            os.close(self.exit_descriptor)

    @property
    def pipes(self) -> dict[int, Stream]:
        """The reading ends of its output."""
        if self._process.stdout is None or self._process.stderr is None:
            raise AssertionError("started without pipes")
        return {
            self._process.stdout.fileno(): Stream.STDOUT,
            self._process.stderr.fileno(): Stream.STDERR,
        }

    def close_pipes(self) -> None:
        """Let go of its output: who still writes gets SIGPIPE."""
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def note_end(self) -> None:
        """Take its exit code if it has ended."""
        self.duration_s = time.monotonic() - self.began
        try:
            self.ended = _wait_without_blocking(self._process)
        except ChildProcessError:
            # Somebody else waited for it: it has ended, and its exit code is lost.
            self.ended = True
        if self.ended:
            self.code = self._process.returncode
            self.family.leader_ended()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._argv,
                bufsize=0,
                cwd=self._cwd,
                env=self._env,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except (OSError, ValueError) as err:
            named = getattr(err, "filename", None)
            in_directory = named == self._cwd and named != self._argv[0]
            raise StartError(err, in_directory=in_directory) from err


def _keep_exit_codes() -> None:
    """Undo an ignored SIGCHLD, which a parent may hand down: with it every exit code is lost."""
    in_main = threading.current_thread() is threading.main_thread()
    if in_main and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _wait_without_blocking(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; its exit code is kept then.

    `Popen.poll` would call a lost exit code 0, which here would be a check that passed.

    Raises:
        ChildProcessError: Somebody else took the exit code.
    """
    if process.returncode is None:
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode is not None


def _exit_descriptor(process: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the process has ended."""
    try:
        return os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return _exit_pipe(process)


def _exit_pipe(process: subprocess.Popen[bytes]) -> int:
    """The same where there is no pidfd (macOS, Linux before 5.3): a thread waits."""
    reading, writing = os.pipe()

    def wait() -> None:
        with suppress(ChildProcessError):  # lost: `_wait_without_blocking` finds that out as well
            _, status = os.waitpid(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        os.close(writing)

    threading.Thread(target=wait, daemon=True).start()
    return reading
