"""``stophooks services``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from stophooks import invocation
from stophooks.cli import COULD_NOT_RUN, console, services_act, services_door, services_view
from stophooks.cli.ending import BUSY, SIGNALLED
from stophooks.cli.formats import ConfigOption, DebugOption, Format, FormatOption
from stophooks.cli.interrupt import cancelling
from stophooks.cli.services_act import Options
from stophooks.cli.services_show import show
from stophooks.executors.base import Cancellation
from stophooks.lifecycles.services.action import check_names
from stophooks.lifecycles.services.order import Verb, Wanted
from stophooks.lifecycles.services.watching import Watching
from stophooks.store import state_dir
from stophooks.store.history import History

app = typer.Typer(add_completion=False, rich_markup_mode=None)

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Which services; default: all.")
]
DetachOption = Annotated[
    bool, typer.Option("-d", "--detach", help="Come back at once; the work goes on by itself.")
]
CleanOption = Annotated[
    bool,
    typer.Option(
        "--clean", help="Remove what is left of them once they are stopped; named data stays."
    ),
]
NoHooksOption = Annotated[bool, typer.Option("--no-hooks", help="Run no hooks.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done; do it not.")
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show the hooks' output on stderr as it comes.")
]
FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with what comes, until it is interrupted.")
]
NoHookOption = Annotated[bool, typer.Option("--no-hook", help="Leave out what hooks said.")]


@app.command()
def start(
    *,
    names: NamesArgument = None,
    detach: DetachOption = False,
    no_hooks: NoHooksOption = False,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    format_: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Start services and what they need, with their hooks."""
    wanted = Wanted(verb=Verb.START, names=tuple(names or ()))
    options = Options(
        config=config, no_hooks=no_hooks, format=format_, verbose=verbose, debug=debug
    )
    raise typer.Exit(services_act.act(wanted, options, detach=detach, dry_run=dry_run))


@app.command()
def stop(
    *,
    names: NamesArgument = None,
    clean: CleanOption = False,
    detach: DetachOption = False,
    no_hooks: NoHooksOption = False,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    format_: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Stop services, with their hooks."""
    wanted = Wanted(verb=Verb.STOP, names=tuple(names or ()), clean=clean)
    options = Options(
        config=config, no_hooks=no_hooks, format=format_, verbose=verbose, debug=debug
    )
    raise typer.Exit(services_act.act(wanted, options, detach=detach, dry_run=dry_run))


@app.command()
def restart(
    *,
    names: NamesArgument = None,
    clean: CleanOption = False,
    detach: DetachOption = False,
    no_hooks: NoHooksOption = False,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    format_: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Stop services and start them again, with the hooks of all that."""
    wanted = Wanted(verb=Verb.RESTART, names=tuple(names or ()), clean=clean)
    options = Options(
        config=config, no_hooks=no_hooks, format=format_, verbose=verbose, debug=debug
    )
    raise typer.Exit(services_act.act(wanted, options, detach=detach, dry_run=dry_run))


@app.command()
def status(*, config: ConfigOption = None, format_: FormatOption = Format.TEXT) -> None:
    """Show how the services are, and which of their hooks did not pass the last time."""
    door = services_door.opened(config)
    found = door.engine.services()
    entries = History(state_dir(invocation.environ())).entries()
    failures = services_view.failed(entries, door.plan.project_dir, [one.name for one in found])
    last = door.last()
    if format_ is Format.JSON:
        values = services_view.status_values(door, found, failures, last)
        console.out(json.dumps(values, indent=2))
    else:
        console.out(services_view.status(door, found, failures, last))


@app.command()
def logs(
    *,
    names: NamesArgument = None,
    follow: FollowOption = False,
    no_hook: NoHookOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what services have written, and among it, marked, what their hooks said."""
    door = services_door.opened(config)
    known = door.engine.services()
    check_names(names or (), known, door.engine.file)
    chosen = tuple(names or (one.name for one in known))
    cancel = Cancellation()
    with cancelling(cancel) as received:
        show(door, chosen, hooks=not no_hook, everybody=not names, follow=follow, cancel=cancel)
    if received.number is not None:
        raise typer.Exit(SIGNALLED + received.number)


@app.command()
def watch(
    *,
    no_hooks: NoHooksOption = False,
    config: ConfigOption = None,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Follow what happens to the services, and run the hooks of ends and of health."""
    door = services_door.opened(config)
    options = Options(config=config, no_hooks=no_hooks, verbose=verbose, debug=debug)
    with door.lock("watch") as lock:
        if not lock.take(wait_s=0):
            console.err(
                f"The services of {door.engine.file} are watched already, by another "
                "`stophooks services watch`; each change is to be told once. End that one first."
            )
            raise typer.Exit(BUSY)
        cancel = Cancellation()
        with cancelling(cancel) as received, services_act.firing(door, options, cancel) as fire:
            Watching(door.engine, fire, door.occasions, cancel=cancel, tell=console.err).follow()
    raise typer.Exit(COULD_NOT_RUN if received.number is None else SIGNALLED + received.number)
