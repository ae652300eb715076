"""Real git repositories, and what git says of them."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Nobody's own settings have a part in a test.
CLEAN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    **{f"GIT_{who}_NAME": "T" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "t@example.invalid" for who in ("AUTHOR", "COMMITTER")},
}


def git(directory: Path, *args: str, env: Mapping[str, str] | None = None) -> str:
    """What git prints; the test fails where it refuses."""
    done = subprocess.run(
        ["git", *args],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), **CLEAN, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def repository(directory: Path, files: Mapping[str, str] | None = None) -> Path:
    """A repository with one commit on ``main`` and an identity of its own."""
    directory.mkdir(parents=True)
    git(directory, "init", "-q", "-b", "main")
    git(directory, "config", "user.name", "T")
    git(directory, "config", "user.email", "t@example.invalid")
    commit(directory, files or {"README": f"{directory.name}\n"})
    return directory


def commit(directory: Path, files: Mapping[str, str]) -> str:
    """Commit these files; returns the commit."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "files")
    return git(directory, "rev-parse", "HEAD")


def branches(repo: Path) -> list[str]:
    """The names of its branches."""
    return git(repo, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def worktrees(repo: Path) -> list[str]:
    """The directories of its worktrees, its own first."""
    rows = git(repo, "worktree", "list", "--porcelain").splitlines()
    return [row.removeprefix("worktree ") for row in rows if row.startswith("worktree ")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What is to be the same before and after: branches, worktrees and changes of repositories."""

    of: tuple[tuple[str, ...], ...]


def traces(*repos: Path) -> Traces:
    """What a workspace leaves in these repositories."""
    return Traces(
        of=tuple(
            (
                git(repo, "show-ref"),
                *worktrees(repo),
                git(repo, "--no-optional-locks", "status", "--porcelain"),
            )
            for repo in repos
        )
    )
