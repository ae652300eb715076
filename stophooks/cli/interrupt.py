"""Signals that end a run in an orderly way."""

from __future__ import annotations

import os
import signal

from stophooks import signals
from stophooks.contexts import contextmanager
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.executors.base import Cancellation

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What stops a terminal's program: Ctrl-Z, and writing while it is in the background.
STOPS = (signal.SIGTSTP, signal.SIGTTOU)


class Received:
    """The first signal that came, or None."""

    def __init__(self) -> None:
        self.number: int | None = None


@contextmanager
def cancelling(cancel: Cancellation, *, may_stop: bool = True) -> Iterator[Received]:
    """Turn the signals into a request to end everything; a second one changes nothing.

    A signal that the caller ignores (``nohup``) stays ignored. Without ``may_stop`` Ctrl-Z does
    nothing.
    """
    received = Received()

    def request(number: signal.Signals) -> None:
        if received.number is None:
            received.number = number
            cancel.request(f"cancelled by {number.name}")

    stops = {} if may_stop else {number: signal.getsignal(number) for number in STOPS}
    for number, handler in stops.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, signals.nothing)
    stop = signals.listen(SIGNALS, request)
    try:
        yield received
    finally:
        stop()
        for number, handler in stops.items():
            signal.signal(number, handler)


def caller_waits() -> bool:
    """Whether the program that started this one seems to wait for it.

    Not when it was put into the background: by ``nohup``, by ``&`` in a script (which ignores
    SIGINT), or by ``&`` at a terminal (which has another job in the foreground).
    """
    if signal.SIG_IGN in {signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}:
        return False
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return True
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return True
    finally:
        os.close(terminal)
