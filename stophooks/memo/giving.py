"""Hands a command the files that it is for: as a list in a file, and as arguments."""

from __future__ import annotations

import os

from stophooks.containers import Mount
from stophooks.contexts import contextmanager
from stophooks.errors import ExecutorUnavailableError
from stophooks.memo.joining import joined
from stophooks.models import FILES, KIB, MIB, Outcome, Status, human_duration
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stophooks.executors.base import Cancellation, Executor, Sink
    from stophooks.memo.memo import Memo
    from stophooks.models import Command

VARIABLE = "STOPHOOKS_FILES"
# Where a container has the list.
TARGET = "/run/stophooks/files"
# Of all arguments and variables of one program: as much as a container is given, and no more than
# a Linux or macOS of today takes (execve(2)); where a machine takes less, that counts. Half of it
# is for the names: what is started may start others with more.
MAX_BYTES = MIB
# For what an executor adds: its own variables, a shell around a container's secrets.
_ROOM_BYTES = 32 * KIB
# The least for files, however large the environment is: the machine then says what is wrong.
_LEAST_BYTES = 4 * KIB
# Each text has a NUL behind it and a pointer to it.
_EACH_BYTES = 1 + 8
_READABLE = 0o444
_PASSABLE = 0o711


class GivingExecutor:
    """Runs commands in another executor, those with `files` with their files.

    Args:
        inner: Where they run.
        memo: Knows the files.
        directory: Tells where lists are made, for this user alone; absolute.
        environ: What commands may inherit.
    """

    def __init__(
        self,
        inner: Executor,
        memo: Memo,
        *,
        directory: Callable[[], str],
        environ: Mapping[str, str],
    ) -> None:
        self._inner = inner
        self._memo = memo
        self._directory = directory
        self._environ = environ

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Run one command to its end; see `stophooks.executors.base.Executor`.

        A list of arguments that no program can be given is split: all parts run, one after the
        other and within the one time limit, and the first that does not pass decides.
        """
        chosen = self._memo.chosen(command)
        if chosen is None:
            return self._inner.run(command, timeout_s=timeout_s, sink=sink, cancel=cancel)
        with _listed(command, chosen.paths, self._directory()) as given:
            return self._run(given, chosen.paths, timeout_s, sink, cancel)

    def close(self) -> None:
        """Finish what was left to be finished in the background."""
        self._inner.close()

    def _run(
        self,
        command: Command,
        paths: Sequence[str],
        timeout_s: float | None,
        sink: Sink,
        cancel: Cancellation,
    ) -> Outcome:
        if command.argv is None or FILES not in command.argv:
            return self._inner.run(command, timeout_s=timeout_s, sink=sink, cancel=cancel)
        whole: Outcome | None = None
        for part in _parts(command, paths, self._room(command)):
            used_s = whole.duration_s if whole else 0.0
            left_s = None if timeout_s is None else timeout_s - used_s
            if whole is not None and left_s is not None and left_s <= 0:
                return joined(whole, _late(timeout_s))
            outcome = self._inner.run(part, timeout_s=left_s, sink=sink, cancel=cancel)
            if outcome.status is Status.TIMED_OUT and whole is not None:
                outcome = replace(outcome, reason=_late(timeout_s).reason)
            whole = outcome if whole is None else joined(whole, outcome)
            if outcome.status not in {Status.PASSED, Status.FAILED}:
                break
        return whole or Outcome(status=Status.PASSED)

    def _room(self, command: Command) -> int:
        """Bytes that the names of files may take."""
        try:
            most = min(os.sysconf("SC_ARG_MAX"), MAX_BYTES)
        except (ValueError, OSError):
            most = MAX_BYTES
        inherited = self._environ.items() if command.container is None else ()
        variables = [f"{name}={value}" for name, value in (*inherited, *command.env)]
        fixed = sum(map(_size, (*variables, *(command.argv or ()))))
        return max(most // 2 - fixed - _ROOM_BYTES, _LEAST_BYTES)


def _late(timeout_s: float | None) -> Outcome:
    """The outcome of a part that had no time left of the one time limit of all."""
    reason = f"timed out after {human_duration(timeout_s or 0)}"
    return Outcome(status=Status.TIMED_OUT, reason=reason)


def _parts(command: Command, paths: Sequence[str], room: int) -> Iterator[Command]:
    """The command with so many of the paths at a time as fit, in order."""
    places = (command.argv or ()).count(FILES)
    part: list[str] = []
    taken = 0
    for path in paths:
        size = _size(path) * places
        if part and taken + size > room:
            yield _filled(command, part)
            part, taken = [], 0
        part.append(path)
        taken += size
    yield _filled(command, part)


def _filled(command: Command, paths: Sequence[str]) -> Command:
    argv = (word for text in command.argv or () for word in (paths if text == FILES else (text,)))
    return replace(command, argv=tuple(argv))


def _size(text: str) -> int:
    return len(os.fsencode(text)) + _EACH_BYTES


@contextmanager
def _listed(command: Command, paths: Sequence[str], directory: str) -> Iterator[Command]:
    """The command with a list of files, which is there until it has ended.

    Raises:
        ExecutorUnavailableError: The list cannot be made.
    """
    # Another user of this machine cannot look into a directory of ours.
    is_others = command.user is not None and command.container is None
    try:
        place = _made(None if is_others else directory)
    except OSError as err:
        raise _not_made(err) from err
    path = os.path.join(place, "files")
    try:
        try:
            _write(path, paths)
        except OSError as err:
            raise _not_made(err) from err
        yield _told(command, path)
    finally:
        _remove(path, place)


def _made(directory: str | None) -> str:
    """A new directory: in another one that is private, or one that others can pass."""
    if directory is not None:
        place = os.path.join(os.path.realpath(directory), f"files-{os.urandom(8).hex()}")
        os.makedirs(place, mode=0o700)
        return place
    import tempfile  # noqa: PLC0415 -- only another user's command needs it

    place = os.path.realpath(tempfile.mkdtemp(prefix="stophooks-files-"))
    os.chmod(place, _PASSABLE)
    return place


def _write(path: str, paths: Sequence[str]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, _READABLE), "wb") as file:
        file.writelines(os.fsencode(name) + b"\0" for name in paths)
        # Whatever the caller's mask says: whoever the command runs as has to read it.
        os.fchmod(file.fileno(), _READABLE)


def _told(command: Command, path: str) -> Command:
    container = command.container
    if container is None:
        return replace(command, env=(*command.env, (VARIABLE, path)))
    mount = Mount(type="bind", source=path, target=TARGET, readonly=True)
    return replace(
        command,
        env=(*command.env, (VARIABLE, TARGET)),
        container=replace(container, mounts=(*container.mounts, mount)),
    )


def _remove(path: str, place: str) -> None:
    try:
        os.unlink(path)
        os.rmdir(place)
    except OSError:
        # The command may have removed it, or put something beside it: it is a temporary file.
        return


def _not_made(err: OSError) -> ExecutorUnavailableError:
    return ExecutorUnavailableError(
        f"The list of the files that it is for cannot be written: {err.strerror}.",
        remedy="Make room, or make the directory for temporary files writable for you.",
        fault="files-list",
    )
