"""A project with a task and resources whose hooks write down when they run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.running import wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.program import Finished, Stophooks

MOMENTS = ("pre_start", "post_complete", "on_error")


@dataclass(slots=True)
class Place:
    """The project; ``log`` has a word per hook that ran, in order."""

    directory: Path
    stophooks: Stophooks
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / ".git").mkdir(exist_ok=True)
        self.log = self.directory / "log"

    @property
    def ran(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def task(self, matter: str = "", name: str = "T.md") -> Path:
        path = self.directory / name
        path.write_text(f"---\n{matter}\n---\nDo it.\n" if matter else "Do it.\n")
        return path

    def config(self, text: str) -> None:
        (self.directory / "stophooks.yaml").write_text(text)

    def script(self, resource: str, moment: str, body: str = "", *, mode: int = 0o755) -> Path:
        """A hook that writes ``resource.moment``, and then does what ``body`` says."""
        path = self.directory / "hooks" / resource / f"{moment}.sh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho {resource}.{moment} >> '{self.log}'\n{body}\n")
        path.chmod(mode)
        return path

    def scripts(self, *resources: str) -> None:
        for resource in resources:
            for moment in MOMENTS:
                self.script(resource, moment)

    def run(self, *args: str, program: str = "echo program >> log", **kwargs: object) -> Finished:
        """Run the task with a program for the shell."""
        return self.stophooks(*self.words(*args, program=program), cwd=self.directory, **kwargs)  # type: ignore[arg-type]

    def words(self, *args: str, program: str) -> tuple[str, ...]:
        return ("task", "run", "T.md", *args, "--", "sh", "-c", program)

    def held(self) -> str:
        return self.stophooks("locks", "list", cwd=self.directory).stdout.strip()


def holding(place: Place, *args: str) -> subprocess.Popen[bytes]:
    """A task that runs until it is ended, with its resources held."""
    pid = place.directory / "pid"
    pid.unlink(missing_ok=True)
    process = place.stophooks.start(
        *place.words(*args, program="echo $$ > pid; exec sleep 300"), cwd=place.directory
    )
    wait_for(pid)
    assert process.poll() is None
    return process


def wait_for(path: Path) -> str:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return path.read_text().strip()


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.communicate(timeout=60)
