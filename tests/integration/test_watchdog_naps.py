"""The first moment of a run, in which its watchdog is a shell that waits."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from stophooks.process import orphan
from stophooks.process.family import GUARDS, WATCHDOG
from stophooks.watchdog.guard import Guard
from tests.integration.test_watchdog import (
    COUNT,
    ESCAPES,
    IMAGE,
    KILLS,
    Running,
    alive,
    containers,
    gone_within,
    is_watchdog_up,
    kill_alone,
    kill_tree,
    lines,
    project,
    variables,
    watchdog_of,
    watchdogs_in,
)
from tests.integration.test_watchdog_callers import AGENT, number_in
from tests.integration.test_watchdog_parts import REMOVED, Engine
from tests.running import ended, paced, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import docker

    from tests.program import Stophooks

# This program, but a watchdog waits so long before it becomes an interpreter, and by which one.
PROGRAM = """
import sys
from stophooks.process import orphan
orphan.NAP_S = float(sys.argv.pop(1))
sys.executable = sys.argv.pop(1)
from stophooks.__main__ import main
main()
"""
# Longer than any test: nothing but the end of the run, or of the runner, ends the wait.
LONG_S = 600.0
# An interpreter that tells of each start.
TELLING = f'#!/bin/sh\necho started >> "${{0}}s"\nexec {sys.executable} "$@"\n'
# A guard that began before anything else, as that of a stop does.
AHEAD = """
import os, signal
from stophooks import process
from stophooks.process import family
from stophooks.watchdog.guard import Guard


def run(script, **more):
    return process.run(
        ["sh", "-c", script], cwd="/", env=dict(os.environ), timeout_s=60, grace_s=0.2,
        stop=process.Never(), output=lambda *_: None, **more,
    )


guard = Guard(os.environ)
guard.begin()
if "DIES" in os.environ:
    os.kill(os.getpid(), signal.SIGKILL)
print(run(":").code, family.childless())
with guard:
    print(len(run("setsid sleep 600 & :", guard=guard).left), family.childless())
