"""Close a workspace: its commands first, then a look at what would be lost, then the removal."""

from __future__ import annotations

from stophooks.contexts import suppress
from stophooks.errors import StophooksError
from stophooks.lifecycles.workspaces import found, record, worktrees
from stophooks.lifecycles.workspaces.events import PRE_CLOSE, fired, occasion
from stophooks.lifecycles.workspaces.faults import NotDoneError, StoppedError
from stophooks.lifecycles.workspaces.lost import Loss, losses
from stophooks.lifecycles.workspaces.record import RecordError, State
from stophooks.lifecycles.workspaces.undo import undo
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from stophooks.lifecycles.workspaces.git import Git
    from stophooks.lifecycles.workspaces.record import Repo, Workspace
    from stophooks.models import Report
    from stophooks.occasion import Fire


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What became of a workspace that was to be closed.

    ``is_gone`` says whether it was; if not, the report blocks or there are losses. ``report`` is
    that of its commands, None where they were not run. With force there are losses too: those
    that have happened. ``branch_in`` names the repositories that have its branch afterwards.
    ``was_whole`` is False for what was taken back because it was no workspace yet, or not known as
    one. ``notes`` are what else there is to tell.
    """

    workspace: Workspace
    is_gone: bool
    report: Report | None = None
    losses: tuple[Loss, ...] = ()
    branch_in: tuple[str, ...] = ()
    was_whole: bool = True
    notes: tuple[str, ...] = ()


def close(
    path: str,
    *,
    git: Git,
    fire: Fire,
    force: bool = False,
    on_hook_error_too: bool = False,
) -> Closed:
    """Fire ``pre_close`` for the workspace in a directory, and remove it if nothing is lost.

    Args:
        path: The workspace's directory.
        git: Runs git; when its stop is requested, nothing more is removed.
        fire: Fires the event.
        force: Remove it whatever its commands say and whatever is lost.
        on_hook_error_too: Go on where commands fail.

    Raises:
        RecordError: There is no workspace, or nobody knows what belongs to it.
        NotDoneError: Something could not be removed, and the rest of it is still there.
        StoppedError: It was to stop.
        BusyError: Another process makes or closes it now.
    """
    with record.held(path):
        try:
            workspace = record.get(path)
        except RecordError:
            salvaged = found.salvaged(path) if force else None
            if salvaged is None:
                raise
            return _take_back(salvaged, git, "Its record could not be read: branches stay")
        if workspace.state is State.CREATING:
            if not force:
                raise NotDoneError(_cut_short(workspace))
            return _take_back(workspace, git, "Its making was cut short: it was taken back")
        closed = _asked(workspace, fire, force=force)
        if git.stopped:
            raise StoppedError(f"It was to stop. The workspace is in {path} as before.")
        if closed.report and closed.report.blocks and not (force or on_hook_error_too):
            return closed
        closed = _looked(closed, git, force=force)
        if closed.losses and not force:
            return closed
        _remove(workspace, git, force=force)
    return replace(closed, is_gone=True, branch_in=_branch_in(workspace, git.unstoppable()))


def _cut_short(workspace: Workspace) -> str:
    return (
        f"The making of {workspace.path} was cut short. Close it with --force to take back what "
        "there is of it."
    )


def _take_back(workspace: Workspace, git: Git, why: str) -> Closed:
    """Remove a workspace that is none yet, or is not known as one; its commands are not run."""
    undone = undo(workspace, workspace.repos, git)
    if undone.problems:
        raise NotDoneError("\n".join((f"{workspace.path} is not all gone:", *undone.problems)))
    note = f"{why}, and its commands were not run."
    return Closed(workspace=workspace, is_gone=True, was_whole=False, notes=(note, *undone.kept))


def _asked(workspace: Workspace, fire: Fire, *, force: bool) -> Closed:
    """Its commands; with ``force`` they need not even be able to run."""
    try:
        report = fired(fire, occasion(PRE_CLOSE, workspace))
    except StophooksError as err:
        if not force:
            raise
        return Closed(workspace=workspace, is_gone=False, notes=(str(err),))
    return Closed(workspace=workspace, is_gone=False, report=report)


def _looked(closed: Closed, git: Git, *, force: bool) -> Closed:
    try:
        return replace(closed, losses=losses(git, closed.workspace))
    except (StophooksError, OSError) as err:
        if not force:
            raise NotDoneError(
                f"Whether something would be lost cannot be told: {err}\n"
                f"The workspace is in {closed.workspace.path} as before. --force closes it anyway."
            ) from err
        return replace(closed, notes=(*closed.notes, str(err)))


def _remove(workspace: Workspace, git: Git, *, force: bool) -> None:
    """Remove the worktrees and the directory.

    Raises:
        NotDoneError: One could not be removed. With ``force`` the others are gone all the same.
        StoppedError: It was to stop in between.
    """
    problems: list[str] = []
    with suppress(OSError):  # a full disk must not keep a workspace on it
        record.put(workspace, State.CLOSING)
    for repo in workspace.repos:
        if git.stopped:
            raise StoppedError(f"It was to stop. {_again(workspace)}")
        if problems and not force:
            break
        try:
            worktrees.remove(git, workspace, repo, force=force)
        except (StophooksError, OSError) as err:
            problems.append(f"{repo.name}: {err}")
    if not problems:
        problems = worktrees.remove_directory(workspace, force=force)
    if problems:
        more = "" if force else " With --force it goes whatever that is."
        raise NotDoneError("\n".join((*problems, _again(workspace) + more)))


def _branch_in(workspace: Workspace, git: Git) -> tuple[str, ...]:
    """The repositories that have the branch; what cannot be asked has none."""
    has = [repo.name for repo in workspace.repos if _has_branch(git, repo, workspace.branch)]
    return tuple(has)


def _has_branch(git: Git, repo: Repo, branch: str) -> bool:
    asked = (
        "--git-dir=.",
        "--work-tree=.",
        "show-ref",
        "--verify",
        "--quiet",
        f"refs/heads/{branch}",
    )
    try:
        return git.ask(repo.git_dir, *asked) is not None
    except StophooksError:
        return False


def _again(workspace: Workspace) -> str:
    return f"What is left is in {workspace.path}. Close it again to go on."
