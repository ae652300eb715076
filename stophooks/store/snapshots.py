"""What a project's files hold, all together, as one word that differs when they do."""

from __future__ import annotations

import os
import time

from stophooks import process
from stophooks.digests import sha256
from stophooks.models import MIB, Stream
from stophooks.store.contents import GONE, print_of
from stophooks.typed import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# For finding, listing and reading the files: less than most checks take. Seconds.
DEADLINE_S = 5.0
# Between SIGTERM and SIGKILL for a git that takes too long. Seconds.
_GRACE_S = 0.2
# Of git's list; some millions of files.
_MAX_LIST = 256 * MIB
# Its hook would be run, and what it says believed.
_NO_MONITOR = ("-c", "core.fsmonitor=false")
_LIST = ("ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard")
_SUBMODULE = "160000"


class _UnknownError(Exception):
    """It cannot be told, or not in time."""


class Content:
    """What the files of ``root`` hold: one word for all, and the print of each by its path."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.files: dict[str, str] = {}
        self._digest = sha256()

    @property
    def id(self) -> str:
        """The same word for the same content."""
        return self._digest.hexdigest()

    def add(self, *words: str) -> None:
        """Take the next words."""
        # No name has a NUL in it, so that no two lists are said alike.
        self._digest.update(b"".join(os.fsencode(word) + b"\0" for word in words) + b"\0")


class Identity(str):
    """The word for all; ``root`` and ``files`` are those of its `Content`."""

    __slots__ = ("files", "root")
    root: str
    files: dict[str, str]

    def __new__(cls, content: Content) -> Self:
        """Make it of what was found."""
        found = super().__new__(cls, content.id)
        found.root, found.files = content.root, content.files
        return found


def identity(
    project_dir: str, *, environ: Mapping[str, str], deadline_s: float = DEADLINE_S
) -> Identity | None:
    """The same word for the same content; None where that cannot be told in time.

    Of a git repository it is the content of all files that git does not ignore, whatever git's
    index says of them, those of submodules included, and the commit that they stand on; the whole
    repository, as a check of one directory may use another. Elsewhere it is that of all files.
    Nothing is written anywhere.

    Args:
        project_dir: Absolute path.
        environ: Where git is found, and whose settings it uses.
        deadline_s: Seconds after which the answer is None.
    """
    until = time.monotonic() + deadline_s
    root = _repository(project_dir)
    found = Content(root or os.path.realpath(project_dir))
    try:
        if root is None:
            _add_all(found, found.root, until)
        else:
            _add_repository(found, root, environ, until)
    except _UnknownError:
        return None
    return Identity(found)


def _repository(directory: str) -> str | None:
    above = os.path.realpath(directory)
    while not os.path.lexists(os.path.join(above, ".git")):
        parent = os.path.dirname(above)
        if parent == above:
            return None
        above = parent
    return above


def _add_repository(add: Content, root: str, environ: Mapping[str, str], until: float) -> None:
    """Add what git has to say about a repository's files, and what is in them."""
    listed = _git(root, _LIST, environ, until)
    if listed is None:
        _add_all(add, root, until)
        return
    commit = _git(root, ("rev-parse", "--verify", "--quiet", "HEAD"), environ, until)
    add.add("commit", (commit or b"none").decode("ascii", "replace"))
    for path, is_repository in _files(listed):
        whole = os.path.join(root, path)
        if is_repository and os.path.lexists(os.path.join(whole, ".git")):
            add.add("repository", path)
            _add_repository(add, whole, environ, until)
        else:
            _add_file(add, path, whole, until)


def _files(listed: bytes) -> list[tuple[str, bool]]:
    """The paths in git's list, each once, and whether one is a repository of its own."""
    found: dict[str, bool] = {}
    for entry in listed.split(b"\0"):
        if not entry:
            continue
        text = os.fsdecode(entry)
        if text.startswith("? "):
            found[text[2:].rstrip("/")] = text.endswith("/")
        else:
            # `H 100644 <object> 0<TAB>path`
            told, _, path = text.partition("\t")
            found[path] = told.split(" ")[1] == _SUBMODULE
    return sorted(found.items())


def _add_all(add: Content, root: str, until: float) -> None:
    add.add("directory", "")
    for path in sorted(_below(root, until)):
        _add_file(add, path, os.path.join(root, path), until)


def _below(root: str, until: float) -> Iterator[str]:
    """Every file's path, relative to ``root``; links are not followed."""
    waiting = [""]
    while waiting:
        _check_time(until)
        place = waiting.pop()
        try:
            with os.scandir(os.path.join(root, place)) as entries:
                for entry in entries:
                    path = os.path.join(place, entry.name)
                    if not entry.is_dir(follow_symlinks=False):
                        yield path
                    elif entry.name != ".git":
                        waiting.append(path)
        except OSError as err:
            raise _UnknownError from err


def _add_file(add: Content, path: str, whole: str, until: float) -> None:
    _check_time(until)
    found = print_of(whole)
    if found != GONE:
        # Gone is gone, whether git's index still knows of it or not.
        add.add(path, found)
        add.files[os.path.relpath(whole, add.root)] = found


def _check_time(until: float) -> None:
    if time.monotonic() > until:
        raise _UnknownError


def _git(
    root: str, args: tuple[str, ...], environ: Mapping[str, str], until: float
) -> bytes | None:
    """What git prints, or None where it is not there or refuses.

    Raises:
        _UnknownError: It takes too long.
    """
    _check_time(until)
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    pieces: list[bytes] = []
    size = 0

    def take(stream: Stream, data: bytes) -> None:
        nonlocal size
        if stream is Stream.STDOUT and size <= _MAX_LIST:
            size += len(data)
            pieces.append(data)

    try:
        ended = process.run(
            ("git", *_NO_MONITOR, *args),
            cwd=root,
            env={**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            timeout_s=until - time.monotonic(),
            grace_s=_GRACE_S,
            stop=process.Never(),
            output=take,
        )
    except process.StartError:
        return None
    if ended.cause is not process.Cause.EXITED or size > _MAX_LIST:
        raise _UnknownError
    return b"".join(pieces) if ended.code == 0 else None
