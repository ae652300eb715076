"""Signals that come to this process, heard at once whatever it is doing.

Python runs a handler in its main thread only. The system may give a signal to any thread, and a
main thread that waits for a lock then hears nothing of it until the wait is over (measured with
Python 3.11 on Linux 6: one run in eight that was signalled while a container was started).
"""

from __future__ import annotations

import os

from stophooks import signum, threads
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType


def listen(numbers: Iterable[int], heard: Callable[[signal.Signals], None]) -> Callable[[], None]:
    """Call ``heard`` for each of these signals, in a thread of its own, and nothing else happens.

    A signal that is ignored stays ignored. Only the main thread may call this.

    Returns:
        The way to stop listening: when it comes back, what came before it was heard, and the
        handlers are those of before.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {number: signal.getsignal(number) for number in numbers}
    listened = {number for number, handler in before.items() if handler is not signal.SIG_IGN}
    # The number is written where the signal arrives, in whatever thread.
    outer = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in listened:
        signal.signal(number, nothing)

    def work() -> None:
        while came := os.read(reading, 64):
            for number in came:
                if number in listened:
                    heard(signum.named(number))
        os.close(reading)

    thread = threads.Thread(target=work, name="signals", daemon=True)
    thread.start()

    def stop() -> None:
        for number in listened:
            signal.signal(number, before[number])
        signal.set_wakeup_fd(outer)
        os.close(writing)
        thread.join()

    return stop


def nothing(_number: int, _frame: FrameType | None) -> None:
    """Stand in for a handler; not SIG_IGN, which what is started from here would inherit."""
