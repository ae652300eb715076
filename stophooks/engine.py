"""Run the commands of one event, in order, each to its end, and report on all of them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

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
    Stream,
    Subject,
    When,
    human_duration,
    titled,
)
from stophooks.occasion import Occasion, Prior
from stophooks.occasion.binding import Run, bind
from stophooks.occasion.steps import steps, unmet
from stophooks.secrets.mask import Mask
from stophooks.secrets.result import without_secrets
from stophooks.typed import TYPE_CHECKING, Protocol
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stophooks.models import Item
    from stophooks.occasion import Step
    from stophooks.plan import Section


# Output that is kept of all commands together, and of each that comes when this is used up; the
# logs have all of it.
KEPT_BYTES = MIB
SHORT_HEAD_BYTES = 2 * KIB
SHORT_TAIL_BYTES = 6 * KIB
# A shorter wait explains nothing about a deadline; seconds.
TOLD_WAIT_S = 1.0


class Log(Protocol):
    """The full output of one command, on disk; ``error`` says why it is not the full one."""

    path: str
    error: str | None

    def write(self, data: bytes) -> None:
        """Append output."""

    def close(self) -> None:
        """Finish the file."""


class Logs(Protocol):
    """Where the logs of one run are made."""

    def open(self, index: int, name: str) -> Log:
        """The log of the command that is the ``index``-th to run, counted from 0.

        Raises:
            StoreError: It cannot be made.
        """


class Observer(Protocol):
    """Watches a run; every call must return at once."""

    def started(self, command: Command) -> None:
        """The command is about to run; its name has the item's, if it runs for one."""

    def output(self, command: Command, stream: Stream, data: bytes) -> None:
        """The command has said something."""

    def note(self, command: Command, text: str) -> None:
        """Something is worth a line of progress (an image being pulled …)."""

    def finished(self, result: Result) -> None:
        """The command has ended."""


class Memo(Protocol):
    """Knows which commands need not run; both calls are safe across threads."""

    def known(self, command: Command, item: Item | None) -> Outcome | None:
        """The outcome of a command that need not run, asked just before it would; else None."""

    def ended(self, command: Command, outcome: Outcome) -> None:
        """Take note of how a command has ended that was not known."""


class _Sink:
    """Passes one command's output to its log and to the observer."""

    def __init__(
        self, command: Command, log: Log | None, observer: Observer | None, mask: Mask
    ) -> None:
        self._command = command
        self._mask = mask
        self._log = log
        self._observer = observer
        self._lock = threading.Lock()

    def write(self, stream: Stream, data: bytes) -> None:
        """Take output from any thread."""
        with self._lock:
            if self._log is not None:
                self._log.write(data)
            if self._observer is not None:
                self._observer.output(self._command, stream, data)

    def note(self, text: str) -> None:
        """Take progress."""
        if self._observer is not None:
            self._observer.note(self._command, self._mask.text(text))


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
    unless the section says `fail_fast`. The section's deadline ends what is running and what has
    not begun; both count as timed out.

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
    with _deadline(section, cancel, waited_s) as clock:
        runner = _Runner(
            executors=executors,
            clock=clock,
            logs=logs,
            observer=observer,
            mask=mask or Mask(),
            occasion=occasion,
            named=Run(run_id=run_id, project_dir=project_dir, config_path=config_path),
            memo=memo,
        )
        results = runner.run(section, steps(section, occasion, done=done))
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


