"""``stophooks status``."""

from __future__ import annotations

import typer

from stophooks import config as configs
from stophooks import invocation
from stophooks.cli import console
from stophooks.cli.formats import Format, FormatOption
from stophooks.events import STOP, STOP_EVENTS, Event
from stophooks.reports import status as report
from stophooks.store import state_dir
from stophooks.store.memory import Memory

NOT_PASSED = 1


def status(*, format_: FormatOption = Format.TEXT) -> None:
    """Show whether this project's checks passed the last time, and for whom."""
    here = invocation.directory()
    place = configs.locate((here,), home=invocation.home(), environ=invocation.public_environ())
    project_dir = place.project_dir if place else here
    event = Event(kind=STOP.name, agent="", session=None, directories=())
    memory = Memory(state_dir(invocation.environ()), event, project_dir)
    try:
        states = {name: memory.latest(name) for name in STOP_EVENTS}
        notes = memory.notes
    finally:
        memory.close()
    for note in notes:
        console.err(note)
    show = report.json if format_ is Format.JSON else report.text
    console.out(show(project_dir, states))
    raise typer.Exit(0 if report.passed(states) else NOT_PASSED)
