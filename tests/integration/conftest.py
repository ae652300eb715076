"""The real program, a real engine, and nothing left behind."""

from __future__ import annotations

import ctypes
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from stophooks.process import family
from tests.leftovers import Machine
from tests.program import Stophooks
from tests.registry import Registry, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
# Removing a container takes an engine up to about a second after its command has ended.
SETTLE_S = 10.0
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """A real engine that has the test images; without one the test fails and says so."""
    client = _engine()
    if client is None:
        pytest.fail("No Docker engine answers; ./scripts/test starts one.", pytrace=False)
    built = subprocess.run(
        [ROOT / "scripts/images", "busybox", "python"], capture_output=True, text=True, check=False
    )
    if built.returncode:
        pytest.fail(f"scripts/images failed:\n{built.stdout}{built.stderr}", pytrace=False)
    yield client
    client.close()


@pytest.fixture(scope="session")
def registry(engine: docker.DockerClient) -> Iterator[Registry]:
    """A real registry that lets everybody in."""
    _image("registry")
    with serve(engine, user=None) as running:
        yield running


@pytest.fixture(scope="session")
def auth_registry(engine: docker.DockerClient) -> Iterator[Registry]:
    """A real registry that asks for a user and a password."""
    _image("registry")
    with serve(engine, user="known") as running:
        yield running


@pytest.fixture
def token() -> str:
    """What marks every process that this test causes."""
    return uuid.uuid4().hex


@pytest.fixture
def stophooks(tmp_path: Path, token: str) -> Stophooks:
    """The program, with an empty home and an empty state directory."""
    home, state = tmp_path / "home", tmp_path / "state"
    home.mkdir()
    state.mkdir()
    return Stophooks(home=home, state=state, token=token)


@pytest.fixture(autouse=True)
def _orphans_go_to_others() -> Iterator[None]:
    """Let no test find this process taking in orphans because an earlier one ran a command."""
    yield
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    family._reaper = None  # noqa: SLF001 - the program has no way back, and needs none


@pytest.fixture(autouse=True)
def _nothing_is_left(request: pytest.FixtureRequest, token: str, tmp_path: Path) -> Iterator[None]:
    """Fail the test that leaves a process, container, network or volume behind."""
    client = _engine() if request.node.get_closest_marker("xdist_group") else None
    machine = Machine(token=token, directory=tmp_path, client=client)
    before = machine.look()
    yield
    deadline = time.monotonic() + SETTLE_S
    while (left := machine.look() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    if client is not None:
        client.close()
    if left:
        pytest.fail("Left behind:\n" + "\n".join(sorted(left)), pytrace=False)


def _image(name: str) -> None:
    subprocess.run([ROOT / "scripts/images", name], check=True)


def _engine() -> docker.DockerClient | None:
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException:
        return None
    return client
