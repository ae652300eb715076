"""Run the commands of one event, in order, each to its end, and report on all of them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from stophooks.errors import ExecutorUnavailableError, StoreError
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
    human_duration,
)
from stophooks.secrets.mask import Mask
from stophooks.secrets.result import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        """The log of the command at ``index`` of the configuration.

        Raises:
            StoreError: It cannot be made.
        """


class Observer(Protocol):
    """Watches a run; every call must return at once."""

    def started(self, command: Command) -> None:
        """The command is about to run."""

    def output(self, command: Command, stream: Stream, data: bytes) -> None:
        """The command has said something."""

    def note(self, command: Command, text: str) -> None:
        """Something is worth a line of progress (an image being pulled …)."""

    def finished(self, result: Result) -> None:
        """The command has ended."""


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


def run(
    section: Section,
    *,
    project_dir: str,
    executors: Mapping[str, Executor],
    cancel: Cancellation,
    logs: Logs,
    observer: Observer | None = None,
    waited_s: float = 0.0,
    mask: Mask | None = None,
) -> Report:
    """Run the section's commands and report on each, in the order of the configuration.

    A command that fails, or that this machine cannot run, does not keep the others from running,
    unless the section says `fail_fast`. The section's deadline ends what is running and what has
    not begun; both count as timed out.

    Args:
        section: What to run, resolved.
        project_dir: The project, for the report.
        executors: By place: ``host`` and ``docker``.
        cancel: Ends the run early when requested, as a signal does.
        logs: Makes each command's log.
        observer: Watches the run.
        waited_s: Seconds of the section's deadline that are over already: another run had the
            project's turn.
        mask: Takes secrets out of everything in the report; executors mask output themselves.
    """
    began = time.monotonic()
    with _deadline(section, cancel, waited_s) as clock:
        runner = _Runner(
            executors=executors, clock=clock, logs=logs, observer=observer, mask=mask or Mask()
        )
        results = runner.run(section)
    return Report(
        event=section.event,
        results=results,
        duration_s=time.monotonic() - began,
        project_dir=project_dir,
    )


class _Clock:
    """One cancellation for the commands, requested from outside or by the section's deadline."""

    def __init__(self, deadline_s: float, waited_s: float) -> None:
        self.cancel = Cancellation()
        self.reason = f"the deadline of {human_duration(deadline_s)} for all commands was reached"
        if waited_s >= TOLD_WAIT_S:
            waited = human_duration(waited_s)
            self.reason += f"; {waited} of it went by waiting for another run in this project"
        self.is_over = False

    def judge(self, outcome: Outcome) -> Outcome:
        """The outcome, as timed out when the deadline ended it or never let it begin."""
        if outcome.status is not Status.CANCELLED or not self.is_over:
            return outcome
        return replace(outcome, status=Status.TIMED_OUT, reason=self.reason)

    def ring(self) -> None:
        """The deadline is here."""
        if not self.cancel.requested:
            self.is_over = True
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

    def run(self, section: Section) -> tuple[Result, ...]:
        """The results of the commands, in order."""
        results: list[Result] = []
        for index, command in enumerate(section.commands):
            if outcome := self._without_running(section, results):
                result = Result(command=command, outcome=outcome)
            else:
                result = _shortened(self._run_one(command, index), results)
            result = without_secrets(result, self.mask)
            results.append(result)
            if self.observer is not None:
                self.observer.finished(result)
        return tuple(results)

    def _without_running(self, section: Section, before: list[Result]) -> Outcome | None:
        """The outcome of a command that is not to be started at all, else None."""
        if self.clock.cancel.requested:
            reason = self.clock.cancel.reason
            ended = Outcome(status=Status.CANCELLED, reason=reason, started=False)
            return self.clock.judge(ended)
        culprit = next((result.command.name for result in before if result.blocks), None)
        if not section.fail_fast or culprit is None:
            return None
        reason = f"not run: {culprit} did not pass, and `fail_fast` is set"
        return Outcome(status=Status.SKIPPED, reason=reason, started=False)

    def _run_one(self, command: Command, index: int) -> Result:
        if self.observer is not None:
            self.observer.started(command)
        log, notes = self._open_log(index, command.name)
        began_ns = time.time_ns()
        try:
            outcome = self._execute(command, _Sink(command, log, self.observer, self.mask))
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
        return Result(command=command, outcome=_with_cases(command, outcome, began_ns))

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
                command, timeout_s=command.timeout_s, sink=sink, cancel=self.clock.cancel
            )
        except ExecutorUnavailableError as err:
            return unavailable(err)


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
