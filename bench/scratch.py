"""Places that are gone afterwards: a home, and git repositories with every tool's configuration."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.running import BrokenError, Call, run

if TYPE_CHECKING:
    from collections.abc import Mapping

# By this variable every process is found that a measured program has started.
MARK = "STOPHOOKS_BENCH"
# What decides where an engine is; all else of the caller's environment stays outside.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
_PASSED_ON_PREFIX = "DOCKER_"
# So many files are in one directory of a large repository.
_PER_DIRECTORY = 100


def environment(home: str, token: str) -> dict[str, str]:
    """What every measured program gets: the same, and nothing that is the caller's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIX)
    }
    own = {
        "HOME": home,
        "TMPDIR": os.path.join(home, "tmp"),
        "XDG_STATE_HOME": os.path.join(home, "state"),
        "XDG_CACHE_HOME": os.path.join(home, "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        MARK: token,
    }
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "bench"), ("EMAIL", "bench@example.org"))
    }
    return kept | own | who


@dataclass(slots=True)
class Project:
    """A git repository of its own. Its name is that of its agent's session, too."""

    path: str
    env: Mapping[str, str]
    edits: int = 0

    @property
    def name(self) -> str:
        """Its directory's name."""
        return os.path.basename(self.path)

    def edit(self) -> None:
        """Change one of its files, as an agent does before it stops."""
        self.edits += 1
        self.write("source.txt", f"{self.edits}\n")

    def write(self, name: str, text: str) -> None:
        """Write one of its files."""
        Path(self.path, name).write_text(text, encoding="utf-8")

    def fill(self, count: int) -> None:
        """Make so many small files."""
        for number in range(count):
            directory = os.path.join(self.path, "src", f"d{number // _PER_DIRECTORY}")
            if number % _PER_DIRECTORY == 0:
                os.makedirs(directory, exist_ok=True)
            with open(os.path.join(directory, f"f{number}.txt"), "w", encoding="utf-8") as file:
                file.write(f"file number {number}\n")

    def git(self, *words: str) -> None:
        """Run git in it.

        Raises:
            BrokenError: It did not work.
        """
        run(Call(argv=("git", *words), cwd=self.path, env=self.env))

    def commit(self) -> None:
        """Commit everything that is there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All of it")

    def payload(self) -> bytes:
        """The event that Claude Code sends when its agent wants to stop."""
        event = {
            "session_id": self.name,
            "transcript_path": "/nowhere/transcript.jsonl",
            "cwd": self.path,
            "permission_mode": "default",
            "hook_event_name": "Stop",
            "stop_hook_active": False,
        }
        return json.dumps(event).encode() + b"\n"


def make(root: str, name: str, env: Mapping[str, str], files: Mapping[str, str]) -> Project:
    """A new repository that has ``files``, committed.

    Raises:
        BrokenError: git does not work.
    """
    path = os.path.join(root, name)
    os.makedirs(path)
    project = Project(path=path, env=env)
    for file, text in files.items():
        project.write(file, text)
    project.edit()
    project.git("init", "--quiet", "--initial-branch", "main")
    project.commit()
    return project


def printed(*argv: str, project: Project) -> str:
    """What a program prints that is run in a project.

    Raises:
        BrokenError: It fails.
    """
    done = subprocess.run(
        argv, cwd=project.path, env=project.env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BrokenError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout
