"""The one end of a run that is in time: its section's deadline, or a request from outside."""

from __future__ import annotations

from stophooks import threads
from stophooks.contexts import contextmanager
from stophooks.executors.base import Cancellation
from stophooks.models import Outcome, Status, human_duration
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.plan import Section

# A shorter wait explains nothing about a deadline; seconds.
TOLD_WAIT_S = 1.0


class Clock:
    """One cancellation for the commands, requested from outside or by the section's deadline.

    ``last`` is for those that run after a request from outside: only the deadline ends them.
    """

    def __init__(self, deadline_s: float, waited_s: float) -> None:
        self.cancel = Cancellation()
        self.last = Cancellation()
        self.reason = f"the deadline of {human_duration(deadline_s)} for all commands was reached"
        if waited_s >= TOLD_WAIT_S:
            waited = human_duration(waited_s)
            self.reason += f"; {waited} of it went by waiting for another run in this project"
        self.is_over = False

    def judge(self, outcome: Outcome) -> Outcome:
        """The outcome, as timed out when the deadline ended it or never let it begin."""
        if outcome.status is not Status.CANCELLED:
            return outcome
        if not self.is_over and outcome.reason != self.reason:
            return outcome
        return replace(outcome, status=Status.TIMED_OUT, reason=self.reason)

    def ring(self) -> None:
        """The deadline is here."""
        if not self.cancel.requested:
            self.is_over = True
        # First: at the other request it is looked whether anything may still run.
        self.last.request(self.reason)
        self.cancel.request(self.reason)


@contextmanager
def deadline(section: Section, outer: Cancellation, waited_s: float) -> Iterator[Clock]:
    """The clock of a section's run, of whose deadline ``waited_s`` seconds are over already."""
    clock = Clock(section.deadline_s, waited_s)
    unsubscribe = outer.subscribe(lambda: clock.cancel.request(outer.reason, grace_s=outer.grace_s))
    timer = threads.Timer(max(section.deadline_s - waited_s, 0.0), clock.ring)
    timer.daemon = True
    timer.start()
    try:
        yield clock
    finally:
        timer.cancel()
        unsubscribe()
