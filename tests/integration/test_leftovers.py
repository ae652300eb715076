"""The fixture that fails a test for what it leaves behind sees each kind of thing."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.leftovers import LABEL, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import docker

    from tests.program import Stophooks

IMAGE = "stophooks-test/busybox:1"


@pytest.fixture
def machine(token: str, tmp_path: Path) -> Machine:
    return Machine(token=token, directory=tmp_path, client=None)


@pytest.fixture
def with_engine(token: str, tmp_path: Path, engine: docker.DockerClient) -> Machine:
    return Machine(token=token, directory=tmp_path, client=engine)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this test run."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def orphan(env: Mapping[str, str], cwd: Path) -> int:
    """Start a process that nobody is the parent of; returns its id."""
    script = "setsid sleep 60 >/dev/null 2>&1 & echo $!"
    done = subprocess.run(["sh", "-c", script], env=env, cwd=cwd, capture_output=True, check=True)
    return int(done.stdout)


def test_a_child_is_seen(machine: Machine, child: subprocess.Popen[bytes]) -> None:
    assert f"process {child.pid}: sleep 60" in machine.look()


def test_an_orphan_with_the_mark_is_seen(machine: Machine, stophooks: Stophooks) -> None:
    pid = orphan(stophooks.environment(), machine.directory.parent)

    seen = machine.look()
    os.kill(pid, signal.SIGKILL)

    assert any(line.startswith(f"process {pid}:") for line in seen)


def test_an_orphan_without_the_mark_is_seen_by_where_it_stands(machine: Machine) -> None:
    pid = orphan({"PATH": "/usr/bin:/bin"}, machine.directory)

    seen = machine.look()
    os.kill(pid, signal.SIGKILL)

    assert any(line.startswith(f"process {pid}:") for line in seen)


def test_a_container_is_seen(with_engine: Machine, engine: docker.DockerClient) -> None:
    before = with_engine.look()
    container = engine.containers.create(IMAGE, labels={LABEL: "x"})

    seen = with_engine.look() - before
    container.remove()

    assert seen == {f"container ['/{container.name}']: /bin/sh"}


def test_a_container_of_another_run_is_not_ours(
    with_engine: Machine, engine: docker.DockerClient
) -> None:
    elsewhere = {"/usr": {"bind": "/mnt", "mode": "ro"}}
    container = engine.containers.create(IMAGE, labels={LABEL: "x"}, volumes=elsewhere)

    seen = with_engine.look()
    container.remove()

    assert not any(str(container.name) in line for line in seen)


def test_a_volume_without_a_name_is_seen(with_engine: Machine, engine: docker.DockerClient) -> None:
    container = engine.containers.create(IMAGE, volumes=["/data"])
    before = with_engine.look()
    (mount,) = container.attrs["Mounts"]
    container.remove()

    seen = with_engine.look() - before
    engine.volumes.get(mount["Name"]).remove()

    assert f"volume {mount['Name']}" in seen


def test_a_network_is_seen(with_engine: Machine, engine: docker.DockerClient) -> None:
    before = with_engine.look()
    network = engine.networks.create("stophooks-test-leftover")

    seen = with_engine.look() - before
    network.remove()

    assert "network stophooks-test-leftover" in seen
