"""A small process that starts one measured program, times it, and says how it ended.

The system counts a program's memory from its parent's, so the parent has to be small: this file is
run by itself, with ``-I -S``, and imports nothing but built-in modules. It reads a request from
stdin and writes the answer to stdout, both as `marshal` does.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    # argv, environment, working directory, files for stdin and for stderr, and the seconds after
    # which the program is ended.
    Request: TypeAlias = tuple[list[str], dict[str, str], str, str, str, float]
    # The exit code, `ru_maxrss`, how many seconds it took, and an error's text.
    Answer: TypeAlias = tuple[int, int, float, str]


def answer(request: Request) -> Answer:
    """Run what is requested to its end."""
    try:
        return (*_run(*request), "")
    except OSError as err:
        return -1, 0, 0.0, f"{err.filename}: {err.strerror}"


def _run(  # noqa: PLR0917 -- a request as it comes
    argv: list[str], env: dict[str, str], cwd: str, stdin: str, stderr: str, patience_s: float
) -> tuple[int, int, float]:
    os.chdir(cwd)
    began = time.perf_counter()
    pid = os.posix_spawnp(
        argv[0],
        argv,
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, stderr, os.O_WRONLY | os.O_TRUNC, 0),
        ],
        setsid=True,
        setsigdef=[signal.SIGPIPE, signal.SIGINT],
    )
    _watch(pid, patience_s)
    _pid, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - began
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss, seconds


def _watch(pid: int, patience_s: float) -> None:
    """Wait for an end, and bring it about when it does not come."""
    descriptor = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(patience_s * 1000):
        # Nobody has taken its end yet, so that the number is still its own.
        os.killpg(pid, signal.SIGKILL)
    os.close(descriptor)


if __name__ == "__main__":
    asked: Request = marshal.load(sys.stdin.buffer)  # noqa: S302 -- of the process that started us
    marshal.dump(answer(asked), sys.stdout.buffer)
