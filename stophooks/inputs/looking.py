"""One look at a working tree, built upon what is remembered of the last one."""

from __future__ import annotations

import os
import time

from stophooks.contexts import suppress
from stophooks.digests import sha256
from stophooks.inputs import listing, memory, prints, private, repository
from stophooks.inputs.index import Index, MovedError, settle
from stophooks.inputs.listing import GitError
from stophooks.inputs.memory import Memory
from stophooks.inputs.prints import GONE, NOTHING, UNSETTLED, Print
from stophooks.inputs.records import SELF, LostError
from stophooks.inputs.values import UnknownError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stophooks.inputs.listing import Git
    from stophooks.inputs.memory import Table
    from stophooks.inputs.records import Records
    from stophooks.inputs.repository import Repository

# How far a clock may go back and be the same clock. Seconds.
_BACK_S = 1.0
# Instead of a commit: these are all files of a directory, as no git could say which ones count.
_WALKED = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The listing of what a look found, and its times as in `values.Tree`."""

    listing: str
    began: str
    ended: str


def sight(git: Git, root: str, place: str | None, records: Records) -> Sight:
    """A working tree's content now.

    Args:
        git: The program.
        root: Absolute path of a repository's root, or of a directory that is in none.
        place: What is remembered is in this directory; None where nothing can be.
        records: Gets what is new.

    Raises:
        UnknownError: It cannot be told, or not in time.
    """
    known = _known(place, records)
    try:
        try:
            return _Look(git, root, place, records, known).sight()
        except MovedError:
            # By another look, which has remembered more.
            return _Look(git, root, place, records, _known(place, records)).sight()
    except (LostError, MovedError):
        known = Memory()
    except OSError:
        # A state directory that cannot be used makes it slow, not wrong.
        known, place = Memory(), None
    return _Look(git, root, place, records, known).sight()


def _known(place: str | None, records: Records) -> Memory:
    """What the last look says that can be relied on."""
    if place is None:
        return Memory()
    known, used = memory.load(place)
    # Times tell nothing when the clock was set back.
    if used - _BACK_S > time.time() or (known.tree and not records.are_there()):
        return Memory()
    return known


@dataclass(slots=True, kw_only=True)
class _Found:
    """Which paths are to be looked at; ``commit`` is the word for what they stand on."""

    tracked: Iterable[str] = ()
    others: Iterable[str] = ()
    repositories: Iterable[str] = ()
    commit: str = _WALKED


class _Look:
    def __init__(
        self, git: Git, root: str, place: str | None, records: Records, known: Memory
    ) -> None:
        self._git = git
        self._root = root
        self._place = place
        self._records = records
        self._before = known
        # What it will be when this look has come to its end.
        self._after = replace(known, tracked={}, others={}, inner={}, unfinished={})
        # What our index named and the repository's does not any more.
        self._dropped: set[str] = set()
        self._within: list[Sight] = []

    def sight(self) -> Sight:
        found = self._found()
        self._after.commit = found.commit
        try:
            tracked = self._after.tracked = self._prints(found.tracked)
            others = self._prints(
                path
                for path in found.others
                if path not in tracked and not self._git.is_own(self._root, path)
            )
            self._after.others = {path: one for path, one in others.items() if one.word != GONE}
            self._after.inner = self._inner(found.repositories)
        except UnknownError:
            self._keep_unfinished()
            raise
        self._after.tree = self._tree()
        began = self._times([inner.began for inner in self._within])
        if self._place is not None:
            self._keep(self._place)
        ended = self._times([inner.ended for inner in self._within])
        return Sight(listing=self._after.tree, began=began, ended=ended)

    def _found(self) -> _Found:
        there = repository.at(self._root)
        for place in (self._place, None):
            if there is None:
                break
            try:
                return self._of_repository(there, place)
            except GitError:
                # There is none, or it refuses, or is not as ours is: the next way needs less of it.
                self._forget_index()
        self._forget_index()
        self._after.listed = self._after.names = ""
        return _Found(others=listing.walk(self._git, self._root))

    def _of_repository(self, there: Repository, place: str | None) -> _Found:
        commit = there.commit() or listing.commit(self._git, self._root, there.own)
        index = None
        if place is not None:
            index = Index(self._git, self._root, place, there)
            if self._before.index and not index.is_as(self._before):
                self._forget_index()
        tracked = self._tracked(there, index)
        if index is None or not self._after.index:
            seen = listing.plain(self._git, self._root, there.own)
        else:
            seen = index.seen(self._after)
        inner = (path for path in self._after.submodules if self._is_repository(path))
        return _Found(
            tracked={*tracked, *seen.written},
            others=seen.others,
            repositories={*seen.repositories, *inner},
            commit=f"c{commit}",
        )

    def _tracked(self, there: Repository, index: Index | None) -> Iterable[str]:
        """The tracked files that are not in our index; the repository's is read if it changed."""
        began = time.time_ns()
        stamp = there.index_stamp()
        if stamp and stamp == self._before.listed:
            return self._before.tracked
        told = listing.tracked(self._git, self._root, there.own)
        has_settled = stamp != "" and prints.is_settled(stamp, began)
        self._after.listed = stamp if has_settled else ""
        self._after.submodules = told.repositories
        self._after.names = told.word
        if told.word == self._before.names:
            return self._before.tracked
        if index is None or not self._after.index:
            return told.files
        names = index.names(self._after)
        self._dropped = names - told.files
        if self._dropped:
            index.without(self._dropped, self._after)
        return told.files - names

    def _forget_index(self) -> None:
        """Go on without an index of ours: what it held is looked at again."""
        if self._before.index:
            before = self._before
            self._before = Memory(
                unfinished={**before.unfinished, **before.others, **before.tracked}
            )
            self._after = Memory()
            self._dropped = set()

    def _is_repository(self, path: str) -> bool:
        return os.path.lexists(os.path.join(self._root, path, ".git"))

    def _prints(self, paths: Iterable[str]) -> Table:
        before = self._before
        found = {}
        for path in paths:
            self._git.check_time()
            known = before.tracked.get(path) or before.others.get(path) or NOTHING
            if not known.is_settled:
                known = before.unfinished.get(path, known)
            one = found[path] = prints.look_at(os.path.join(self._root, path), known)
            if one is not known and one.is_settled:
                before.unfinished[path] = one
        return found

    def _inner(self, repositories: Iterable[str]) -> Table:
        found = {}
        for path in sorted(repositories):
            place = private.within(self._place, path) if self._place else None
            inner = sight(self._git, os.path.join(self._root, path), place, self._records)
            found[f"{path}/{SELF}"] = Print("", f"r{inner.listing}")
            self._within.append(inner)
        return found

    def _times(self, within: list[str]) -> str:
        """A word for when files were written: the same as at the last look's end if none was."""
        after = self._after
        said = sha256("\0".join((after.index, after.index_stamp, *within, "")).encode())
        for table in (after.tracked, after.others):
            for path in sorted(table):
                stamp, word = table[path]
                said.update(os.fsencode(f"{path}\0{stamp.lstrip(UNSETTLED)}\0{word}\0"))
        return said.hexdigest()

    def _tree(self) -> str:
        before, after = self._before, self._after
        old = before.words() if before.tree else {}
        new = after.words()
        changes = {path: word for path, word in new.items() if old.get(path) != word}
        changes |= dict.fromkeys((path for path in (*old, *self._dropped) if path not in new), GONE)
        if not before.tree or before.commit != after.commit:
            changes[SELF] = after.commit
        return self._records.change(before.tree, changes) if changes else before.tree

    def _keep(self, place: str) -> None:
        """Remember it for the next look; where that is not possible, that one takes longer."""
        with suppress(OSError):
            if replace(self._before, unfinished={}) == self._after and not self._before.unfinished:
                memory.touch(place)
            elif self._records.keep(self._after.tree):
                settle(place, self._root, self._after)
                memory.save(place, self._after)
                if not self._before.tree:
                    private.prune(place)

    def _keep_unfinished(self) -> None:
        """Have the next look go on where the time of this one was over."""
        if self._place is not None:
            with suppress(OSError):
                memory.save(self._place, self._before)
