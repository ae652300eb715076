"""What a working tree has that its commit has not, as git sees it."""

from __future__ import annotations

import os
import time

from stophooks.inputs import repository
from stophooks.inputs.listing import Git, GitError
from stophooks.inputs.values import Changes, Tree, UnknownError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# git may have to read every file. Seconds.
_DEADLINE_S = 20.0
_STATUS = (
    *("status", "--porcelain", "-z"),
    *("--untracked-files=all", "--no-renames", "--ignore-submodules=none"),
)
# What could make git believe less than it sees.
_HONEST = (
    *("-c", "core.trustCtime=true", "-c", "core.checkStat=default", "-c", "core.ignoreStat=false"),
    *("-c", "core.untrackedCache=false", "-c", "core.sparseCheckout=false"),
)


def uncommitted(tree: Tree, *, environ: Mapping[str, str]) -> Changes | None:
    """What is not committed; see `inputs.changed_since_head`."""
    import tempfile  # noqa: PLC0415 -- seldom asked

    there = repository.at(tree.root)
    if there is None:
        return None
    git = Git(environ, time.monotonic() + _DEADLINE_S, own=tree.root)
    try:
        with tempfile.TemporaryDirectory(prefix="stophooks-") as directory:
            return _Uncommitted(git, tree, there.own, os.path.join(directory, "index")).changes()
    except (GitError, UnknownError, OSError):
        return None


class _Uncommitted:
    def __init__(self, git: Git, tree: Tree, own: str, index: str) -> None:
        self._git = git
        self._tree = tree
        self._own = own
        self._index = index

    def changes(self) -> Changes:
        # `H path`; `S` for one that is not to be there, in small letters one not to be looked at.
        flags = [(line[2:], line[0]) for line in self._say("ls-files", "-z", "-v")]
        absent = {path for path, flag in flags if flag in "Ss"}
        paths = set(self._changed({path for path, flag in flags if flag == "S" or flag.islower()}))
        paths -= {path for path in absent if not self._is_there(path)}
        present, deleted = set(), set()
        for path in paths:
            place = os.path.join(self._tree.root, path)
            if not os.path.lexists(place):
                deleted.add(path)
            elif os.path.isdir(place) and not os.path.islink(place):
                # A repository within: which of its files differ is for its own commit to say.
                inner = path.rstrip("/") + "/"
                present |= {name for name in self._files() if name.startswith(inner)}
            else:
                present.add(path)
        return Changes(present=tuple(sorted(present)), deleted=tuple(sorted(deleted)))

    def _changed(self, hidden: set[str]) -> Iterator[str]:
        """What git's status names, by a copy of the index that hides nothing."""
        if hidden:
            # One of the commit alone: what else is tracked is new, whatever is ignored.
            tracked = set(self._say("ls-files", "-z"))
            self._say("read-tree", "HEAD", index=self._index)
            yield from tracked - set(self._say("ls-files", "-z", index=self._index))
        else:
            _copy(os.path.join(self._own, "index"), self._index)
        # `XY path`
        yield from (line[3:] for line in self._say(*_STATUS, index=self._index))

    def _say(self, *args: str, index: str | None = None) -> list[str]:
        environ = {"GIT_DIR": self._own, "GIT_WORK_TREE": self._tree.root}
        if index is not None:
            environ["GIT_INDEX_FILE"] = index
        told = self._git.git(self._tree.root, *_HONEST, *args, **environ)
        return os.fsdecode(told).split("\0")[:-1]

    def _is_there(self, path: str) -> bool:
        return os.path.lexists(os.path.join(self._tree.root, path))

    def _files(self) -> Mapping[str, str]:
        return dict(self._tree.records.files(self._tree.id))


def _copy(path: str, to: str) -> None:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return
    with open(to, "wb") as file:
        file.write(data)
    # git takes files that are not older than its index for ones to look into.
    found = os.stat(path)
    os.utime(to, ns=(found.st_atime_ns, found.st_mtime_ns))
