"""All commands of an event, in order, within one deadline."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from stophooks import engine
from stophooks.containers import Container
from stophooks.errors import ExecutorUnavailableError, StoreError
from stophooks.executors.base import Cancellation, Sink
from stophooks.executors.host import HostExecutor
from stophooks.models import Command, Outcome, Report, Result, Severity, Status, Stream
from stophooks.plan import Section
from stophooks.store.logs import RunLogs
from stophooks.values import dataclass, field
from tests.running import paced


@dataclass(kw_only=True)
class AwayExecutor:
    """An executor whose machine is away."""

    asked: int = 0

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Refuse."""
        del command, timeout_s, sink, cancel
        self.asked += 1
        raise ExecutorUnavailableError("The moon is away.", remedy="Wait.", fault="away")

    def close(self) -> None:
        """Nothing is left."""


@dataclass(kw_only=True)
class Diary:
    """An observer that keeps what it sees."""

    lines: list[str] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)

    def started(self, command: Command) -> None:
        """Keep the start."""
        self.lines.append(f"started {command.name}")
        self.began.set()

    def output(self, command: Command, stream: Stream, data: bytes) -> None:
        """Keep the output."""
        self.lines.append(f"{command.name} {stream} {data.decode()}")

    def note(self, command: Command, text: str) -> None:
        """Keep progress."""
        self.lines.append(f"{command.name} {text}")

    def finished(self, result: Result) -> None:
        """Keep the end."""
        self.lines.append(f"finished {result.command.name} {result.outcome.status}")


class NoLogs:
    """Logs on a disk without room."""

    def open(self, index: int, name: str) -> engine.Log:
        """Refuse."""
        raise StoreError(f"no room for {index} {name}")


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs sections in one project."""

    project: Path
    state: Path

    def command(self, name: str, script: str, **options: Any) -> Command:
        """A command of the project."""
        return Command(name=name, project_dir=str(self.project), run=script, **options)

    def run(self, *commands: Command, **options: Any) -> Report:
        """Run commands to their report; section options by name, the rest for the engine."""
        ours = {key: options.pop(key) for key in ("fail_fast", "deadline_s") if key in options}
        section = Section(event="stop", commands=commands, **ours)
        given: dict[str, Any] = {
            "project_dir": str(self.project),
            "executors": {"host": HostExecutor({"PATH": "/usr/bin:/bin"})},
            "cancel": Cancellation(),
            "logs": RunLogs(str(self.state), "run"),
        }
        return engine.run(section, **(given | options))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A project and a state directory."""
    for name in ("project", "state"):
        (tmp_path / name).mkdir()
    return Runner(project=tmp_path / "project", state=tmp_path / "state")


def statuses(report: Report) -> list[tuple[str, Status]]:
    """Each command's name and status, in order."""
    return [(result.command.name, result.outcome.status) for result in report.results]


@pytest.mark.scenario("stop-hooks: A failure does not keep the others from running")
def test_every_command_runs_and_is_reported_in_order(runner: Runner) -> None:
    report = runner.run(
        runner.command("a", "exit 4"), runner.command("b", "true"), runner.command("c", "exit 5")
    )

    assert statuses(report) == [("a", Status.FAILED), ("b", Status.PASSED), ("c", Status.FAILED)]
    assert [result.outcome.exit_code for result in report.results] == [4, 0, 5]
    assert report.blocks
    assert not report.passed


@pytest.mark.scenario("stop-hooks: Fail fast skips the rest")
def test_fail_fast_skips_the_rest(runner: Runner) -> None:
    report = runner.run(
        runner.command("a", "true"),
        runner.command("b", "false"),
        runner.command("c", "touch ran"),
        fail_fast=True,
    )

    assert statuses(report)[1:] == [("b", Status.FAILED), ("c", Status.SKIPPED)]
    assert report.results[2].outcome.reason == "not run: b did not pass, and `fail_fast` is set"
    assert not (runner.project / "ran").exists()


@pytest.mark.scenario("stop-hooks: A warning does not trigger fail fast")
def test_a_warning_does_not_trigger_fail_fast(runner: Runner) -> None:
    report = runner.run(
        runner.command("a", "false", severity=Severity.WARN),
        runner.command("b", "true"),
        fail_fast=True,
    )

    assert statuses(report) == [("a", Status.FAILED), ("b", Status.PASSED)]


