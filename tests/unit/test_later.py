"""Executors that are made beside everything else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from stophooks.executors.base import Cancellation
from stophooks.executors.later import LaterExecutor
from stophooks.models import Command, Outcome, Status

if TYPE_CHECKING:
    from stophooks.executors.base import Sink
    from stophooks.models import Stream

LIMIT_S = 30
COMMAND = Command(name="x", project_dir="/", run="true")


class Silent:
    """A sink for nothing."""

    def write(self, stream: Stream, data: bytes) -> None:
        """Take output."""

    def note(self, text: str) -> None:
        """Take progress."""


class Begun:
    """What takes long to begin."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        """Count."""
        self.closed += 1


class Made:
    """An executor that passes everything and closes what it was made of."""

    def __init__(self, begun: Begun) -> None:
        self._begun = begun

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Pass."""
        del command, timeout_s, sink, cancel
        return Outcome(status=Status.PASSED)

    def close(self) -> None:
        """Close what it was made of."""
        self._begun.close()


def run(executor: LaterExecutor[Begun], cancel: Cancellation | None = None) -> Status:
    outcome = executor.run(COMMAND, timeout_s=1, sink=Silent(), cancel=cancel or Cancellation())
    return outcome.status


def test_several_threads_get_one_executor() -> None:
    begun, made = Begun(), []
    free = threading.Event()

    def begin() -> Begun:
        assert free.wait(LIMIT_S)
        return begun

    def finish(given: Begun) -> Made:
        made.append(given)
        return Made(given)

    executor = LaterExecutor(begin, finish)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run, executor) for _ in range(4)]
        free.set()
        found = {one.result(LIMIT_S) for one in runs}
    executor.close()

    assert found == {Status.PASSED}
    assert made == [begun]
    assert begun.closed == 1


def test_what_nobody_needed_is_closed_and_never_made() -> None:
    begun = Begun()

    executor = LaterExecutor(lambda: begun, lambda _: pytest.fail("made"))
    executor.close()

    assert begun.closed == 1


def test_what_goes_wrong_at_the_beginning_is_raised_by_the_run() -> None:
    def begin() -> Begun:
        raise ImportError("broken")

    executor = LaterExecutor(begin, Made)
    with pytest.raises(ImportError, match="broken"):
        run(executor)
    executor.close()


def test_nothing_runs_once_everything_is_to_end() -> None:
    cancel = Cancellation()
    cancel.request("enough")

    executor = LaterExecutor(Begun, lambda _: pytest.fail("made"))

    assert run(executor, cancel) is Status.CANCELLED
    executor.close()
