"""The one sequence of a task: locks, what gets ready, the program, what follows, release."""

from __future__ import annotations

import threading

from stophooks.contexts import contextmanager
from stophooks.errors import StophooksError
from stophooks.lifecycles.tasks import program as programs
from stophooks.lifecycles.tasks.hooks import Hooks, order
from stophooks.lifecycles.tasks.task import (
    ON_ERROR,
    POST_COMPLETE,
    PRE_START,
    Fired,
    ProgramEnd,
    Task,
    TaskEnd,
    Verdict,
)
from stophooks.lifecycles.tasks.waiting import Waiting
from stophooks.models import Status, signal_of
from stophooks.store.held import ResourceBusyError
from stophooks.store.holder import whose
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks.executors.base import Cancellation
    from stophooks.lifecycles.tasks.program import Program
    from stophooks.models import Report
    from stophooks.occasion import Fire
    from stophooks.store.held import Holding, Shelf
    from stophooks.store.holder import Holder

# sysexits.h, EX_TEMPFAIL: what gets a resource ready says that somebody else has it.
BUSY = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """Where a task's resources are held, by whom, and how long they are waited for, in seconds.

    ``waiting`` is told why, once for each reason, where they are not free at once.
    """

    shelf: Shelf
    holder: Holder
    wait_s: float = 0.0
    waiting: Callable[[str], None] = lambda _why: None


def run(
    task: Task, *, locks: Locks, hooks: Hooks, program: Program, cancel: Cancellation
) -> TaskEnd:
    """Run a task with its resources held; whatever happens, they are released in the end.

    What is busy is waited for as long as ``locks`` says, with nothing held meanwhile: a lock, and
    a `pre_start` that says so, which is then tried again. The end is that of the last time.

    Raises:
        StophooksError: The machine cannot do it; what was begun was cleaned up as after a failure.
    """
    waiting = Waiting(locks.wait_s, cancel, locks.waiting)
    notes: dict[str, None] = {}
    while True:
        course = _Course(task=task, hooks=hooks, program=program, cancel=cancel)
        end = _once(course, locks, waiting)
        notes.update(dict.fromkeys(end.notes))
        end = replace(end, notes=tuple(notes))
        if end.verdict is not Verdict.BUSY or not waiting.left_s:
            return end
        waiting.say(end.reason or "")
        waiting.pause()
        if cancel.requested:
            return replace(end, verdict=Verdict.INTERRUPTED, reason=cancel.reason)


def _once(course: _Course, locks: Locks, waiting: Waiting) -> TaskEnd:
    """Hold the resources, and go through it."""
    task, cancel = course.task, course.cancel
    try:
        with _held(task, locks, waiting, cancel) as holding:
            end = course.run()
            return replace(end, notes=(*_notes(holding), *end.notes))
    except ResourceBusyError as err:
        verdict = Verdict.INTERRUPTED if cancel.requested else Verdict.BUSY
        return TaskEnd(task=task, verdict=verdict, reason=cancel.reason or str(err))


@contextmanager
def _held(task: Task, locks: Locks, waiting: Waiting, cancel: Cancellation) -> Iterator[Holding]:
    """Hold the task's resources for the length of the block.

    Raises:
        ResourceBusyError: They cannot be had, or not in time.
    """
    stop = threading.Event()
    unsubscribe = cancel.subscribe(stop.set)
    try:
        holding = _take(task, locks, waiting, stop)
    finally:
        unsubscribe()
    with holding:
        yield holding


def _take(task: Task, locks: Locks, waiting: Waiting, stop: threading.Event) -> Holding:
    try:
        return locks.shelf.take(task.resources, locks.holder)
    except ResourceBusyError as err:
        if not waiting.left_s:
            raise
        waiting.say(str(err))
    return locks.shelf.wait(task.resources, locks.holder, wait_s=waiting.left_s, stop=stop)


def _notes(holding: Holding) -> Iterator[str]:
    for held in holding.inherited:
        yield f"{held.resource}: taken over from {whose(held)}, which died without releasing it"
    for name in holding.lost():
        yield f"{name}: somebody took its lock away by force while the task ran"


