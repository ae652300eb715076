"""What happens to a container while it runs, in the order in which it is heard of."""

from __future__ import annotations

import time

from stophooks.cores import Empty, SimpleQueue
from stophooks.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _WaitEnded:
    """The engine's word that the container has ended; without a code, the word was lost."""

    code: int | None


class _OutputEnded:
    """The attach connection has ended."""


class CancelRequested:
    """Everything is to end."""


Event = _WaitEnded | _OutputEnded | CancelRequested


class Happenings:
    """What other threads hear of one container, for the one that follows it.

    ``exit`` is its exit code, None until it is known; ``has_wait`` and ``has_output`` say whether
    the engine can still say more over these connections.
    """

    def __init__(self) -> None:
        self._events: SimpleQueue[Event] = SimpleQueue()
        self.exit: int | None = None
        self.has_wait = self.has_output = True

    def wait_ended(self, code: int | None) -> None:
        """The wait is over; from any thread."""
        self._events.put(_WaitEnded(code=code))

    def output_ended(self) -> None:
        """The output is over; from any thread."""
        self._events.put(_OutputEnded())

    def cancel_requested(self) -> None:
        """Everything is to end; from any thread, or once more for who comes next."""
        self._events.put(CancelRequested())

    def next(self, until: float | None) -> Event | None:
        """What happens next, or None when ``until`` (monotonic) comes first."""
        try:
            left = None if until is None else max(0.0, until - time.monotonic())
            event = self._events.get(timeout=left)
        except Empty:
            return None
        if isinstance(event, _OutputEnded):
            self.has_output = False
        elif isinstance(event, _WaitEnded):
            self.has_wait = False
            self.exit = event.code
        return event

    def await_end(self, wait_s: float) -> bool:
        """Wait until nothing more can be heard, or the exit is known; whether that came in time."""
        until = time.monotonic() + wait_s
        while self.has_wait or self.has_output:
            if self.exit is not None:
                return True
            if self.next(until) is None:
                return False
        return True
