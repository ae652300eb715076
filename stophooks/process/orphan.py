"""A process that outlives this one, whoever kills it and however."""

from __future__ import annotations

import errno
import os

from stophooks.contexts import suppress
from stophooks.process import family, tag
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHELL = "/bin/sh"
# The shell starts it and is gone, so that nobody's descendants include it. What the shell ignores
# stays ignored in it, from its first moment.
_SCRIPT = 'trap "" HUP INT PIPE TERM; exec 3<&0; "$@" <&3 3<&- >/dev/null & echo $!'
_UNBLOCKED: tuple[int, ...] = ()


def start(argv: Sequence[str], *, stdin: int, env: Mapping[str, str]) -> int:
    """Start a program that is in a session of its own and a descendant of nobody here.

    It ignores SIGHUP, SIGINT, SIGPIPE and SIGTERM, and its output goes nowhere. Takes one or two
    milliseconds.

    Args:
        argv: The program, as an absolute path, and its arguments.
        stdin: The descriptor that becomes its standard input.
        env: Its whole environment.

    Returns:
        Its number. It becomes a child of this process all the same where this one takes in
        orphans and commands of it run; see `ended`.

    Raises:
        OSError: There is no process.
    """
    return family.without_orphans(lambda: _start(argv, stdin, env))


def _start(argv: Sequence[str], stdin: int, env: Mapping[str, str]) -> int:
    reading, writing = os.pipe()
    try:
        with tag.under(None):
            pid = os.posix_spawn(
                _SHELL,
                ["sh", "-c", _SCRIPT, "sh", *argv],
                env,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, stdin, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=_HAS_SETSID,
                setsigmask=_UNBLOCKED,
                setsigdef=(signal.SIGCHLD,),
            )
        os.close(writing)
        writing = -1
        with suppress(ChildProcessError):  # SIGCHLD is ignored: it has ended all the same
            os.waitpid(pid, 0)
        number = os.read(reading, 32)
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)
    if not number.strip().isdigit():
        raise OSError(errno.ECHILD, "the shell did not start it")
    return int(number)


def ended(pid: int) -> bool:
    """Whether it is over, as far as this process can tell; it leaves no zombie then."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


_HAS_SETSID = os.uname().sysname == "Linux"
