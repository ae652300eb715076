"""Resources that tasks hold: all that one task needs or none, and never two tasks at once.

The truth is a lock of the kernel's on the record of who holds it, so that a holder's death, by
whatever cause, frees it at once. Everything is looked at and changed under one short lock per
scope: nobody ever sees, or meets, a half of it.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from stophooks.errors import StophooksError, StoreError
from stophooks.store.holder import BEAT_S, State, whose
from stophooks.store.lock import FileLock
from stophooks.store.place import PRIVATE_DIR, writable_dir
from stophooks.store.records import Records
from stophooks.store.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stophooks.store.holder import Held, Holder

FOLDER = "resources"
# The scope of those who share their resources between all projects.
SHARED = "shared"
_MUTEX = "mutex"
# What happens under the short lock takes a millisecond; who holds it longer was stopped. Seconds.
_MUTEX_S = 20.0


class ResourceBusyError(StophooksError):
    """Resources cannot be had now; ``held`` are those of them that are held."""

    def __init__(self, message: str, *, held: tuple[Held, ...]) -> None:
        super().__init__(message)
        self.held = held


class Holding:
    """The resources that this process holds; a context, at whose end they are released.

    ``inherited`` are the records of dead holders that were found in their places.
    """

    def __init__(self, shelf: Shelf, files: dict[str, int], inherited: Iterable[Held] = ()) -> None:
        self._shelf = shelf
        self._files = files
        self.inherited = tuple(inherited)
        self._over = threading.Event()
        self._beats = threading.Thread(target=self._beat, name="held", daemon=True)
        if files:
            self._beats.start()

    @property
    def resources(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(sorted(self._files))

    def lost(self) -> tuple[str, ...]:
        """Those that somebody took away by force."""
        return self._shelf.lost(self._files)

    def release(self) -> None:
        """Give up all of them, and nothing that is another's by now."""
        self._over.set()
        if self._beats.is_alive():
            self._beats.join()
        self._shelf.give_up(self._files)
        self._files = {}

    def __enter__(self) -> Self:
        """Return these resources."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release them."""
        self.release()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            for descriptor in self._files.values():
                with suppress(OSError):
                    os.utime(descriptor)


class Shelf:
    """The resources of one scope: a project's, or what all projects share.

    Args:
        directory: Where their records are; made when it is needed.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._records = Records(os.path.join(directory, "held"))
        self._tickets = Tickets(os.path.join(directory, "queue"))

    def take(self, names: Iterable[str], holder: Holder, *, ticket: str | None = None) -> Holding:
        """Hold all of these resources from now on, or none of them.

        Args:
            names: Of the resources.
            holder: This process, as `stophooks.store.holder.myself` tells it.
            ticket: Of this process, where it waits in the queue.

        Raises:
            ResourceBusyError: One of them is held, or somebody who waits for one was first.
            StoreError: There can be no record.
        """
        wanted = sorted(set(names))
        if not wanted:
            return Holding(self, {})
        with self._alone():
            found = [held for name in wanted if (held := self._records.look(name))]
            busy = tuple(held for held in found if held.state is not State.DEAD)
            if busy or self._tickets.ahead(wanted, ticket):
                raise ResourceBusyError(_busy_text(busy, wanted), held=busy)
            return Holding(self, self._records.claim(wanted, holder), found)

    def wait(
        self, names: Iterable[str], holder: Holder, *, wait_s: float, stop: threading.Event
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
            place = self._tickets.draw(wanted)
        with place:
            while True:
                place.touch()
                try:
                    return self.take(wanted, holder, ticket=place.name)
                except ResourceBusyError:
                    left = until - time.monotonic()
                    if left <= 0 or stop.wait(min(place.pause(), left)):
                        raise

    def held(self) -> tuple[Held, ...]:
        """Every resource for which there is a record, by name.

        Raises:
            StoreError: They cannot be looked at.
        """
        if not os.path.isdir(self.directory):
            return ()
        with self._alone():
            return tuple(
                held for name in self._records.names() if (held := self._records.look(name))
            )

    def clear(self, names: Iterable[str], *, force: bool = False) -> tuple[Held, ...]:
        """Remove the records of dead holders, with ``force`` those of all; returns which.

        A living holder goes on: it only no longer keeps others out.

        Raises:
            StoreError: One cannot be removed.
        """
        with self._alone():
            found = [held for name in sorted(set(names)) if (held := self._records.look(name))]
            cleared = tuple(held for held in found if force or held.state is State.DEAD)
            for held in cleared:
                self._records.clear(held.resource)
            return cleared

    def lost(self, files: dict[str, int]) -> tuple[str, ...]:
        """Those of these open records that are not the resources' own any more."""
        return tuple(name for name in sorted(files) if not self._records.has(name, files[name]))

    def give_up(self, files: dict[str, int]) -> None:
        """Remove these open records, and let go of them whatever comes between."""
        if not files:
            return
        try:
            with self._alone():
                self._records.remove(files)
        except StoreError:
            # Who comes next finds records whose holder is dead.
            for descriptor in files.values():
                os.close(descriptor)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the short lock.

        Raises:
            StoreError: It cannot be had, or what is done under it cannot be done.
        """
        try:
            for directory in (self.directory, self._records.directory, self._tickets.directory):
                os.makedirs(directory, mode=PRIVATE_DIR, exist_ok=True)
            with FileLock(os.path.join(self.directory, _MUTEX)) as mutex:
                if not mutex.take(wait_s=_MUTEX_S):
                    raise StoreError(
                        f"the locks in {self.directory} cannot be looked at: another process has "
                        f"kept them for more than {_MUTEX_S:g} seconds. If one was stopped, let "
                        "it go on, or end it."
                    )
                yield
        except OSError as err:
            raise StoreError(
                f"the locks in {self.directory} cannot be used: {err.strerror}. Make it writable "
                "for you, on a file system that has locks, or set XDG_STATE_HOME to one that is."
            ) from err


def shelf(state_dir: str, project_dir: str | None) -> Shelf:
    """What a project has, whatever links lead to it; with None what all projects share.

    Raises:
        StoreError: There is no place for it that can be written.
    """
    scope = SHARED
    if project_dir is not None:
        scope = hashlib.sha256(os.fsencode(os.path.realpath(project_dir))).hexdigest()[:16]
    return Shelf(os.path.join(writable_dir(state_dir), FOLDER, scope))


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


def _busy_text(busy: tuple[Held, ...], wanted: list[str]) -> str:
    if not busy:
        return f"{', '.join(wanted)}: others who wait were first"
    return "; ".join(f"{held.resource} is held by {whose(held)}" for held in busy)
