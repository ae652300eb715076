"""Waiting for time to pass, unless everything is to end."""

from __future__ import annotations

import threading

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.process import Stop


def pause(seconds: float, cancel: Stop) -> bool:
    """Wait, at most until ``cancel``; whether that came."""
    asked = threading.Event()
    unsubscribe = cancel.subscribe(asked.set)
    try:
        return cancel.requested or asked.wait(seconds)
    finally:
        unsubscribe()