print(family.childless())
"""
PAYLOAD = {"hook_event_name": "Stop", "session_id": "s"}


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., list[str]]:
    """The command line of this program with a wait of so many seconds."""
    (tmp_path / "program").write_text(PROGRAM)
    interpreter = tmp_path / "interpreter"
    interpreter.write_text(TELLING)
    interpreter.chmod(0o755)

    def line(nap_s: float, *args: str) -> list[str]:
        return [sys.executable, f"{tmp_path}/program", str(nap_s), str(interpreter), *args]

    return line


@pytest.fixture
def begin(
    stophooks: Stophooks, program: Callable[..., list[str]], tmp_path: Path
) -> Iterator[Callable[..., Running]]:
    """Start a run whose watchdog waits, and come back when ``pids`` has so many lines."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*, count: int, nap_s: float = LONG_S) -> Running:
        process = subprocess.Popen(
            program(nap_s, "run"),
            cwd=tmp_path,
            env=stophooks.environment({"STOPHOOKS_RUN_MARK": f"{time.monotonic_ns()}"}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        wait_until(lambda: lines(tmp_path / "pids") >= count)
        watchdog = watchdog_of(process.pid)
        assert watchdog is not None
        return Running(process=process, watchdog=watchdog, directory=tmp_path)

    yield start
    for process in started:
        process.kill()
        process.wait()


def starts(directory: Path) -> int:
    """How often a watchdog's interpreter was started."""
    return lines(directory / "interpreters")


def is_shell(pid: int) -> bool:
    return psutil.Process(pid).cmdline()[0] == "sh"


@pytest.mark.parametrize("door", ["run", "hook"])
@pytest.mark.scenario("watchdog: A run is over in a moment")
def test_a_run_of_a_moment_starts_no_interpreter(
    stophooks: Stophooks, program: Callable[..., list[str]], tmp_path: Path, door: str
) -> None:
    project(tmp_path, "echo $$ >> pids")
    args = ["hook", "--agent", "claude"] if door == "hook" else ["run"]

    done = subprocess.run(
        program(LONG_S, *args),
        cwd=tmp_path,
        env=stophooks.environment(),
        input=json.dumps(PAYLOAD | {"cwd": str(tmp_path)}).encode(),
        capture_output=True,
        check=True,
    )

    wait_until(lambda: not watchdogs_in(tmp_path))
    assert lines(tmp_path / "pids") == 1, done
    assert starts(tmp_path) == 0


@pytest.mark.scenario("watchdog: A run goes on")
def test_a_run_that_goes_on_has_one_interpreter(
    begin: Callable[..., Running], tmp_path: Path
) -> None:
    project(tmp_path, "echo $$ >> pids; until [ -e gate ]; do sleep 0.02; done")
    running = begin(count=1, nap_s=orphan.NAP_S)

    wait_until(lambda: is_watchdog_up(running.watchdog))
    assert not is_shell(running.watchdog)
    (tmp_path / "gate").touch()

    assert running.process.wait(20) == 0
    wait_until(lambda: not watchdogs_in(tmp_path))
    assert starts(tmp_path) == 1


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
@pytest.mark.scenario("watchdog: The runner is killed in its first moment")
def test_no_process_survives_a_kill_in_the_first_moment(
    begin: Callable[..., Running], tmp_path: Path, kill: Callable[[Running], None]
) -> None:
    project(tmp_path, ESCAPES)
    running = begin(count=COUNT)
    assert len(running.processes()) == COUNT
    assert is_shell(running.watchdog)

    kill(running)

    gone_within(paced(1.0), lambda: not running.processes())
    wait_until(lambda: not watchdogs_in(tmp_path))
    assert starts(tmp_path) == 1


@pytest.mark.parametrize("part", [0.0, 0.5, 0.8, 0.9, 0.95, 1.0, 1.1])
def test_no_process_survives_a_kill_about_the_end_of_the_wait(
    begin: Callable[..., Running], tmp_path: Path, part: float
) -> None:
    project(tmp_path, "echo $$ >> pids; setsid sleep 60 & echo $! >> pids; sleep 60")
    running = begin(count=2, nap_s=orphan.NAP_S)

    # Another moment on each machine; what follows holds at any.
    time.sleep(part * orphan.NAP_S)
    kill_alone(running)

    gone_within(paced(1.0), lambda: not running.processes())
    wait_until(lambda: not watchdogs_in(tmp_path))


@pytest.mark.parametrize("kill", [kill_alone, kill_tree], ids=lambda kill: kill.__name__)
@pytest.mark.scenario("watchdog: The runner is killed in its first moment")
def test_no_container_survives_a_kill_in_the_first_moment(
    begin: Callable[..., Running],
    engine: docker.DockerClient,
    tmp_path: Path,
    kill: Callable[[Running], None],
) -> None:
    project(tmp_path, "echo $$ >> pids; trap '' TERM; sleep 60", IMAGE)
    running = begin(count=1)
    assert len(containers(engine, tmp_path)) == 1
    assert is_shell(running.watchdog)

    kill(running)

    gone_within(paced(2.0), lambda: not containers(engine, tmp_path))


@pytest.mark.scenario("watchdog: The waiting shell is out of reach")
def test_the_waiting_shell_is_out_of_reach(begin: Callable[..., Running], tmp_path: Path) -> None:
    project(tmp_path, "echo $$ >> pids; sleep 60")
    running = begin(count=1)
    shell = psutil.Process(running.watchdog)

    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM):
        shell.send_signal(number)

    assert is_shell(shell.pid)
    of_the_run = [running.process.pid, *running.processes(), os.getpid()]
    assert os.getsid(shell.pid) not in {os.getsid(pid) for pid in of_the_run}
    assert not {parent.pid for parent in shell.parents()} & set(of_the_run)
    held = {os.readlink(one.path) for one in os.scandir(f"/proc/{shell.pid}/fd")}
    assert sorted(name.split(":")[0] for name in held) == [os.devnull, "pipe", "socket"]
    assert shell.memory_info().rss < 10 * 1024 * 1024
    kill_alone(running)
    gone_within(paced(1.0), lambda: not running.processes())


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


@pytest.fixture
def waiting_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphan, "NAP_S", LONG_S)


