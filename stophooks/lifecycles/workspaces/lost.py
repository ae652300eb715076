"""What would be lost with a workspace: whatever is nowhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stophooks.lifecycles.workspaces import record

if TYPE_CHECKING:
    from stophooks.lifecycles.workspaces.git import Git
    from stophooks.lifecycles.workspaces.record import Repo, Workspace

_STATUS = (
    *("-c", "core.fsmonitor=false", "status", "--porcelain=v1", "-z", "--no-renames"),
    *("--untracked-files=normal", "--ignore-submodules=none"),
)
_UNREACHABLE = ("rev-list", "--count", "HEAD", "--not", "--branches", "--tags", "--remotes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What is in one place only.

    ``repo`` is the repository's name, None for the workspace's own directory. ``files`` are
    uncommitted or untracked files with git's two letters before each, ``commits`` how many
    commits are on no branch and no tag.
    """

    repo: str | None
    files: tuple[str, ...] = ()
    commits: int = 0


def losses(git: Git, workspace: Workspace) -> tuple[Loss, ...]:
    """What a removal would destroy; ignored files do not count, as they do not for git.

    Raises:
        GitError: It cannot be told.
    """
    there = [repo for repo in workspace.repos if os.path.lexists(workspace.place(repo))]
    found = [_of_repo(git, workspace.place(repo), repo) for repo in there]
    found.append(Loss(repo=None, files=tuple(f"?? {name}" for name in record.others(workspace))))
    return tuple(loss for loss in found if loss.files or loss.commits)


def _of_repo(git: Git, where: str, repo: Repo) -> Loss:
    changed = git.read(where, *_STATUS)
    # No commit at all (an orphan branch): then nothing can be lost but what status tells.
    commits = git.ask(where, *_UNREACHABLE) or "0"
    return Loss(
        repo=repo.name,
        files=tuple(entry for entry in changed.split("\0") if entry),
        commits=int(commits),
    )
