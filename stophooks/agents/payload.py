"""Read the one JSON object that an agent sends, without trusting it to end."""

from __future__ import annotations

import os
import select
import time

from stophooks import jsonvalues
from stophooks.errors import StophooksError
from stophooks.models import MIB, human_size
from stophooks.typed import Any

# An agent writes its payload at once; a stdin left open must not eat the time of the checks.
DEADLINE_S = 5.0
# Many times the longest message of a model; what JSON makes of it stays below 200 MB.
MAX_BYTES = 2 * MIB

_CHUNK_BYTES = 256 * 1024
# After a silence of this many seconds what came is looked at, even where it does not end like an
# object: a parser at every piece of a large payload would take longer than the deadline.
_PAUSE_S = 0.05
_REMEDY = (
    "Agents send one JSON object; if an agent made this call, tell the person that its version and "
    "this one do not fit. By hand, `stophooks run` runs the checks."
)


class PayloadError(StophooksError):
    """What came is not a payload; nothing can be said about the event."""


def read(fd: int, *, deadline_s: float = DEADLINE_S, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the object on ``fd``; it may stay open behind a complete one.

    A byte order mark, white space before the object, anything behind it and bytes that are not
    UTF-8 within its strings are tolerated.

    Raises:
        PayloadError: No JSON object came within ``deadline_s`` seconds or ``max_bytes`` bytes.

    """
    deadline = time.monotonic() + deadline_s
    data = bytearray()
    parsed = 0
    while len(data) <= max_bytes:
        left_s = deadline - time.monotonic()
        chunk = _more(fd, left_s if parsed == len(data) else min(left_s, _PAUSE_S))
        data += chunk or b""
        # Only a text that ends like an object, and seems to be all, is worth the parser's time.
        is_worth_it = not chunk or (data.rstrip().endswith(b"}") and not _waits(fd))
        if is_worth_it and (chunk == b"" or parsed < len(data)):
            payload = _object(data, final=chunk == b"")
            if payload is not None:
                return payload
            parsed = len(data)
        if chunk is None and time.monotonic() >= deadline:
            raise PayloadError(
                f"standard input carried no complete JSON object within {deadline_s:g} seconds. "
                + _REMEDY
            )
    payload = _object(data, final=False)
    if payload is not None:
        return payload
    raise PayloadError(f"standard input carried more than {human_size(max_bytes)}. {_REMEDY}")


def _more(fd: int, timeout_s: float) -> bytes | None:
    """Return the next bytes, none at the end, or None when the time is over."""
    try:
        ready = select.select([fd], [], [], max(timeout_s, 0.0))[0]
        return os.read(fd, _CHUNK_BYTES) if ready else None
    except ConnectionResetError:
        return b""
    except OSError as err:
        raise PayloadError(f"standard input cannot be read: {err.strerror}. {_REMEDY}") from err


def _waits(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def _object(data: bytearray, *, final: bool) -> dict[str, Any] | None:
    """Return the object that the text begins with, or None where more of it may come."""
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").lstrip()
    if not text and final:
        raise PayloadError(f"standard input was empty; a JSON object was expected. {_REMEDY}")
    try:
        payload, _end = jsonvalues.first(text)
    except (ValueError, RecursionError) as err:
        if not final:
            return None
        raise PayloadError(
            f"standard input is not a JSON object: {_cause(err)}. {_REMEDY}"
        ) from err
    if isinstance(payload, dict):
        return payload
    if not final:
        return None
    raise PayloadError(f"standard input is JSON, but not an object. {_REMEDY}")


def _cause(err: Exception) -> str:
    return "nested too deeply" if isinstance(err, RecursionError) else str(err)
