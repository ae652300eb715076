"""The start of one program in a session of its own.

CPython's `subprocess` takes longer to import than most commands take to start; what it calls in
the end is `_posixsubprocess.fork_exec`, which starts a program without running Python in between
(vfork where that is safe). Where that function is not there, or takes other arguments than it does
in Python 3.11 to 3.14, `subprocess` is used after all, as it is for another user.
"""

from __future__ import annotations

import os

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess  # noqa: TID251 -- for its type
    from collections.abc import Mapping, Sequence

    from stophooks.process.identity import Identity

_ERROR_BYTES = 50_000
# Numbers of descriptors that a program's own streams take.
_STREAMS = 3


class Started:
    """A process that was started; ``code`` is None until it was waited for."""

    def __init__(self, pid: int, popen: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self.code: int | None = None
        self._popen = popen

    def ended(self, status: int) -> None:
        """Take what `os.waitpid` said: the exit code, or minus the signal's number."""
        self.code = os.waitstatus_to_exitcode(status)
        if self._popen is not None:
            # `subprocess` would else wait for the number when it may be another's.
            self._popen.returncode = self.code


def start(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    streams: tuple[int, int, int],
    user: Identity | None = None,
) -> Started:
    """Start a program; its working directory, whole environment and three streams are given.

    Raises:
        OSError: It, or its working directory, is not there or not usable; ``filename`` says which.
        ValueError: No program can be given this.
    """
    if user is None:
        fork_exec = _fork_exec()
        if fork_exec is not None:
            try:
                return Started(_start(fork_exec, argv, cwd, env, streams))
            except TypeError:
                # Another version's arguments; it has started nothing.
                pass
    return _by_subprocess(argv, cwd, env, streams, user)


def _fork_exec() -> Any:
    try:
        from _posixsubprocess import fork_exec  # noqa: PLC0415 -- may be missing
    except ImportError:
        return None
    return fork_exec


def _start(
    fork_exec: Any,
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    streams: tuple[int, int, int],
) -> int:
    variables = [_variable(name, value) for name, value in env.items()]
    program = os.fsencode(argv[0])
    places = [program]
    if b"/" not in program:
        path = env.get("PATH", os.defpath).split(os.pathsep)
        places = [os.path.join(os.fsencode(place), program) for place in path]
    reading, writing = _error_pipe()
    try:
        try:
            pid = int(
                fork_exec(
                    [os.fsencode(word) for word in argv],
                    places,
                    True,  # noqa: FBT003 -- the function has no names
                    (writing,),
                    os.fsencode(cwd),
                    variables,
                    *(streams[0], -1, -1, streams[1], -1, streams[2]),
                    *(reading, writing),
                    *(True, True, -1),
                    *(None, None, None, -1),
                    None,
                    True,  # noqa: FBT003 -- as above
                )
            )
        finally:
            os.close(writing)
        said = b""
        while len(said) < _ERROR_BYTES and (more := os.read(reading, _ERROR_BYTES)):
            said += more
    finally:
        os.close(reading)
    if said:
        raise _failure(pid, said, argv[0], cwd)
    return pid


# Variables as a program gets them: one program after the other gets almost the same.
_encoded: dict[tuple[str, str], bytes] = {}
_MOST = 1000


def _variable(name: str, value: str) -> bytes:
    known = _encoded.get((name, value))
    if known is None:
        if "=" in name:
            raise ValueError("illegal environment variable name")
        known = os.fsencode(name) + b"=" + os.fsencode(value)
        if len(_encoded) < _MOST:
            _encoded[name, value] = known
    return known


def _error_pipe() -> tuple[int, int]:
    """A pipe through which the new process says why it could not become the program."""
    reading, writing = os.pipe()
    low = []
    while writing < _STREAMS:
        low.append(writing)
        writing = os.dup(writing)
    for descriptor in low:
        os.close(descriptor)
    return reading, writing


def _failure(pid: int, said: bytes, program: str, cwd: str) -> OSError:
    """What the new process said (``OSError:<number in hexadecimal>:<where>``), as an error."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        # SIGCHLD is ignored: nothing is left of it.
        pid = 0
    _, number, where = said.split(b":", 2)
    code = int(number, 16)
    return OSError(code, os.strerror(code), cwd if where.startswith(b"noexec") else program)


def _by_subprocess(
    argv: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    streams: tuple[int, int, int],
    user: Identity | None,
) -> Started:
    import subprocess  # noqa: PLC0415, TID251 -- this package is the one place that starts processes

    popen = subprocess.Popen(
        argv,
        bufsize=0,
        cwd=cwd,
        env=env,
        start_new_session=True,
        stdin=streams[0],
        stdout=streams[1],
        stderr=streams[2],
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=user.groups if user else None,
    )
    return Started(popen.pid, popen)
