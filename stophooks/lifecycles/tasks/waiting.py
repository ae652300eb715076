"""How long a task may still wait for what is busy, and what was said about that."""

from __future__ import annotations

import threading
import time

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.base import Cancellation

# What says that it is busy is asked again after so long at first and at last; seconds.
_FIRST_PAUSE_S = 0.25
_LAST_PAUSE_S = 4.0


class Waiting:
    """One task's waiting, from now on.

    Args:
        wait_s: Seconds after which it was in vain; 0 waits for nothing.
        cancel: Ends it.
        tell: Is told why it waits, once for each reason.
    """

    def __init__(self, wait_s: float, cancel: Cancellation, tell: Callable[[str], None]) -> None:
        self._until = time.monotonic() + wait_s
        self._cancel = cancel
        self._tell = tell
        self._told: set[str] = set()
        self._pause_s = _FIRST_PAUSE_S

    @property
    def left_s(self) -> float:
        """Seconds until it was in vain; never less than 0."""
        return max(self._until - time.monotonic(), 0.0)

    def say(self, why: str) -> None:
        """Tell what it waits for."""
        if why not in self._told:
            self._told.add(why)
            self._tell(why)

    def pause(self) -> None:
        """Let some of the time pass, more at each call, unless it is cancelled."""
        stop = threading.Event()
        unsubscribe = self._cancel.subscribe(stop.set)
        try:
            stop.wait(min(self._pause_s, self.left_s))
        finally:
            unsubscribe()
        self._pause_s = min(self._pause_s * 2, _LAST_PAUSE_S)
