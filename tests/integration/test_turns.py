"""Several calls at once in one project: they take turns, and waiting comes to an end."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_hook_answers import payload, place, project, reason, silent, stop
from tests.running import paced, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.program import Stophooks

__all__ = ["place"]

# `mkdir` fails where the other one's directory is: two at once cannot both pass.
ALONE = "mkdir busy || exit 9; sleep 0.02; rmdir busy"
ALONE_CONFIG = (
    f"stop:\n  commands:\n    - run: {ALONE}\nsubagent_stop:\n  commands:\n    - run: {ALONE}\n"
)
GATED = "stop:\n{rules}  commands:\n    - run: 'echo x >> ran; read line < gate'\n"


@pytest.fixture
def gate(place: Path) -> Iterator[Path]:
    """A FIFO that a run of `GATED` waits at; whatever the test does, it is opened in the end."""
    path = place / "gate"
    os.mkfifo(path)
    yield path
    # Open for both: it never waits, and what waits for a writer finds one.
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(descriptor, b"\n" * 50)
    os.close(descriptor)


def gated(place: Path, **rules: str) -> None:
    project(place, GATED.format(rules="".join(f"  {key}: {rules[key]}\n" for key in rules)))


def runs(place: Path) -> int:
    """How many runs of `GATED` have begun."""
    ran = place / "ran"
    return len(ran.read_text().split()) if ran.exists() else 0


def busy(stophooks: Stophooks, place: Path) -> subprocess.Popen[bytes]:
    """A run that has the project's turn."""
    process = stophooks.start("run", cwd=place)
    wait_until(lambda: runs(place) == 1)
    assert process.poll() is None
    return process


def end(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    process.communicate(timeout=30)
    return process.returncode


@pytest.mark.scenario("state: Twenty stops at once take turns")
def test_twenty_stops_at_once_take_turns(stophooks: Stophooks, place: Path) -> None:
    project(place, ALONE_CONFIG)

    with ThreadPoolExecutor(20) as pool:
        # Each in another environment: what passed in one says nothing about the next.
        answers = list(pool.map(lambda at: stop(stophooks, place, AT=str(at)), range(20)))

    assert [silent(answer) for answer in answers] == [True] * 20


@pytest.mark.scenario("state: A stop and a helper's stop take turns")
def test_a_stop_and_a_helper_s_stop_take_turns(stophooks: Stophooks, place: Path) -> None:
    project(place, ALONE_CONFIG.replace("0.02", "0.3"))
    calls = [payload(), payload(hook_event_name="SubagentStop", agent_id="a1")]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda stdin: stop(stophooks, place, stdin), calls))

    assert [silent(answer) for answer in answers] == [True, True]


@pytest.mark.scenario("state: Killing a run ends its turn")
@pytest.mark.scenario("state: A person is told that a run waits")
def test_a_killed_run_has_no_turn(
    stophooks: Stophooks, place: Path, tmp_path: Path, gate: Path
) -> None:
    gated(place)
    (tmp_path / "link").symlink_to(place)
    first = busy(stophooks, place)
    second = stophooks.start("run", cwd=tmp_path / "link")
    assert second.stderr is not None
    said = second.stderr.readline()
    assert (runs(place), first.poll()) == (1, None)

    first.kill()
    first.communicate()

    wait_until(lambda: runs(place) == 2)
    assert said == b"Waiting for another run in this project to end.\n"
    assert end(second) == 143
    assert gate.exists()


@pytest.mark.scenario("state: Other projects do not wait")
def test_other_projects_do_not_wait(
    stophooks: Stophooks, place: Path, tmp_path: Path, gate: Path
) -> None:
    gated(place)
    first = busy(stophooks, place)
    other = project(tmp_path / "other", "stop:\n  commands:\n    - run: 'true'\n")

    done = stophooks("run", "--no-wait", cwd=other)

    assert done.returncode == 0
    assert first.poll() is None
    end(first)
    assert gate.exists()


