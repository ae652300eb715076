"""One stop that may have to be checked: whether it has, and what becomes of it."""

from __future__ import annotations

from stophooks.hook import skip, tree
from stophooks.hook.judge import Judge, Trees
from stophooks.memo.base import Basis
from stophooks.typed import TYPE_CHECKING
from stophooks.values import cached_property, dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stophooks.agents.base import Agent, Reply
    from stophooks.events import Event
    from stophooks.executors.docker.preflight import Preflight
    from stophooks.hook.budget import Budget
    from stophooks.hook.pinned import Pinned
    from stophooks.inputs import Tree
    from stophooks.memo.base import Beside
    from stophooks.memo.image import Question
    from stophooks.models import Report
    from stophooks.plan import Plan, Section
    from stophooks.store.memory import Memory
    from stophooks.watchdog.guard import Guard


# What the next step imports. While git looks, that costs no time.
_OF_A_RUN = (
    "stophooks.engine",
    "stophooks.executors.host",
    "stophooks.secrets.vault",
    "stophooks.store.turn",
    "stophooks.store.logs",
)
_OF_AN_ANSWER = ("stophooks.reports.kept", "stophooks.store.history")


@dataclass(frozen=True, kw_only=True)
class Check:
    """A stop, what its session is held to, and what is known of both."""

    agent: Agent
    event: Event
    held: Pinned
    plan: Plan
    section: Section
    memory: Memory
    budget: Budget
    environ: Mapping[str, str]
    state_dir: str
    began: float
    guard: Guard
    preflight: Callable[[], Preflight] | None = None
    _asked: dict[str, Question] = field(default_factory=dict)

    def skipped(self) -> str | None:
        """Why nothing needs to be run, or None."""
        why = skip.unfinished(self.event, self.memory)
        if why is not None or self.held.findings:
            return why
        known = self._beside
        return skip.unchanged(
            self.section.event,
            self.memory,
            start=self.held.start_tree if known is not None and known.is_known_at_start else None,
            tree=_id(self._before),
            terms=self._terms,
        )

    def skip(self, why: str) -> Reply:
        """The answer where nothing was run."""
        from stophooks.reports import note  # noqa: PLC0415 -- most stops are checked

        remember_skip(self.memory, self.event, why)
        return self.agent.allow("\n".join((note.not_checked(why), *self.held.notes)))

    def judge(self, report: Report) -> Reply:
        """The answer to a finished run; what was found beside it counts like its commands."""
        judge = Judge(
            agent=self.agent,
            event=self.event,
            section=self.section,
            memory=self.memory,
            budget=self.budget,
            terms=self._terms or "",
            began=self.began,
            notes=self.held.notes,
        )
        whole = replace(report, results=(*self.held.findings, *report.results))
        # What was reused is known of the files as they were; nothing of ours can have changed them.
        ran = any(result.outcome.started for result in report.results)
        after = self._before
        if ran:
            after = self._look(_OF_AN_ANSWER)
        return judge.reply(
            whole,
            Trees(before=_id(self._before), after=_id(after), untouched=self._untouched(after)),
        )

    @property
    def basis(self) -> Basis:
        """How it is decided which of its commands need not run."""
        return Basis(since=self.held.start_tree, tree=self._before)

    @cached_property
    def _before(self) -> Tree | None:
        # Its shell works while we do.
        self.guard.begin()
        return self._look(_OF_A_RUN)

    @cached_property
    def _beside(self) -> Beside | None:
        tree = self._before
        return skip.beside(self.section, tree, self.environ, self._heard())

    @cached_property
    def _terms(self) -> str | None:
        known, start = self._beside, self.held.start_tree
        if known is None:
            return None
        return skip.terms(self.section, self.environ, start=start, known=known)

    def _untouched(self, after: Tree | None) -> bool:
        """Whether nothing that decides was as much as written since this stop was looked at."""
        before, known = self._before, self._beside
        if before is None or after is None or known is None:
            return False
        if after is not before:
            from stophooks.inputs import untouched  # noqa: PLC0415 -- what looked has imported it

            if not untouched(before, after):
                return False
        return skip.beside(self.section, after, self.environ, self._heard()) == known

    def _look(self, meanwhile: Sequence[str]) -> Tree | None:
        def work() -> None:
            # The engine first: it answers while this process imports.
            self._asked.update(skip.ask(self.section, self.environ))
            for name in meanwhile:
                __import__(name)

        place = self.plan.project_dir
        return tree.look(place, self.environ, state_dir=self.state_dir, meanwhile=work)

    def _heard(self) -> Mapping[str, Question]:
        """What the engine was asked during the last look; to be taken once."""
        asked = dict(self._asked)
        self._asked.clear()
        return asked


def _id(found: Tree | None) -> str | None:
    return found.id if found else None


def remember_skip(memory: Memory, event: Event, why: str) -> None:
    """Remember, beside the last result, that a stop was not checked."""
    from stophooks.reports.kept import not_checked  # noqa: PLC0415 -- most stops are checked

    memory.put_state(event.kind, not_checked(memory.state(event.kind), event, why))