@dataclass(slots=True, kw_only=True)
class _Course:
    """What happens while the resources are held; ``begun`` is what `on_error` is due for."""

    task: Task
    hooks: Hooks
    program: Program
    cancel: Cancellation
    begun: list[str | None] = field(default_factory=list)
    fired: list[Fired] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    end: ProgramEnd | None = None
    reason: str | None = None

    def run(self) -> TaskEnd:
        try:
            verdict = self._go()
        except StophooksError:
            self._on_error()
            raise
        if verdict is not Verdict.PASSED:
            self._on_error()
        return TaskEnd(
            task=self.task,
            verdict=verdict,
            reason=self.reason,
            program=self.end,
            fired=tuple(self.fired),
            notes=tuple(self.notes),
        )

    def _go(self) -> Verdict:
        for resource in order(self.task, PRE_START):
            verdict = self._pre_start(resource)
            if verdict is not Verdict.PASSED:
                return verdict
        if self.cancel.requested:
            return self._failed(self.cancel.reason)
        self.program.starting()
        self.end = programs.run(self.program, self.cancel)
        if not self.end.passed:
            return self._failed(f"{self.program.argv[0]}: {self.end.reason}")
        return self._post_complete() if self._cleans_up() else Verdict.PASSED

    def _failed(self, reason: str) -> Verdict:
        self.reason = self.cancel.reason or reason
        return Verdict.INTERRUPTED if self.cancel.requested else Verdict.FAILED

    def _pre_start(self, resource: str | None) -> Verdict:
        self.begun.append(resource)
        report = self._fire(self.hooks.fire, PRE_START, resource)
        if not report.blocks:
            return Verdict.PASSED
        blocking = [result.outcome for result in report.results if result.blocks]
        said_busy = [one.status is Status.FAILED and one.exit_code == BUSY for one in blocking]
        if not all(said_busy) or self.cancel.requested:
            return self._failed(_of(PRE_START, resource, "did not pass"))
        if not _has_done_something(report):
            # It is another's: what follows an error here would take it away there.
            self.begun.remove(resource)
        if not any(_has_done_something(fired.report) for fired in self.fired):
            self.begun.clear()
        self.reason = _of(PRE_START, resource, f"says busy (exit code {BUSY})")
        return Verdict.BUSY

    def _post_complete(self) -> Verdict:
        """Fire it for all, whatever becomes of one."""
        errors = []
        blocked = []
        for resource in order(self.task, POST_COMPLETE):
            try:
                if self._fire(self.hooks.fire, POST_COMPLETE, resource).blocks:
                    blocked.append(resource)
            except StophooksError as err:
                errors.append(err)
        if errors:
            raise errors[0]
        if not blocked:
            return Verdict.PASSED
        return self._failed(_of(POST_COMPLETE, blocked[0], "did not pass"))

    def _on_error(self) -> None:
        """Fire it for what was begun, whatever becomes of one; it changes no verdict."""
        if not self._cleans_up():
            return
        for resource in order(self.task, ON_ERROR):
            if resource not in self.begun:
                continue
            try:
                self._fire(self.hooks.fire.regardless(), ON_ERROR, resource)
            except StophooksError as err:
                self.notes.append(_of(ON_ERROR, resource, f"could not run: {err}"))

    def _cleans_up(self) -> bool:
        """Whether that is ours to do: a program that never ran has not done it."""
        return self.task.cleanup_required or self.end is None or not self.end.started

    def _fire(self, fire: Fire, event: str, resource: str | None) -> Report:
        code = self.end.code if self.end else None
        occasion = replace(
            self.task.occasion(event, resource),
            exit_code=code,
            signal=signal_of(code),
            reason=self.reason,
        )
        report = fire(occasion, extra=self.hooks.script(self.task, event, resource))
        if report.results:
            self.fired.append(Fired(event=event, resource=resource, report=report))
        if not report.blocks:
            fire.confirm(occasion)
        return report


def _has_done_something(report: Report) -> bool:
    return any(result.outcome.status is Status.PASSED for result in report.results)


def _of(event: str, resource: str | None, what: str) -> str:
    return f"{event} of {resource} {what}" if resource else f"{event} {what}"
