"""Whatever is killed: nothing of a run is left. Each test proves first that it was there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from stophooks.executors.docker.endpoint import DEFAULT_URL
from stophooks.process import table
from stophooks.process.family import TOKEN as COMMAND
from stophooks.process.family import WATCHDOG
from stophooks.values import dataclass
from stophooks.watchdog.guard import Guard
from tests.running import paced, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import docker

    from tests.program import Stophooks

IMAGE = "stophooks-test/busybox:1"
# A child; one in a session of its own; a daemon forked twice; one that ignores SIGTERM; one with
# an emptied environment, that has a session of its own and lost its parent.
ESCAPES = """
sh -c 'echo $$ >> pids; exec sleep 60' &
setsid sh -c 'echo $$ >> pids; exec sleep 60' &
(setsid sh -c '(sh -c "echo \\$\\$ >> pids; exec sleep 60" &)' &)
(setsid sh -c 'trap "" TERM INT HUP; echo $$ >> pids; sleep 60; :' &)
(env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> pids; exec /bin/sleep 60' &)
echo $$ >> pids
sleep 60
"""
COUNT = 6
# What a descendant without any mark needs to be seen at least once.
SEEN_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A run that was started, and the watchdog that watches over it."""

    process: subprocess.Popen[bytes]
    watchdog: int
    directory: Path

    def processes(self) -> dict[int, int]:
        """The processes of its command: number, and when it started."""
        return alive((self.directory / "pids").read_text("ascii").split())


def alive(numbers: list[str]) -> dict[int, int]:
    now = table.scan_proc()
    found = (now.get(int(number)) for number in numbers)
    return {entry.pid: entry.started for entry in found if entry and entry.alive}


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def watchdog_of(runner: int) -> int | None:
    """The watchdog that a process started: only they have both marks and the same environment."""
    mark = variables(runner).get("STOPHOOKS_RUN_MARK")
    for pid in psutil.pids():
        found = variables(pid)
        if WATCHDOG in found and mark is not None and found.get("STOPHOOKS_RUN_MARK") == mark:
            return pid
    return None


def variables(pid: int) -> dict[str, str]:
    try:
        return psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return {}


def is_watchdog_up(pid: int) -> bool:
    """Whether it has come as far as waiting: then it stands in the root directory."""
    try:
        return psutil.Process(pid).cwd() == "/"
    except psutil.Error:
        return False


@pytest.fixture
def begin(stophooks: Stophooks, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a run of one command and come back when the command says ``pids`` often enough."""
    started: list[subprocess.Popen[bytes]] = []

    def start(script: str = ESCAPES, *, count: int = COUNT, image: str | None = None) -> Running:
        project(tmp_path, script, image)
        mark = f"{time.monotonic_ns()}"
        process = stophooks.start("run", cwd=tmp_path, env={"STOPHOOKS_RUN_MARK": mark})
        started.append(process)
        wait_until(lambda: lines(tmp_path / "pids") >= count)
        watchdog = watchdog_of(process.pid)
        assert watchdog is not None
        wait_until(lambda: is_watchdog_up(watchdog))
        return Running(process=process, watchdog=watchdog, directory=tmp_path)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def project(directory: Path, script: str, image: str | None = None) -> None:
    indented = "".join(f"        {line}\n" for line in script.strip().splitlines())
    where = f"      image: {image}\n      network: none\n" if image else ""
    text = f"stop:\n  commands:\n    - name: check\n{where}      run: |\n{indented}"
    (directory / "stophooks.yaml").write_text(text)


def kill_alone(running: Running) -> None:
    running.process.kill()


def kill_group(running: Running) -> None:
    os.killpg(running.process.pid, signal.SIGKILL)


def kill_session(running: Running) -> None:
    for entry in table.scan_proc().values():
        if entry.session == running.process.pid:
            os.kill(entry.pid, signal.SIGKILL)


def kill_tree(running: Running) -> None:
    """Kill it with all its descendants, the deepest first, as agents do."""
    runner = psutil.Process(running.process.pid)
    for process in [*runner.children(recursive=True)[::-1], runner]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def kill_tree_from_above(running: Running) -> None:
    runner = psutil.Process(running.process.pid)
    for process in [runner, *runner.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


KILLS = [kill_alone, kill_group, kill_session, kill_tree, kill_tree_from_above]


def let_be_seen(running: Running) -> None:
    """Come back when the watchdog has looked at the run's processes, all of them being there."""
    before = psutil.Process(running.watchdog).num_ctx_switches().voluntary
    until = time.monotonic() + SEEN_S

    def looked() -> bool:
        now = psutil.Process(running.watchdog).num_ctx_switches().voluntary
        return now >= before + 2 and time.monotonic() > until

    wait_until(looked)


def gone_within(limit_s: float, condition: Callable[[], bool]) -> None:
    began = time.monotonic()
    wait_until(condition)
    took_s = time.monotonic() - began
    assert took_s < limit_s, f"it took {took_s:.2f} s"


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: kill.__name__)
@pytest.mark.scenario("watchdog: The runner is killed")
def test_no_process_survives_the_kill_of_the_runner(
    begin: Callable[..., Running], kill: Callable[[Running], None]
) -> None:
    running = begin()
    let_be_seen(running)
    assert len(running.processes()) == COUNT

    kill(running)

    gone_within(paced(1.0), lambda: not running.processes())


@pytest.mark.parametrize(
    "kill", [kill_alone, kill_group, kill_tree], ids=lambda kill: kill.__name__
)
@pytest.mark.scenario("watchdog: The runner is killed with a container")
def test_no_container_survives_the_kill_of_the_runner(
    begin: Callable[..., Running],
    engine: docker.DockerClient,
    kill: Callable[[Running], None],
) -> None:
    running = begin("echo $$ >> pids; trap '' TERM; sleep 60", count=1, image=IMAGE)
    (container,) = containers(engine, running.directory)

    kill(running)

    gone_within(paced(2.0), lambda: not containers(engine, running.directory))
    assert container.startswith("stophooks-")


def containers(engine: docker.DockerClient, directory: Path) -> list[str]:
    """The names of the containers, running or not, that have this directory mounted."""
    return [
        one["Names"][0].removeprefix("/")
        for one in engine.api.containers(all=True)
        if any(mount.get("Source") == str(directory) for mount in one.get("Mounts", []))
    ]


@pytest.mark.parametrize("after_s", [0.0, 0.003, 0.01, 0.03, 0.1])
@pytest.mark.scenario("watchdog: The runner is killed while a container is made")
def test_no_container_survives_a_kill_while_it_is_made(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path, after_s: float
) -> None:
    place = tmp_path / "project"
    place.mkdir()
    project(place, "sleep 60", IMAGE)
    seen = _Creations(tmp_path)
    process = stophooks.start("run", cwd=place, env={"DOCKER_HOST": seen.url})
    assert seen.asked.wait(20)

    threading.Event().wait(after_s)
    process.kill()
    process.communicate()

    wait_until(lambda: not watchdogs_in(tmp_path))
    assert containers(engine, place) == []
    seen.close()


class _Creations:
    """A door to the real engine that tells when somebody asks for a container."""

    def __init__(self, directory: Path) -> None:
        self._engine = os.environ.get("DOCKER_HOST", DEFAULT_URL).removeprefix("unix://")
        self.url = f"unix://{directory}/engine.sock"
        self.asked = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(f"{directory}/engine.sock")
        self._socket.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(self._engine)
            for source, target in ((client, behind), (behind, client)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if b"/containers/create" in data:
                    self.asked.set()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # The killed one's connection; the engine's own side is to end too, as it would.
            target.close()


@pytest.mark.scenario("watchdog: Processes that keep appearing")
def test_a_storm_ends_with_the_runner(begin: Callable[..., Running]) -> None:
    # Bounded, lest a defect floods the machine.
    running = begin(
        """
trap '' TERM
hop() { echo $BASHPID >> pids; [ "$1" -eq 0 ] || hop $(($1 - 1)) & }
hop 20000
sleep 60
""",
        count=50,
    )

    kill_alone(running)

    wait_until(lambda: not psutil.pid_exists(running.watchdog))
    count = lines(running.directory / "pids")
    for _ in range(20):
        assert alive_with_token(running) == []
    assert lines(running.directory / "pids") == count < 20_000


def alive_with_token(running: Running) -> list[int]:
    return [pid for pid in psutil.pids() if COMMAND in variables(pid) and is_of(running, pid)]


def is_of(running: Running, pid: int) -> bool:
    try:
        return psutil.Process(pid).cwd() == str(running.directory)
    except psutil.Error:
        return False


@pytest.mark.scenario("watchdog: Nobody's descendant")
def test_the_watchdog_is_nobodys_descendant(begin: Callable[..., Running]) -> None:
    running = begin()

    watchdog = psutil.Process(running.watchdog)

    assert os.getsid(watchdog.pid) == watchdog.pid
    assert running.process.pid not in {parent.pid for parent in watchdog.parents()}
    assert os.getpid() not in {parent.pid for parent in watchdog.parents()}


@pytest.mark.scenario("watchdog: Small")
def test_the_watchdog_is_small(begin: Callable[..., Running]) -> None:
    running = begin()
    let_be_seen(running)

    watchdog = psutil.Process(running.watchdog)

    # 10 MB, and a margin for interpreters that are larger than the one this was written with.
    assert watchdog.memory_info().rss < 12 * 1024 * 1024
    control, *others = (os.readlink(one.path) for one in os.scandir(f"/proc/{watchdog.pid}/fd"))
    assert control.startswith("pipe:")
    assert set(others) == {os.devnull, "anon_inode:[pidfd]"}
    assert watchdog.cwd() == "/"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM])
