"""Signals that end a run in an orderly way."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from stophooks.executors.base import Cancellation

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Received:
    """The first signal that came, or None."""

    def __init__(self) -> None:
        self.number: int | None = None


@contextmanager
def cancelling(cancel: Cancellation) -> Iterator[Received]:
    """Turn the signals into a request to end everything; a second one changes nothing.

    A signal that the caller ignores (``nohup``) stays ignored.
    """
    received = Received()

    def request(number: int, _frame: FrameType | None) -> None:
        if received.number is None:
            received.number = number
            cancel.request(f"cancelled by {signal.Signals(number).name}")

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, request)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
