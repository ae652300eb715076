"""``stophooks fire``."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import invocation
from stophooks.cli import console, interrupt, owned, project
from stophooks.cli.ending import BUSY, FAILED, exit_code, why_not
from stophooks.cli.facts import FACTS, facts
from stophooks.cli.formats import ConfigOption, DebugOption, Format, FormatOption
from stophooks.cli.interrupt import cancelling
from stophooks.cli.live import Live
from stophooks.cli.run import asks_why
from stophooks.cli.suggest import near
from stophooks.errors import UsageError
from stophooks.events import CLEANUP, EVENTS, EventKind
from stophooks.executors.base import Cancellation
from stophooks.firing import Firing
from stophooks.models import Item, Report, Subject, titled
from stophooks.occasion import Occasion
from stophooks.reports import history, preview, text
from stophooks.reports import json as json_report
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from stophooks.plan import Plan

EventArgument = Annotated[
    str, typer.Argument(metavar="EVENT", help="Which event: stop, workspace.pre_close and so on.")
]
SubjectOption = Annotated[
    str,
    typer.Option(
        "--subject",
        metavar="KIND:ID[:PATH]",
        help="What it is about: a session, workspace, task or service, its id and its path.",
    ),
]
ItemOption = Annotated[
    list[str] | None,
    typer.Option(
        "--item",
        metavar="KIND:NAME[:PATH]",
        help="One of the subject's repos or resources; may be repeated.",
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="FILE", help=f"JSON object of facts ({', '.join(FACTS)}); - for stdin."
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would run; run nothing.")]
WhyOption = Annotated[
    bool, typer.Option("--why", help="With --dry-run: because of what a command runs, or not.")
]
NoHooksOption = Annotated[bool, typer.Option("--no-hooks", help="Run nothing and pass.")]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Run what runs once even where it has passed before.")
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show output on stderr as it comes.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """How a person wants it run and told."""

    why_not: str | None
    again: bool
    format: Format
    verbose: bool
    why: bool


def fire(
    *,
    event: EventArgument,
    subject: SubjectOption,
    item: ItemOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    dry_run: DryRunOption = False,
    why: WhyOption = False,
    no_hooks: NoHooksOption = False,
    again: AgainOption = False,
    format_: FormatOption = Format.TEXT,
    verbose: VerboseOption = False,
    debug: DebugOption = False,
) -> None:
    """Tell that something happens, and run what is to be run then."""
    if event not in EVENTS:
        raise UsageError(f'fire: there is no event "{event}". {near(event, list(EVENTS))}')
    kind = EVENTS[event]
    whole = project.plan(config)
    occasion = _occasion(kind, subject, item or [], data)
    occasions = [one for one in _each(kind, occasion) if whole.section(event, one.of)]
    if kind.area == "workspace" and not no_hooks:
        for one in occasions:
            owned.check(whole.section(event, one.of))
    options = _Options(
        why_not=why_not(no_hooks=no_hooks),
        again=again,
        format=format_,
        verbose=verbose,
        why=asks_why(why=why, dry_run=dry_run),
    )
    if dry_run:
        _preview(whole, occasions, options)
        return
    received, reports = _run(whole, occasions, options)
    report = _together(reports, occasion, whole)
    if debug:
        for row in history.trail(report):
            console.err(f"debug: {row}")
    if options.why_not is not None:
        console.err(f"Nothing was run: {options.why_not}.")
    render = json_report.render if format_ is Format.JSON else text.summary
    console.out(render(report))
    code = exit_code(report, received)
    raise typer.Exit(BUSY if code == FAILED and _is_busy(kind, report) else code)


def _occasion(kind: EventKind, subject: str, items: list[str], data: str | None) -> Occasion:
    subject_kind, name, path = _parts(subject, "--subject")
    if subject_kind != kind.subject:
        raise UsageError(
            f'--subject: {kind.name} is about a {kind.subject}, not a "{subject_kind}". '
            f"Write {kind.subject}:{name}."
        )
    found = tuple(_item(kind, one) for one in items)
    twice = [
        one.name for one, after in pairwise(sorted(found, key=_key)) if _key(one) == _key(after)
    ]
    if twice:
        raise UsageError(f'--item: "{twice[0]}" is given twice; each of them counts once.')
    known = {} if data is None else facts(data)
    if subject_kind == "session":
        known = {"session": name, **known}
    if kind.name == CLEANUP.name:
        known = {"cleanup_level": "stop", **known}
    subject_ = Subject(kind=subject_kind, id=name, path=path)
    return Occasion(event=kind.name, subject=subject_, items=found, **known)


def _key(item: Item) -> tuple[str, str]:
    return item.kind, item.name


def _item(kind: EventKind, given: str) -> Item:
    item_kind, name, path = _parts(given, "--item")
    if item_kind not in kind.items:
        known = " or ".join(kind.items) or "none"
        raise UsageError(f'--item: {kind.name} has no "{item_kind}"; its items are: {known}.')
    return Item(kind=item_kind, name=name, path=path)


def _parts(given: str, option: str) -> tuple[str, str, str | None]:
    kind, _, rest = given.partition(":")
    name, _, path = rest.partition(":")
    if not kind or not name:
        raise UsageError(
            f'{option}: "{given}" is not KIND:NAME or KIND:NAME:PATH, such as task:42:tasks/42.md.'
        )
    whole = os.path.normpath(os.path.join(invocation.directory(), path)) if path else None
    return kind, name, whole


def _each(kind: EventKind, occasion: Occasion) -> list[Occasion]:
    """The occasion in general, and for each part of the subject that has a section of its own."""
    if kind.area == "service":
        own = [occasion.subject.id]
    else:
        own = [item.name for item in occasion.items if item.kind == "resource"]
    parts = [replace(occasion, of=name) for name in own]
    return [*parts, occasion] if kind.moment.startswith("post_") else [occasion, *parts]


def _preview(whole: Plan, occasions: list[Occasion], options: _Options) -> None:
    firing = Firing(whole, cancel=Cancellation(), why_not=options.why_not, again=options.again)
    look = firing.explained if options.why else firing.preview
    if options.format is Format.JSON:
        found = [preview.values(one, look(one)) for one in occasions]
        console.out(json.dumps(found, indent=2))
        return
    rows = [preview.text(one, look(one)) for one in occasions]
    console.out("\n".join(rows) or "nothing would run")


def _run(
    whole: Plan, occasions: list[Occasion], options: _Options
) -> tuple[int | None, list[Report]]:
    """Fire each until one says no; the signal that interrupted it, if any, and the reports."""
    sections = [whole.section(one.event, one.of) for one in occasions]
    commands = [command for section in sections if section for command in section.commands]
    names = [command.name for command in commands]
    live = Live(
        names,
        results=options.format is Format.TEXT,
        verbose=options.verbose,
        titles=_titles(whole, occasions, options),
    )
    cancel = Cancellation()
    firing = Firing(
        whole,
        cancel=cancel,
        observer=live,
        with_caller=interrupt.caller_waits(),
        why_not=options.why_not,
        again=options.again,
    )
    holds_engine = any(command.container for command in commands)
    try:
        with cancelling(cancel, may_stop=not holds_engine) as received:
            for occasion in occasions:
                if firing(occasion).blocks:
                    break
                firing.confirm(occasion)
    finally:
        live.close()
    return received.number, firing.reports


def _titles(whole: Plan, occasions: list[Occasion], options: _Options) -> list[str]:
    """What is run in which order, where it may end in another one."""
    sections = [whole.section(one.event, one.of) for one in occasions]
    if all(section is None or section.jobs == 1 for section in sections):
        return []
    firing = Firing(whole, cancel=Cancellation(), why_not=options.why_not, again=options.again)
    steps = (step for one in occasions for step in firing.preview(one))
    return [titled(step.command, step.item) for step in steps]


def _together(reports: list[Report], occasion: Occasion, whole: Plan) -> Report:
    return Report(
        event=occasion.event,
        results=tuple(result for report in reports for result in report.results),
        duration_s=sum(report.duration_s for report in reports),
        project_dir=whole.project_dir,
        subject=occasion.subject,
        run_id=reports[0].run_id if reports else "",
    )


def _is_busy(kind: EventKind, report: Report) -> bool:
    """Whether a resource said that it is busy, which is no failure."""
    if kind.name != "task.pre_start":
        return False
    return all(one.outcome.exit_code == BUSY for one in report.results if one.blocks)
