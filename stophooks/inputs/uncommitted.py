"""What a working tree has that its commit has not, as git sees it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from stophooks.inputs import repository
from stophooks.inputs.listing import Git, GitError
from stophooks.inputs.values import Changes, Tree, UnknownError

if TYPE_CHECKING:
    from collections.abc import Mapping

# git may have to read every file. Seconds.
_DEADLINE_S = 20.0
_STATUS = ("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
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
    git = Git(environ, time.monotonic() + _DEADLINE_S)
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
        absent = self._make_index()
        present, deleted = set(), set()
        for path in self._changed():
            place = os.path.join(self._tree.root, path)
            if not os.path.lexists(place):
                deleted.add(path)
            elif os.path.isdir(place) and not os.path.islink(place):
                # A repository within: which of its files differ is for its own commit to say.
                inner = path.rstrip("/") + "/"
                present |= {name for name in self._files() if name.startswith(inner)}
            else:
                present.add(path)
        return Changes(present=tuple(sorted(present)), deleted=tuple(sorted(deleted - absent)))

    def _changed(self) -> list[str]:
        told = self._git.git(
            self._tree.root,
            *_HONEST,
            *_STATUS,
            "--ignore-submodules=none",
            GIT_DIR=self._own,
            GIT_WORK_TREE=self._tree.root,
            GIT_INDEX_FILE=self._index,
        )
        # `XY path`
        return [line[3:] for line in os.fsdecode(told).split("\0")[:-1]]

    def _make_index(self) -> set[str]:
        """Copy the index, or make one where it hides files; those that are absent on purpose."""
        root, own = self._tree.root, self._own
        told = self._git.git(root, "ls-files", "-z", "-v", GIT_DIR=own, GIT_WORK_TREE=root)
        lines = os.fsdecode(told).split("\0")[:-1]
        if any(line[0] == "S" or line[0].islower() for line in lines):
            self._git.git(
                root,
                *(*_HONEST, "read-tree", "HEAD"),
                GIT_DIR=own,
                GIT_WORK_TREE=root,
                GIT_INDEX_FILE=self._index,
            )
        else:
            _copy(os.path.join(own, "index"), self._index)
        return {line[2:] for line in lines if line[0] in "Ss"}

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
