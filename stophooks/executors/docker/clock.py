"""The engine's clock: what is written on its things is compared with its own time."""

from __future__ import annotations

import time

from stophooks.cores import datetime, timezone


def ahead_s(system_time: object) -> float:
    """How far the engine's clock is ahead of ours, in seconds; 0 when it does not tell its time.

    Args:
        system_time: ``SystemTime`` of its ``/info``, which has just arrived (RFC 3339).
    """
    try:
        told = datetime.fromisoformat(str(system_time))
    except ValueError:
        return 0.0
    return (told if told.tzinfo else told.replace(tzinfo=timezone.utc)).timestamp() - time.time()
