"""What every executor is given, gives back and promises."""

from __future__ import annotations

import time

from stophooks import threads
from stophooks.models import KIB, Outcome, Status
from stophooks.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.errors import ExecutorUnavailableError
    from stophooks.models import Command, Stream

# Between the polite signal and the certain one; seconds.
GRACE_S = 2.0
# As much of a command's output is taken at once; more costs memory, and less costs time.
PIECE_BYTES = 256 * KIB


class Sink(Protocol):
    """Receives output while it is produced.

    A call must return at once: it is made from the thread that keeps a command's pipes or
    connection empty, and one that waits would make the command, or its container, unkillable.
    """

    def write(self, stream: Stream, data: bytes) -> None:
        """Take one piece of output, in the order of its stream.

        It has at most `PIECE_BYTES`, and what was held back of the piece before it.
        """

    def note(self, text: str) -> None:
        """Take one line about progress (an image being pulled …)."""


class Cancellation:
    """A request to end everything, made once, by a signal or by a caller; safe across threads.

    ``grace_s`` is how long a command has between SIGTERM and SIGKILL, in seconds;
    ``requested_at`` is the moment of the request on the monotonic clock.
    """

    def __init__(self) -> None:
        self._event = threads.Event()
        # Re-entrant: a signal handler may ask while the same thread is subscribing.
        self._lock = threads.RLock()
        self._listeners: list[Callable[[], None]] = []
        self.grace_s = GRACE_S
        self.reason = ""
        self.requested_at: float | None = None

    def request(self, reason: str, *, grace_s: float = GRACE_S) -> None:
        """End everything; ``grace_s`` is the time (seconds) from SIGTERM to SIGKILL."""
        with self._lock:
            if self._event.is_set():
                return
            self.reason = reason
            self.grace_s = grace_s
            self.requested_at = time.monotonic()
            self._event.set()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    @property
    def requested(self) -> bool:
        """Whether everything is to end."""
        return self._event.is_set()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` at the request (at once if it was made); returns the way to stop."""
        with self._lock:
            self._listeners.append(listener)
            requested = self._event.is_set()
        if requested:
            listener()

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe


class Executor(Protocol):
    """One place where commands run."""

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Run one command to its end and return what happened.

        Args:
            command: Fully resolved.
            timeout_s: Seconds from the start of the process to its SIGTERM; None for no limit.
            sink: Receives output as it is produced.
            cancel: Ends the command early when requested.

        Returns:
            The outcome. A timeout is an outcome and carries the output up to it. Nothing that
            the command started is left when this returns, unless its container is being removed
            by whom the executor was given for that.

        Raises:
            ExecutorUnavailableError: This machine cannot run it (not: the program failed).
        """

    def close(self) -> None:
        """Finish what was left to be finished in the background."""


def unavailable(error: ExecutorUnavailableError, *, duration_s: float = 0.0) -> Outcome:
    """The outcome of a command that this machine could not run."""
    return Outcome(
        status=Status.UNAVAILABLE,
        reason=error.reason,
        remedy=error.remedy,
        fault=error.fault,
        duration_s=duration_s,
    )
