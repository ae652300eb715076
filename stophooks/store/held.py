"""Resources that tasks hold: all that one task needs or none, and never two tasks at once.

The truth is a lock of the kernel's on the record of who holds it, so that a holder's death, by
whatever cause, frees it at once. Everything is looked at and changed under one short lock per
scope: nobody ever sees, or meets, a half of it. Who shares holds a resource in two scopes: in its
project's, which keeps out those of the project that do not share, and in the one of all projects.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import ExitStack
from itertools import chain, product, zip_longest

from stophooks import threads
from stophooks.contexts import contextmanager, suppress
from stophooks.errors import StophooksError, StoreError
from stophooks.store.holder import BEAT_S, State, distinct, whose
from stophooks.store.place import writable_dir
from stophooks.store.scope import Scope
from stophooks.typed import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stophooks.store.holder import Held, Holder
    from stophooks.store.tickets import Ticket

FOLDER = "resources"
# The scope of those who share their resources between all projects.
SHARED = "shared"


class ResourceBusyError(StophooksError):
    """Resources cannot be had now; ``held`` are those of them that are held."""

    def __init__(self, message: str, *, held: tuple[Held, ...]) -> None:
        super().__init__(message)
        self.held = held


class Holding:
    """The resources that this process holds; a context, at whose end they are released.

    ``files`` are their open records, by name and scope; ``inherited`` are the records of dead
    holders that were found in their places.
    """

    def __init__(
        self, shelf: Shelf, files: Sequence[Mapping[str, int]] = (), inherited: Iterable[Held] = ()
    ) -> None:
        self._shelf = shelf
        self._files = tuple(files)
        self.inherited = tuple(inherited)
        self._over = threads.Event()
        self._beats = threads.Thread(target=self._beat, name="held", daemon=True)
        if files:
            self._beats.start()

    @property
    def resources(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(sorted({name for own in self._files for name in own}))

    def lost(self) -> tuple[str, ...]:
        """Those that somebody took away by force."""
        return self._shelf.lost(self._files)

    def release(self) -> None:
        """Give up all of them, and nothing that is another's by now."""
        self._over.set()
        if self._beats.is_alive():
            self._beats.join()
        self._shelf.give_up(self._files)
        self._files = ()

    def __enter__(self) -> Self:
        """Return these resources."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release them."""
        self.release()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            for descriptor in _descriptors(self._files):
                with suppress(OSError):
                    os.utime(descriptor)


