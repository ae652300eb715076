"""Work that several threads want at the same time and one of them does."""

from __future__ import annotations

from stophooks import threads
from stophooks.errors import ExecutorUnavailableError
from stophooks.typed import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from stophooks.executors.base import Cancellation

T = TypeVar("T")


class _Flight(Generic[T]):
    """One piece of work; ``is_void`` says that its end tells nothing about it."""

    def __init__(self) -> None:
        self.value: T | None = None
        self.error: ExecutorUnavailableError | None = None
        self.is_void = False
        self.is_over = False
        self._lock = threads.Lock()
        self._waiting: list[threads.Event] = []

    def result(self) -> T:
        """What came of it, once it is over.

        Raises:
            ExecutorUnavailableError: It failed.
        """
        if self.error is not None:
            raise self.error
        return cast("T", self.value)

    def end(self) -> None:
        """It is over: wake those who wait."""
        with self._lock:
            self.is_over = True
            for event in self._waiting:
                event.set()

    def wait(self, cancel: Cancellation) -> None:
        """Wait until it is over, or until everything is to end."""
        event = threads.Event()
        with self._lock:
            if self.is_over:
                return
            self._waiting.append(event)
        unsubscribe = cancel.subscribe(event.set)
        try:
            event.wait()
        finally:
            unsubscribe()


class Flights(Generic[T]):
    """Does each piece of work once, by its key; who comes meanwhile waits, and gets the same.

    Args:
        keeps: Whether who comes later gets the same too, a failure included.
    """

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self._lock = threads.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}

    def get(
        self,
        key: Hashable,
        work: Callable[[], T],
        *,
        cancel: Cancellation,
        late: Callable[[], ExecutorUnavailableError],
    ) -> T:
        """What the work gives, done here or by another thread.

        Work that ended because whoever did it was cancelled is done again for the others.

        Args:
            key: Two with the same key are the same work.
            work: Ends early when ``cancel`` is requested.
            cancel: Ends the wait for another thread's work.
            late: The error for a wait that was ended so.

        Raises:
            ExecutorUnavailableError: The work failed.
        """
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if is_first := flight is None:
                    flight = self._flights[key] = _Flight()
            if is_first:
                return self._do(key, flight, work, cancel)
            flight.wait(cancel)
            if flight.is_over and not flight.is_void:
                return flight.result()
            if cancel.requested:
                raise late()

    def _do(
        self, key: Hashable, flight: _Flight[T], work: Callable[[], T], cancel: Cancellation
    ) -> T:
        flight.is_void = True
        try:
            flight.value = work()
            flight.is_void = False
        except ExecutorUnavailableError as err:
            if not cancel.requested:
                flight.error, flight.is_void = err, False
            raise
        finally:
            if flight.is_void or not self._keeps:
                with self._lock:
                    del self._flights[key]
            flight.end()
        return flight.result()
