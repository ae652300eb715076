"""Run the commands of one event, each to its end, and report on all of them in order."""

from __future__ import annotations

import time

from stophooks.errors import ExecutorUnavailableError, StoreError
from stophooks.events import EVENTS
from stophooks.executors.base import Cancellation, Executor, unavailable
from stophooks.models import (
    KIB,
    MIB,
    Command,
    Outcome,
    Report,
    Result,
    Status,
    Subject,
    When,
    titled,
)
from stophooks.occasion import Occasion, Prior
from stophooks.occasion.binding import Run, bind
from stophooks.occasion.steps import steps, unmet
from stophooks.running import skips
from stophooks.running.base import Log, Logs, Memo, Observer, Output
from stophooks.running.deadline import Clock, deadline
from stophooks.running.order import memory_bytes, tasks
from stophooks.running.schedule import Schedule, Task
from stophooks.secrets.mask import Mask
from stophooks.secrets.result import without_secrets
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from stophooks.models import Item
    from stophooks.occasion import Step
    from stophooks.plan import Section


__all__ = ["Log", "Logs", "Memo", "Observer", "nobody", "run"]

# Output that is kept of all commands together, and of each that comes when this is used up; the
# logs have all of it.
KEPT_BYTES = MIB
SHORT_HEAD_BYTES = 2 * KIB
SHORT_TAIL_BYTES = 6 * KIB


def run(  # noqa: PLR0913 -- all that one run is given, each by its name
    section: Section,
    *,
    project_dir: str,
    executors: Mapping[str, Executor],
    cancel: Cancellation,
    logs: Logs,
    observer: Observer | None = None,
    waited_s: float = 0.0,
    mask: Mask | None = None,
    occasion: Occasion | None = None,
    run_id: str = "",
    config_path: str = "",
    done: Callable[[str], bool] = lambda _: False,
    memo: Memo | None = None,
) -> Report:
    """Run the section's commands and report on each, in the order of the configuration.

    A command that fails, or that this machine cannot run, does not keep the others from running,
    unless the section says `fail_fast` or they need it. The section's deadline ends what is
    running and what has not begun; both count as timed out.

    Args:
        section: What to run, resolved.
        project_dir: The project.
        executors: By place: ``host`` and ``docker``.
        cancel: Ends the run early when requested, as a signal does.
        logs: Makes each command's log.
        observer: Watches the run.
        waited_s: Seconds of the section's deadline that are over already: another run had the
            project's turn.
        mask: Takes secrets out of everything in the report; executors mask output themselves.
        occasion: What the event is about; None for a session that nobody knows.
        run_id: Names the run to its commands.
        config_path: Where the commands are written, for them; absolute, or empty.
        done: Whether a command that runs once has passed, by its `once_key`.
        memo: Knows which commands need not run; None: all do.
    """
    began = time.monotonic()
    occasion = occasion or Occasion(event=section.event, subject=nobody(project_dir))
    wanted = steps(section, occasion, done=done)
    with deadline(section, cancel, waited_s) as clock:
        runner = _Runner(
            executors=executors,
            clock=clock,
            logs=logs,
            observer=observer,
            mask=mask or Mask(),
            occasion=occasion,
            named=Run(run_id=run_id, project_dir=project_dir, config_path=config_path),
            section=section,
            steps=wanted,
            tasks=tasks(wanted),
            memo=memo,
        )
        results = runner.run()
    return Report(
        event=section.event,
        results=results,
        duration_s=time.monotonic() - began,
        project_dir=project_dir,
        subject=occasion.subject,
        run_id=run_id,
    )