def test_the_watchdog_ignores_polite_signals(
    begin: Callable[..., Running], number: signal.Signals
) -> None:
    running = begin("echo $$ >> pids; sleep 60", count=1)

    os.kill(running.watchdog, number)
    kill_alone(running)

    gone_within(paced(1.0), lambda: not running.processes())


@pytest.mark.scenario("watchdog: Quick to start")
def test_a_watchdog_starts_in_ten_milliseconds() -> None:
    took_s = []
    for _ in range(5):
        began = time.monotonic()
        with Guard(os.environ):
            took_s.append(time.monotonic() - began)

    # The best of a few: other work on the machine is not ours.
    assert min(took_s) < paced(0.01)


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.scenario("watchdog: It ends with its run")
def test_the_watchdog_ends_with_its_run(
    begin: Callable[..., Running], tmp_path: Path, number: signal.Signals | None
) -> None:
    running = begin("echo $$ >> pids; until [ -e gate ]; do sleep 0.02; done", count=1)
    assert psutil.pid_exists(running.watchdog)

    (tmp_path / "gate").touch() if number is None else running.process.send_signal(number)
    running.process.wait(10)

    wait_until(lambda: not psutil.pid_exists(running.watchdog))


@pytest.mark.scenario("watchdog: It is killed")
def test_a_killed_watchdog_is_replaced(container: Callable[[], str], known: dict[str, str]) -> None:
    name = container()
    with Guard(known | {"STOPHOOKS_RUN_MARK": name}) as guard:
        guard.container(name, url=DEFAULT_URL, tls_dir=None, tls_verify=False)
        first = marked(name)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(first))
        guard.family("a command", [], [])
        guard.family_gone("a command")

        assert marked(name) != first

    wait_until(lambda: not exists(name))


