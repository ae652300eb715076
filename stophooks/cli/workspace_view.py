"""What `stophooks workspace` answers, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stophooks.reports.clean import line

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
        names = ", ".join(line(repo.name) for repo in workspace.repos)
        rows.append(f"The branch {line(workspace.branch)} stays in {names}.")
    return "\n".join(rows)


def lost(losses: Sequence[Loss], title: str) -> list[str]:
    """What is in one place only, under a title; no lines where there is nothing."""
    rows = [title] if losses else []
    for loss in losses:
        rows.append(f"  {line(loss.repo or 'the workspace itself')}:")
        rows += [f"    {line(name)}" for name in loss.files[:FILES]]
        more = len(loss.files) - FILES
        rows += [f"    ... and {more} more"] * (more > 0)
        word = "commit" if loss.commits == 1 else "commits"
        rows += [f"    {loss.commits} {word} on no branch and no tag"] * bool(loss.commits)
    return rows


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
        {"repo": loss.repo, "files": list(loss.files), "commits": loss.commits} for loss in losses
    ]
