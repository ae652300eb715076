"""Take back what was made of a workspace, as if it had never been asked for."""

from __future__ import annotations

from stophooks.errors import StophooksError
from stophooks.lifecycles.workspaces import worktrees
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.lifecycles.workspaces.git import Git
    from stophooks.lifecycles.workspaces.record import Repo, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """``problems`` say what could not be removed, ``kept`` what stays because it is of use."""

    problems: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def undo(workspace: Workspace, repos: Sequence[Repo], git: Git) -> Undone:
    """Remove worktrees, the branches that were made for them, and the workspace's directory.

    The directory stays where something else could not be removed.
    """
    problems: list[str] = []
    kept: list[str] = []
    for repo in reversed(repos):
        try:
            worktrees.remove(git, workspace, repo, force=True)
            if why := worktrees.remove_branch(git, workspace, repo):
                kept.append(f"{repo.name}: {why}")
        except (StophooksError, OSError) as err:
            problems.append(f"{repo.name}: {err}")
    if not problems:
        problems = worktrees.remove_directory(workspace, force=True)
    return Undone(problems=tuple(problems), kept=tuple(kept))
