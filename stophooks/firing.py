"""Events of all kinds, fired for whoever knows when they are due.

`Firing` is the one way from an occasion to the engine; `stophooks.occasion.Fire` is what others
know of it.
"""

from __future__ import annotations

import os

from stophooks import invocation
from stophooks.events import EVENTS
from stophooks.executors.base import Cancellation
from stophooks.invocation.section import SectionRun
from stophooks.models import Outcome, Report, Result, Status
from stophooks.occasion.compat import COMPAT
from stophooks.occasion.steps import once_key, steps
from stophooks.plan import Section
from stophooks.store import state_dir
from stophooks.store.facts import ONCE, Facts
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from stophooks.engine import Observer
    from stophooks.models import Command
    from stophooks.occasion import Fire, Occasion, Step
    from stophooks.plan import Plan


class Firing:
    """Fires the events of one plan.

    Args:
        plan: What is run.
        cancel: Ends a run early.
        observer: Watches every run.
        with_caller: Whether runs end when the process that started this one ends.
        why_not: Why nothing is to be run at all, or None.
        again: Whether commands that run once run again.
        remembers: Whether each run goes into the history; else whoever made this sees to it.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        cancel: Cancellation,
        observer: Observer | None = None,
        with_caller: bool = False,
        why_not: str | None = None,
        again: bool = False,
        remembers: bool = True,
    ) -> None:
        self._plan = plan
        self._cancel = cancel
        self._observer = observer
        self._with_caller = with_caller
        self._why_not = why_not
        self._again = again
        self._remembers = remembers
        # Keys of commands that ran once and passed, by event and what it was about.
        self._passed: dict[object, list[str]] = {}
        # Every report, in order, for whoever tells a person about them.
        self.reports: list[Report] = []

    def __call__(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> Report:
        """See `stophooks.occasion.Fire`."""
        section = self._section(occasion, extra)
        if not section.commands:
            return self._report(occasion, ())
        occasion = replace(occasion, aliases=occasion.aliases or self._aliases(section.event))
        if self._why_not is not None:
            report = self._skipped(section, occasion, self._why_not)
        else:
            report = self._run(section, occasion)
        self.reports.append(report)
        return report

    def preview(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> tuple[Step, ...]:
        """See `stophooks.occasion.Fire`."""
        found = steps(self._section(occasion, extra), occasion, done=self._done)
        if self._why_not is None:
            return found
        return tuple(replace(step, skip=self._why_not) for step in found)

    def explained(self, occasion: Occasion) -> tuple[Step, ...]:
        """What `preview` shows, and because of what each command would run, or not."""
        running = SectionRun(
            self._section(occasion, ()), self._plan, occasion=occasion, done=self._done
        )
        return running.explained(self.preview(occasion))

    def regardless(self) -> Fire:
        """See `stophooks.occasion.Fire`."""
        other = Firing(
            self._plan,
            cancel=Cancellation(),
            observer=self._observer,
            # Whoever would wait for it may be what was interrupted.
            with_caller=False,
            why_not=self._why_not,
            again=self._again,
            remembers=self._remembers,
        )
        other.reports = self.reports
        return other

    def confirm(self, occasion: Occasion) -> None:
        """See `stophooks.occasion.Fire`."""
        keys = self._passed.pop(_about(occasion), [])
        if not keys:
            return
        with Facts(state_dir(invocation.environ())) as facts:
            for key in keys:
                facts.put(ONCE, key, value={"done": True})

    def _section(self, occasion: Occasion, extra: tuple[Command, ...]) -> Section:
        kind = EVENTS[occasion.event]
        found = self._plan.section(occasion.event, occasion.of)
        found = found or Section(event=kind.name, of=occasion.of, fail_fast=kind.fail_fast)
        return replace(found, commands=(*found.commands, *extra))

    def _aliases(self, event: str) -> tuple[tuple[str, str], ...]:
        """The names of another program for our variables, where the configuration asks for them."""
        plan = self._plan
        words = {"cleanup": plan.cleanup.compat, "workspace": plan.workspace.compat}
        return COMPAT.get(words.get(EVENTS[event].area) or "", ())

    def _run(self, section: Section, occasion: Occasion) -> Report:
        running = SectionRun(
            section,
            self._plan,
            with_caller=self._with_caller,
            occasion=occasion,
            done=self._done,
        )
        report = running.report(cancel=self._cancel, observer=self._observer)
        running.tidy(remembers=self._remembers)
        self._passed[_about(occasion)] = [
            once_key(result.command, occasion, result.item)
            for result in report.results
            if result.command.once and result.outcome.status is Status.PASSED
        ]
        return report

    def _done(self, key: str) -> bool:
        place = state_dir(invocation.environ())
        # Looking must not make it: a dry run leaves nothing.
        if self._again or not os.path.isdir(place):
            return False
        with Facts(place) as facts:
            return facts.get(ONCE, key) is not None

    def _skipped(self, section: Section, occasion: Occasion, why: str) -> Report:
        outcome = Outcome(status=Status.SKIPPED, reason=why, started=False)
        results = tuple(
            Result(command=step.command, outcome=outcome, item=step.item)
            for step in steps(section, occasion)
        )
        return self._report(occasion, results)

    def _report(self, occasion: Occasion, results: tuple[Result, ...]) -> Report:
        return Report(
            event=occasion.event,
            results=results,
            duration_s=0.0,
            project_dir=self._plan.project_dir,
            subject=occasion.subject,
        )


def _about(occasion: Occasion) -> object:
    return (occasion.event, occasion.of, occasion.subject)
