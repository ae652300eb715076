"""Runs that are killed, and containers that look as such runs left them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import docker
import docker.errors

from stophooks.executors.docker import owner
from stophooks.process import table
from stophooks.values import dataclass, field, replace
from tests.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from docker.models.containers import Container as Made

    from stophooks.executors.docker.owner import Owner
    from tests.program import Finished, Stophooks

IMAGE = "stophooks-test/busybox:1"
HOUR_S = 3600
# A run whose watchdog is gone too: the executor alone, and one command that does not end.
RUNNER = """
import os, sys
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import DockerExecutor
from stophooks.containers import Container
from stophooks.models import Command

class Sink:
    def write(self, stream, data): pass
    def note(self, text): pass

run_id, locks, project, child = sys.argv[1:]
executor = DockerExecutor(os.environ, os.getuid(), os.getgid(), project, run_id, lock_dir=locks)
if child:
    executor._appear(executor._connect(Cancellation()))
    if os.fork() == 0:
        import signal
        signal.pause()
container = Container(image="stophooks-test/busybox:1", network="none")
command = Command(name="x", project_dir=project, run="sleep 300", container=container)
executor.run(command, timeout_s=None, sink=Sink(), cancel=Cancellation())
"""
CONFIG = f"""
stop:
  commands:
    - name: one
      image: {IMAGE}
      network: none
      run: """


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A project, runs that can be killed in it, and the containers that there are of them."""

    client: docker.DockerClient
    stophooks: Stophooks
    project: Path
    run_id: str
    environ: Mapping[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def locks(self) -> Path:
        return self.stophooks.state / "stophooks/locks"

    def runner(self, *, child: bool = False) -> subprocess.Popen[bytes]:
        """Start a run without a watchdog, and wait until its container runs."""
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                RUNNER,
                self.run_id,
                self.locks,
                self.project,
                "child" if child else "",
            ],
            env=self.stophooks.environment(self.environ),
            start_new_session=True,
        )
        self.started.append(process)
        wait_until(lambda: self.states() == ["running"])
        return process

    def containers(self) -> list[Made]:
        label = f"{owner.RUN_LABEL}={self.run_id}"
        found: list[Made] = self.client.containers.list(
            all=True, filters={"label": label}, ignore_removed=True
        )
        return found

    def states(self) -> list[str]:
        return [one.status for one in self.containers()]

    def leave(self, labels: dict[str, str]) -> str:
        """Make a container that looks as a run left it; its name."""
        name = f"stophooks-{uuid.uuid4().hex}"
        mark = {owner.RUN_LABEL: self.run_id}
        self.client.api.create_container(IMAGE, name=name, labels=labels | mark)
        return name

    def left_by(self, who: Owner, *, until: float | None = None) -> str:
        expires = time.time() + HOUR_S if until is None else until
        return self.leave(owner.labels(self.run_id, who, expires))

    def clear(self) -> None:
        """End every run and remove every container."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for container in self.containers():
            # Another run of the program may be as quick.
            with suppress(docker.errors.APIError):
                container.remove(force=True, v=True)

    def names(self) -> set[str]:
        return {str(one.name) for one in self.containers()}

    def next_run(self) -> Finished:
        """A whole run of the real program that uses the engine."""
        (self.project / "stophooks.yaml").write_text(CONFIG + "exit 0")
        done = self.stophooks("run", cwd=self.project, env=self.environ)
        assert done.returncode == 0, done.stderr
        return done

    def reap(self, *args: str) -> Finished:
        return self.stophooks("reap", *args, cwd=self.project, env=self.environ)

    def rows(self, *args: str) -> dict[str, dict[str, Any]]:
        """What ``reap --format json`` says about this scene's containers, by name."""
        done = self.reap("--format", "json", *args)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)["containers"]
        return {row["name"]: row for row in found if row["run"] == self.run_id}


def owner_of(process: subprocess.Popen[bytes]) -> Owner:
    entry = table.current(process.pid)
    assert entry is not None
    return replace(owner.myself(None), pid=process.pid, started=entry.started)


def kill(process: subprocess.Popen[bytes]) -> None:
    assert process.poll() is None
    process.kill()
    process.wait()
