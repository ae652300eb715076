"""Which files a project has, and which of them were written since: what git says, or a walk."""

from __future__ import annotations

import os
import time

from stophooks import process
from stophooks.digests import sha256
from stophooks.inputs.values import UnknownError
from stophooks.models import MIB, Stream
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# Between SIGTERM and SIGKILL for a git that takes too long. Seconds.
_GRACE_S = 0.2
# Of git's lists; some millions of files.
_MAX_LIST = 256 * MIB
# Both at once, as most machines have two processors; each has a stream of its own.
_BOTH = """exec 3>&2 2>/dev/null
git diff-files -z --name-only >&3 &
git "$@" ls-files -z -o --exclude-standard 3>&-
others=$?
wait $! || exit
exit $others"""
_SHELL = "/bin/sh"
_SUBMODULE = "160000"
# What could make git believe less than it sees, whatever the user's own settings are.
CONFIG = """[core]
	repositoryFormatVersion = 0
	bare = false
	fileMode = true
	symlinks = true
	ignoreCase = false
	trustCtime = true
	checkStat = default
	ignoreStat = false
	preloadIndex = true
	fsmonitor = false
	untrackedCache = false
	splitIndex = false
	autocrlf = false
	safecrlf = false
"""
# A hook of its own would be run, and what it says believed.
_NO_MONITOR = ("-c", "core.fsmonitor=false")


class GitError(Exception):
    """There is no git, or it does not answer as it should."""


class Git:
    """The git program, on its own terms.

    Args:
        environ: Where it is found, and whose settings it uses.
        until: When answers are too late; of `time.monotonic`.
        own: A directory of ours, whose files are no content.
        meanwhile: Called when it works for the first time.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        until: float,
        own: str,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
        self._environ = {**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
        self.until = until
        self._meanwhile = meanwhile
        self._own = os.path.realpath(own) + "/"

    def is_own(self, root: str, path: str) -> bool:
        """Whether a path is one of our files, which every look may change."""
        return self._own.startswith(root) and os.path.join(root, path).startswith(self._own)

    def check_time(self) -> None:
        """Do nothing.

        Raises:
            UnknownError: The time is over.
        """
        if time.monotonic() > self.until:
            raise UnknownError("it takes too long")

    def run(self, argv: Sequence[str], cwd: str, **environ: str) -> tuple[bytes, bytes]:
        """Both streams of a program that ends well.

        Raises:
            GitError: It does not.
            UnknownError: It takes too long.
        """
        self.check_time()
        pieces: dict[Stream, list[bytes]] = {Stream.STDOUT: [], Stream.STDERR: []}
        size = 0
        meanwhile, self._meanwhile = self._meanwhile, None

        def take(stream: Stream, data: bytes) -> None:
            nonlocal size
            size += len(data)
            if size <= _MAX_LIST:
                pieces[stream].append(data)

        try:
            ended = process.run(
                argv,
                cwd=cwd,
                env={**self._environ, **environ},
                timeout_s=self.until - time.monotonic(),
                grace_s=_GRACE_S,
                stop=process.Never(),
                output=take,
                begun=meanwhile,
            )
        except process.StartError as err:
            raise GitError(str(err)) from err
        if ended.cause is not process.Cause.EXITED or size > _MAX_LIST:
            raise UnknownError("git takes too long, or has too much to say")
        if ended.code != 0:
            raise GitError(f"exit code {ended.code}")
        return b"".join(pieces[Stream.STDOUT]), b"".join(pieces[Stream.STDERR])

    def git(self, root: str, *args: str, **environ: str) -> bytes:
        """What git itself prints in a repository."""
        return self.run(("git", *_NO_MONITOR, *args), root, **environ)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What a repository's index names; ``word`` is the same for the same names."""

    files: set[str]
    repositories: tuple[str, ...]
    word: str


def tracked(git: Git, root: str, own: str) -> Tracked:
    """What a repository's index names, flags or not.

    Args:
        git: The program.
        root: The working tree.
        own: The repository's directory.
    """
    listed = git.git(root, "ls-files", "-z", "--stage", "--cached", GIT_DIR=own, GIT_WORK_TREE=root)
    lines = os.fsdecode(listed).split("\0")[:-1]
    # `100644 <object> 0<TAB>path`, all of the same width up to the path.
    at = lines[0].index("\t") + 1 if lines else 0
    inner = sorted({line[at:] for line in lines if line.startswith(_SUBMODULE)})
    paths = [line[at:] for line in lines]
    said = sha256(os.fsencode("\0".join((*paths, "", *inner))))
    return Tracked(
        files={*paths}.difference(inner), repositories=tuple(inner), word=said.hexdigest()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is in a working tree beside the files of an index, and which of those were written."""

    written: list[str]
    others: list[str]
    repositories: list[str]


def seen(git: Git, root: str, private: str, index: str, settings: Sequence[str]) -> Seen:
    """What git finds in a working tree by an index of ours.

    Args:
        git: The program.
        root: The working tree.
        private: A repository of ours, with nothing in it.
        index: The file.
        settings: Further ``-c`` options.
    """
    out, err = git.run(
        (_SHELL, "-c", _BOTH, "git", *settings),
        root,
        GIT_DIR=private,
        GIT_WORK_TREE=root,
        GIT_INDEX_FILE=index,
    )
    return _seen(out, err)


def names(git: Git, root: str, private: str, index: str) -> set[str]:
    """The files that an index of ours names."""
    listed = git.git(
        root, "ls-files", "-z", GIT_DIR=private, GIT_WORK_TREE=root, GIT_INDEX_FILE=index
    )
    return set(os.fsdecode(listed).split("\0")[:-1])


def plain(git: Git, root: str, own: str) -> Seen:
    """What git finds beside the files of a repository's own index."""
    listed = git.git(
        root, "ls-files", "-z", "-o", "--exclude-standard", GIT_DIR=own, GIT_WORK_TREE=root
    )
    return _seen(listed, b"")


def patterns(git: Git, root: str, own: str) -> tuple[str, ...]:
    """The options that has a repository's own further file of patterns used."""
    try:
        told = git.git(
            root,
            *("config", "--null", "--type=path", "--get", "core.excludesFile"),
            GIT_DIR=own,
            GIT_WORK_TREE=root,
        )
    except GitError:
        return ()
    return ("-c", f"core.excludesFile={os.fsdecode(told).removesuffix(chr(0))}")


def commit(git: Git, root: str, own: str) -> str:
    """The commit that a repository stands on, or ``none``."""
    try:
        told = git.git(
            root, "rev-parse", "--verify", "--quiet", "HEAD", GIT_DIR=own, GIT_WORK_TREE=root
        )
    except GitError:
        return "none"
    return told.decode("ascii", "replace").strip()


def _seen(out: bytes, err: bytes) -> Seen:
    others = os.fsdecode(out).split("\0")[:-1]
    return Seen(
        written=os.fsdecode(err).split("\0")[:-1],
        others=[path for path in others if not path.endswith("/")],
        repositories=[path[:-1] for path in others if path.endswith("/")],
    )


def walk(git: Git, root: str) -> Iterator[str]:
    """Every file below a directory; links are not followed, and nothing of git's is entered."""
    waiting = [""]
    while waiting:
        git.check_time()
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
            raise UnknownError(f"{place} cannot be read") from err
