"""The watchdog's parts, called as it calls them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.process import table
from stophooks.watchdog import containers, families, leaks, procs
from stophooks.watchdog.containers import Container
from stophooks.watchdog.families import Families
from stophooks.watchdog.guard import Guard, callers
from stophooks.watchdog.main import Watchdog
from tests.running import paced, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GONE = b"HTTP/1.1 404 Not Found\r\n\r\n"
REMOVED = b"HTTP/1.1 204 No Content\r\n\r\n"


class Engine:
    """Answers each connection with the next of the given answers, and the last one for ever.

    None cuts the connection.
    """

    def __init__(self, path: Path, answers: list[bytes | None]) -> None:
        self._answers = answers
        self.asked: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(8)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(4096))
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                if answer is not None:
                    connection.sendall(answer)


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Callable[[list[bytes | None]], Engine]]:
    started: list[Engine] = []

    def start(answers: list[bytes | None]) -> Engine:
        started.append(Engine(tmp_path / "engine", answers))
        return started[-1]

    yield start
    for engine in started:
        engine.close()


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container("stophooks-0", f"unix://{tmp_path}/engine", "", verify=True)


def test_a_removed_container_is_asked_for_once(
    answering: Callable[[list[bytes | None]], Engine], container: Container
) -> None:
    engine = answering([REMOVED])

    assert container.remove()

    (request,) = engine.asked
    assert request == (
        b"DELETE /containers/stophooks-0?force=1&v=1 HTTP/1.1\r\n"
        b"Host: stophooks\r\nConnection: close\r\n\r\n"
    )


def test_one_that_is_not_there_is_asked_for_three_times(
    answering: Callable[[list[bytes | None]], Engine], container: Container
) -> None:
    engine = answering([GONE])
    began = time.monotonic()

    assert container.remove()

    assert len(engine.asked) == 3
    assert time.monotonic() - began > 0.6


@pytest.mark.scenario("watchdog: The engine answers nothing that helps")
def test_only_a_clear_answer_counts(
    answering: Callable[[list[bytes | None]], Engine], container: Container
) -> None:
    nothing: list[bytes | None] = [
        None,
        b"HTTP/1.1 4",
        b"\x00\xff\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\n\r\n",
        b"HTTP/1.1 409 Conflict\r\n\r\n",
        b"<html>\r\n",
    ]
    engine = answering([GONE, *nothing, GONE, GONE, None, GONE])

    assert container.remove()

    # An absence before a failure counts for nothing: three in a row are needed.
    assert len(engine.asked) == 1 + len(nothing) + 2 + 1 + 3


@pytest.mark.scenario("watchdog: The engine is away")
def test_an_engine_that_comes_back_is_waited_for(
    answering: Callable[[list[bytes | None]], Engine], container: Container
) -> None:
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(container.remove()))
    thread.start()
    assert not results

    engine = answering([REMOVED])
    thread.join(5)

    assert results == [True]
    assert len(engine.asked) == 1


@pytest.mark.scenario("watchdog: A container that the watchdog gave up is told once")
def test_what_was_given_up_is_kept_until_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
    answering: Callable[[list[bytes | None]], Engine],
    container: Container,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(containers, "WINDOW_S", 0.2)
    engine = answering([b"HTTP/1.1 500 Internal Server Error\r\n\r\n"])
    folder = str(tmp_path / "leaks")

    for pid in containers.remove_apart([container], folder):
        os.waitpid(pid, 0)
    (tmp_path / "leaks/somebody-elses").touch()

    assert engine.asked
    assert leaks.take(folder) == ["stophooks-0"]
    assert leaks.take(folder) == []


def test_what_was_removed_is_not_kept(
    answering: Callable[[list[bytes | None]], Engine], container: Container, tmp_path: Path
) -> None:
    answering([REMOVED])

    for pid in containers.remove_apart([container], str(tmp_path / "leaks")):
        os.waitpid(pid, 0)

    assert not (tmp_path / "leaks").exists()


def test_an_engine_that_stays_away_is_given_up(
    monkeypatch: pytest.MonkeyPatch, container: Container
) -> None:
    monkeypatch.setattr(containers, "WINDOW_S", 0.3)

    assert not container.remove()


def test_an_engine_that_drips_is_given_up_for_this_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, container: Container
) -> None:
    monkeypatch.setattr(containers, "WINDOW_S", 0.3)
    monkeypatch.setattr(containers, "ANSWER_S", 0.2)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "engine"))
    listener.listen(8)
    began = time.monotonic()

    assert not container.remove()

    listener.close()
    assert time.monotonic() - began < paced(2)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("host:1", ("host", 1)),
        ("host", ("host", 2375)),
        ("[::1]:2", ("::1", 2)),
        ("[::1]", ("::1", 2375)),
        ("host:1/v1", ("host", 1)),
    ],
)
def test_addresses(place: str, expected: tuple[str, int]) -> None:
    assert containers._address(place, 2375) == expected  # noqa: SLF001


def test_an_engine_is_reached_over_tcp(answering: object) -> None:
    assert answering
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(REMOVED)

        thread = threading.Thread(target=serve)
        thread.start()

        assert Container("x", f"tcp://127.0.0.1:{port}", "", verify=True).remove()
        thread.join()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as process:
        yield process
        process.kill()


def started(pid: int) -> int:
    entry = table.current(pid)
    assert entry is not None
    return entry.started


@pytest.mark.scenario("watchdog: A number that is used again")
def test_a_number_that_is_used_again_gets_no_signal(sleeper: subprocess.Popen[bytes]) -> None:
    earlier = started(sleeper.pid) - 1
    found = Families()
    found.begin(b"t", set(), set())
    found.lead(b"t", (sleeper.pid, earlier))
    found._seen.add((sleeper.pid, earlier))  # noqa: SLF001

    found.end()
    allowed = procs.send(sleeper.pid, earlier, signal.SIGKILL)
    by_number = procs._send_by_number(sleeper.pid, earlier, signal.SIGKILL)  # noqa: SLF001

    assert (allowed, by_number) == (True, True)
    assert procs.handle(sleeper.pid, earlier) is None
    assert sleeper.poll() is None


@pytest.mark.parametrize("evidence", ["leader", "seen", "token", "inner", "pipe"])
def test_each_evidence_is_enough(evidence: str) -> None:
    values = {"token": "t.1", "inner": "t.1.2"}
    env = {"PATH": os.environ["PATH"], "STOPHOOKS_COMMAND_ID": values.get(evidence, "other")}
    found = Families()
    found.begin(b"t.1", set(), set())
    with subprocess.Popen(
        ["sleep", "60"], start_new_session=True, env=env, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        if evidence == "pipe":
            found.begin(b"t.1", set(), {os.fstat(process.stdout.fileno()).st_ino})
        key = process.pid, started(process.pid)
        if evidence == "leader":
            found.lead(b"t.1", key)
        if evidence == "seen":
            found.runner = os.getpid(), started(os.getpid())
            found.look()

        found.end()

        assert process.wait(5) == -signal.SIGKILL


def test_a_command_that_is_over_is_forgotten(sleeper: subprocess.Popen[bytes]) -> None:
    found = Families()
    found.begin(b"t", set(), set())
    found.lead(b"t", (sleeper.pid, started(sleeper.pid)))
    found.over(b"t")

    found.end()

    assert not found
    assert sleeper.poll() is None


@pytest.mark.parametrize("known_by", ["number", "mark"])
def test_who_may_stay_is_spared_while_other_commands_run(known_by: str) -> None:
    env = {**os.environ, "STOPHOOKS_COMMAND_ID": "t"} if known_by == "mark" else {}
    found = Families()
    found.begin(b"t", set(), set())
    found.begin(b"u", set(), set())
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True, env=env) as process:
        found.runner = os.getpid(), started(os.getpid())
        found.look()
        key = process.pid, started(process.pid)
        found.over(b"t", {key} if known_by == "number" else {(1, 0)})

        found.end()

        assert process.poll() is None
        found.over(b"u")
        found.begin(b"v", set(), set())
        found.look()
        found.end()
        assert process.wait(5) == -signal.SIGKILL


def test_who_was_seen_stays_known_while_other_commands_run(
    sleeper: subprocess.Popen[bytes],
) -> None:
    found = Families()
    found.begin(b"t", set(), set())
    found.begin(b"u", set(), set())
    found.runner = os.getpid(), started(os.getpid())
    found.look()
    found.over(b"t")

    found.end()

    assert sleeper.wait(5) == -signal.SIGKILL


def test_without_proc_the_leaders_group_is_ended(
    monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen[bytes]
) -> None:
    monkeypatch.setattr(procs, "visible", lambda: False)
    found = Families()
    found.begin(b"t", set(), set())
    found.lead(b"t", (sleeper.pid, 0))
    found.lead(b"u", (os.getpid(), 0))  # leads no session
    found.look()

    found.end()

    assert sleeper.wait(5) == -signal.SIGKILL
    assert not procs.is_there(sleeper.pid, 0)
    assert procs.is_there(os.getpid(), 0)


def test_processes_that_may_not_be_signalled_are_left(
    monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen[bytes]
) -> None:
    monkeypatch.setattr(procs, "send", lambda *_: False)
    monkeypatch.setattr(procs, "send_group", lambda *_: None)
    monkeypatch.setattr(families, "END_S", 5.0)
    found = Families()
    found.begin(b"t", set(), set())
    found.lead(b"t", (sleeper.pid, started(sleeper.pid)))
    began = time.monotonic()

    found.end()

    assert time.monotonic() - began < paced(3)
    assert sleeper.poll() is None


class Told:
    """A watchdog in a thread of this process, told line by line."""

    def __init__(self) -> None:
        reading, self._control = os.pipe()
        self.watchdog = Watchdog(reading)
        self._reading = reading
        self._thread = threading.Thread(target=self.watchdog.watch)
        self._thread.start()

    def tell(self, line: str) -> None:
        os.write(self._control, line.encode() + b"\n")

    def end(self) -> None:
        """Close its input and wait for it."""
        os.close(self._control)
        self._thread.join(10)
        os.close(self._reading)
        assert not self._thread.is_alive()


def test_a_watchdog_that_was_told_bye_ends_nobody(sleeper: subprocess.Popen[bytes]) -> None:
    told = Told()
    told.tell(f"family 74 \nleader 74 {sleeper.pid} {started(sleeper.pid)}\nbye")

    told.end()

    assert sleeper.poll() is None


def test_a_watchdog_ends_what_it_was_told(
    sleeper: subprocess.Popen[bytes],
    answering: Callable[[list[bytes | None]], Engine],
    tmp_path: Path,
) -> None:
    engine = answering([REMOVED])
    url = f"unix://{tmp_path}/engine".encode().hex()
    told = Told()
    told.tell(f"runner {os.getpid()} {started(os.getpid())}")
    told.tell(f"container one {url}  1\ncontainer two {url}  1\nremoved two")
    told.tell(f"family 74 1,2 1:1\nleader 74 {sleeper.pid} {started(sleeper.pid)}")
    told.tell("family 75 \nended 75")

    told.end()

    assert sleeper.wait(5) == -signal.SIGKILL
    assert [line.split()[1] for line in engine.asked] == [b"/containers/one?force=1&v=1"]


def test_what_began_before_the_watchdog_was_up_is_looked_at_at_once(
    monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen[bytes]
) -> None:
    monkeypatch.setattr("stophooks.watchdog.main.LOOK_S", 600.0)
    monkeypatch.setattr("stophooks.watchdog.main.LOOK_AT_MOST_S", 600.0)
    told = Told()
    told.tell(f"runner {os.getpid()} {started(os.getpid())}\nfamily 74 ")
    key = sleeper.pid, started(sleeper.pid)

    wait_until(lambda: key in told.watchdog.families._seen)  # noqa: SLF001

    told.tell("bye")
    told.end()


@pytest.mark.parametrize("has_handle", [True, False])
def test_a_watchdog_asks_the_runner_to_end_when_the_agent_has(
    monkeypatch: pytest.MonkeyPatch, sleeper: subprocess.Popen[bytes], *, has_handle: bool
) -> None:
    if not has_handle:
        monkeypatch.delattr(os, "pidfd_open")
    with subprocess.Popen(["sh", "-c", "trap '' TERM; echo up; sleep 60"], stdout=-1) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"up\n"
        told = Told()
        told.tell(f"runner {runner.pid} {started(runner.pid)}")
        told.tell(f"agent {sleeper.pid} {started(sleeper.pid)}")
        told.tell("family 74 ")
        wait_until(lambda: bool(told.watchdog._agents))  # noqa: SLF001

        sleeper.kill()
        sleeper.wait()

        assert runner.wait(6) == -signal.SIGKILL
        told.end()


def test_a_caller_behind_a_shell_is_a_caller_too() -> None:
    found = callers()

    assert found[0].pid == os.getppid()
    assert len(found) <= 2


def test_a_full_pipe_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []

    def start(_argv: object, *, stdin: int, env: object, after: object) -> None:
        assert env
        assert after
        kept.append(os.dup(stdin))

    monkeypatch.setattr("stophooks.process.orphan.start", start)
    # What is no process must not be waited for by the next test.
    monkeypatch.setattr("stophooks.watchdog.guard._earlier", [])
    with Guard({}) as guard:
        for number in range(20_000):
            guard.container_gone(f"{number}")

    os.close(kept[0])
