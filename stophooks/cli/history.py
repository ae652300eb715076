"""``stophooks history``."""

from __future__ import annotations

import json
from itertools import islice
from typing import Annotated, Any

import typer

from stophooks import invocation
from stophooks.cli import console, project
from stophooks.cli.formats import Format, FormatOption
from stophooks.cli.suggest import near
from stophooks.errors import UsageError
from stophooks.events import EVENTS
from stophooks.reports import history as report
from stophooks.store import state_dir
from stophooks.store.history import History

# What events are about, each once.
KINDS = tuple(dict.fromkeys(kind.subject for kind in EVENTS.values()))

EventOption = Annotated[
    str | None, typer.Option("--event", metavar="EVENT", help="Only runs of this event.")
]
SubjectOption = Annotated[
    str | None, typer.Option("--subject", metavar="KIND:ID", help="Only runs about this.")
]
LimitOption = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many runs, the latest first.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Runs of all projects, not of this one.")]


def history(
    event: EventOption = None,
    subject: SubjectOption = None,
    limit: LimitOption = 20,
    all_: AllOption = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Show what was run, when, for what, and how it went."""
    if event not in {None, *EVENTS}:
        raise UsageError(f'--event: there is no event "{event}". {near(str(event), list(EVENTS))}')
    if subject is not None and subject.partition(":")[0] not in KINDS:
        raise UsageError(f'--subject: "{subject}" is not KIND:ID; KIND is {", ".join(KINDS)}.')
    place = None if all_ else project.locate().project_dir
    found = (
        entry
        for entry in History(state_dir(invocation.environ())).entries()
        if (place is None or entry.get("project") == place)
        and event in {None, entry.get("event")}
        and subject in {None, _about(entry)}
    )
    entries = [*islice(found, limit)]
    if format_ is Format.JSON:
        console.out(json.dumps(entries, indent=2))
    else:
        nothing = "Nothing of that" if event or subject else "Nothing"
        console.out(report.text(entries) or f"{nothing} was run here yet.")


def _about(entry: dict[str, Any]) -> str:
    subject = entry.get("subject") or {}
    return f"{subject.get('kind')}:{subject.get('id')}"
