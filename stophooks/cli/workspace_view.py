"""What `stophooks workspace` answers, for a person and for a program."""

from __future__ import annotations

from stophooks.reports.clean import line
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stophooks.lifecycles.workspaces.close import Closed
    from stophooks.lifecycles.workspaces.found import Found
    from stophooks.lifecycles.workspaces.lost import Loss
    from stophooks.lifecycles.workspaces.record import Workspace

# Of the files that one repository would lose.
FILES = 10


def created(workspace: Workspace, *, planned: bool = False) -> str:
    """A line on the workspace and one on each of its repositories."""
    verb = "Would make" if planned else "Made"
    rows = [f"{verb} workspace {workspace.id} in {line(workspace.path)}"]
    for repo in workspace.repos:
        how = "as it is" if repo.base is None else f"made from {repo.base[:12]}"
        branch = line(workspace.branch)
        rows.append(f"  {line(repo.name)}  branch {branch} {how}, of {line(repo.git_dir)}")
    return "\n".join(rows)


def closed(done: Closed) -> str:
    """What is gone and what stays."""
    workspace = done.workspace
    rows = [line(note) for note in done.notes]
    rows += lost(done.losses, "Lost with it:")
    rows.append(f"Closed workspace {workspace.id}.")
    if done.was_whole:
        rows += _branches(done)
    return "\n".join(rows)


def lost(losses: Sequence[Loss], title: str) -> list[str]:
    """What is in one place only, under a title; no lines where there is nothing."""
    rows = [title] if losses else []
    for loss in losses:
        rows.append(f"  {line(_where(loss))}:")
        rows += [f"    {line(name)}" for name in loss.files[:FILES]]
        more = len(loss.files) - FILES
        rows += [f"    ... and {more} more"] * (more > 0)
        rows += [f"    {_number(loss.commits, 'commit')} {_nowhere(loss)}"] * bool(loss.commits)
        rows += [f"    {_number(loss.stashes, 'stash', 'es')}"] * bool(loss.stashes)
    return rows


def advice(losses: Sequence[Loss]) -> str:
    """What to do so that nothing is lost."""
    if any(loss.submodule is not None for loss in losses):
        return "Commit it, push it from the submodule, or remove it."
    return "Commit it, stash it or remove it."


def _branches(done: Closed) -> Iterator[str]:
    """Where the branch is, and where it is not, be it deleted or gone with its repository."""
    workspace, branch = done.workspace, line(done.workspace.branch)
    if done.branch_in:
        yield f"The branch {branch} stays in {', '.join(map(line, done.branch_in))}."
    without = [repo.name for repo in workspace.repos if repo.name not in done.branch_in]
    if without:
        yield f"The branch {branch} is no longer in {', '.join(map(line, without))}."


def _where(loss: Loss) -> str:
    if loss.submodule is not None:
        return f"{loss.repo}, submodule {loss.submodule}"
    return loss.repo or "the workspace itself"


def _nowhere(loss: Loss) -> str:
    if loss.submodule is None:
        return "on no branch and no tag"
    return "on no remote-tracking branch, and on no branch or tag of the repository's own copy"


def _number(count: int, word: str, plural: str = "s") -> str:
    return f"{count} {word}{plural if count != 1 else ''}"


def listed(found: Sequence[Found], root: str) -> str:
    """A line on each workspace, and one on each thing that is wrong with it."""
    return "\n".join(_listed(found, root))


def _listed(found: Sequence[Found], root: str) -> Iterator[str]:
    if not found:
        yield f"There is no workspace in {line(root)}."
    width = max((len(one.id) for one in found), default=0)
    for one in found:
        about = one.workspace
        told = (about.branch, ", ".join(repo.name for repo in about.repos)) if about else ("?", "?")
        fields = (state(one), *told, about.created if about else "?")
        yield "  ".join((f"{line(one.id):<{width}}", *map(line, fields)))
        yield from (f"{'':<{width}}    {line(problem)}" for problem in one.problems)


def state(found: Found) -> str:
    """``ready``, ``busy`` while it is made or closed, or ``broken``."""
    if found.is_busy:
        return "busy"
    return "broken" if found.problems else "ready"


def values(workspace: Workspace) -> dict[str, Any]:
    """A workspace as JSON-ready values."""
    return {
        "id": workspace.id,
        "path": workspace.path,
        "branch": workspace.branch or None,
        "created": workspace.created,
        "repos": [
            {
                "name": repo.name,
                "path": workspace.place(repo),
                "repository": repo.git_dir,
                "base": repo.base,
            }
            for repo in workspace.repos
        ],
    }


def found_values(found: Found) -> dict[str, Any]:
    """A workspace that was found, with its state and what is wrong with it."""
    known = values(found.workspace) if found.workspace else {"id": found.id, "path": found.path}
    return {**known, "state": state(found), "problems": list(found.problems)}


def loss_values(losses: Sequence[Loss]) -> list[dict[str, Any]]:
    """What is in one place only, as JSON-ready values; ``repo`` null for the workspace itself."""
    return [
        {
            "repo": loss.repo,
            "submodule": loss.submodule,
            "files": list(loss.files),
            "commits": loss.commits,
            "stashes": loss.stashes,
        }
        for loss in losses
    ]
