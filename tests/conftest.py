"""What every test stands on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Audit events (Python's "Audit events table") that a unit test may not cause.
OUTSIDE = frozenset(
    {"subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "socket.connect", "time.sleep"}
)
_watched: list[str] = []


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    if _watched and event in OUTSIDE:
        pytest.fail(f"{_watched[-1]} is a unit test, and {event} leaves the process")


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True)
def _within_the_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a unit test that starts a process, opens a connection or sleeps."""
    if request.node.path.parent.name != "unit":
        yield
        return
    _watched.append(request.node.nodeid)
    yield
    _watched.pop()
