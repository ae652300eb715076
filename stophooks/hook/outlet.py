"""The two streams that belong to the agent: they carry one answer and nothing else."""

from __future__ import annotations

import fcntl
import os
import select
import time

from stophooks import threads
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.agents.base import Reply

STDIN, STDOUT, STDERR = 0, 1, 2


class Outlet:
    """Takes the first answer; from here on nobody else can write on stdout.

    Descriptor 1 points at stderr while this lives, so that what a library prints, or a child
    inherits, never gets between the agent and its answer.
    """

    def __init__(self) -> None:
        self._lock = threads.Lock()
        self._reply: Reply | None = None
        self._stdout = _copy(STDOUT)
        self._stderr = _copy(STDERR)
        self._read_by = [fd for fd in (self._stdout, self._stderr) if fd is not None]
        # A number left free would be given to the next file that is opened.
        if not _is_open(STDIN):
            _to_nowhere(STDIN)
        if self._stderr is None:
            _to_nowhere(STDERR)
        os.dup2(STDERR, STDOUT)

    def send(self, reply: Reply) -> int:
        """Give this answer, unless one was given before; returns the exit code of the given one.

        An agent that has gone away cannot read it: that changes nothing about the code.
        """
        with self._lock:
            if self._reply is None:
                self._reply = reply
                _write(self._stderr, reply.stderr)
                _write(self._stdout, reply.stdout)
            return self._reply.exit_code

    def is_left(self, wait_s: float) -> bool:
        """Whether the agent has closed its ends of both streams: it has ended.

        Args:
            wait_s: Seconds to wait for that. For one thread.
        """
        if self._stdout is None or self._stderr is None:
            # Without streams nothing tells that there is an agent, so nothing tells its end.
            time.sleep(wait_s)
            return False
        until = time.monotonic() + wait_s
        while self._read_by:
            poll = select.poll()
            for fd in self._read_by:
                poll.register(fd, 0)
            left_ms = max(0, int((until - time.monotonic()) * 1000) + 1)
            closed = {fd for fd, _ in poll.poll(left_ms)}
            if not closed:
                return False
            self._read_by = [fd for fd in self._read_by if fd not in closed]
        return True

    def close(self) -> None:
        """Point both streams at nothing: a failing flush at exit would change the exit code."""
        _to_nowhere(STDOUT)
        _to_nowhere(STDERR)


def _copy(fd: int) -> int | None:
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, STDERR + 1)
    except OSError:
        return None


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _to_nowhere(fd: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != fd:
        os.dup2(nowhere, fd)
        os.close(nowhere)


def _write(fd: int | None, text: str) -> None:
    if fd is None:
        return
    rest = memoryview(text.encode("utf-8", "replace"))
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
    except OSError:
        return
