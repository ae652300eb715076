"""A project with a Compose file, whose services run on a real engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

from stophooks.values import dataclass, field
from tests.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import docker
    from docker.models.containers import Container

    from tests.program import Finished, Stophooks

IMAGE = "stophooks-test/busybox:1"
# Says a word and goes on until there is a file; ends at once when it is stopped.
LOOP = """
    image: stophooks-test/busybox:1
    command: sh -c 'echo hello from {name}; while test ! -e /tmp/die; do sleep 0.1; done; exit 3'
    stop_signal: SIGKILL
"""


def service(name: str, more: str = "") -> str:
    """A service of a Compose file; ``more`` are further lines of it."""
    body = LOOP.format(name=name)
    return f"  {name}:{body}" + "".join(f"    {line}\n" for line in more.splitlines())


def compose_program() -> list[str]:
    """What is installed: Debian's docker-compose, or Docker's plugin."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    return ["docker", "compose"]


@dataclass(kw_only=True)
class Composed:
    """The project; its directory's name, which is the Compose project's, is nobody else's."""

    stophooks: Stophooks
    path: Path
    client: docker.DockerClient
    project_name: str | None = None
    environ: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.project_name or self.path.name

    def write(self, services: str, config: str | None = None, volumes: str = "") -> None:
        text = f"services:\n{services}{volumes}"
        (self.path / "docker-compose.yml").write_text(text)
        if config is not None:
            (self.path / "stophooks.yaml").write_text(config)

    def __call__(self, *args: str, env: Mapping[str, str] | None = None) -> Finished:
        return self.stophooks(
            "services", *args, cwd=self.path, env={**self.environ, **(env or {})}, timeout=120
        )

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start it and come back; it is ended with the test."""
        process = subprocess.Popen(
            [self.stophooks.python, "-m", "stophooks", "services", *args],
            cwd=self.path,
            env=self.stophooks.environment(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=(self.path / f"{args[0]}.out").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def watch(self) -> subprocess.Popen[bytes]:
        """Watch, and come back when it does."""
        process = self.start("watch")
        wait_until(lambda: self.said("watch", "Watching"))
        return process

    def said(self, command: str, text: str) -> bool:
        return text in (self.path / f"{command}.out").read_text()

    def status(self) -> dict[str, Any]:
        done = self("status", "--format", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def states(self) -> dict[str, str]:
        return {one["name"]: one["state"] for one in self.status()["services"]}

    def compose(self, *args: str) -> str:
        """Compose itself, as a person would call it."""
        done = subprocess.run(
            [*compose_program(), "-p", self.name, *args],
            cwd=self.path,
            env=self.stophooks.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def containers(self) -> list[Container]:
        label = f"com.docker.compose.project={self.name}"
        found: list[Container] = self.client.containers.list(
            all=True, filters={"label": label}, ignore_removed=True
        )
        return found

    def container(self, service: str) -> Container:
        (found,) = (
            one for one in self.containers() if one.labels["com.docker.compose.service"] == service
        )
        return found

    def touch(self, service: str, path: str) -> None:
        """Make a file in a container."""
        assert self.container(service).exec_run(["touch", path]).exit_code == 0

    def lines(self, name: str = "order") -> list[str]:
        path = self.path / name
        return path.read_text().splitlines() if path.exists() else []

    def volumes(self) -> set[str]:
        return {volume.name for volume in self.client.volumes.list()}

    def clear(self) -> None:
        """End everything, and fail where something stays."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
        if (self.path / "docker-compose.yml").exists():
            self.compose("down", "-v", "--timeout", "0")
        assert self.containers() == []
