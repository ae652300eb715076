"""``stophooks workspace``: worktrees of several repositories side by side."""

from __future__ import annotations

import os
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stophooks import invocation
from stophooks.cli import console
from stophooks.cli import workspace_view as view
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.cli.workspace_door import Door, Flags
from stophooks.errors import UsageError
from stophooks.lifecycles.workspaces import close as closing
from stophooks.lifecycles.workspaces import create as creating
from stophooks.lifecycles.workspaces import events, found, given, lost, record

if TYPE_CHECKING:
    from stophooks.lifecycles.workspaces.close import Closed

app = typer.Typer(no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Its name: one word.")]
BranchOption = Annotated[
    str, typer.Option("--branch", help="Checked out in every repository, and made where needed.")
]
RepoOption = Annotated[
    list[str],
    typer.Option("--repo", metavar="PATH", help="A repository, or NAME=PATH; may be repeated."),
]
RootOption = Annotated[
    Path | None,
    typer.Option("--root", metavar="DIR", help="Where workspaces are; default: .workspaces."),
]
NoHooksOption = Annotated[bool, typer.Option("--no-hooks", help="Run no commands.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would happen.")]
LenientOption = Annotated[
    bool, typer.Option("--continue-on-hook-error", help="Tell of commands that fail, and go on.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Close it whatever fails, and whatever is lost.")
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show each command, where it runs and what became of it.")
]


@app.command()
def create(
    *,
    id_: IdArgument,
    branch: BranchOption,
    repo: RepoOption,
    root: RootOption = None,
    no_hooks: NoHooksOption = False,
    dry_run: DryRunOption = False,
    continue_on_hook_error: LenientOption = False,
    debug: DebugOption = False,
    config: ConfigOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Make a workspace: a worktree of each repository, or nothing; then run post_create."""
    flags = Flags(no_hooks=no_hooks, debug=debug, format=format_, root=root)
    door = Door(config, flags, events.POST_CREATE)
    asked = given.Asked(
        id=id_,
        branch=branch,
        repos=tuple(repo),
        root=door.root,
        directory=invocation.directory(),
    )
    workspace = given.judged(asked, door.git)
    values = {"workspace": view.values(workspace)}
    if dry_run:
        event = events.occasion(door.event, workspace, planned=True)
        door.show_plan(view.created(workspace, planned=True), values, event)
        return
    report = door.run(lambda fire: creating.create(workspace, git=door.git, fire=fire))
    if format_ is Format.JSON:
        console.out(dumps(values | {"hooks": door.hooks_values(report)}, indent=2))
    else:
        console.out(view.created(workspace))
    door.tell(report, advice=f"The workspace stays. {door.line('close', id_)} closes it.")
    door.leave(failed=not report.passed and not continue_on_hook_error)


@app.command()
def close(
    *,
    id_: IdArgument,
    force: ForceOption = False,
    root: RootOption = None,
    no_hooks: NoHooksOption = False,
    dry_run: DryRunOption = False,
    continue_on_hook_error: LenientOption = False,
    debug: DebugOption = False,
    config: ConfigOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Close a workspace: run pre_close, then remove its worktrees; the branches stay."""
    flags = Flags(no_hooks=no_hooks, force=force, debug=debug, format=format_, root=root)
    door = Door(config, flags, events.PRE_CLOSE)
    path = given.place(door.root, id_)
    _check_place(path, door.root)
    if dry_run:
        _show_closing(door, path)
        return
    done = door.run(
        lambda fire: closing.close(
            path,
            git=door.git,
            fire=fire,
            force=force,
            on_hook_error_too=continue_on_hook_error,
        )
    )
    anyway = f"{door.line('close', id_, '--force')} closes it anyway."
    if format_ is Format.JSON:
        console.out(dumps(_closed_values(door, done), indent=2))
    if done.report is not None:
        advice = "" if done.is_gone or done.losses else f"The workspace is as it was. {anyway}"
        door.tell(done.report, advice=advice)
    if done.is_gone and format_ is Format.TEXT:
        console.out(view.closed(done))
    elif not done.is_gone and done.losses:
        title = f"Not closed: {path} has what is nowhere else."
        console.err("\n".join(view.lost(done.losses, title)))
        console.err(f"{view.advice(done.losses)} {anyway}")
    door.leave(failed=not done.is_gone)


@app.command("list")
def list_(
    root: RootOption = None, config: ConfigOption = None, format_: FormatOption = Format.TEXT
) -> None:
    """List the workspaces, the broken ones too."""
    flags = Flags(no_hooks=True, debug=False, format=format_, root=root)
    where = Door(config, flags, events.POST_CREATE).root
    workspaces = found.found(where)
    if format_ is Format.JSON:
        document = {"root": where, "workspaces": [view.found_values(one) for one in workspaces]}
        console.out(dumps(document, indent=2))
    else:
        console.out(view.listed(workspaces, where))


def _check_place(path: str, root: str) -> None:
    """Refuse what is no workspace, and to take away the ground that the caller stands on.

    Raises:
        UsageError: It is one of the two.
    """
    if not os.path.isdir(path):
        names = ", ".join(one.id for one in found.found(root)) or "none"
        raise UsageError(
            f"There is no workspace {os.path.basename(path)} in {root}; there is: {names}."
        )
    here = os.path.realpath(invocation.directory())
    if f"{here}/".startswith(f"{os.path.realpath(path)}/"):
        raise UsageError(f"The working directory is in {path}. Change to another one first.")


def _show_closing(door: Door, path: str) -> None:
    """What `close` would run, and what it would find lost as things are now."""
    workspace = record.get(path)
    now = lost.losses(door.git, workspace)
    rows = [f"Would close workspace {workspace.id} in {workspace.path}"]
    rows += view.lost(now, "As things are it would not: this is nowhere else.")
    values = {"workspace": view.values(workspace), "losses": view.loss_values(now)}
    event = events.occasion(door.event, workspace)
    door.show_plan("\n".join(rows), values, event)


def _closed_values(door: Door, done: Closed) -> dict[str, Any]:
    return {
        "workspace": view.values(done.workspace),
        "closed": done.is_gone,
        "losses": view.loss_values(done.losses),
        "notes": list(done.notes),
        "hooks": door.hooks_values(done.report),
    }
