"""Commands in real containers, looked at from inside."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.containers import Container
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import DockerExecutor
from stophooks.models import Command, Outcome, Stream
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import docker

BUSYBOX = "stophooks-test/busybox:1"
PYTHON = "stophooks-test/python:1"
# No image of these tests has this user.
STRANGER = 4321


@dataclass(kw_only=True)
class Recorder:
    """A sink that keeps what it is told."""

    notes: list[str] = field(default_factory=list)

    def write(self, stream: Stream, data: bytes) -> None:
        """Leave output to the outcome."""

    def note(self, text: str) -> None:
        """Keep progress."""
        self.notes.append(text)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Runs commands in containers, in one project, as one caller."""

    project: Path
    home: Path
    client: docker.DockerClient
    environ: Mapping[str, str]
    recorder: Recorder = field(default_factory=Recorder)
    run_id: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex}")

    def executor(
        self, *, uid: int = STRANGER, gid: int = STRANGER, environ: Mapping[str, str] | None = None
    ) -> DockerExecutor:
        """An executor for a caller who is not root, unless said otherwise."""
        chosen = self.environ if environ is None else environ
        return DockerExecutor(chosen, uid, gid, str(self.home), self.run_id)

    def run(
        self,
        script: str | None = None,
        *,
        argv: tuple[str, ...] | None = None,
        shell: str | None = None,
        timeout_s: float | None = 30,
        env: tuple[tuple[str, str], ...] = (),
        executor: DockerExecutor | None = None,
        cancel: Cancellation | None = None,
        **container: Any,
    ) -> Outcome:
        """Run one command to its outcome; ``container`` are the options of its container."""
        options = {"image": BUSYBOX, "network": "none"} | container
        command = Command(
            name="case",
            project_dir=str(self.project),
            run=script,
            argv=argv,
            shell=shell,
            env=env,
            container=Container(**options),
        )
        return (executor or self.executor()).run(
            command,
            timeout_s=timeout_s,
            sink=self.recorder,
            cancel=cancel or Cancellation(),
        )

    def containers(self) -> int:
        """How many containers of this case the engine has, stopped ones included."""
        return len(self.client.api.containers(all=True, filters=self._mine))

    def running(self) -> list[str]:
        """The ids of this case's running containers."""
        return [one["Id"] for one in self.client.api.containers(filters=self._mine)]

    @property
    def _mine(self) -> dict[str, str]:
        return {"label": f"stophooks.run={self.run_id}"}


@pytest.fixture
def case(engine: docker.DockerClient, tmp_path: Path) -> Case:
    """A project that belongs to a user whom no image knows."""
    project, home = tmp_path / "project", tmp_path / "client-home"
    project.mkdir()
    home.mkdir()
    os.chown(project, STRANGER, STRANGER)
    environ = {key: os.environ[key] for key in ("DOCKER_HOST",) if key in os.environ}
    return Case(project=project, home=home, client=engine, environ=environ)


def text(outcome: Outcome) -> str:
    """What a command printed to stdout."""
    return (outcome.stdout.head + outcome.stdout.tail).decode()
