"""What every test stands on."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine takes its time for an example; what takes long is not what properties are about.
settings.register_profile(
    "patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

# Audit events (Python's "Audit events table") that a unit test may not cause.
OUTSIDE = frozenset(
    {"subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "socket.connect", "time.sleep"}
)
_watched: list[str] = []


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    if _watched and event in OUTSIDE:
        pytest.fail(f"{_watched[-1]} is a unit test, and {event} leaves the process")


sys.addaudithook(_refuse)

# What ignores a signal hands that down, and the program keeps to it: not what tests are about,
# even where they were started with nohup or in the background of a script.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

# Tests that share an engine run one after the other, in one of pytest-xdist's workers; by the
# directory, the module or the fixture that shows it. The first that fits counts.
_TOGETHER = {
    "podman": "podman",
    "faults": "faults",
    "docker": "engine",
    "engine": "engine",
    "test_demo": "engine",
    "test_package": "package",  # one environment to install into is enough
}


@pytest.hookimpl(tryfirst=True)  # pytest-xdist's own reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep apart what would see each other's containers; everything else runs in any order."""
    for item in items:
        shown = {item.path.parent.name, item.path.stem, *getattr(item, "fixturenames", ())}
        callspec = getattr(item, "callspec", None)
        shown |= {str(value) for value in callspec.params.values()} if callspec else set()
        group = next((group for sign, group in _TOGETHER.items() if sign in shown), None)
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def _within_the_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a unit test that starts a process, opens a connection or sleeps."""
    if request.node.path.parent.name != "unit":
        yield
        return
    _watched.append(request.node.nodeid)
    yield
    _watched.pop()