@pytest.fixture
def known(stophooks: Stophooks) -> dict[str, str]:
    """An environment by which a watchdog is found again."""
    return stophooks.environment()


def marked(mark: str) -> int:
    """The watchdog with this mark."""
    found: list[int] = []

    def look() -> bool:
        found[:] = [
            pid
            for pid in psutil.pids()
            if variables(pid).get("STOPHOOKS_RUN_MARK") == mark and is_watchdog_up(pid)
        ]
        return bool(found)

    wait_until(look)
    return found[0]


@pytest.fixture
def container(engine: docker.DockerClient) -> Iterator[Callable[[], str]]:
    """Make containers that run; what a test leaves of them goes at its end."""
    made = []

    def make(name: str | None = None) -> str:
        one = engine.containers.run(
            IMAGE, ["sleep", "60"], name=name, detach=True, network_mode="none", init=True
        )
        made.append(one)
        return str(one.name)

    yield make
    for one in made:
        subprocess.run(["docker", "rm", "-f", one.id], capture_output=True, check=False)


def exists(name: str) -> bool:
    done = subprocess.run(["docker", "inspect", name], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.scenario("watchdog: A container that could not be removed")
def test_what_is_still_registered_at_the_end_is_removed_later(
    container: Callable[[], str], known: dict[str, str]
) -> None:
    name, other = container(), container()
    assert exists(name)

    with Guard(known) as guard:
        guard.container(name, url=DEFAULT_URL, tls_dir=None, tls_verify=False)
        guard.container(other, url=DEFAULT_URL, tls_dir=None, tls_verify=False)
        guard.container_gone(other)

    wait_until(lambda: not exists(name))
    assert exists(other)


@pytest.mark.scenario("watchdog: No watchdog can be started")
def test_a_run_goes_on_without_a_watchdog(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, str]
) -> None:
    monkeypatch.setattr("stophooks.process.orphan._SHELL", "/nowhere/sh")
    before = set(os.listdir("/proc/self/fd"))

    with Guard(known) as guard:
        guard.container("x", url=DEFAULT_URL, tls_dir=None, tls_verify=False)
        guard.family("y", [], [])
        guard.leader("y", os.getpid())

    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.scenario("watchdog: Others are not touched")
