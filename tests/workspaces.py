"""A project with repositories beside it, in which workspaces are made and closed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from stophooks.values import dataclass
from tests.repositories import repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.program import Finished, Stophooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """The project's directory, and the program that is called in it."""

    stophooks: Stophooks
    project: Path

    def configure(self, text: str) -> None:
        """Write the configuration."""
        (self.project / "stophooks.yaml").write_text(text)

    def repo(self, name: str) -> Path:
        """A repository with this name."""
        return repository(self.project / "repos" / name)

    def place(self, id_: str = "W") -> Path:
        """A workspace's directory."""
        return self.project / ".workspaces" / id_

    def create(
        self,
        *repos: str | Path,
        id_: str = "W",
        branch: str = "feature",
        flags: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        """Call ``create``."""
        asked = [word for repo in repos for word in ("--repo", str(repo))]
        return self("create", *flags, "--branch", branch, *asked, "--", id_, env=env)

    def close(self, *flags: str, id_: str = "W", env: Mapping[str, str] | None = None) -> Finished:
        """Call ``close``."""
        return self("close", id_, *flags, env=env)

    def list(self) -> list[dict[str, Any]]:
        """What ``list`` tells a program."""
        done = self("list", "--format", "json")
        assert done.returncode == 0, done.stderr
        workspaces: list[dict[str, Any]] = json.loads(done.stdout)["workspaces"]
        return workspaces

    def __call__(
        self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Finished:
        """Call a verb."""
        return self.stophooks("workspace", *args, cwd=cwd or self.project, env=env)

    def program(self, name: str, script: str) -> dict[str, str]:
        """A program that comes first on the PATH; returns the environment that has it there."""
        directory = self.project / "bin"
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
        return {"PATH": f"{directory}:{os.environ['PATH']}"}


def made(done: Finished) -> Finished:
    """The same, if it exited 0; the test fails if it did not."""
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done
