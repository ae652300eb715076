"""``stophooks status``."""

from __future__ import annotations

import typer

from stophooks import config as configs
from stophooks import invocation
from stophooks.cli import console
from stophooks.cli.formats import Format, FormatOption
from stophooks.events import STOP, STOP_EVENTS, Event
from stophooks.reports import cleanup
from stophooks.reports import status as report
from stophooks.store import state_dir
from stophooks.store.cleanups import Cleanups
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
    with Cleanups(state_dir(invocation.environ()), project_dir) as cleanups:
        last, goes_on = cleanups.last(), cleanups.is_going_on()
    for note in notes:
        console.err(note)
    if format_ is Format.JSON:
        console.out(report.json(project_dir, states, cleanup.values(last, goes_on=goes_on)))
    else:
        told = cleanup.status(last, goes_on=goes_on)
        console.out("\n".join((report.text(project_dir, states), *told)))
    raise typer.Exit(0 if report.passed(states) else NOT_PASSED)
