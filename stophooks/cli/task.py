"""``stophooks task``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from stophooks.cli import console, project, task_door, task_view
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.errors import UsageError
from stophooks.lifecycles.tasks import scripts, templates
from stophooks.plan import RESOURCE, RESOURCE_FORM

app = typer.Typer(add_completion=False, rich_markup_mode=None)
hooks = typer.Typer(
    add_completion=False, rich_markup_mode=None, help="The scripts of the resources of tasks."
)
app.add_typer(hooks, name="hooks")

FileArgument = Annotated[Path, typer.Argument(metavar="TASK.md", help="The task's file.")]
ProgramArgument = Annotated[
    list[str], typer.Argument(metavar="-- PROGRAM [ARG]...", help="What the task runs.")
]
WaitOption = Annotated[
    str | None,
    typer.Option(
        "--wait",
        metavar="DURATION",
        help="Wait so long for resources that are busy. Default: exit 75 at once.",
    ),
]
TimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--timeout", metavar="DURATION", help="End the program after so long. Default: no limit."
    ),
]
SharedOption = Annotated[
    bool,
    typer.Option(
        "--shared",
        help="Hold the resources in this project and against tasks of others with --shared.",
    ),
]
NoHooksOption = Annotated[
    bool, typer.Option("--no-hooks", help="Run the program with its resources held, and no hooks.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would run; run nothing.")]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show the hooks' output on stderr as it comes.")
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show where and how everything ran, on stderr.")
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The resource.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace scripts that are there.")]


@app.command()
def run(
    *,
    file: FileArgument,
    program: ProgramArgument,
    config: ConfigOption = None,
    wait: WaitOption = None,
    timeout: TimeoutOption = None,
    shared: SharedOption = False,
    no_hooks: NoHooksOption = False,
    dry_run: DryRunOption = False,
    format_: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Run a program with the resources that its task's file names.

    They are locked, got ready, and put back in order afterwards. Standard output is the program's.
    """
    options = task_door.Options(
        wait=wait,
        timeout=timeout,
        shared=shared,
        no_hooks=no_hooks,
        is_json=format_ is Format.JSON,
        verbose=verbose,
        debug=debug,
    )
    call = task_door.call(file, tuple(program), config, options)
    if dry_run:
        console.out(task_door.preview(call))
        return
    raise typer.Exit(task_door.run(call))


@hooks.command()
def install(name: NameArgument, config: ConfigOption = None, force: ForceOption = False) -> None:
    """Write the three scripts of a resource, to be filled in."""
    if not RESOURCE.fullmatch(name):
        raise UsageError(f'"{name}" cannot be a resource\'s name: {RESOURCE_FORM}.')
    directory = task_door.hooks_dir(project.plan_if_any(config))
    for path in templates.install(directory, name, force=force):
        console.out(f"wrote {project.short(path)}")


@hooks.command(name="list")
def list_(config: ConfigOption = None, format_: FormatOption = Format.TEXT) -> None:
    """Show what there is for each resource: commands of the configuration, and scripts."""
    whole = project.plan_if_any(config)
    directory = task_door.hooks_dir(whole)
    names = sorted({*whole.task.resources, *scripts.owners(directory)})
    found = scripts.find(directory, names)
    if format_ is Format.JSON:
        console.out(json.dumps(task_view.hooks_values(whole, names, found), indent=2))
    else:
        console.out(task_view.hooks_text(whole, names, found, short=project.short))
