"""What runs when, and beside what: real threads, and commands that only say that they ran."""

from __future__ import annotations

import _thread
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stophooks import engine, threads
from stophooks.containers import Container
from stophooks.errors import ExecutorUnavailableError, StoreError
from stophooks.executors.base import Cancellation, Sink
from stophooks.models import GIB, Command, Item, Outcome, Report, Severity, Status, Subject, When
from stophooks.occasion import Occasion
from stophooks.plan import Section
from stophooks.running.schedule import Schedule, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Longer than anything here takes on a busy machine; seconds.
PATIENCE_S = 30.0
PASSED = Outcome(status=Status.PASSED)
FAILED = Outcome(status=Status.FAILED, exit_code=1)


class NoLogs:
    """Logs on a disk without room."""

    def open(self, index: int, name: str) -> engine.Log:
        """Refuse."""
        raise StoreError(f"no room for {index} {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One command's start, what ran then, and what had ended; and in which thread."""

    title: str
    beside: tuple[str, ...]
    over: tuple[str, ...]
    thread: int


@dataclass(kw_only=True)
class FakeExecutor:
    """Runs nothing, and remembers what it was asked for beside what."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    act: Callable[[Command, Cancellation], None] = lambda *_: None
    starts: list[Start] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Say how the command is to end."""
        del timeout_s, sink
        item = dict(command.env).get("STOPHOOKS_ITEM_NAME")
        title = f"{command.name} [{item}]" if item else command.name
        with self.lock:
            beside, over = tuple(self.running), tuple(self.over)
            self.starts.append(
                Start(title=title, beside=beside, over=over, thread=threading.get_ident())
            )
            self.running.append(title)
        try:
            self.act(command, cancel)
        finally:
            with self.lock:
                self.running.remove(title)
                self.over.append(title)
        outcome = self.outcomes.get(title, PASSED)
        if outcome.status is Status.UNAVAILABLE:
            raise ExecutorUnavailableError("away", remedy="Wait.", fault="away")
        return outcome

    def close(self) -> None:
        """Nothing is left."""

    def start(self, title: str) -> Start:
        """How one of them started."""
        return next(one for one in self.starts if one.title == title)

    @property
    def order(self) -> list[str]:
        return [one.title for one in self.starts]


def command(name: str, *, memory: int | None = None, **options: Any) -> Command:
    image = memory is not None
    container = Container(image="i:1", memory_bytes=memory or None) if image else None
    return Command(name=name, project_dir="/p", run=":", container=container, **options)


def run(
    executor: FakeExecutor,
    *commands: Command,
    occasion: Occasion | None = None,
    cancel: Cancellation | None = None,
    done: Callable[[str], bool] = lambda _: False,
    **rules: Any,
) -> Report:
    section = Section(**{"event": "stop", "commands": commands, **rules})
    return engine.run(
        section,
        project_dir="/p",
        executors={"host": executor, "docker": executor},
        cancel=cancel or Cancellation(),
        logs=NoLogs(),
        occasion=occasion,
        done=done,
    )


def all_meet(count: int) -> Callable[[Command, Cancellation], None]:
    """What every command does: wait until so many are there; in vain it is an error."""
    barrier = threading.Barrier(count, timeout=PATIENCE_S)

    def act(_: Command, __: Cancellation) -> None:
        barrier.wait()

    return act


def wait_for(event: threading.Event) -> None:
    assert event.wait(PATIENCE_S)


def reasons(report: Report) -> dict[str, str | None]:
    return {result.title: result.outcome.reason for result in report.results}


def statuses(report: Report) -> dict[str, Status]:
    return {result.title: result.outcome.status for result in report.results}


def names(count: int) -> list[str]:
    return [f"c{number}" for number in range(count)]


@pytest.mark.scenario("parallel: More than there are processors")
def test_waiting_is_not_capped_by_processors() -> None:
    executor = FakeExecutor(act=all_meet(16))

    report = run(executor, *map(command, names(16)), jobs=64)

    assert report.passed


@pytest.mark.scenario("parallel: No more than are allowed")
def test_no_more_run_than_are_allowed() -> None:
    executor = FakeExecutor(act=all_meet(2))

    report = run(executor, *map(command, names(4)), jobs=2)

    assert report.passed
    assert max(len(one.beside) for one in executor.starts) == 1


@pytest.mark.scenario("parallel: One at a time is done by the calling thread")
def test_one_at_a_time_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def start(work: Callable[..., object], given_to: tuple[object, ...]) -> int:
        started.append(work)
        return _thread.start_new_thread(work, given_to)

    monkeypatch.setattr(threads, "start_new_thread", start)
    executor = FakeExecutor()

    run(executor, *map(command, names(3)))

    assert executor.order == names(3)
    assert {one.thread for one in executor.starts} == {threading.get_ident()}
    # The one that is new is the deadline's clock.
    assert len(started) == 1


def test_results_are_in_order_however_commands_end() -> None:
    later = threading.Event()

    def act(one: Command, _: Cancellation) -> None:
        if one.name == "c0":
            wait_for(later)
        if one.name == "c2":
            later.set()

    executor = FakeExecutor(act=act)

    report = run(executor, *map(command, names(3)), jobs=3)

    assert executor.over[-1] == "c0"
    assert [result.title for result in report.results] == names(3)


@pytest.mark.scenario("parallel: A thread that fails ends the run")
def test_an_error_in_a_thread_is_raised_where_the_run_was_asked_for() -> None:
    ended = threading.Event()

    def act(one: Command, cancel: Cancellation) -> None:
        if one.name == "c1":
            raise ZeroDivisionError("ours")
        cancel.subscribe(ended.set)
        wait_for(ended)
        told.append(cancel.reason)

    told: list[str] = []
    executor = FakeExecutor(act=act)

    with pytest.raises(ZeroDivisionError, match="ours"):
        run(executor, *map(command, names(3)), jobs=2)

    assert executor.order == ["c0", "c1"]
    assert executor.running == []
    assert told == ["stophooks met a fault of its own"]


class Failing:
    """Work whose first task raises an exception."""

    def __init__(self) -> None:
        self.begun_: list[int] = []

    def skipped(self, number: int, over: Mapping[int, int]) -> int | None:
        """Skip none."""

    def begun(self, number: int, over: Mapping[int, int]) -> Callable[[], int]:
        """Divide by the number."""
        del over
        self.begun_.append(number)
        return lambda: 1 // number

    def ended(self, number: int, result: int, over: Mapping[int, int]) -> int:
        """Take no result."""
        raise AssertionError(number, result, over)

    def broken(self) -> None:
        """End nothing: nothing runs."""


def test_nothing_is_begun_after_an_error() -> None:
    work = Failing()
    schedule = Schedule([Task(), Task()], work, jobs=1, memory_bytes=0)

    with pytest.raises(ZeroDivisionError):
        schedule.run()

    assert work.begun_ == [0]


def test_tasks_that_wait_for_each_other_are_an_error_and_no_wait_without_end() -> None:
    tasks = [Task(after=frozenset({1})), Task(after=frozenset({0}))]

    with pytest.raises(RuntimeError, match="wait for each other"):
        Schedule(tasks, Failing(), jobs=2, memory_bytes=0).run()


@pytest.mark.scenario("parallel: A need runs first")
@pytest.mark.parametrize("jobs", [1, 4])
def test_a_need_runs_first_wherever_it_stands(jobs: int) -> None:
    executor = FakeExecutor()

    report = run(
        executor, command("a", needs=("c",)), command("b"), command("c", needs=("b",)), jobs=jobs
    )

    assert executor.order == ["b", "c", "a"]
    assert [result.title for result in report.results] == ["a", "b", "c"]


@pytest.mark.scenario("parallel: A need that did not pass")
@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize(
    "status", [Status.FAILED, Status.TIMED_OUT, Status.UNAVAILABLE, Status.CANCELLED]
)
def test_a_need_that_did_not_pass_skips_who_needs_it(status: Status, jobs: int) -> None:
    executor = FakeExecutor(outcomes={"a": Outcome(status=status)})

    report = run(
        executor,
        command("a"),
        command("b", needs=("d", "a")),
        command("c", needs=("b",)),
        command("d"),
        jobs=jobs,
    )

    assert executor.order == ["a", "d"]
    assert statuses(report) == {
        "a": status,
        "b": Status.SKIPPED,
        "c": Status.SKIPPED,
        "d": Status.PASSED,
    }
    assert reasons(report)["b"] == "not run: a did not pass (needs)"
    assert reasons(report)["c"] == "not run: b did not pass (needs)"
    assert report.blocks


@pytest.mark.scenario("parallel: A need with nothing to do")
@pytest.mark.parametrize("jobs", [1, 4])
def test_a_need_with_nothing_to_do_is_met(jobs: int) -> None:
    executor = FakeExecutor()

    report = run(
        executor,
        command("a", when=When.FAILURE),
        command("b", once=True),
        command("c", needs=("a", "b")),
        jobs=jobs,
        done=lambda _: True,
    )

    assert statuses(report) == {"a": Status.SKIPPED, "b": Status.SKIPPED, "c": Status.PASSED}


@pytest.mark.scenario("parallel: A need for each item")
@pytest.mark.parametrize("jobs", [1, 4])
def test_a_need_is_met_when_it_is_for_all_its_items(jobs: int) -> None:
    subject = Subject(kind="workspace", id="w", path="/w")
    items = tuple(Item(kind="repo", name=name, path=f"/w/{name}") for name in ("x", "y", "z"))
    occasion = Occasion(event="workspace.pre_close", subject=subject, items=items)
    executor = FakeExecutor(outcomes={"a [y]": FAILED})

    report = run(
        executor,
        command("b", needs=("a",)),
        command("a", for_each="repo"),
        event="workspace.pre_close",
        occasion=occasion,
        jobs=jobs,
    )

    assert sorted(executor.order) == ["a [x]", "a [y]", "a [z]"]
    assert reasons(report)["b"] == "not run: a [y] did not pass (needs)"


def test_items_go_one_after_the_other_where_a_failure_stops_them() -> None:
    subject = Subject(kind="workspace", id="w", path="/w")
    items = tuple(Item(kind="repo", name=name, path=f"/w/{name}") for name in ("x", "y", "z"))
    occasion = Occasion(event="workspace.pre_close", subject=subject, items=items)
    executor = FakeExecutor(outcomes={"a [y]": FAILED})

    report = run(
        executor,
        command("a", for_each="repo", stop_items=True),
        command("b", needs=("a",)),
        event="workspace.pre_close",
        occasion=occasion,
        jobs=4,
    )

    assert executor.order == ["a [x]", "a [y]"]
    assert reasons(report)["a [z]"] == "not run: it failed for y (`on_item_failure: stop`)"
    assert reasons(report)["b"] == "not run: a [y] did not pass (needs)"


def test_a_need_outside_of_the_run_is_nothing_to_wait_for() -> None:
    executor = FakeExecutor()

    report = run(executor, command("b", needs=("a",)), jobs=4)

    assert report.passed
    assert executor.order == ["b"]


@pytest.mark.scenario("parallel: A condition looks at all before it")
def test_a_condition_waits_for_all_before_it() -> None:
    executor = FakeExecutor(outcomes={"b": FAILED})

    report = run(
        executor,
        command("a"),
        command("b"),
        command("c", when=When.FAILURE),
        command("d", when=When.SUCCESS),
        command("e"),
        jobs=8,
    )

    assert set(executor.start("c").over) >= {"a", "b"}
    assert statuses(report)["c"] is Status.PASSED
    assert reasons(report)["d"] == "something before it failed (`if: success`)"


@pytest.mark.parametrize(("jobs", "told"), [(1, "failure"), (2, "success")])
def test_a_command_is_told_how_those_went_that_it_waited_for(jobs: int, told: str) -> None:
    said: dict[str, str] = {}
    last = threading.Event()

    def act(one: Command, _: Cancellation) -> None:
        said[one.name] = dict(one.env)["STOPHOOKS_PRIOR_STATUS"]
        if one.name == "slow" and jobs > 1:
            wait_for(last)
        if one.name == "last":
            last.set()

    executor = FakeExecutor(act=act, outcomes={"a": FAILED})

    run(executor, *map(command, ("slow", "a", "last")), command("if", when=When.FAILURE), jobs=jobs)

    assert said == {"slow": "success", "a": "success", "last": told, "if": "failure"}


@pytest.mark.scenario("parallel: Nothing runs beside an exclusive command")
def test_nothing_runs_beside_an_exclusive_command() -> None:
    executor = FakeExecutor()

    run(
        executor,
        command("a"),
        command("b"),
        command("c", exclusive=True),
        command("d"),
        jobs=4,
    )

    assert executor.start("c").beside == ()
    assert set(executor.start("c").over) == {"a", "b"}
    assert set(executor.start("d").over) == {"a", "b", "c"}


@pytest.mark.scenario("parallel: Limits add up")
def test_limits_of_containers_add_up_to_the_bound_at_most() -> None:
    others = threading.Barrier(3, timeout=PATIENCE_S)

    def act(one: Command, _: Cancellation) -> None:
        if one.name != "c":
            others.wait()

    executor = FakeExecutor(act=act)

    report = run(
        executor,
        command("a", memory=2 * GIB),
        command("b", memory=GIB),
        command("c", memory=2 * GIB),
        command("d", memory=0),
        jobs=4,
        max_memory_bytes=3 * GIB,
    )

    assert report.passed
    assert {"a", "b"} & set(executor.start("c").over)
    assert "a" not in executor.start("c").beside


@pytest.mark.scenario("parallel: More than there may be")
def test_a_container_above_the_bound_runs_beside_no_other_with_a_limit() -> None:
    executor = FakeExecutor()

    report = run(
        executor,
        command("a", memory=GIB),
        command("b", memory=8 * GIB),
        command("c", memory=GIB),
        jobs=4,
        max_memory_bytes=2 * GIB,
    )

    assert report.passed
    assert executor.start("b").beside == ()
    assert all("b" not in one.beside for one in executor.starts)


def test_a_container_above_the_bound_runs_beside_what_has_no_limit() -> None:
    executor = FakeExecutor(act=all_meet(3))

    report = run(
        executor,
        command("a"),
        command("b", memory=8 * GIB),
        command("c", memory=0),
        jobs=4,
        max_memory_bytes=2 * GIB,
    )

    assert report.passed


@pytest.mark.scenario("parallel: Nothing new after a failure")
def test_nothing_new_starts_after_a_failure_and_what_runs_goes_on() -> None:
    failed = threading.Event()
    started = threading.Barrier(2, timeout=PATIENCE_S)

    def act(one: Command, cancel: Cancellation) -> None:
        started.wait()
        if one.name == "a":
            wait_for(failed)
            assert not cancel.requested

    class Watching:
        """Says when the failure counts."""

        def finished(self, result: Any) -> None:
            if result.title == "b":
                failed.set()

        def __getattr__(self, _: str) -> Callable[..., None]:
            return lambda *_: None

    executor = FakeExecutor(act=act, outcomes={"b": FAILED})

    report = engine.run(
        Section(
            event="stop",
            commands=(command("a"), command("b"), command("c")),
            fail_fast=True,
            jobs=2,
        ),
        project_dir="/p",
        executors={"host": executor},
        cancel=Cancellation(),
        logs=NoLogs(),
        observer=Watching(),
    )

    assert statuses(report)["a"] is Status.PASSED
    assert reasons(report)["c"] == "not run: b did not pass, and `fail_fast` is set"
    assert report.results[2].outcome.unmet


def test_an_interrupt_cancels_what_waits() -> None:
    cancel = Cancellation()
    executor = FakeExecutor(act=lambda *_: cancel.request("interrupted"))

    report = run(
        executor, command("a"), command("b", needs=("a",)), command("c"), cancel=cancel, jobs=1
    )

    assert statuses(report)["b"] is Status.CANCELLED
    assert statuses(report)["c"] is Status.CANCELLED


@st.composite
def sections(draw: st.DrawFn) -> Section:
    """Sections whose commands wait for no circle: by a hidden order, or only for those before."""
    count = draw(st.integers(1, 7))
    conditions = draw(st.booleans())
    order = list(range(count)) if conditions else draw(st.permutations(range(count)))
    rank = {name: place for place, name in enumerate(order)}
    commands = []
    for number in range(count):
        earlier = [f"c{other}" for other in range(count) if rank[other] < rank[number]]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        commands.append(
            command(
                f"c{number}",
                memory=draw(st.sampled_from([None, 0, 1, 2, 3])),
                needs=tuple(needs),
                exclusive=draw(st.sampled_from([False, False, True])),
                when=draw(st.sampled_from(list(When))) if conditions else When.ALWAYS,
                severity=draw(st.sampled_from(list(Severity))),
            )
        )
    return Section(
        event="stop",
        commands=tuple(commands),
        jobs=draw(st.integers(1, 5)),
        max_memory_bytes=3,
        fail_fast=draw(st.booleans()),
    )


@pytest.mark.scenario("parallel: Any section comes to its end")
@settings(max_examples=300)
@given(
    section=sections(),
    ends=st.lists(st.sampled_from([PASSED, PASSED, PASSED, FAILED]), min_size=7, max_size=7),
    turns=st.lists(st.integers(0, 3), min_size=7, max_size=7),
)
def test_any_section_comes_to_its_end_within_its_rules(
    section: Section, ends: list[Outcome], turns: list[int]
) -> None:
    never = threading.Event()

    def act(one: Command, _: Cancellation) -> None:
        never.wait(turns[int(one.name[1:])] / 2000)

    executor = FakeExecutor(outcomes=dict(zip(names(7), ends, strict=True)), act=act)

    report = engine.run(
        section,
        project_dir="/p",
        executors={"host": executor, "docker": executor},
        cancel=Cancellation(),
        logs=NoLogs(),
    )

    known = {one.name: one for one in section.commands}
    limit = {
        name: (one.container and one.container.memory_bytes) or 0 for name, one in known.items()
    }
    went_well = {
        result.title
        for result in report.results
        if result.outcome.status in {Status.PASSED, Status.SKIPPED} and not result.outcome.unmet
    }
    skipped = {result.title for result in report.results if not result.outcome.started}
    assert [result.title for result in report.results] == list(known)
    assert sorted(executor.order) == sorted(set(known) - skipped)
    for start in executor.starts:
        together = [start.title, *start.beside]
        limits = [limit[name] for name in together if limit[name]]
        assert set(known[start.title].needs) <= went_well
        assert set(known[start.title].needs) <= {*start.over, *skipped}
        assert len(together) <= section.jobs
        assert len(together) == 1 or not any(known[name].exclusive for name in together)
        assert sum(limits) <= 3 or len(limits) == 1
        if known[start.title].when is not When.ALWAYS:
            before = list(known)[: list(known).index(start.title)]
            assert set(before) <= {*start.over, *skipped}
    for name, one in known.items():
        assert set(one.needs) <= went_well or name not in executor.order
