"""What becomes of a finished run: the agent's answer, and what is remembered of it."""

from __future__ import annotations

from stophooks.models import Status
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from stophooks.agents.base import Agent, Reply
    from stophooks.events import Event
    from stophooks.hook.budget import Budget, Spent
    from stophooks.models import Report, Result
    from stophooks.plan import Section
    from stophooks.store.memory import Memory

# Faults that lie in the project or in its configuration, so that an agent may have made them and
# can mend them. All others are this machine's.
MENDABLE = frozenset(
    {
        None,
        "argument-too-long",
        "command-not-found",
        "exec-format",
        "mount",
        "not-executable",
        "seccomp",
        "user",
        "working-directory",
    }
)
_MACHINE = (
    "This is a fault of this machine, not of your work. If you cannot mend it, tell the person "
    "what is missing and finish again: for this you are kept only once."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The project's content before and after a run; None where it cannot be told.

    ``untouched``: nothing that decides a result had other content meanwhile.
    """

    before: str | None
    after: str | None
    untouched: bool = False

    @property
    def settled(self) -> str | None:
        """The content that was checked, where nothing changed meanwhile."""
        return self.after if self.untouched and self.before == self.after else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Judges the runs of one call.

    ``notes`` are for whoever reads the answer, such as that the configuration has changed.
    ``terms`` are those of `stophooks.hook.skip`; ``began`` is when the call did, in seconds since
    the epoch.
    """

    agent: Agent
    event: Event
    section: Section
    memory: Memory
    budget: Budget
    terms: str
    began: float
    notes: tuple[str, ...] = ()

    def reply(self, report: Report, trees: Trees) -> Reply:
        """The answer to the agent."""
        judge, judged = self, report
        if self.section.baseline:
            judge, judged = self._with_baseline(report)
        if judged.blocks:
            return judge._failed(judged, trees)  # noqa: SLF001 -- itself, with one note more
        # What failed at first counts as a failure again in the next session.
        as_new = judged == report
        return judge._passed(judged, trees if as_new else Trees(before=None, after=None))  # noqa: SLF001 -- the same

    def _with_baseline(self, report: Report) -> tuple[Judge, Report]:
        from stophooks.hook import baseline  # noqa: PLC0415 -- only who wants one pays for it

        known = self.memory.baseline(self.section.event)
        why = baseline.missing(known)
        if why is None:
            return self, baseline.excused(report, known)
        if not report.blocks:
            return self, report
        note = f"What failed when the session began is not known: {why}."
        return replace(self, notes=(*self.notes, note)), report

    def _passed(self, report: Report, trees: Trees) -> Reply:
        notes = [*self.notes, *self.budget.reset()]
        self.memory.reset()
        tree = trees.settled if report.passed else None
        self._remember(report, "passed", tree=tree)
        notes += [text for text in self.memory.notes if text not in notes]
        if report.passed:
            return self.agent.allow("\n".join(notes))
        from stophooks.reports import note  # noqa: PLC0415 -- a passing stop never needs it

        return self.agent.allow("\n".join((note.warned(report), *notes)))

    def _failed(self, report: Report, trees: Trees) -> Reply:
        from stophooks.reports import note  # noqa: PLC0415 -- a passing stop never needs it

        machine = all(_by_machine(result) for result in report.failures if result.blocks)
        # The hook may be in two settings files of the agent: one stop is one block, and whichever
        # answer the agent takes has to tell everything.
        twin = self.memory.told_meanwhile(self.began)
        if machine and not twin and self.memory.machine_was_blamed():
            self._remember(report, "failed", allowed=True)
            return self.agent.allow("\n".join((note.machine(report), *self.notes)))
        spent = self.budget.block(
            self.agent,
            self._text(report, trees, in_full=machine or twin),
            instead=note.spent(report, max_blocks=self.budget.max_blocks),
            notes=(*self.notes, *((_MACHINE,) if machine else ())),
            counted=twin,
        )
        if machine and not spent.allowed:
            self.memory.blame_machine()
        self._remember(report, "failed", spent=spent)
        return spent.reply

    def _text(self, report: Report, trees: Trees, *, in_full: bool) -> str:
        """All about the failures, or one line where the agent was told already."""
        from stophooks.reports.again import again  # noqa: PLC0415 -- a passing stop never needs it
        from stophooks.reports.likeness import digest  # noqa: PLC0415 -- the same
        from stophooks.reports.reason import reason  # noqa: PLC0415 -- the same

        same = digest(result for result in report.failures if result.blocks)
        last = self.memory.failures()
        self.memory.told(same, trees.after)
        if in_full or last is None or last.get("digest") != same:
            return reason(report)
        return again(report, changed=trees.before is None or last.get("tree") != trees.before)

    def _remember(
        self,
        report: Report,
        result: str,
        *,
        spent: Spent | None = None,
        allowed: bool = False,
        tree: str | None = None,
    ) -> None:
        """Remember the result for `stophooks status`, and of which content it is a pass."""
        from stophooks.reports.kept import state  # noqa: PLC0415 -- start-up time

        known = state(report, self.event, result, max_blocks=self.budget.max_blocks)
        if spent is not None:
            known["blocks"] = min(spent.count or 0, self.budget.max_blocks)
            allowed = spent.allowed
        known["allowed"] = allowed
        if tree is not None:
            self.memory.passed(
                self.section.event, known, tree=tree, terms=self.terms, began=self.began
            )
            return
        self.memory.put_state(self.section.event, known)
        if not report.passed:
            self.memory.forget_pass(self.section.event)


def _by_machine(result: Result) -> bool:
    outcome = result.outcome
    return outcome.status is Status.UNAVAILABLE and outcome.fault not in MENDABLE
