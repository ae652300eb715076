"""A run ends with whoever waits for it, and with nobody else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.integration.test_watchdog import alive, lines, project, watchdogs_in
from tests.running import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.program import Stophooks

SCRIPT = "setsid sleep 60 & echo $! >> pids; echo $$ >> pids; echo $PPID > runner; sleep 60"
# An agent: it starts a shell with a command line, keeps its standard input open and waits.
AGENT = """
import subprocess, sys
shell = subprocess.Popen(["sh", "-c", sys.argv[1] + "; :"], stdin=open(sys.argv[2]))
open("shell", "w").write(f"{shell.pid}\\n")
shell.wait()
"""


@pytest.fixture
def agent(stophooks: Stophooks, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start an agent that calls us, and come back when the command runs.

    Its output goes to a file: nobody who stops reading tells of its end.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(line: str, script: str = SCRIPT, **options: bool) -> subprocess.Popen[bytes]:
        project(tmp_path, script)
        payload = {"hook_event_name": "Stop", "session_id": "s", "cwd": str(tmp_path)}
        (tmp_path / "payload").write_text(json.dumps(payload))
        with (tmp_path / "output").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-c", AGENT, line, "payload"],
                cwd=tmp_path,
                env=stophooks.environment(),
                stdout=output,
                stderr=output,
                start_new_session=options.get("start_new_session", True),
            )
        started.append(process)
        wait_until(lambda: lines(tmp_path / "runner") >= 1)
        wait_until(lambda: bool(watchdogs_in(tmp_path)))
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def number_in(path: Path) -> int:
    return int(path.read_text())


HOOK = f"{sys.executable} -m stophooks hook --agent claude"
RUN = f"{sys.executable} -m stophooks run"


@pytest.mark.parametrize("line", [HOOK, RUN], ids=["hook", "run"])
@pytest.mark.parametrize("victim", ["agent", "shell"])
@pytest.mark.scenario("watchdog: The agent is killed")
def test_a_run_ends_with_its_agent(
    agent: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, line: str, victim: str
) -> None:
    process = agent(line)
    pids = (tmp_path / "pids").read_text().split()
    runner = number_in(tmp_path / "runner")
    assert len(alive(pids)) == 2

    os.kill(process.pid if victim == "agent" else number_in(tmp_path / "shell"), signal.SIGKILL)

    wait_until(lambda: ended(runner))
    assert alive(pids) == {}
    wait_until(lambda: not watchdogs_in(tmp_path))


@pytest.mark.parametrize("how", ["stopped", "deaf"])
@pytest.mark.scenario("watchdog: A runner that does not end")
def test_a_runner_that_does_not_end_is_killed(
    agent: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, how: str
) -> None:
    deaf = "trap '' TERM; " if how == "deaf" else ""
    process = agent(f"{deaf}{HOOK}")
    runner = number_in(tmp_path / "runner")
    if how == "stopped":
        os.kill(runner, signal.SIGSTOP)
        wait_until(lambda: psutil.Process(runner).status() == psutil.STATUS_STOPPED)

    process.kill()

    wait_until(lambda: ended(runner))
    wait_until(lambda: not alive((tmp_path / "pids").read_text().split()))
    wait_until(lambda: not watchdogs_in(tmp_path))


@pytest.mark.parametrize("line", [f"nohup {RUN} &", f"{RUN} &", f"setsid {RUN} &"])
@pytest.mark.scenario("watchdog: A run in the background")
def test_a_run_in_the_background_goes_on(stophooks: Stophooks, tmp_path: Path, line: str) -> None:
    gate = tmp_path / "gate"
    project(tmp_path, "echo $$ >> pids; until [ -e gate ]; do sleep 0.02; done; echo yes > passed")
    wait = "until [ -e pids ]; do sleep 0.02; done"
    with (tmp_path / "output").open("wb") as output:
        subprocess.run(
            ["sh", "-c", f"{line}\n{wait}"],
            cwd=tmp_path,
            env=stophooks.environment(),
            stdout=output,
            stderr=output,
            check=True,
        )
    (watchdog,) = watchdogs_in(tmp_path)

    # It has been told of the caller by now, if it ever is: it looks at the run's processes.
    wait_until(lambda: psutil.Process(watchdog).num_ctx_switches().voluntary > 2)
    gate.touch()

    wait_until((tmp_path / "passed").exists)
    wait_until(lambda: b"PASS" in (tmp_path / "output").read_bytes())
    wait_until(lambda: not watchdogs_in(tmp_path))