class _Clock:
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
def _deadline(section: Section, outer: Cancellation, waited_s: float) -> Iterator[_Clock]:
    clock = _Clock(section.deadline_s, waited_s)
    unsubscribe = outer.subscribe(lambda: clock.cancel.request(outer.reason, grace_s=outer.grace_s))
    timer = threading.Timer(max(section.deadline_s - waited_s, 0.0), clock.ring)
    timer.daemon = True
    timer.start()
    try:
        yield clock
    finally:
        timer.cancel()
        unsubscribe()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    """Takes each command through its executor."""

    executors: Mapping[str, Executor]
    clock: _Clock
    logs: Logs
    observer: Observer | None
    mask: Mask
    occasion: Occasion
    named: Run
    memo: Memo | None

    def run(self, section: Section, wanted: tuple[Step, ...]) -> tuple[Result, ...]:
        """The results of the commands, in order."""
        results: list[Result] = []
        for index, step in enumerate(wanted):
            prior = self._prior(results)
            command = bind(step.command, self.occasion, self.named, item=step.item, prior=prior)
            outcome = self._without_running(section, step, prior, results)
            if outcome is None and self.memo is not None:
                outcome = self.memo.known(command, step.item)
            if outcome is not None:
                result = Result(command=command, outcome=outcome, item=step.item)
            else:
                result = _shortened(self._run_one(command, index, step.item), results)
            result = without_secrets(result, self.mask)
            results.append(result)
            if self.observer is not None:
                self.observer.finished(result)
        return tuple(results)

    def _prior(self, before: list[Result]) -> Prior:
        """How it went until now."""
        well = all(result.ok for result in before)
        return self.occasion.prior if well else Prior.FAILURE

    def _without_running(
        self, section: Section, step: Step, prior: Prior, before: list[Result]
    ) -> Outcome | None:
        """The outcome of a command that is not to be started at all, else None."""
        if step.skip is not None:
            return _skipped(step.skip)
        cancel = self._cancel(step.command)
        if cancel.requested:
            reason = cancel.reason
            ended = Outcome(status=Status.CANCELLED, reason=reason, started=False)
            return self.clock.judge(ended)
        if culprit := _culprit(section, before):
            return _skipped(f"not run: {culprit} did not pass, and `fail_fast` is set")
        if step.command.stop_items and (failed := _failed_item(step, before)):
            return _skipped(f"not run: it failed for {failed} (`on_item_failure: stop`)")
        wanted = {Prior.SUCCESS: When.SUCCESS, Prior.FAILURE: When.FAILURE}[prior]
        if step.command.when not in {When.ALWAYS, wanted}:
            return _skipped(unmet(step.command.when))
        return None

    def _cancel(self, command: Command) -> Cancellation:
        """What ends the command: after an interrupt, nothing but the deadline where it is due."""
        is_due = EVENTS[self.occasion.event].finishes and command.when is When.ALWAYS
        return self.clock.last if is_due and self.clock.cancel.requested else self.clock.cancel

    def _run_one(self, command: Command, index: int, item: Item | None) -> Result:
        # Who watches is to know which of the items it is.
        shown = replace(command, name=titled(command, item))
        if self.observer is not None:
            self.observer.started(shown)
        title = f"{command.name} {item.name}" if item else command.name
        log, notes = self._open_log(index, title)
        began_ns = time.time_ns()
        try:
            outcome = self._execute(command, _Sink(shown, log, self.observer, self.mask))
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
        return Result(command=command, outcome=found, item=item)

    def _open_log(self, index: int, name: str) -> tuple[Log | None, tuple[str, ...]]:
        """The log, or none and a note: a full disk must not change what a check says."""
        try:
            return self.logs.open(index, name), ()
        except StoreError as err:
            return None, (f"no log was kept: {err}",)

    def _execute(self, command: Command, sink: _Sink) -> Outcome:
        executor = self.executors["docker" if command.container else "host"]
        try:
            return executor.run(
                command, timeout_s=command.timeout_s, sink=sink, cancel=self._cancel(command)
            )
        except ExecutorUnavailableError as err:
            return unavailable(err)


def _skipped(reason: str) -> Outcome:
    return Outcome(status=Status.SKIPPED, reason=reason, started=False)


def _culprit(section: Section, before: list[Result]) -> str | None:
    """Whose failure keeps the rest of the section from running, if anything's does."""
    if not section.fail_fast:
        return None
    gate = EVENTS[section.event].gate
    failed = (result for result in before if (result.blocks if gate else not result.ok))
    return next((result.title for result in failed), None)


def _failed_item(step: Step, before: list[Result]) -> str | None:
    """The item that the same command has failed for already, if there is one."""
    same = (result for result in before if result.command.name == step.command.name)
    return next((one.item.name for one in same if one.item and not _passed(one)), None)


def _passed(result: Result) -> bool:
    return result.outcome.status in {Status.PASSED, Status.SKIPPED}


def _with_cases(command: Command, outcome: Outcome, began_ns: int) -> Outcome:
    """The outcome with the failing cases that the command told machines, where it failed."""
    if outcome.status not in {Status.FAILED, Status.TIMED_OUT} or not outcome.started:
        return outcome
    from stophooks import results  # noqa: PLC0415 -- most runs have no failure

    found = results.read(command, outcome, began_ns=began_ns)
    notes = (*outcome.notes, found.note) if found.note else outcome.notes
    return replace(outcome, cases=found.cases, notes=notes)


def _shortened(result: Result, before: list[Result]) -> Result:
    """The result, with less of its output where much is kept of those before it."""
    outcomes = [one.outcome for one in (*before, result)]
    if sum(one.stdout.kept_bytes + one.stderr.kept_bytes for one in outcomes) <= KEPT_BYTES:
        return result
    stdout, stderr = (
        stream.shortened(head_bytes=SHORT_HEAD_BYTES, tail_bytes=SHORT_TAIL_BYTES)
        for stream in (result.outcome.stdout, result.outcome.stderr)
    )
    return replace(result, outcome=replace(result.outcome, stdout=stdout, stderr=stderr))
