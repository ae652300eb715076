"""One repository's part of a workspace: its worktree and, where it is ours, its branch."""

from __future__ import annotations

import os
import shutil
import stat

from stophooks.contexts import suppress
from stophooks.lifecycles.workspaces import record, submodules
from stophooks.lifecycles.workspaces.faults import GitError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.lifecycles.workspaces.git import Git
    from stophooks.lifecycles.workspaces.record import Repo, Workspace

# Twice: also one that is locked, as git leaves it where it was killed half-way.
_FORCE = ("--force", "--force")


def add_branch(git: Git, workspace: Workspace, repo: Repo) -> None:
    """Make the branch where it was not there.

    Raises:
        GitError: git refused, also where somebody else has made it in the meantime.
    """
    if repo.base is not None:
        git.do(repo.git_dir, "branch", "--no-track", "--", workspace.branch, repo.base)


def add(git: Git, workspace: Workspace, repo: Repo) -> None:
    """Check the branch out in the workspace.

    Raises:
        GitError: git refused. Part of it may have been done.
    """
    git.do(repo.git_dir, "worktree", "add", "--", workspace.place(repo), workspace.branch)


def remove(git: Git, workspace: Workspace, repo: Repo, *, force: bool) -> None:
    """Remove the worktree; the branch stays. One that is gone is no fault.

    Without ``force`` git looks itself whether something would be lost, except where there are
    submodules: there it never removes anything unforced, and the look that was had has to do.

    Raises:
        GitError: git refused.
        OSError: With ``force``: files could not be removed.
    """
    where = workspace.place(repo)
    if force:
        _remove_anyway(git, repo, where)
    elif os.path.lexists(where):
        force_once = ("--force",) if submodules.any_in(git, where) else ()
        git.do(repo.git_dir, "worktree", "remove", *force_once, "--", where)
    else:
        _forget(git, repo, where)


def remove_branch(git: Git, workspace: Workspace, repo: Repo) -> str | None:
    """Remove the branch if it was made for the workspace; returns why it stays, where it does.

    Raises:
        GitError: git refused.
    """
    branch = workspace.branch
    if repo.base is None or not os.path.isdir(repo.git_dir):
        return None
    name = f"refs/heads/{branch}^{{commit}}"
    tip = git.ask(repo.git_dir, "rev-parse", "--verify", "--quiet", name)
    if tip is None:
        return None
    if tip.strip() != repo.base:
        return f"the branch {branch} has commits and stays"
    if where := checked_out(git, repo.git_dir, branch):
        return f"the branch {branch} is checked out in {where} and stays"
    git.do(repo.git_dir, "branch", "--quiet", "-D", "--", branch)
    return None


def checked_out(git: Git, directory: str, branch: str) -> str | None:
    """The worktree of a repository that has a branch checked out, even if it is gone; or None."""
    for tree in (git.ask(directory, "worktree", "list", "--porcelain") or "").split("\n\n"):
        rows = tree.split("\n")
        if f"branch refs/heads/{branch}" in rows:
            return rows[0].removeprefix("worktree ")
    return None


def delete(path: str) -> None:
    """Remove a file or a directory with all that is in it; links are not followed.

    Raises:
        OSError: Something in it cannot be removed.
    """
    if os.path.islink(path) or not os.path.isdir(path):
        with suppress(FileNotFoundError):
            os.unlink(path)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        _open_up(path)
        shutil.rmtree(path)


def remove_directory(workspace: Workspace, *, force: bool) -> list[str]:
    """Remove the workspace's own directory when its worktrees are gone; the record goes last.

    Returns what is in the way; with ``force``, what else lies in it is not.
    """
    try:
        left = record.others(workspace)
        if left and not force:
            return [f"{os.path.join(workspace.path, name)} is in no repository" for name in left]
        for name in (*left, record.HALF, record.NAME):
            delete(os.path.join(workspace.path, name))
        os.rmdir(workspace.path)
    except OSError as err:
        return [f"{err.filename or workspace.path}: {err.strerror}"]
    return []


def _remove_anyway(git: Git, repo: Repo, where: str) -> None:
    try:
        git.do(repo.git_dir, "worktree", "remove", *_FORCE, "--", where)
    except GitError:
        # Its repository may be gone, its `.git` file broken, a directory in it read-only.
        if git.stopped:
            raise
        delete(where)
        _forget(git, repo, where)


def _forget(git: Git, repo: Repo, where: str) -> None:
    """Let git know that a worktree is gone, if it knew of it."""
    with suppress(GitError):
        git.do(repo.git_dir, "worktree", "remove", *_FORCE, "--", where)


def _open_up(path: str) -> None:
    """Let its owner into every directory: some programs write-protect what they fetched."""
    os.chmod(path, stat.S_IMODE(os.lstat(path).st_mode) | stat.S_IRWXU)
    for above, names, _files in os.walk(path):
        for name in names:
            inner = os.path.join(above, name)
            if not os.path.islink(inner):
                os.chmod(inner, stat.S_IMODE(os.lstat(inner).st_mode) | stat.S_IRWXU)
