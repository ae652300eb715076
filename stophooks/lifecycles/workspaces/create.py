"""Make a workspace: all of its worktrees, or nothing."""

from __future__ import annotations

import os

from stophooks.errors import UsageError
from stophooks.lifecycles.workspaces import record, worktrees
from stophooks.lifecycles.workspaces.events import POST_CREATE, fired, occasion
from stophooks.lifecycles.workspaces.faults import GitError, NotDoneError, StoppedError
from stophooks.lifecycles.workspaces.record import State
from stophooks.lifecycles.workspaces.undo import undo
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.lifecycles.workspaces.git import Git
    from stophooks.lifecycles.workspaces.record import Repo, Workspace
    from stophooks.models import Report
    from stophooks.occasion import Fire


def create(workspace: Workspace, *, git: Git, fire: Fire) -> Report:
    """Make the workspace that `given.judged` found possible, then fire ``post_create``.

    Returns what became of the commands; whatever that was, the workspace is there.

    Args:
        workspace: As it is to be.
        git: Runs git; when its stop is requested, everything is taken back.
        fire: Fires the event.

    Raises:
        UsageError: Its directory cannot be made.
        NotDoneError: git refused; nothing is left, or the text says what.
        StoppedError: It was to stop; the same.
        BusyError: Another process has just made it.
    """
    _make_directory(workspace.path)
    with record.held(workspace.path):
        ready = _make_worktrees(workspace, git)
        return fired(fire, occasion(POST_CREATE, ready))


def _make_directory(path: str) -> None:
    root = os.path.dirname(path)
    try:
        if not os.path.isdir(root):
            os.makedirs(root)
            # The root may lie in a repository, for which its content is none.
            with open(os.path.join(root, ".gitignore"), "x", encoding="ascii") as file:
                file.write("*\n")
        os.mkdir(path)
    except OSError as err:
        raise UsageError(
            f"{path} cannot be made ({err.strerror}). Name another place: --root DIR"
        ) from err


def _make_worktrees(workspace: Workspace, git: Git) -> Workspace:
    begun: list[Repo] = []
    try:
        record.put(workspace, State.CREATING)
        for repo in workspace.repos:
            _make_worktree(workspace, repo, git, begun)
        return record.put(workspace, State.READY)
    except (GitError, OSError) as err:
        rest = _take_back(workspace, begun, git)
        if git.stopped:
            raise StoppedError(f"It was to stop. {rest}") from err
        raise NotDoneError(f"{err}\n{rest}") from err


def _make_worktree(workspace: Workspace, repo: Repo, git: Git, begun: list[Repo]) -> None:
    try:
        worktrees.add_branch(git, workspace, repo)
    except GitError:
        if git.stopped:  # git may have made it before it was ended
            begun.append(repo)
        raise
    begun.append(repo)
    worktrees.add(git, workspace, repo)
    git.check()


def _take_back(workspace: Workspace, begun: list[Repo], git: Git) -> str:
    """Remove what was made; returns what there is to tell about it."""
    undone = undo(workspace, begun, git.unstoppable())
    rows = [f"  {one}" for one in (*undone.problems, *undone.kept)]
    if undone.problems:
        again = f"Close {workspace.id} with --force to try again."
        return "\n".join(("Not everything could be taken back:", *rows, again))
    return "\n".join(("Everything that was made for the workspace was taken back.", *rows))
