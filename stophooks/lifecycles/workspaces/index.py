"""A worktree's index, and the changes in it that git was told not to look for."""

from __future__ import annotations

import os

from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stophooks.lifecycles.workspaces.git import Git

# Of a repository with millions of files.
_LIST_BYTES = 512 * MIB
_LINK = "120000"
_SUBMODULE = "160000"
# File names in one call; together well below what a program may be started with.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One path of the index.

    ``tag`` is the letter of ``git ls-files -v``: lower case where the path is assumed unchanged,
    ``S`` or ``s`` where it is skipped. ``object`` is what is staged.
    """

    tag: str
    mode: str
    object: str
    path: str

    @property
    def is_submodule(self) -> bool:
        """Whether a repository of its own is to be there."""
        return self.mode == _SUBMODULE

    @property
    def is_link(self) -> bool:
        """Whether a symbolic link is to be there."""
        return self.mode == _LINK

    @property
    def is_hidden(self) -> bool:
        """Whether `git status` says nothing of a change in it."""
        return self.tag.islower() or self.tag == "S"


def entries(git: Git, tree: str) -> tuple[Entry, ...]:
    """Every path of a worktree's index.

    Raises:
        GitError: It cannot be read.
    """
    told = git.read(tree, "ls-files", "-v", "-s", "-z", limit_bytes=_LIST_BYTES)
    return tuple(_entry(row) for row in told.split("\0") if row)


def hidden_changes(git: Git, tree: str, listed: Sequence[Entry]) -> tuple[str, ...]:
    """The changed files that are assumed unchanged or skipped, as `git status` would show them.

    A skipped file that is not there is none: so a sparse checkout has them.

    Raises:
        GitError: It cannot be told.
    """
    hidden = [entry for entry in listed if entry.is_hidden and not entry.is_submodule]
    changed = {
        **dict.fromkeys(_gone(tree, hidden), " D"),
        **dict.fromkeys(_other_kinds(tree, hidden), " T"),
        **dict.fromkeys(_pointed_elsewhere(git, tree, hidden), " M"),
        **dict.fromkeys(_rewritten(git, tree, hidden), " M"),
    }
    return tuple(f"{letters} {path}" for path, letters in sorted(changed.items()))


def _entry(row: str) -> Entry:
    about, _, path = row.partition("\t")
    tag, mode, object_, _stage = about.split(" ")
    return Entry(tag=tag, mode=mode, object=object_, path=path)


def _gone(tree: str, hidden: Sequence[Entry]) -> Iterator[str]:
    for entry in hidden:
        if entry.tag not in {"S", "s"} and not os.path.lexists(os.path.join(tree, entry.path)):
            yield entry.path


def _other_kinds(tree: str, hidden: Sequence[Entry]) -> Iterator[str]:
    """What is a link, a file or a directory, and was another of these."""
    for entry in hidden:
        path = os.path.join(tree, entry.path)
        is_same = os.path.islink(path) if entry.is_link else _is_file(path)
        if os.path.lexists(path) and not is_same:
            yield entry.path


def _pointed_elsewhere(git: Git, tree: str, hidden: Sequence[Entry]) -> Iterator[str]:
    for entry in hidden:
        path = os.path.join(tree, entry.path)
        is_link = entry.is_link and os.path.islink(path)
        if is_link and git.read(tree, "cat-file", "blob", entry.object) != os.readlink(path):
            yield entry.path


def _rewritten(git: Git, tree: str, hidden: Sequence[Entry]) -> Iterator[str]:
    """Files whose content, as git would store it, is not what is staged."""
    files = [one for one in hidden if not one.is_link and _is_file(os.path.join(tree, one.path))]
    for start in range(0, len(files), _AT_ONCE):
        some = files[start : start + _AT_ONCE]
        told = git.read(tree, "hash-object", "--", *(one.path for one in some)).split()
        for entry, object_ in zip(some, told, strict=True):
            if entry.object != object_:
                yield entry.path


def _is_file(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)