@pytest.mark.scenario("stop-hooks: The deadline ends the running command and those to come")
def test_the_deadline_ends_everything(runner: Runner) -> None:
    began = time.monotonic()

    report = runner.run(
        runner.command("a", "echo so far; sleep 60"), runner.command("b", "true"), deadline_s=0.5
    )

    assert statuses(report) == [("a", Status.TIMED_OUT), ("b", Status.TIMED_OUT)]
    reasons = {result.outcome.reason for result in report.results}
    assert reasons == {"the deadline of 0.5 s for all commands was reached"}
    assert report.results[0].outcome.stdout.head == b"so far\n"
    assert time.monotonic() - began < paced(0.5 + 2 + 1)
    assert report.blocks


@pytest.mark.scenario("stop-hooks: A command's own timeout names itself")
def test_a_commands_own_timeout_names_itself(runner: Runner) -> None:
    report = runner.run(
        runner.command("a", "sleep 60", timeout_s=0.2), runner.command("b", "true"), deadline_s=30
    )

    assert statuses(report) == [("a", Status.TIMED_OUT), ("b", Status.PASSED)]
    assert report.results[0].outcome.reason == "timed out after 0.2 s"


@pytest.mark.scenario("stop-hooks: A machine that cannot run a command blocks")
def test_a_machine_that_is_away_blocks_and_the_others_run(runner: Runner) -> None:
    away = AwayExecutor()
    contained = runner.command("a", "true", container=Container(image="x:1"))

    report = runner.run(
        contained,
        runner.command("b", "true"),
        executors={"docker": away, "host": HostExecutor({"PATH": "/bin"})},
    )

    outcome = report.results[0].outcome
    assert statuses(report) == [("a", Status.UNAVAILABLE), ("b", Status.PASSED)]
    assert (outcome.reason, outcome.remedy, outcome.fault) == ("The moon is away.", "Wait.", "away")
    assert report.blocks
    assert away.asked == 1


@pytest.mark.scenario("stop-hooks: A warning is reported and does not block")
def test_a_warning_is_reported_and_does_not_block(runner: Runner) -> None:
    report = runner.run(runner.command("a", "false", severity=Severity.WARN))

    assert not report.blocks
    assert not report.passed
    assert [result.command.name for result in report.failures] == ["a"]


@pytest.mark.scenario("stop-hooks: A cancelled run blocks")
def test_a_cancelled_run_ends_everything_and_blocks(runner: Runner) -> None:
    cancel, diary = Cancellation(), Diary()
    box: list[Report] = []
    thread = threading.Thread(
        target=lambda: box.append(
            runner.run(
                runner.command("a", "sleep 60"),
                runner.command("b", "true"),
                cancel=cancel,
                observer=diary,
            )
        )
    )
    thread.start()
    diary.began.wait(5)

    cancel.request("interrupted", grace_s=0.1)
    thread.join(10)

    assert statuses(box[0]) == [("a", Status.CANCELLED), ("b", Status.CANCELLED)]
    assert box[0].results[1].outcome.reason == "interrupted"
    assert [result.outcome.started for result in box[0].results] == [True, False]
    assert box[0].blocks


@pytest.mark.scenario("stop-hooks: Each command has its own log")
def test_each_command_has_its_own_log(runner: Runner) -> None:
    report = runner.run(
        runner.command("a", "echo one; echo two >&2"), runner.command("b", "printf '\\0\\377'")
    )

    logs = [Path(result.outcome.log_path or "").read_bytes() for result in report.results]
    assert sorted(logs[0].splitlines()) == [b"one", b"two"]
    assert logs[1] == b"\0\xff"


@pytest.mark.scenario("stop-hooks: A log that cannot be made changes no result")
def test_a_log_that_cannot_be_made_changes_no_result(runner: Runner) -> None:
    report = runner.run(runner.command("a", "false"), runner.command("b", "true"), logs=NoLogs())

    assert statuses(report) == [("a", Status.FAILED), ("b", Status.PASSED)]
    assert report.results[0].outcome.log_path is None
    assert report.results[0].outcome.notes == ("no log was kept: no room for 0 a",)


def test_the_observer_sees_everything_in_order(runner: Runner) -> None:
    diary = Diary()

    runner.run(runner.command("a", "echo x"), runner.command("b", "false"), observer=diary)

    assert diary.lines == [
        "started a",
        "a stdout x\n",
        "finished a passed",
        "started b",
        "finished b failed",
    ]
