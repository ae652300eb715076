"""How a run that a person or a program asked for ends: its exit code, and why nothing was run."""

from __future__ import annotations

from stophooks import invocation
from stophooks.cli import COULD_NOT_RUN
from stophooks.events import EVENTS
from stophooks.models import Status
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.models import Report

# What a shell reports for a program that signal n ended.
SIGNALLED = 128
FAILED = 1
# sysexits.h, EX_TEMPFAIL: what is needed is busy; the same may work later.
BUSY = 75


def exit_code(report: Report, received: int | None) -> int:
    """The exit code for a report, or for the signal that interrupted it.

    In an event that blocks nothing, whatever failed counts that is not to be ignored.
    """
    gate = EVENTS[report.event].gate
    counted = [one for one in report.results if (one.blocks if gate else not one.ok)]
    statuses = {result.outcome.status for result in counted}
    if statuses & {Status.FAILED, Status.TIMED_OUT}:
        return FAILED
    if received is not None:
        return SIGNALLED + received
    return COULD_NOT_RUN if statuses else 0


def why_not(*, no_hooks: bool) -> str | None:
    """Why nothing is to be run, or None."""
    if no_hooks:
        return "--no-hooks"
    return f"{invocation.DISABLE}=1" if invocation.disabled(invocation.environ()) else None
