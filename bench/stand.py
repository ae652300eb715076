"""What every row stands on: the program, its neighbours, and places for both."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import scratch, tools
from bench.pairs import NOT_INSTALLED, Contender
from bench.running import BrokenError, Call, output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.scratch import Project
    from bench.tools import Job

HOOK = "stophooks hook"
RUN = "stophooks run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One run's surroundings.

    ``program`` is the console script of stophooks and ``python`` its interpreter; ``peers`` are
    the paths of neighbours by name; all that is made lies below ``root``.
    """

    quick: bool
    program: str
    python: str
    peers: Mapping[str, str]
    root: str
    image: str
    env: Mapping[str, str]
    say: Callable[[str], None]

    def rounds(self, full: int, quick: int) -> int:
        """How many rounds count."""
        return quick if self.quick else full

    def project(
        self,
        name: str,
        jobs: Sequence[Job],
        *,
        options: Mapping[str, object] | None = None,
        docker: Sequence[str] = (),
        parallel: bool = True,
    ) -> Project:
        """A new repository in which every tool is told to run ``jobs``.

        ``options`` are those of our section; `tools.files` explains the others.
        """
        files = tools.files(jobs, docker=docker, parallel=parallel)
        files["stophooks.yaml"] = tools.ours(jobs, options)
        return scratch.make(self.root, name, self.env, files)

    def place(self, name: str) -> str:
        """Where a project of this name lies."""
        return os.path.join(self.root, name)

    def stop(self, project: Project, *, edited: bool) -> Call:
        """An agent's stop; each is preceded by a change of a file where ``edited``."""
        return Call(
            argv=(self.program, "hook", "--agent", "claude"),
            cwd=project.path,
            env=self.env,
            stdin=project.payload(),
            before=project.edit if edited else None,
        )

    def knowing(self, **options: object) -> tuple[dict[str, object], list[str]]:
        """Those of a section's options that this version knows, and a note about the others."""
        known = {name: value for name, value in options.items() if self.knows(name, value)}
        missing = [name for name in options if name not in known]
        notes = [
            f"this version of stophooks does not know `{name}` yet, and was measured without it"
            for name in missing
        ]
        return known, notes

    def shell(self, project: Project, script: str) -> Call:
        """A script in bash, without anybody's start-up files."""
        return self.argv(project, "bash", "-c", script)

    def argv(self, project: Project, *argv: str) -> Call:
        """Any program, in a project."""
        return Call(argv=argv, cwd=project.path, env=self.env)

    def neighbours(self, project: Project, names: Sequence[str] = tools.PEERS) -> list[Contender]:
        """Those of the neighbours that are installed, and the names of the others."""
        return [
            Contender(name=name, call=self.argv(project, *tools.call(name, self.peers[name])))
            if name in self.peers
            else Contender(name=name, call=None, note=NOT_INSTALLED)
            for name in names
        ]

    def knows(self, option: str, value: object) -> bool:
        """Whether a section may have an option; versions before it are measured without."""
        path = os.path.join(self.root, f"knows-{option}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(tools.ours([tools.Job(script="true")], {option: value}))
        return bool(output(self.program, "validate", path, cwd=self.root, env=self.env))

    def counted(self, project: Project) -> int:
        """How many runs of a project's checks passed, by stophooks' own history.

        Raises:
            BrokenError: It cannot be told.
        """
        argv = (self.program, "history", "--limit", "100000", "--format", "json")
        entries = json.loads(scratch.printed(*argv, project=project))
        return sum(
            bool(entry["results"]) and all(one["status"] == "passed" for one in entry["results"])
            for entry in entries
        )

    def expect(self, project: Project, passed: int) -> None:
        """Make sure that what was measured was a run, or that it was none.

        Raises:
            BrokenError: The checks of a project did not pass exactly so many times.
        """
        found = self.counted(project)
        if found != passed:
            raise BrokenError(f"{found} runs of {project.name} passed, not {passed}")