@pytest.mark.scenario("state: A command may run its own project's checks")
@pytest.mark.parametrize("inherit_env", ["true", "false"])
def test_a_command_may_run_its_own_project_s_checks(
    stophooks: Stophooks, place: Path, inherit_env: str
) -> None:
    home = f"HOME={stophooks.home} XDG_STATE_HOME={stophooks.state}"
    program = f"{home} {stophooks.python} -m stophooks run subagent_stop"
    project(
        place,
        "stop:\n  deadline: 20s\n  commands:\n"
        f"    - {{run: '{program}', inherit_env: {inherit_env}}}\n"
        "subagent_stop:\n  commands:\n    - run: touch ran\n",
    )

    done = stophooks("run", cwd=place)

    assert done.returncode == 0, done.stdout
    assert (place / "ran").exists()


@pytest.mark.scenario("state: A run that does not end blocks at the deadline")
def test_a_run_that_does_not_end_blocks_at_the_deadline(
    stophooks: Stophooks, place: Path, gate: Path
) -> None:
    gated(place)
    first = busy(stophooks, place)
    gated(place, deadline="1s")
    began = time.monotonic()

    answer = stop(stophooks, place)

    took_s = time.monotonic() - began
    by_hand = stophooks("run", cwd=place)
    assert reason(answer) == (
        "stophooks could not run the checks: another run in this project did not end in time "
        "(1 s). Try again when it has ended, or end it."
    )
    assert 1 <= took_s < paced(6)
    assert (by_hand.returncode, by_hand.stdout) == (3, "")
    assert "another run in this project did not end in time (1 s)" in by_hand.stderr
    assert (runs(place), first.poll()) == (1, None)
    end(first)
    assert gate.exists()


@pytest.mark.scenario("state: Time spent waiting is part of the deadline")
def test_time_spent_waiting_is_part_of_the_deadline(
    stophooks: Stophooks, place: Path, gate: Path
) -> None:
    gated(place)
    first = busy(stophooks, place)
    gated(place, deadline="4s")
    began = time.monotonic()
    second = stophooks.start("run", "--format", "json", cwd=place)
    assert second.stderr is not None
    second.stderr.readline()

    waited_until = time.monotonic() + 1.5
    wait_until(lambda: time.monotonic() > waited_until)
    end(first)
    stdout, _ = second.communicate(timeout=30)

    took_s = time.monotonic() - began
    assert runs(place) == 2
    assert b"the deadline of 4 s for all commands was reached; " in stdout
    assert b" s of it went by waiting for another run in this project" in stdout
    assert second.returncode == 1
    assert took_s < paced(4 + 4)
    assert gate.exists()


@pytest.mark.scenario("state: Waiting can be turned off in the configuration")
@pytest.mark.scenario("state: Waiting can be turned off by hand")
def test_waiting_can_be_turned_off(stophooks: Stophooks, place: Path, gate: Path) -> None:
    gated(place)
    first = busy(stophooks, place)

    by_hand = stophooks("run", "--no-wait", cwd=place)
    gated(place, when_busy="block")
    answer = stop(stophooks, place)

    assert (by_hand.returncode, by_hand.stdout) == (3, "")
    assert "another run is going on in this project" in by_hand.stderr
    assert "another run is going on in this project" in reason(answer)
    assert "Waiting" not in by_hand.stderr
    assert (runs(place), first.poll()) == (1, None)
    end(first)
    assert gate.exists()


@pytest.mark.scenario("state: A signal ends the waiting")
def test_a_signal_ends_the_waiting(stophooks: Stophooks, place: Path, gate: Path) -> None:
    gated(place)
    first = busy(stophooks, place)
    by_hand = stophooks.start("run", cwd=place)
    assert by_hand.stderr is not None
    by_hand.stderr.readline()
    agent = stophooks.start("hook", "--agent", "claude", cwd=place)
    assert agent.stdin is not None
    agent.stdin.write(payload())
    agent.stdin.flush()
    # It looks at the lock every few milliseconds once it has opened the file.
    wait_until(lambda: _has_open(agent.pid, "runs.lock"))

    for process in (by_hand, agent):
        process.send_signal(signal.SIGTERM)
    by_hand.communicate(timeout=30)
    stdout, _ = agent.communicate(timeout=30)

    assert by_hand.returncode == 143
    assert agent.returncode == 2
    assert b"stophooks was interrupted (SIGTERM)" in stdout
    assert (runs(place), first.poll()) == (1, None)
    end(first)
    assert gate.exists()


def _has_open(pid: int, name: str) -> bool:
    return any(_target(link) == name for link in Path(f"/proc/{pid}/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return os.path.basename(os.readlink(link))
    except FileNotFoundError:  # closed meanwhile
        return ""
