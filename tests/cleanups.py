"""A project to clean up in, and processes and containers that look as a session left them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stophooks.values import dataclass, field
from tests.running import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.program import Finished, Stophooks

SESSION = "STOPHOOKS_SESSION"
# Says when it is ready; what it does at SIGTERM is the argument.
TRAPS = """
import os, signal, sys, time
def heard(number, frame):
    if sys.argv[1] == "ignore":
        return
    time.sleep(1)
    open(sys.argv[2], "w").write("ended by itself")
    os._exit(0)
signal.signal(signal.SIGTERM, heard)
open(sys.argv[3], "w").close()
while True:
    time.sleep(60)
"""


@dataclass(kw_only=True)
class Scene:
    """A project, the program, and what was started for a test."""

    stophooks: Stophooks
    project: Path
    # As unique as an agent's: other tests look for processes too.
    session: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def script(self, text: str, *, mode: int = 0o755) -> Path:
        """The project's own script, for a shell."""
        path = self.project / ".stophooks/on-cleanup"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return path

    def config(self, text: str) -> None:
        (self.project / "stophooks.yaml").write_text(text)

    def __call__(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Finished:
        return self.stophooks("cleanup", *args, cwd=cwd or self.project, env=env)

    def of_session(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Finished:
        return self("--session", self.session, *args, cwd=cwd, env=env)

    def document(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """What the report for programs says of a cleanup of this session."""
        done = self.of_session("--format", "json", *args, cwd=cwd, env=env)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def process(self, *argv: str, **env: str) -> subprocess.Popen[bytes]:
        """Start a process of this session, or of what ``env`` says, in a session of its own."""
        marked = env or {SESSION: self.session}
        process = subprocess.Popen(
            argv or ("sleep", "300"),
            cwd="/",
            env=self.stophooks.environment(marked),
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def trap(self, what: str) -> subprocess.Popen[bytes]:
        """Start one that hears SIGTERM; comes back when it does."""
        ready = self.project.parent / f"ready-{len(self.started)}"
        process = self.process(sys.executable, "-c", TRAPS, what, str(self.polite), str(ready))
        wait_until(ready.exists)
        return process

    @property
    def polite(self) -> Path:
        return self.project.parent / "polite"

    def seen(self) -> dict[str, str]:
        """The variables that the script, or a command, wrote down with `env > seen`."""
        lines = (self.project / "seen").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def clear(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()


def lives(process: subprocess.Popen[bytes]) -> bool:
    return not ended(process.pid)


def pid_in(path: Path) -> int:
    """The number that a process has written."""
    wait_until(lambda: path.exists() and path.read_text().strip().isdigit())
    return int(path.read_text())


def without_engine(scene: Scene) -> dict[str, str]:
    """An environment in which no engine answers, and that at once."""
    return {"DOCKER_HOST": f"unix://{scene.project.parent}/none.sock"}


def path_with(*programs: str, directory: Path) -> str:
    """A PATH with only these programs, and the shell's own."""
    directory.mkdir()
    for name in (*programs, "sh", "env", "sleep"):
        for place in os.get_exec_path():
            if (source := Path(place) / name).exists():
                (directory / name).symlink_to(source)
                break
    return str(directory)
