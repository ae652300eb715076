"""Where a resource's name means one thing: its records, and the queue of those who wait for it."""

from __future__ import annotations

import os

from stophooks.contexts import contextmanager
from stophooks.errors import StoreError
from stophooks.store.lock import FileLock
from stophooks.store.place import PRIVATE_DIR
from stophooks.store.records import Records
from stophooks.store.tickets import Tickets
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MUTEX = "mutex"
# What happens under the short lock takes a millisecond; who holds it longer was stopped. Seconds.
_MUTEX_S = 20.0


class Scope:
    """One project's resources, or those that all projects share.

    Args:
        directory: Where their records are; made when it is needed.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.records = Records(os.path.join(directory, "held"))
        self.tickets = Tickets(os.path.join(directory, "queue"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the short lock.

        Raises:
            StoreError: It cannot be had, or what is done under it cannot be done.
        """
        try:
            for directory in (self.directory, self.records.directory, self.tickets.directory):
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
