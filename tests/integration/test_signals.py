"""Signals to a run: it ends with all that it started, or it does not stop at all."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.integration.test_watchdog import IMAGE, alive, containers, lines, project
from tests.running import paced, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.program import Stophooks

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("sent", "code"), SIGNALS)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.scenario("cli: A signal interrupts a container")
def test_a_signal_ends_a_container(
    stophooks: Stophooks,
    engine: docker.DockerClient,
    tmp_path: Path,
    *,
    sent: signal.Signals,
    code: int,
    times: int,
) -> None:
    project(tmp_path, "echo $$ >> pids; sleep 60", IMAGE)
    process = stophooks.start("run", cwd=tmp_path)
    wait_until(lambda: lines(tmp_path / "pids") == 1)
    assert len(containers(engine, tmp_path)) == 1

    for _ in range(times):
        process.send_signal(sent)
    stdout, _ = process.communicate(timeout=20)

    assert process.returncode == code
    assert stdout.startswith(b"STOPPED check ")
    assert containers(engine, tmp_path) == []


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.2, 0.3, 0.5])
def test_a_signal_at_any_moment_leaves_no_container(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path, after_s: float
) -> None:
    project(tmp_path, "sleep 60", IMAGE)
    process = stophooks.start("run", cwd=tmp_path)
    wait_until(lambda: catches(process.pid, signal.SIGTERM))

    time.sleep(after_s)  # not a wait for something: it draws the moment
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    # Whichever was heard first; the other one changed nothing.
    assert process.returncode in {130, 143}
    assert containers(engine, tmp_path) == []


def catches(pid: int, number: signal.Signals) -> bool:
    with open(f"/proc/{pid}/status") as status:
        caught = next(line for line in status if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("sent", [signal.SIGTSTP, signal.SIGTTOU])
@pytest.mark.scenario("cli: Ctrl-Z does not stop a run with containers")
def test_a_run_with_containers_is_not_stopped(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path, sent: signal.Signals
) -> None:
    # Much output: a container whose output nobody takes could not be removed by anybody.
    project(tmp_path, "echo $$ >> pids; while :; do seq 1000; done", IMAGE)
    process = in_session(stophooks, tmp_path)
    wait_until(lambda: lines(tmp_path / "pids") == 1)
    (name,) = containers(engine, tmp_path)

    process.send_signal(sent)
    began = time.monotonic()
    subprocess.run(["docker", "rm", "-f", name], timeout=15, capture_output=True, check=True)

    assert time.monotonic() - began < paced(5)
    process.communicate(timeout=20)
    assert process.returncode in {1, 3}


def in_session(stophooks: Stophooks, directory: Path) -> subprocess.Popen[bytes]:
    """Start a run in this session: one that is alone in its own cannot be stopped anyway."""
    return subprocess.Popen(
        [sys.executable, "-m", "stophooks", "run"],
        cwd=directory,
        env=stophooks.environment(),
        stdout=subprocess.PIPE,
        process_group=0,
    )


def test_ctrl_z_at_a_terminal_does_not_stop_a_run_with_containers(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    project(tmp_path, "echo $$ >> pids; until [ -e gate ]; do sleep 0.05; done", IMAGE)
    # Its own session with a parent in it, and a terminal: else the system ignores Ctrl-Z itself.
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        line = f"{sys.executable} -m stophooks run; echo code $?"
        os.execve("/bin/bash", ["bash", "-ic", line], stophooks.environment())
    output = Screen(terminal)
    wait_until(lambda: bool(output.read()) and lines(tmp_path / "pids") == 1)

    os.write(terminal, b"\x1a")
    (tmp_path / "gate").touch()
    wait_until(lambda: b"code 0" in output.read())

    os.waitpid(pid, 0)
    os.close(terminal)
    assert containers(engine, tmp_path) == []


class Screen:
    """What a terminal has shown so far."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._shown = b"\n"

    def read(self) -> bytes:
        while select.select([self._terminal], [], [], 0)[0]:
            try:
                piece = os.read(self._terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            self._shown += piece
        return self._shown


def test_ctrl_z_stops_a_run_without_containers(stophooks: Stophooks, tmp_path: Path) -> None:
    project(tmp_path, "echo $$ >> pids; until [ -e gate ]; do sleep 0.05; done")
    process = in_session(stophooks, tmp_path)
    wait_until(lambda: lines(tmp_path / "pids") == 1)

    process.send_signal(signal.SIGTSTP)
    wait_until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    process.send_signal(signal.SIGCONT)
    (tmp_path / "gate").touch()
    stdout, _ = process.communicate(timeout=20)

    assert (process.returncode, stdout[:4]) == (0, b"PASS")
    assert alive((tmp_path / "pids").read_text().split()) == {}


def test_a_signal_is_heard_in_whatever_thread_it_arrives(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    code = """
import queue, signal, threading
from stophooks import signals

heard = queue.SimpleQueue()
stop = signals.listen([signal.SIGTERM], heard.put)
me = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM))
threading.Timer(0.2, me.start).start()
print(heard.get(timeout=20).name)
stop()
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""

    finished = stophooks.python_code(code, cwd=tmp_path, timeout=30)

    assert finished.stdout == "SIGTERM\nTrue\n"


def test_a_signal_that_is_ignored_stays_ignored(stophooks: Stophooks, tmp_path: Path) -> None:
    code = """
import os, signal
from stophooks import signals

signal.signal(signal.SIGHUP, signal.SIG_IGN)
heard = []
stop = signals.listen([signal.SIGHUP, signal.SIGTERM], heard.append)
os.kill(os.getpid(), signal.SIGHUP)
os.kill(os.getpid(), signal.SIGTERM)
stop()
print([number.name for number in heard], signal.getsignal(signal.SIGHUP).name)
"""

    finished = stophooks.python_code(code, cwd=tmp_path, timeout=30)

    assert finished.stdout == "['SIGTERM'] SIG_IGN\n"
