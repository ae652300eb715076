"""``stophooks run``."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import handover, invocation
from stophooks.cli import console, interrupt, project
from stophooks.cli.ending import exit_code, why_not
from stophooks.cli.formats import ConfigOption, DebugOption, Format, FormatOption
from stophooks.cli.interrupt import cancelling
from stophooks.cli.live import Live
from stophooks.cli.suggest import near
from stophooks.engine import nobody
from stophooks.errors import UsageError
from stophooks.events import EVENTS, STOP, STOP_EVENTS, Event
from stophooks.executors.base import Cancellation
from stophooks.invocation.boxes import left_behind
from stophooks.invocation.section import SectionRun
from stophooks.memo.base import Basis
from stophooks.models import Outcome, Report, Result, Status
from stophooks.occasion import Occasion
from stophooks.occasion.steps import steps
from stophooks.reports import history, json, plan, preview, text
from stophooks.reports.kept import state
from stophooks.store import state_dir
from stophooks.store.cleanups import Cleanups
from stophooks.store.memory import Memory
from stophooks.values import replace

if TYPE_CHECKING:
    from stophooks.plan import Plan, Section

EventArgument = Annotated[
    str, typer.Argument(metavar="EVENT", help=f"Which section to run: {' or '.join(STOP_EVENTS)}.")
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Run this command only; may be repeated."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would run; run nothing.")]
WhyOption = Annotated[
    bool, typer.Option("--why", help="With --dry-run: because of what a command runs, or not.")
]
NoCacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Reuse no result of an earlier run; remember none.")
]
AllFilesOption = Annotated[
    bool, typer.Option("--all-files", help="Run commands for all their `files`, changed or not.")
]
NoHooksOption = Annotated[bool, typer.Option("--no-hooks", help="Run nothing and pass.")]
NoWaitOption = Annotated[
    bool,
    typer.Option("--no-wait", help="Do not wait while another run is going on in this project."),
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show output on stderr as it comes.")
]


def run(
    *,
    event: EventArgument = STOP.name,
    config: ConfigOption = None,
    only: OnlyOption = None,
    dry_run: DryRunOption = False,
    why: WhyOption = False,
    no_cache: NoCacheOption = False,
    all_files: AllFilesOption = False,
    no_hooks: NoHooksOption = False,
    format_: FormatOption = Format.TEXT,
    no_wait: NoWaitOption = False,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Run the commands of an event by hand or in CI."""
    if event not in STOP_EVENTS:
        if event in EVENTS:
            kind = EVENTS[event]
            raise UsageError(
                f"run: {event} is about a {kind.subject}; "
                f"say which: stophooks fire {event} --subject {kind.subject}:ID"
            )
        raise UsageError(f'run: there is no event "{event}". {near(event, list(STOP_EVENTS))}')
    whole = project.plan(config)
    section = _chosen(project.section(whole, event), only or [])
    basis = Basis(all_files=all_files, cache=not no_cache)
    if asks_why(why=why, dry_run=dry_run):
        _explain(whole, section, format_, basis)
        return
    if dry_run:
        shown = replace(whole, sections=(section,))
        render = plan.json if format_ is Format.JSON else plan.text
        console.out(render(shown, invocation.mask(shown)))
        return
    reason = why_not(no_hooks=no_hooks)
    if reason is not None:
        _tell(_nothing(whole, section, reason), format_, each=True)
        console.err(f"Nothing was run and nothing was checked: {reason}.")
        return
    _see_to_the_dead(whole)
    for note in left_behind():
        console.err(note)
    received, report = _run(whole, section, format_, verbose=verbose, wait=not no_wait, basis=basis)
    if received is None and config is None:
        _remember(report, section, whole=not only)
    if debug:
        for row in history.trail(report):
            console.err(f"debug: {row}")
    _tell(report, format_, each=False)
    raise typer.Exit(exit_code(report, received))


def asks_why(*, why: bool, dry_run: bool) -> bool:
    """Whether somebody asks because of what commands would run.

    Raises:
        UsageError: They are to be run.
    """
    if why and not dry_run:
        raise UsageError("--why says what would be run; write --dry-run --why.")
    return why


def _explain(whole: Plan, section: Section, format_: Format, basis: Basis) -> None:
    """Show for each command whether it would run, and because of what."""
    occasion = Occasion(event=section.event, subject=nobody(whole.project_dir))
    running = SectionRun(section, whole, occasion=occasion, basis=basis)
    found = running.explained(steps(section, occasion))
    if format_ is Format.JSON:
        console.out(dumps(preview.values(occasion, found), indent=2))
    else:
        console.out(preview.text(occasion, found))


def _see_to_the_dead(whole: Plan) -> None:
    """Have those sessions of the project cleaned up that ended without a word."""
    environ = invocation.environ()
    with Cleanups(state_dir(environ), whole.project_dir) as cleanups:
        handover.start_for_dead(cleanups, whole.project_dir, environ)


def _chosen(section: Section, only: list[str]) -> Section:
    names = [command.name for command in section.commands]
    for name in only:
        if name not in names:
            raise UsageError(
                f'--only: there is no command "{name}" in the {section.event} section. '
                f"{near(name, names)}"
            )
    kept = [command for command in section.commands if not only or command.name in only]
    return replace(section, commands=tuple(kept))


def _nothing(whole: Plan, section: Section, why: str) -> Report:
    outcome = Outcome(status=Status.SKIPPED, reason=why)
    results = tuple(Result(command=command, outcome=outcome) for command in section.commands)
    return Report(
        event=section.event, results=results, duration_s=0.0, project_dir=whole.project_dir
    )


def _run(
    whole: Plan,
    section: Section,
    format_: Format,
    *,
    verbose: bool,
    wait: bool,
    basis: Basis,
) -> tuple[int | None, Report]:
    """Run the section; the signal that interrupted it, if any, and the report."""
    names = [command.name for command in section.commands]
    titles = names if section.jobs > 1 else ()
    live = Live(names, results=format_ is Format.TEXT, verbose=verbose, titles=titles)
    cancel = Cancellation()
    running = SectionRun(section, whole, with_caller=interrupt.caller_waits(), basis=basis)
    # Nobody drains a stopped run's containers, and then nobody on this machine can remove them.
    holds_engine = any(command.container for command in section.commands)
    with cancelling(cancel, may_stop=not holds_engine) as received:
        report = running.report(
            cancel=cancel,
            observer=live,
            wait=wait,
            waiting=lambda: console.err("Waiting for another run in this project to end."),
        )
    live.close()
    running.tidy()
    return received.number, report


def _remember(report: Report, section: Section, *, whole: bool) -> None:
    """Tell `stophooks status` of a whole run; a stop of an agent is checked all the same.

    What did not pass by hand is not what passed for an agent any more, even if it was one command.
    """
    event = Event(kind=section.event, agent="", session=None, directories=())
    memory = Memory(state_dir(invocation.environ()), event, report.project_dir)
    if whole:
        result = "failed" if report.blocks else "passed"
        known = state(report, event, result, max_blocks=section.max_blocks)
        memory.put_by_hand(section.event, known)
    if report.blocks:
        memory.doubt(section.event)
    elif not report.passed:
        memory.forget_pass(section.event)
    memory.close()
    for note in memory.notes:
        console.err(note)


def _tell(report: Report, format_: Format, *, each: bool) -> None:
    if format_ is Format.JSON:
        console.out(json.render(report))
    else:
        console.out(text.render(report) if each else text.summary(report))
