"""A process that outlives this one, whoever kills it and however."""

from __future__ import annotations

# What `socket` is made of, which takes twenty times as long to import.
import _socket
import errno
import os
import sys

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
# The same, but what becomes the program is a shell that first waits at a `Nap`. Whatever ends its
# wait without a word, an error too, starts the program.
_NAPPING = (
    'trap "" HUP INT PIPE TERM; exec 4<&0; { word=; read -r word <&3; '
    'if [ "$word" = on ]; then word=; %s word <&3; fi; [ "$word" = bye ] && exit; '
    'exec "$@" <&4 3<&- 4<&-; } >/dev/null & echo $!'
)
# How long a `Nap` lasts at most. Seconds.
NAP_S = 2.0
_MICROSECONDS = 1_000_000
# Of a C `long`, of which a `struct timeval` has two.
_LONG_BYTES = 8 if sys.maxsize > 1 << 32 else 4
# By which word a shell, whatever the name it is called by, waits no longer than the socket lets it
# or than it is told. Of another shell that is not known.
_READS = {"bash": "read -r", "busybox": "read -r -t {}", "dash": "read -r"}
# The descriptor by which the script knows the `Nap`, beside the standard streams.
_DOOR = 3
_UNBLOCKED: tuple[int, ...] = ()


class Nap:
    """What keeps a program that was asked for from being started at once.

    It is over `NAP_S` after it was counted, which no process needs to be awake for; before, when
    it is closed or the process that has it dies. Then the program starts.

    Args:
        read: What a shell reads one word by, but not for longer.

    Raises:
        OSError: There is none.
    """

    def __init__(self, read: str) -> None:
        self.script = _NAPPING % read
        self._ours, self.door = _socket.socketpair()

    def count(self) -> None:
        """Let it last no longer than `NAP_S` from now on, or end where that is not possible."""
        seconds, rest = divmod(round(NAP_S * _MICROSECONDS), _MICROSECONDS)
        limit = b"".join(part.to_bytes(_LONG_BYTES, sys.byteorder) for part in (seconds, rest))
        try:
            # A socket, as no other descriptor ends a shell's `read` by itself. The shell's next
            # one goes by it, as this is the socket that the shell has.
            self.door.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, limit)
            self._ours.send(b"on\n")
        except OSError:
            self.close()
        self.door.close()

    def call_off(self) -> None:
        """Let the program not be started at all, if it was not by now."""
        with suppress(BrokenPipeError):  # it was, or it was killed
            self._ours.send(b"bye\n")

    def close(self) -> None:
        """Let the program start, if it was not called off."""
        self._ours.close()
        self.door.close()


def nap() -> Nap | None:
    """A new one; None where it is not certain that the program would be started in the end."""
    read = _READS.get(os.path.basename(os.path.realpath(_SHELL)))
    if read is None:
        return None
    try:
        found = Nap(read.format(NAP_S))
    except OSError:
        return None
    if found.door.fileno() < _DOOR:  # this process lacks a standard stream
        found.close()
        return None
    return found


class Starting:
    """A program that a shell is about to start, and the shell."""

    def __init__(self, shell: int, told: int) -> None:
        self._shell = shell
        self._told = told

    def number(self) -> int:
        """Wait until the shell has started it and is gone; the program's number. To be called once.

        Raises:
            OSError: There is no process.
        """
        try:
            with suppress(ChildProcessError):  # SIGCHLD is ignored: it has ended all the same
                os.waitpid(self._shell, 0)
            number = os.read(self._told, 32)
        finally:
            os.close(self._told)
        if not number.strip().isdigit():
            raise OSError(errno.ECHILD, "the shell did not start it")
        return int(number)


def start(
    argv: Sequence[str], *, stdin: int, env: Mapping[str, str], after: Nap | None = None
) -> int:
    """Start a program that is in a session of its own and a descendant of nobody here.

    It ignores SIGHUP, SIGINT, SIGPIPE and SIGTERM, and its output goes nowhere. Takes one or two
    milliseconds.

    Args:
        argv: The program, as an absolute path, and its arguments.
        stdin: The descriptor that becomes its standard input.
        env: Its whole environment.
        after: When it is to be started; None for at once. Its process is there before.

    Returns:
        Its number. It becomes a child of this process all the same where this one takes in
        orphans and commands of it run; see `ended`.

    Raises:
        OSError: There is no process.
    """
    return family.without_orphans(lambda: begin(argv, stdin=stdin, env=env, after=after).number())


def begin(
    argv: Sequence[str], *, stdin: int, env: Mapping[str, str], after: Nap | None = None
) -> Starting:
    """The same, but without waiting for the shell: see `family.before_orphans`.

    Raises:
        OSError: There is no shell.
    """
    script = _SCRIPT
    reading, writing = os.pipe()
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_DUP2, writing, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    if after is not None:
        script = after.script
        # The last: the others have been taken from their numbers by then.
        actions.append((os.POSIX_SPAWN_DUP2, after.door.fileno(), _DOOR))
    try:
        with tag.under(None):
            pid = os.posix_spawn(
                _SHELL,
                ["sh", "-c", script, "sh", *argv],
                env,
                file_actions=actions,
                setsid=_HAS_SETSID,
                setsigmask=_UNBLOCKED,
                setsigdef=(signal.SIGCHLD,),
            )
    except BaseException:  # nothing is kept from being raised; only no descriptor stays open
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return Starting(pid, reading)


def ended(pid: int) -> bool:
    """Whether it is over, as far as this process can tell; it leaves no zombie then."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


_HAS_SETSID = os.uname().sysname == "Linux"
