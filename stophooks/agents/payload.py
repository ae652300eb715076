"""Read the one JSON object that an agent sends, without trusting it to end."""

from __future__ import annotations

import json
import os
import select
import time
from typing import Any

from stophooks.errors import StophooksError
from stophooks.models import MIB

# An agent writes its payload at once; a stdin left open must not eat the time of the checks.
DEADLINE_S = 5.0
MAX_BYTES = 16 * MIB

_CHUNK_BYTES = 256 * 1024


class PayloadError(StophooksError):
    """What came is not a payload; nothing can be said about the event."""


def read(fd: int, *, deadline_s: float = DEADLINE_S, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the object on ``fd``; it may stay open behind a complete one.

    A byte order mark, white space around the object and bytes that are not UTF-8 within its
    strings are tolerated.

    Raises:
        PayloadError: No JSON object came within ``deadline_s`` seconds or ``max_bytes`` bytes.

    """
    deadline = time.monotonic() + deadline_s
    data = bytearray()
    while len(data) <= max_bytes:
        chunk = _more(fd, deadline - time.monotonic())
        if chunk is None:
            raise PayloadError(
                f"standard input carried no complete JSON object within {deadline_s:g} seconds"
            )
        data += chunk
        # Only a text that ends like an object is worth the parser's time.
        if not chunk or data.rstrip().endswith(b"}"):
            payload = _object(data, final=not chunk)
            if payload is not None:
                return payload
    raise PayloadError(f"standard input carried more than {max_bytes} bytes")


def _more(fd: int, timeout_s: float) -> bytes | None:
    """Return the next bytes, none at the end, or None when the time is over."""
    try:
        ready = select.select([fd], [], [], max(timeout_s, 0.0))[0]
        return os.read(fd, _CHUNK_BYTES) if ready else None
    except ConnectionResetError:
        return b""
    except OSError as err:
        raise PayloadError(f"standard input cannot be read: {err.strerror}") from err


def _object(data: bytearray, *, final: bool) -> dict[str, Any] | None:
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").strip()
    if not text:
        raise PayloadError("standard input was empty; a JSON object was expected")
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as err:
        if not final:
            return None
        raise PayloadError(f"standard input is not a JSON object: {_cause(err)}") from err
    if not isinstance(payload, dict):
        raise PayloadError("standard input is JSON, but not an object")
    return payload


def _cause(err: Exception) -> str:
    return "nested too deeply" if isinstance(err, RecursionError) else str(err)