@pytest.mark.usefixtures("waiting_long")
@pytest.mark.scenario("watchdog: The waiting shell is killed")
def test_a_killed_shell_is_replaced(
    stophooks: Stophooks, sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with Guard(stophooks.environment()) as guard:
        (first,) = watchdogs_in(tmp_path)
        assert is_shell(first)
        guard.family("t", [], [])
        guard.leader("t", sleeper.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: ended(first))
        guard.family("u", [], [])
        guard.family_gone("u")

        wait_until(lambda: [*map(is_watchdog_up, watchdogs_in(tmp_path))] == [True])
        assert sleeper.poll() is None

    # Of what is registered at the end, the new one was told.
    assert sleeper.wait(20) == -signal.SIGKILL


@pytest.mark.usefixtures("waiting_long")
@pytest.mark.scenario("watchdog: A container that could not be removed")
def test_what_a_run_of_a_moment_leaves_is_ended(
    stophooks: Stophooks, sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with Guard(stophooks.environment()) as guard:
        guard.family("t", [], [])
        guard.leader("t", sleeper.pid)

    assert sleeper.wait(20) == -signal.SIGKILL
    wait_until(lambda: not watchdogs_in(tmp_path))


# The command itself kills the agent, or the shell between, and may then stop the runner.
DEADLY = """
setsid sleep 60 & echo $! >> pids; echo $$ >> pids; echo $PPID > runner
until [ -s shell ]; do sleep 0.01; done
read -r shell < shell; read -r _ _ _ agent _ < /proc/$shell/stat
kill -KILL ${victim}; {then}
echo done > deadly; sleep 60
"""


@pytest.mark.parametrize("then", ["goes on", "stopped"])
@pytest.mark.parametrize("victim", ["agent", "shell"])
@pytest.mark.scenario("watchdog: The agent ends in the first moment")
def test_a_run_ends_with_an_agent_that_ended_at_once(
    stophooks: Stophooks,
    program: Callable[..., list[str]],
    tmp_path: Path,
    victim: str,
    then: str,
) -> None:
    stop = "kill -STOP $PPID" if then == "stopped" else ":"
    project(tmp_path, DEADLY.replace("{victim}", victim).replace("{then}", stop))
    (tmp_path / "payload").write_text(json.dumps(PAYLOAD | {"cwd": str(tmp_path)}))
    hook = " ".join(program(3.0, "hook", "--agent", "claude"))
    with (tmp_path / "output").open("wb") as output:
        agent = subprocess.Popen(
            [sys.executable, "-c", AGENT, hook, "payload"],
            cwd=tmp_path,
            env=stophooks.environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until((tmp_path / "deadly").exists)
        pids = (tmp_path / "pids").read_text().split()
        # All of it was there when the agent had ended, and the watchdog was no interpreter yet.
        assert starts(tmp_path) == 0
        assert len(alive(pids)) == 2

        wait_until(lambda: ended(number_in(tmp_path / "runner")))
        wait_until(lambda: alive(pids) == {})
        wait_until(lambda: not watchdogs_in(tmp_path))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()


@pytest.mark.scenario("watchdog: Hundreds of commands in the first moment")
def test_of_hundreds_of_commands_none_is_lost(
    begin: Callable[..., Running], tmp_path: Path
) -> None:
    long = "echo $$ >> pids; sleep 60"
    runs = [long, *["true"] * 500, long]
    commands = [{"run": run} for run in runs]
    (tmp_path / "stophooks.json").write_text(
        json.dumps({"stop": {"jobs": 2, "commands": commands}})
    )
    running = begin(count=2)
    assert len(running.processes()) == 2

    kill_alone(running)

    gone_within(paced(1.0), lambda: not running.processes())


# A run that is killed at once, of which only the watchdogs around it know.
INNER = """
import os, sys
from stophooks.watchdog.guard import Guard
Guard(os.environ).container("stophooks-0", url=sys.argv[1], tls_dir=None, tls_verify=False)
os.kill(os.getpid(), 9)
"""


@pytest.mark.usefixtures("waiting_long")
@pytest.mark.scenario("watchdog: A run inside a run of a moment")
def test_what_a_dead_run_inside_a_run_of_a_moment_left_is_removed(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    engine = Engine(tmp_path / "engine", [REMOVED])
    with Guard(stophooks.environment()) as guard:
        inner = subprocess.run(
            [sys.executable, "-c", INNER, f"unix://{tmp_path}/engine"],
            env=stophooks.environment({GUARDS: guard.address}),
            check=False,
        )
        assert inner.returncode == -signal.SIGKILL
        assert [*map(is_shell, watchdogs_in(tmp_path))] == [True]

    wait_until(lambda: not watchdogs_in(tmp_path))
    engine.close()
    assert [line.split()[1] for line in engine.asked] == [b"/containers/stophooks-0?force=1&v=1"]


class Started:
    """A program behind a shell that waits, which writes down what it reads."""

    def __init__(self, directory: Path, env: dict[str, str], nap: orphan.Nap | None) -> None:
        self.said = directory / "said"
        reading, self._control = os.pipe()
        os.write(self._control, b"one\n")
        code = f"import sys; open({str(self.said)!r}, 'w').write(sys.stdin.read())"
        self.pid = orphan.start(
            [sys.executable, "-c", code], stdin=reading, env=env | {WATCHDOG: "1"}, after=nap
        )
        os.close(reading)

    def finish(self) -> str:
        """What it wrote down in the end; nothing if it never started."""
        with contextlib.suppress(BrokenPipeError):  # it was called off
            os.write(self._control, b"two\n")
        os.close(self._control)
        wait_until(lambda: ended(self.pid))
        return self.said.read_text() if self.said.exists() else ""


@pytest.fixture(params=["dash", "bash", "busybox"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A shell of this name is ``sh``."""
    found = shutil.which(request.param)
    if found is None:
        pytest.skip(f"there is no {request.param} here")
    (tmp_path / "sh").symlink_to(found)
    monkeypatch.setattr(orphan, "_SHELL", f"{tmp_path}/sh")
    return str(request.param)


@pytest.mark.usefixtures("shell")
@pytest.mark.scenario("watchdog: Whatever the shell is")
def test_each_shell_starts_the_program_when_time_is_up(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    nap = orphan.nap()
    assert nap is not None
    started = Started(tmp_path, stophooks.environment(), nap)
    nap.count()
    assert is_shell(started.pid)

    wait_until(lambda: not is_shell(started.pid))

    nap.close()
    assert started.finish() == "one\ntwo\n"


@pytest.mark.usefixtures("shell", "waiting_long")
@pytest.mark.parametrize("word", [None, "bye"])
@pytest.mark.scenario("watchdog: Whatever the shell is")
def test_each_shell_hears_that_the_wait_is_over(
    stophooks: Stophooks, tmp_path: Path, word: str | None
) -> None:
    nap = orphan.nap()
    assert nap is not None
    # What the environment says is not what was said.
    started = Started(tmp_path, stophooks.environment({"word": "bye"}), nap)
    assert is_shell(started.pid)

    if word is not None:
        nap.call_off()
    nap.close()

    assert started.finish() == ("" if word else "one\ntwo\n")


@pytest.mark.scenario("watchdog: Whatever the shell is")
def test_another_shell_starts_the_program_at_once(
    stophooks: Stophooks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(os.path.realpath("/bin/sh"), tmp_path / "sh")
    monkeypatch.setattr(orphan, "_SHELL", f"{tmp_path}/sh")

    nap = orphan.nap()

    assert nap is None
    assert Started(tmp_path, stophooks.environment(), nap).finish() == "one\ntwo\n"


def test_an_interpreter_that_is_up_is_told_of_the_end(stophooks: Stophooks, tmp_path: Path) -> None:
    with Guard(stophooks.environment()):
        (watchdog,) = watchdogs_in(tmp_path)
        wait_until(lambda: is_watchdog_up(watchdog))
        assert variables(watchdog)[WATCHDOG] == "1"

    wait_until(lambda: not watchdogs_in(tmp_path))


def marked(mark: str) -> list[int]:
    """Every process that has inherited this."""
    found = []
    for one in psutil.process_iter(["pid"]):
        with contextlib.suppress(psutil.Error):
            if one.environ().get("STOPHOOKS_RUN_MARK") == mark:
                found.append(one.pid)
    return found


@pytest.mark.scenario("watchdog: It is begun ahead")
def test_a_watchdog_that_is_begun_ahead_is_nobodys_child() -> None:
    mark = os.urandom(8).hex()
    done = subprocess.run(
        [sys.executable, "-c", AHEAD],
        env={**os.environ, "STOPHOOKS_RUN_MARK": mark},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("0 True\n1 True\nTrue\n", "")
    wait_until(lambda: not marked(mark))


@pytest.mark.scenario("watchdog: It is begun ahead")
def test_a_runner_that_dies_before_it_runs_anything_leaves_no_watchdog() -> None:
    mark = os.urandom(8).hex()
    done = subprocess.run(
        [sys.executable, "-c", AHEAD],
        env={**os.environ, "STOPHOOKS_RUN_MARK": mark, "DIES": "1"},
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not marked(mark))


@pytest.mark.scenario("watchdog: It is begun ahead")
def test_a_watchdog_that_is_begun_ahead_waits_for_its_run(
    stophooks: Stophooks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter = tmp_path / "interpreter"
    interpreter.write_text(TELLING)
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    monkeypatch.setattr("stophooks.process.family._reaper", None)
    unused, used = (Guard(stophooks.environment()) for _ in range(2))
    unused.begin()
    used.begin()

    # Longer than a run's watchdog waits.
    time.sleep(orphan.NAP_S * 2)
    unused.close()

    wait_until(lambda: len(watchdogs_in(tmp_path)) == 1)
    assert starts(tmp_path) == 0
    with used:
        wait_until(lambda: [*map(is_watchdog_up, watchdogs_in(tmp_path))] == [True])
    wait_until(lambda: not watchdogs_in(tmp_path))
    assert starts(tmp_path) == 1
