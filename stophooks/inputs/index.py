"""Our own index of a repository's files: git tells by it which of them were written since."""

from __future__ import annotations

import os
import time

from stophooks.inputs import listing, private
from stophooks.inputs.prints import SETTLED_NS, stamp_of
from stophooks.inputs.values import UnknownError
from stophooks.store.place import PRIVATE_FILE
from stophooks.typed import TYPE_CHECKING
from stophooks.values import cached_property

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stophooks.inputs.listing import Git, Seen
    from stophooks.inputs.memory import Memory, Table
    from stophooks.inputs.repository import Repository

# From so many files on that were read and have settled, git is given a new index to compare: up to
# that, comparing them here costs less than writing one.
MANY = 256


class MovedError(UnknownError):
    """What was remembered went away meanwhile."""


class Index:
    """What git says of a repository's files by the index of ours that a memory names.

    Args:
        git: The program.
        root: The working tree.
        place: Where we keep what we know of it.
        there: The repository.
    """

    def __init__(self, git: Git, root: str, place: str, there: Repository) -> None:
        self._git = git
        self._root = root
        self._place = place
        self._there = there

    @cached_property
    def _private(self) -> str:
        # Of a small repository nothing is asked by an index of ours.
        return private.repository(self._place, self._there.exclude)

    def is_as(self, memory: Memory) -> bool:
        """Whether it is there as it was written."""
        return _stamp(self._place, memory.index) == memory.index_stamp != ""

    def seen(self, memory: Memory) -> Seen:
        """What is there beside its files, and which of those were written.

        Raises:
            OSError: Nothing can be kept there.
            MovedError: It went away.
        """
        told = self._there.settings()
        settings = list(told.options)
        if told.may_name_patterns:
            settings += listing.patterns(self._git, self._root, self._there.own)
        index = os.path.join(self._place, memory.index)
        seen = listing.seen(self._git, self._root, self._private, index, settings)
        if not self.is_as(memory):
            # git takes a missing index for an empty one.
            raise MovedError
        return seen

    def names(self, memory: Memory) -> set[str]:
        """The files in it.

        Raises:
            OSError: Nothing can be kept there.
        """
        index = os.path.join(self._place, memory.index)
        return listing.names(self._git, self._root, self._private, index)

    def without(self, paths: Iterable[str], memory: Memory) -> None:
        """Have the memory name one without these files.

        Raises:
            OSError: It cannot be written.
        """
        entries = _entries(self._place, memory)
        for path in paths:
            entries.pop(os.fsencode(path), None)
        _write(self._place, entries, memory)


def settle(place: str, root: str, memory: Memory) -> None:
    """Move what was read and will not change unseen into the index, if it is much.

    Raises:
        OSError: That cannot be written.
    """
    ready = dict(_ready(root, memory.tracked))
    if len(ready) < MANY:
        return
    from stophooks.inputs import statindex  # noqa: PLC0415 -- only where much changed

    entries = _entries(place, memory)
    for path in memory.tracked:
        name = os.fsencode(path)
        stamp = ready.get(path)
        if stamp is not None:
            entries[name] = statindex.entry(name, stamp)
        else:
            entries.pop(name, None)
    _write(place, entries, memory)
    memory.tracked = {path: known for path, known in memory.tracked.items() if path not in ready}


def _ready(root: str, tracked: Table) -> Iterator[tuple[str, str]]:
    """The files, and their stamps, that git can compare."""
    limit = time.time_ns() - SETTLED_NS
    straight: dict[str, bool] = {"": True}
    for path, known in tracked.items():
        # What is written later than the index, says git, must be read.
        is_file = known.is_settled and known.word[0] in "fx"
        if not is_file or int(known.stamp.split(" ", 3)[2]) >= limit:
            continue
        # git finds nothing behind a link.
        if _is_straight(root, os.path.dirname(path), straight):
            yield path, known.stamp


def _is_straight(root: str, directory: str, known: dict[str, bool]) -> bool:
    if directory not in known:
        above = _is_straight(root, os.path.dirname(directory), known)
        known[directory] = above and not os.path.islink(os.path.join(root, directory))
    return known[directory]


def _entries(place: str, memory: Memory) -> dict[bytes, bytes]:
    if not memory.index:
        return {}
    from stophooks.inputs import statindex  # noqa: PLC0415 -- only where much changed

    with open(os.path.join(place, memory.index), "rb") as file:
        return statindex.read(file.read())


def _write(place: str, entries: dict[bytes, bytes], memory: Memory) -> None:
    from stophooks.inputs import statindex  # noqa: PLC0415 -- only where much changed

    name = private.INDEX + os.urandom(8).hex()
    statindex.write(os.path.join(place, name), entries, PRIVATE_FILE)
    memory.index, memory.index_stamp = name, _stamp(place, name)
    private.sweep(place)


def _stamp(place: str, name: str) -> str:
    try:
        return stamp_of(os.lstat(os.path.join(place, name)))
    except OSError:
        return ""
