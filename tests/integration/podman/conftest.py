"""Podman as a second engine: a service of its own, with its own storage, for these tests only."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from tests.integration.docker.conftest import STRANGER, Case

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S = 30.0
IMAGE = "stophooks-test/busybox:1"


@pytest.fixture(scope="session")
def podman(engine: docker.DockerClient) -> Iterator[docker.DockerClient]:
    """A client of Podman's compatible socket, with the busybox image."""
    if shutil.which("podman") is None:
        pytest.fail("There is no podman; ./scripts/test installs it.", pytrace=False)
    # A socket's path is short (unix(7)), and a test's own directory need not be.
    directory = Path(tempfile.mkdtemp(prefix="stophooks-podman-"))
    try:
        with service(directory) as client:
            client.images.load(b"".join(engine.images.get(IMAGE).save(named=True)))
            yield client
    finally:
        shutil.rmtree(directory)


@contextmanager
def service(directory: Path) -> Iterator[docker.DockerClient]:
    # The runtime that Docker uses on this machine is known to work here.
    runtime = 'runtime = "runc"\n' if shutil.which("runc") else ""
    (directory / "containers.conf").write_text(
        # Podman's own defaults may be more than this machine lets it give.
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
        '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' + runtime
    )
    socket = directory / "s"
    places = (f"--root={directory}/root", f"--runroot={directory}/run", f"--tmpdir={directory}/tmp")
    options = ("--storage-driver=vfs", "--log-level=fatal")
    process = subprocess.Popen(
        ["podman", *places, *options, "system", "service", "--time=0", f"unix://{socket}"],
        env={**os.environ, "CONTAINERS_CONF": str(directory / "containers.conf")},
        stdin=subprocess.DEVNULL,
        # Its monitors write a file where they stand when a container runs out of memory.
        cwd=directory,
    )
    try:
        client = docker.DockerClient(f"unix://{socket}", version="1.41")
        _answered(client)
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait()


def _answered(client: docker.DockerClient) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            client.ping()
        except (docker.errors.DockerException, OSError):
            assert time.monotonic() < deadline, "podman's service did not start"
            time.sleep(0.05)
        else:
            return


def address(client: docker.DockerClient) -> str:
    """The ``DOCKER_HOST`` of a client."""
    return f"unix://{client.api.get_adapter(client.api.base_url).socket_path}"


@pytest.fixture
def case(podman: docker.DockerClient, tmp_path: Path) -> Iterator[Case]:
    """A project that belongs to a user whom no image knows; every container is gone at the end."""
    project, home = tmp_path / "project", tmp_path / "client-home"
    project.mkdir()
    home.mkdir()
    os.chown(project, STRANGER, STRANGER)
    environ = {"DOCKER_HOST": address(podman)}
    one = Case(project=project, home=home, client=podman, environ=environ)
    yield one
    left = podman.api.containers(all=True)
    for row in left:
        podman.api.remove_container(row["Id"], force=True)
    assert left == []