def nobody(project_dir: str) -> Subject:
    """The subject of a run that belongs to no agent's session."""
    return Subject(kind="session", id="local", path=project_dir)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    """Takes each command through its executor, some at the same time: see `Work`."""

    executors: Mapping[str, Executor]
    clock: Clock
    logs: Logs
    observer: Observer | None
    mask: Mask
    occasion: Occasion
    named: Run
    section: Section
    steps: tuple[Step, ...]
    tasks: Sequence[Task]
    memo: Memo | None

    def run(self) -> tuple[Result, ...]:
        """The results of the commands, in order."""
        schedule = Schedule(
            self.tasks, self, jobs=self.section.jobs, memory_bytes=memory_bytes(self.section)
        )
        return schedule.run()

    def skipped(self, number: int, over: Mapping[int, Result]) -> Result | None:
        """See `stophooks.schedule.Work`."""
        step = self.steps[number]
        prior = self._prior(number, over)
        outcome = self._without_running(step, prior, over)
        if outcome is None:
            return None
        command = bind(step.command, self.occasion, self.named, item=step.item, prior=prior)
        result = Result(command=command, outcome=outcome, item=step.item)
        return without_secrets(result, self.mask)

    def begun(self, number: int, over: Mapping[int, Result]) -> Callable[[], Result]:
        """See `stophooks.schedule.Work`."""
        step = self.steps[number]
        prior = self._prior(number, over)
        command = bind(step.command, self.occasion, self.named, item=step.item, prior=prior)
        return lambda: self._run_one(command, number, step.item)

    def ended(self, number: int, result: Result, over: Mapping[int, Result]) -> Result:
        """See `stophooks.schedule.Work`."""
        del number
        result = _shortened(result, over.values())
        if self.observer is not None:
            self.observer.finished(result)
        return result

    def broken(self) -> None:
        """See `stophooks.schedule.Work`."""
        reason = "stophooks met a fault of its own"
        self.clock.last.request(reason)
        self.clock.cancel.request(reason)

    def _prior(self, number: int, over: Mapping[int, Result]) -> Prior:
        """How it went until now: of the commands before this one, as far as it can know."""
        waits_for = self.tasks[number].after
        in_order = self.section.jobs == 1
        known = (over[one] for one in over if one < number and (in_order or one in waits_for))
        return self.occasion.prior if all(one.ok for one in known) else Prior.FAILURE

    def _without_running(
        self, step: Step, prior: Prior, over: Mapping[int, Result]
    ) -> Outcome | None:
        """The outcome of a command that is not to be started at all, else None."""
        if step.skip is not None:
            return _skipped(step.skip)
        cancel = self._cancel(step.command)
        if cancel.requested:
            reason = cancel.reason
            ended = Outcome(status=Status.CANCELLED, reason=reason, started=False)
            return self.clock.judge(ended)
        if why := skips.unmet(self.section, step, over.values()):
            return replace(_skipped(why), unmet=True)
        wanted = {Prior.SUCCESS: When.SUCCESS, Prior.FAILURE: When.FAILURE}[prior]
        if step.command.when not in {When.ALWAYS, wanted}:
            return _skipped(unmet(step.command.when))
        return None

    def _cancel(self, command: Command) -> Cancellation:
        """What ends the command: after an interrupt, nothing but the deadline where it is due."""
        is_due = EVENTS[self.occasion.event].finishes and command.when is When.ALWAYS
        return self.clock.last if is_due and self.clock.cancel.requested else self.clock.cancel

    def _run_one(self, command: Command, index: int, item: Item | None) -> Result:
        known = self.memo.known(command, item) if self.memo is not None else None
        if known is not None:
            result = Result(command=command, outcome=known, item=item)
            return without_secrets(result, self.mask)
        # Who watches is to know which of the items it is.
        shown = replace(command, name=titled(command, item))
        if self.observer is not None:
            self.observer.started(shown)
        title = f"{command.name} {item.name}" if item else command.name
        log, notes = self._open_log(index, title)
        began_ns = time.time_ns()
        try:
            outcome = self._execute(command, Output(shown, log, self.observer, self.mask))
        finally:
            if log is not None:
                log.close()
        if log is not None and log.error:
            notes = (f"the log is not complete: {log.error}",)
        outcome = replace(
            self.clock.judge(outcome),
            notes=(*outcome.notes, *notes),
            log_path=log.path if log is not None else None,
        )
        if self.memo is not None:
            self.memo.ended(command, outcome)
        found = _with_cases(command, outcome, began_ns)
        return without_secrets(Result(command=command, outcome=found, item=item), self.mask)

    def _open_log(self, index: int, name: str) -> tuple[Log | None, tuple[str, ...]]:
        """The log, or none and a note: a full disk must not change what a check says."""
        try:
            return self.logs.open(index, name), ()
        except StoreError as err:
            return None, (f"no log was kept: {err}",)

    def _execute(self, command: Command, sink: Output) -> Outcome:
        executor = self.executors["docker" if command.container else "host"]
        try:
            return executor.run(
                command, timeout_s=command.timeout_s, sink=sink, cancel=self._cancel(command)
            )
        except ExecutorUnavailableError as err:
            return unavailable(err)


def _skipped(reason: str) -> Outcome:
    return Outcome(status=Status.SKIPPED, reason=reason, started=False)


def _with_cases(command: Command, outcome: Outcome, began_ns: int) -> Outcome:
    """The outcome with the failing cases that the command told machines, where it failed."""
    if outcome.status not in {Status.FAILED, Status.TIMED_OUT} or not outcome.started:
        return outcome
    from stophooks import results  # noqa: PLC0415 -- most runs have no failure

    found = results.read(command, outcome, began_ns=began_ns)
    notes = (*outcome.notes, found.note) if found.note else outcome.notes
    return replace(outcome, cases=found.cases, notes=notes)


def _shortened(result: Result, before: Iterable[Result]) -> Result:
    """The result, with less of its output where much is kept of those before it."""
    outcomes = [one.outcome for one in (*before, result)]
    if sum(one.stdout.kept_bytes + one.stderr.kept_bytes for one in outcomes) <= KEPT_BYTES:
        return result
    stdout, stderr = (
        stream.shortened(head_bytes=SHORT_HEAD_BYTES, tail_bytes=SHORT_TAIL_BYTES)
        for stream in (result.outcome.stdout, result.outcome.stderr)
    )
    return replace(result, outcome=replace(result.outcome, stdout=stdout, stderr=stderr))
