"""What would be lost with a workspace: whatever is nowhere else."""

from __future__ import annotations

import os

from stophooks.lifecycles.workspaces import index, record, submodules
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.lifecycles.workspaces.git import Git
    from stophooks.lifecycles.workspaces.record import Repo, Workspace
    from stophooks.lifecycles.workspaces.submodules import Part

_STATUS = (
    *("-c", "core.fsmonitor=false", "status", "--porcelain=v1", "-z", "--no-renames"),
    *("--untracked-files=normal", "--ignore-submodules=none"),
)
_UNREACHABLE = ("rev-list", "--count", "HEAD", "--not", "--branches", "--tags", "--remotes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What is in one place only.

    ``repo`` is the repository's name, None for the workspace's own directory; ``submodule`` the
    path of one in it. ``files`` are uncommitted or untracked files with git's two letters before
    each, ``commits`` how many commits are on no branch and no tag that stays, and ``stashes`` how
    many stashes a submodule has.
    """

    repo: str | None
    submodule: str | None = None
    files: tuple[str, ...] = ()
    commits: int = 0
    stashes: int = 0


def losses(git: Git, workspace: Workspace) -> tuple[Loss, ...]:
    """What a removal would destroy; ignored files do not count, as they do not for git.

    Raises:
        GitError, OSError: It cannot be told.
    """
    there = [repo for repo in workspace.repos if os.path.lexists(workspace.place(repo))]
    found = [loss for one in there for loss in _of_repo(git, workspace.place(one), one)]
    found.append(Loss(repo=None, files=tuple(f"?? {name}" for name in record.others(workspace))))
    return tuple(loss for loss in found if loss.files or loss.commits or loss.stashes)


def _of_repo(git: Git, where: str, repo: Repo) -> Iterator[Loss]:
    # No commit at all (an orphan branch): then nothing can be lost but what status tells.
    commits = git.ask(where, *_UNREACHABLE) or "0"
    yield Loss(repo=repo.name, files=_files(git, where), commits=int(commits))
    for part in submodules.parts(git, where, repo):
        yield _of_part(git, part, repo)


def _of_part(git: Git, part: Part, repo: Repo) -> Loss:
    return Loss(
        repo=repo.name,
        submodule=part.name,
        files=_files(git, part.tree) if part.tree else (),
        commits=submodules.commits(git, part),
        stashes=submodules.stashes(git, part),
    )


def _files(git: Git, tree: str) -> tuple[str, ...]:
    told = tuple(entry for entry in git.read(tree, *_STATUS).split("\0") if entry)
    listed = index.entries(git, tree)
    more = (*index.hidden_changes(git, tree, listed), *submodules.strays(tree, listed))
    return (*told, *(one for one in more if one not in told))
