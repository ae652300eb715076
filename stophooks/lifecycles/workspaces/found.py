"""The workspaces in a directory, the broken ones too."""

from __future__ import annotations

import os

from stophooks.contexts import suppress
from stophooks.lifecycles.workspaces import record
from stophooks.lifecycles.workspaces.record import RecordError, Repo, State, Workspace
from stophooks.values import dataclass

_GIT_FILE = "gitdir: "
# What git calls the place for its notes about worktrees, in a repository.
_WORKTREES = "worktrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One workspace; ``workspace`` is None where its record cannot be read.

    ``problems`` say what is wrong with it. ``is_busy``: it is being made or closed now.
    """

    id: str
    path: str
    workspace: Workspace | None
    is_busy: bool = False
    problems: tuple[str, ...] = ()


def found(root: str) -> tuple[Found, ...]:
    """Every workspace in a directory, by ID; none where the directory is not there.

    Raises:
        RecordError: The directory cannot be read.
    """
    try:
        names = sorted(os.listdir(root))
    except FileNotFoundError:
        return ()
    except OSError as err:
        raise RecordError(f"{root} cannot be read: {err.strerror}.") from err
    paths = [(name, os.path.join(root, name)) for name in names]
    return tuple(_found(name, path) for name, path in paths if _is_meant(path))


def salvaged(path: str) -> Workspace | None:
    """What can be told of a workspace without its record; None where it may be none at all.

    The worktrees in it are its repositories; whether a branch was made for them is not known.
    """
    is_ours = os.path.lexists(os.path.join(path, record.NAME))
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return None
    if not is_ours and set(names) - {record.HALF}:
        return None
    trees = ((name, _repository(os.path.join(path, name))) for name in names)
    repos = tuple(Repo(name=name, git_dir=git_dir) for name, git_dir in trees if git_dir)
    return record.new(os.path.basename(path), path, "", repos)


def enclosing(directory: str) -> str | None:
    """The directory of the workspace that a directory lies in, or None."""
    above = directory
    while not os.path.isfile(os.path.join(above, record.NAME)):
        parent = os.path.dirname(above)
        if parent == above:
            return None
        above = parent
    return above


def _is_meant(path: str) -> bool:
    if os.path.islink(path) or not os.path.isdir(path):
        return False
    if os.path.lexists(os.path.join(path, record.NAME)):
        return True
    with suppress(OSError):
        # As a process leaves it that is killed in its first moment.
        return not set(os.listdir(path)) - {record.HALF}
    return False


def _found(name: str, path: str) -> Found:
    is_busy = record.is_held(path)
    try:
        workspace = record.get(path)
    except RecordError as err:
        problems = () if is_busy else (str(err),)
        return Found(id=name, path=path, workspace=None, is_busy=is_busy, problems=problems)
    return Found(
        id=name,
        path=path,
        workspace=workspace,
        is_busy=is_busy,
        problems=() if is_busy else tuple(_problems(workspace)),
    )


def _problems(workspace: Workspace) -> list[str]:
    if workspace.state is State.CREATING:
        return ["its making was cut short"]
    found = ["its closing was cut short"] if workspace.state is State.CLOSING else []
    for repo in workspace.repos:
        where = workspace.place(repo)
        if not os.path.isdir(where):
            found.append(f"{repo.name} is gone")
        elif not os.path.isdir(repo.git_dir):
            found.append(f"{repo.name}: its repository is not in {repo.git_dir} any more")
        elif _repository(where) is None:
            found.append(f"{repo.name} is no worktree any more")
    return found


def _repository(tree: str) -> str | None:
    """The repository of a worktree (``<repository>/worktrees/<name>`` is what its file says)."""
    try:
        with open(os.path.join(tree, ".git"), encoding="utf-8", errors="surrogateescape") as file:
            told = file.read(8192).rstrip("\n")
    except OSError:
        return None
    notes = os.path.join(tree, told.removeprefix(_GIT_FILE))
    above, name = os.path.split(os.path.dirname(notes))
    is_worktree = told.startswith(_GIT_FILE) and name == _WORKTREES and os.path.isdir(notes)
    return above if is_worktree else None
