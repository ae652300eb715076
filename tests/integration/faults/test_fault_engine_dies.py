"""Row 28 with an engine of our own that really is killed and started again."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from tests.running import paced, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.program import Stophooks

IMAGE = "stophooks-test/busybox:1"
START_S = 60.0
CONFIG = f"""
stop:
  commands:
    - name: check
      image: {IMAGE}
      network: none
      run: echo out; sleep 60
"""


class SecondEngine:
    """A dockerd in a network of its own, so that it cannot touch the first one's."""

    def __init__(self, directory: Path) -> None:
        self.url = f"unix://{directory}/s"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and come back when it answers."""
        at = self._directory
        options = [f"--data-root={at}/data", f"--exec-root={at}/exec", f"--pidfile={at}/pid"]
        nets = ["--bridge=none", "--iptables=false", "--storage-driver=vfs", f"--host={self.url}"]
        with (at / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "--net", "dockerd", *options, *nets], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < deadline, (at / "log").read_text()
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> None:
        """End it by a signal."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)

    def containers(self, *, running: bool = False) -> list[str]:
        """The containers that it has."""
        with closing(docker.DockerClient(self.url)) as client:
            return [one.name for one in client.containers.list(all=not running)]

    def load(self, image: bytes) -> None:
        """Give it an image."""
        with closing(docker.DockerClient(self.url)) as client:
            client.images.load(image)

    def _answers(self) -> bool:
        try:
            with closing(docker.DockerClient(self.url)) as client:
                return bool(client.ping())
        except docker.errors.DockerException:
            return False


@pytest.fixture
def second(engine: docker.DockerClient) -> Iterator[SecondEngine]:
    # A socket's path is short (unix(7)), and a test's own directory need not be.
    directory = Path(tempfile.mkdtemp(prefix="stophooks-engine-"))
    second = SecondEngine(directory)
    try:
        second.start()
        second.load(b"".join(engine.images.get(IMAGE).save(named=True)))
        yield second
    finally:
        second.end(signal.SIGTERM)
        # One that was killed left its directory mounted on itself.
        while place := _mounted(directory):
            subprocess.run(["umount", "--lazy", place], check=True)
        shutil.rmtree(directory)


def _mounted(directory: Path) -> str:
    """The newest mount below the directory, if any."""
    rows = [row.split()[4] for row in Path("/proc/self/mountinfo").read_text().splitlines()]
    return next((place for place in rows[::-1] if place.startswith(str(directory))), "")


@pytest.mark.scenario("docker-faults: An engine that is killed and comes back")
def test_row_28_an_engine_that_is_killed_and_started_again_keeps_nothing(
    second: SecondEngine, stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / "stophooks.yaml").write_text(CONFIG)
    run = stophooks.start("run", "--format", "json", cwd=tmp_path, env={"DOCKER_HOST": second.url})
    wait_until(lambda: second.containers(running=True) != [])

    second.end(signal.SIGKILL)
    began = time.monotonic()
    stdout, _ = run.communicate(timeout=60)
    took_s = time.monotonic() - began
    second.start()

    (result,) = json.loads(stdout)["results"]
    seen = (result["status"], result["fault"], result["exit_code"])
    assert seen == ("unavailable", "lost", None)
    assert run.returncode == 3
    assert took_s < paced(30)
    wait_until(lambda: second.containers() == [])
