"""``stophooks run``."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import invocation
from stophooks.cli import COULD_NOT_RUN, console, interrupt, project
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.cli.interrupt import cancelling
from stophooks.cli.live import Live
from stophooks.errors import UsageError
from stophooks.events import STOP, STOP_EVENTS, Event
from stophooks.executors.base import Cancellation
from stophooks.invocation import SectionRun
from stophooks.models import Outcome, Report, Result, Status
from stophooks.reports import json, plan, text
from stophooks.reports.status import state
from stophooks.store import state_dir
from stophooks.store.memory import Memory

if TYPE_CHECKING:
    from stophooks.plan import Plan, Section

# What a shell reports for a program that signal n ended.
SIGNALLED = 128
FAILED = 1

EventArgument = Annotated[
    str, typer.Argument(metavar="EVENT", help=f"Which section to run: {' or '.join(STOP_EVENTS)}.")
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Run this command only; may be repeated."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would run; run nothing.")]
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
    no_hooks: NoHooksOption = False,
    format_: FormatOption = Format.TEXT,
    no_wait: NoWaitOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run the commands of an event by hand or in CI."""
    if event not in STOP_EVENTS:
        raise UsageError(f'run: there is no event "{event}". {_hint(event, list(STOP_EVENTS))}')
    whole = project.plan(config)
    section = _chosen(project.section(whole, event), only or [])
    if dry_run:
        shown = replace(whole, sections=(section,))
        render = plan.json if format_ is Format.JSON else plan.text
        console.out(render(shown, invocation.mask(shown)))
        return
    if no_hooks or invocation.disabled(invocation.environ()):
        why = "--no-hooks" if no_hooks else f"{invocation.DISABLE}=1"
        _tell(_nothing(whole, section, why), format_, each=True)
        console.err(f"Nothing was run and nothing was checked: {why}.")
        return
    received, report = _run(whole, section, format_, verbose=verbose, wait=not no_wait)
    if received is None and not only and config is None:
        _remember(report, section)
    _tell(report, format_, each=False)
    raise typer.Exit(_exit_code(report, received))


def _chosen(section: Section, only: list[str]) -> Section:
    names = [command.name for command in section.commands]
    for name in only:
        if name not in names:
            raise UsageError(
                f'--only: there is no command "{name}" in the {section.event} section. '
                f"{_hint(name, names)}"
            )
    kept = [command for command in section.commands if not only or command.name in only]
    return replace(section, commands=tuple(kept))


def _hint(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f'Did you mean "{near[0]}"?' if near else f"There is: {', '.join(names)}."


def _nothing(whole: Plan, section: Section, why: str) -> Report:
    outcome = Outcome(status=Status.SKIPPED, reason=why)
    results = tuple(Result(command=command, outcome=outcome) for command in section.commands)
    return Report(
        event=section.event, results=results, duration_s=0.0, project_dir=whole.project_dir
    )


def _run(
    whole: Plan, section: Section, format_: Format, *, verbose: bool, wait: bool
) -> tuple[int | None, Report]:
    """Run the section; the signal that interrupted it, if any, and the report."""
    names = [command.name for command in section.commands]
    live = Live(names, results=format_ is Format.TEXT, verbose=verbose)
    cancel = Cancellation()
    running = SectionRun(section, whole, with_caller=interrupt.caller_waits())
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


def _remember(report: Report, section: Section) -> None:
    """Tell `stophooks status`; a stop of an agent is checked all the same."""
    event = Event(kind=section.event, agent="", session=None, directories=())
    memory = Memory(state_dir(invocation.environ()), event, report.project_dir)
    result = "failed" if report.blocks else "passed"
    memory.put_by_hand(section.event, state(report, event, result, max_blocks=section.max_blocks))
    memory.close()
    for note in memory.notes:
        console.err(note)


def _tell(report: Report, format_: Format, *, each: bool) -> None:
    if format_ is Format.JSON:
        console.out(json.render(report))
    else:
        console.out(text.render(report) if each else text.summary(report))


def _exit_code(report: Report, received: int | None) -> int:
    blocking = {result.outcome.status for result in report.results if result.blocks}
    if blocking & {Status.FAILED, Status.TIMED_OUT}:
        return FAILED
    if received is not None:
        return SIGNALLED + received
    return COULD_NOT_RUN if blocking else 0