class Shelf:
    """The resources of one scope, or of several at once.

    Args:
        directories: Where the records of each scope are; made when they are needed.
    """

    def __init__(self, *directories: str) -> None:
        self.directory = directories[0]
        self._scopes = tuple(map(Scope, directories))

    def take(self, names: Iterable[str], holder: Holder) -> Holding:
        """Hold all of these resources from now on, or none of them.

        Args:
            names: Of the resources.
            holder: This process, as `stophooks.store.holder.myself` tells it.

        Raises:
            ResourceBusyError: One of them is held, or somebody who waits for one was first.
            StoreError: There can be no record.
        """
        return self._take(sorted(set(names)), holder, ())

    def wait(
        self, names: Iterable[str], holder: Holder, *, wait_s: float, stop: threads.Event
    ) -> Holding:
        """The same as soon as it can be had, in the order of asking; holds nothing meanwhile.

        Args:
            names: As above.
            holder: As above.
            wait_s: Seconds after which waiting was in vain.
            stop: Ends the waiting.

        Raises:
            ResourceBusyError: They were not free in time, or until ``stop`` was set.
            StoreError: As above.
        """
        wanted = sorted(set(names))
        until = time.monotonic() + wait_s
        with self._alone():
            places = [scope.tickets.draw(wanted) for scope in self._scopes]
        with ExitStack() as queues:
            for place in places:
                queues.enter_context(place)
            while True:
                for place in places:
                    place.touch()
                try:
                    return self._take(wanted, holder, places)
                except ResourceBusyError:
                    left = until - time.monotonic()
                    if left <= 0 or stop.wait(min(places[0].pause(), left)):
                        raise

    def held(self) -> tuple[Held, ...]:
        """Every resource for which there is a record, by name.

        Raises:
            StoreError: They cannot be looked at.
        """
        if not any(os.path.isdir(scope.directory) for scope in self._scopes):
            return ()
        with self._alone():
            return self._look({name for scope in self._scopes for name in scope.records.names()})

    def clear(self, names: Iterable[str], *, force: bool = False) -> tuple[Held, ...]:
        """Remove the records of dead holders, with ``force`` those of all; returns which.

        A living holder goes on: it only no longer keeps others out.

        Raises:
            StoreError: One cannot be removed.
        """
        cleared = []
        with self._alone():
            for scope, name in product(self._scopes, sorted(set(names))):
                held = scope.records.look(name)
                if held is not None and (force or held.state is State.DEAD):
                    scope.records.clear(name)
                    cleared.append(held)
        return distinct(cleared)

    def lost(self, files: Sequence[Mapping[str, int]]) -> tuple[str, ...]:
        """Those of these open records that are not the resources' own any more."""
        gone = {
            name
            for scope, own in zip(self._scopes, files, strict=False)
            for name, descriptor in own.items()
            if not scope.records.has(name, descriptor)
        }
        return tuple(sorted(gone))

    def give_up(self, files: Sequence[Mapping[str, int]]) -> None:
        """Remove these open records, and let go of them whatever comes between."""
        if not files:
            return
        try:
            with self._alone():
                self._remove(files)
        except StoreError:
            # Who comes next finds records whose holder is dead.
            for descriptor in _descriptors(files):
                os.close(descriptor)

    def _take(self, wanted: list[str], holder: Holder, places: Sequence[Ticket]) -> Holding:
        """The same as `take`, for one who waits at these places, one in each scope."""
        if not wanted:
            return Holding(self)
        with self._alone():
            found = self._look(wanted)
            busy = tuple(held for held in found if held.state is not State.DEAD)
            if busy or self._is_behind(wanted, places):
                raise ResourceBusyError(_busy_text(busy, wanted), held=busy)
            return Holding(self, self._claim(wanted, holder), found)

    def _is_behind(self, wanted: list[str], places: Sequence[Ticket]) -> bool:
        """Whether somebody else waits for one of these who came first."""
        return any(
            scope.tickets.ahead(wanted, place.name if place else None)
            for scope, place in zip_longest(self._scopes, places)
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the short lock of every scope, always in the same order.

        Raises:
            StoreError: One cannot be had, or what is done under it cannot be done.
        """
        with ExitStack() as stack:
            for scope in self._scopes:
                stack.enter_context(scope.alone())
            yield

    def _look(self, names: Iterable[str]) -> tuple[Held, ...]:
        """What the records of these resources say, by name."""
        every = product(sorted(set(names)), self._scopes)
        return distinct(held for name, scope in every if (held := scope.records.look(name)))

    def _claim(self, wanted: list[str], holder: Holder) -> tuple[dict[str, int], ...]:
        """New records in every scope, or in none.

        Raises:
            OSError: One of them cannot be made.
        """
        claimed: list[dict[str, int]] = []
        try:
            for scope in self._scopes:
                # One by one: what was made is removed where the next cannot be.
                claimed.append(scope.records.claim(wanted, holder))  # noqa: PERF401
        except OSError:
            self._remove(claimed)
            raise
        return tuple(claimed)

    def _remove(self, files: Iterable[Mapping[str, int]]) -> None:
        # In a scope that none was made in, there is none to remove.
        for scope, own in zip(self._scopes, files, strict=False):
            scope.records.remove(own)


def shelf(state_dir: str, project_dir: str | None, *, is_shared: bool = False) -> Shelf:
    """What a project has, whatever links lead to it; with None what all projects share.

    With ``is_shared`` both: a task that shares its resources also keeps out its project's others.

    Raises:
        StoreError: There is no place for it that can be written.
    """
    scopes = [] if project_dir is None else [_own(project_dir)]
    if is_shared or not scopes:
        # Always last: two that lock one scope after another never wait for each other.
        scopes.append(SHARED)
    place = os.path.join(writable_dir(state_dir), FOLDER)
    return Shelf(*(os.path.join(place, scope) for scope in scopes))


def shelves(state_dir: str) -> tuple[Shelf, ...]:
    """Everything that any project ever had.

    Raises:
        StoreError: There is no state that can be read.
    """
    directory = os.path.join(writable_dir(state_dir), FOLDER)
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return ()
    except OSError as err:
        raise StoreError(
            f"cannot read {directory}: {err.strerror}. Make it readable for you."
        ) from err
    return tuple(Shelf(os.path.join(directory, name)) for name in names)


def _own(project_dir: str) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(project_dir))).hexdigest()[:16]


def _descriptors(files: Iterable[Mapping[str, int]]) -> Iterator[int]:
    return chain.from_iterable(own.values() for own in files)


def _busy_text(busy: tuple[Held, ...], wanted: list[str]) -> str:
    if not busy:
        return f"{', '.join(wanted)}: others who wait were first"
    return "; ".join(f"{held.resource} is held by {whose(held)}" for held in busy)
