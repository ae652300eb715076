"""A whole run is over within its deadline and ten seconds, whatever the engine does."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from stophooks import engine, threads
from stophooks.errors import StoreError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import removal
from stophooks.models import Report, Status
from stophooks.plan import Section
from tests.integration.faults.conftest import Bench, together, until
from tests.integration.faults.proxy import Action, Proxy, Rule
from tests.integration.faults.test_fault_calls import CALLS, STUBBORN
from tests.running import paced

if TYPE_CHECKING:
    from collections.abc import Mapping

DEADLINE_S = 3.0
LIMIT_S = DEADLINE_S + 10.0


class NoLogs:
    """No log can be made."""

    def open(self, index: int, name: str) -> engine.Log:
        """Refuse."""
        raise StoreError(f"no room for {index} {name}")


def report(bench: Bench, action: Action, calls: Mapping[str, str]) -> Report:
    """The report of a run during which these calls go wrong."""
    rules = [Rule(what=what, action=action) for what in calls.values()]
    with Proxy(*rules) as proxy:
        executor = bench.executor(proxy.url)
        section = Section(
            event="stop",
            commands=(bench.command(STUBBORN, None), bench.command("true", None)),
            deadline_s=DEADLINE_S,
        )
        found = engine.run(
            section,
            project_dir=str(bench.case.project),
            executors={"docker": executor},
            cancel=Cancellation(),
            logs=NoLogs(),
        )
        executor.close()
    return found


@pytest.mark.scenario("docker-faults: A run is over soon after its deadline")
def test_a_run_is_over_soon_after_its_deadline_whatever_hangs(bench: Bench) -> None:
    single = {call: (call,) for call in CALLS if call != "inspect after"}
    cases = {
        f"{action.name} {name}": (action, calls)
        for action in (Action.FREEZE, Action.DRIP)
        for name, calls in (single | {"the end": ("wait", "kill", "remove")}).items()
    }

    def work(name: str) -> Report:
        action, calls = cases[name]
        return report(bench, action, {call: CALLS[call] for call in calls})

    reports = together(work, list(cases), threads=len(cases))

    bench.clear()
    late = {name: one.duration_s for name, one in reports.items() if one.duration_s > LIMIT_S}
    assert late == {}
    statuses = {
        name: [one.outcome.status for one in found.results] for name, found in reports.items()
    }
    assert statuses == dict.fromkeys(cases, [Status.TIMED_OUT] * 2)
    leaking = {
        name.split(maxsplit=1)[1]
        for name, found in reports.items()
        if any(note.startswith("LEAK: ") for note in found.results[0].outcome.notes)
    }
    assert leaking >= {"remove", "the end"}


def calling(what: str) -> bool:
    """Whether a call of this name waits for its answer now."""
    return any(one.name == f"engine {what}" for one in threads.enumerate())


def removing() -> bool:
    """Whether a thread is about removing a container now, or waits to try again."""
    frames = list(sys._current_frames().values())  # noqa: SLF001 -- a refused call is too short to be met
    while frames:
        frame = frames.pop()
        if frame.f_code.co_filename == removal.__file__:
            return True
        frames += [frame.f_back] if frame.f_back else []
    return False


@pytest.mark.scenario("docker-faults: An engine that dies during a run")
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("returns", [True, False])
def test_row_28_an_engine_that_dies_during_a_run_loses_the_container(
    bench: Bench, returns: bool
) -> None:
    # To the one who asks, an engine that is killed is a socket that is gone with all connections.
    with Proxy() as proxy, ThreadPoolExecutor(1) as pool:
        future = pool.submit(bench.run, proxy.url, "echo out; sleep 60")
        until(lambda: bench.running() and not calling("start"))
        proxy.die()
        if returns:
            until(removing)
            proxy.rise()
        ran = future.result(30)

    left = bench.left()
    bench.clear()
    assert ran.short == ("unavailable", "lost", None)
    assert "may have run" in (ran.outcome.remedy or "")
    assert bool(left) is not returns
    assert [name in ran.outcome.notes[0] for name in left] == [True] * len(left)
    assert ran.seconds < paced(15)


@pytest.mark.scenario("docker-faults: An engine that dies during a run")
def test_row_28_an_engine_that_ends_its_containers_reports_a_killed_command(bench: Bench) -> None:
    # What dockerd does at SIGTERM: it ends the container, tells the exit, and is gone.
    with Proxy() as proxy, ThreadPoolExecutor(1) as pool:
        future = pool.submit(bench.run, proxy.url, "echo out; sleep 60")
        until(bench.running)
        bench.case.client.api.kill(bench.running()[0])
        ran = future.result(30)

    assert ran.short == ("failed", None, 137)
    assert "or from outside" in ran.outcome.notes[0]
