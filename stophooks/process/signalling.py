"""A signal for exactly one process."""

from __future__ import annotations

import os

from stophooks.process import table
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.process.table import Entry


def send(entry: Entry, number: int) -> None:
    """Signal exactly this process: never another one that got its number since."""
    try:
        descriptor = os.pidfd_open(entry.pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        _send_by_number(entry, number)
        return
    try:
        if _same(entry):
            signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        # Ended just now, or another user's (sudo): who asks looks who is left.
        return
    finally:
        os.close(descriptor)


def _send_by_number(entry: Entry, number: int) -> None:
    try:
        if _same(entry):
            os.kill(entry.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _same(entry: Entry) -> bool:
    now = table.current(entry.pid)
    return now is not None and now.started == entry.started