def test_others_go_on(stophooks: Stophooks, container: Callable[..., str], tmp_path: Path) -> None:
    project(tmp_path, "echo $STOPHOOKS_COMMAND_ID > id; echo $$ >> pids; sleep 60")
    # Children that the runner has before its first command: one in its session, one in its own.
    script = (
        "sleep 61 & echo $! >> others; setsid sleep 62 & echo $! >> others; "
        f"exec {sys.executable} -m stophooks run"
    )
    runner = subprocess.Popen(
        ["sh", "-c", script], cwd=tmp_path, env=stophooks.environment(), start_new_session=True
    )
    wait_until(lambda: lines(tmp_path / "pids") >= 1)
    token = (tmp_path / "id").read_text().strip()
    similar = [
        subprocess.Popen(["sleep", "60"], env=os.environ | {COMMAND: value})
        for value in (token + "0", token[:-1], "x." + token)
    ]
    name = container("stophooks-" + "0" * 32)
    others = [*(tmp_path / "others").read_text().split(), *(str(one.pid) for one in similar)]

    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    wait_until(lambda: not alive((tmp_path / "pids").read_text().split()))
    wait_until(lambda: not watchdogs_in(tmp_path))

    assert len(alive(others)) == 5
    assert exists(name)
    for number in others:
        os.kill(int(number), signal.SIGKILL)
    for one in similar:
        one.wait()


def watchdogs_in(directory: Path) -> list[int]:
    """The watchdogs of runs in this directory, whose home is there."""
    found = {pid: variables(pid) for pid in psutil.pids()}
    return [
        pid
        for pid, values in found.items()
        if WATCHDOG in values and values.get("HOME", "").startswith(str(directory))
    ]


@pytest.mark.scenario("watchdog: A run inside a run is killed alone with its watchdog")
def test_a_killed_run_inside_a_run_leaves_nothing(
    begin: Callable[..., Running], engine: docker.DockerClient, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    project(inner, "echo 1 >> /up/pids; sleep 60", IMAGE)
    with (inner / "stophooks.yaml").open("a") as file:
        file.write("      mounts: [{type: bind, source: .., target: /up}]\n")
    running = begin(f"echo $$ >> pids; cd inner; {sys.executable} -m stophooks run; :", count=2)
    (inner_watchdog,) = set(watchdogs_in(tmp_path)) - {running.watchdog}
    (inner_run,) = (
        one
        for one in psutil.Process(running.process.pid).children(recursive=True)
        if one.cmdline()[1:] == ["-m", "stophooks", "run"]
    )

    os.kill(inner_watchdog, signal.SIGKILL)
    inner_run.kill()
    running.process.wait(20)

    wait_until(lambda: not containers(engine, inner))
    wait_until(lambda: not watchdogs_in(tmp_path))


@pytest.mark.scenario("watchdog: A run inside a run")
@pytest.mark.scenario("watchdog: A run inside a run is killed with its watchdog")
def test_a_run_inside_a_run_ends_with_it(
    begin: Callable[..., Running], engine: docker.DockerClient, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    project(inner, "echo 1 >> /up/pids; sleep 60", IMAGE)
    with (inner / "stophooks.yaml").open("a") as file:
        file.write("      mounts: [{type: bind, source: .., target: /up}]\n")
    running = begin(f"echo $$ >> pids; cd inner; {sys.executable} -m stophooks run; :", count=2)
    assert len(containers(engine, inner)) == 1
    (inner_watchdog,) = set(watchdogs_in(tmp_path)) - {running.watchdog}

    os.kill(inner_watchdog, signal.SIGKILL)
    kill_tree(running)

    wait_until(lambda: not containers(engine, inner))
    wait_until(lambda: not alive_with_token(running))
    wait_until(lambda: not watchdogs_in(tmp_path))


UNWATCHED = """
import sys
here, sys.executable = sys.executable, "/bin/false"
sys.argv = ["stophooks", *sys.argv[1:]]
from stophooks.__main__ import main
main()
"""


@pytest.mark.scenario("watchdog: A watchdog that cannot start keeps no command from running")
@pytest.mark.parametrize("failing", [False, True])
def test_a_watchdog_that_cannot_start_keeps_no_command_from_running(
    stophooks: Stophooks, tmp_path: Path, failing: bool
) -> None:
    last = "exit 3" if failing else "true"
    commands = [{"run": "sleep 0.2; echo said"}, {"run": "echo more"}, {"run": last}]
    (tmp_path / "stophooks.json").write_text(json.dumps({"stop": {"commands": commands}}))

    for _ in range(3):
        done = stophooks.python_code(UNWATCHED, "run", cwd=tmp_path)

        assert done.returncode == int(failing), done
        assert done.stdout.count("PASS") == 3 - failing, done
        assert "Traceback" not in done.stderr
