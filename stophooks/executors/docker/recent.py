"""What an engine has just said of its images, for those here who would ask the same."""

from __future__ import annotations

import time

from stophooks.typed import Any

# Older than this it is asked again. Seconds.
FRESH_S = 1.0
_said: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}


def note(url: str, image: str, said: dict[str, Any], *, at: float) -> None:
    """Keep what the engine at ``url`` says of the image of this name, asked ``at`` (monotonic)."""
    _said[url, image] = at, said


def known(url: str, image: str) -> dict[str, Any] | None:
    """What was kept, while it is fresh."""
    at, said = _said.get((url, image), (0.0, None))
    return said if time.monotonic() - at < FRESH_S else None


def forget(url: str, image: str) -> None:
    """The engine may have another one of this name now."""
    _said.pop((url, image), None)
