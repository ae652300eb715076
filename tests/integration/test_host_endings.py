"""Nothing that a command started is left: each test proves first that it was there."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.executors.base import Cancellation
from stophooks.executors.host import HostExecutor
from stophooks.models import Command, Status
from stophooks.process import child, family, signalling, table
from tests.program import TOKEN
from tests.running import Recorder, gone, paced, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    MakeCommand = Callable[..., Command]

# A child in another session; a daemon forked twice; one without environment; one that calls
# itself something with parentheses and a line end, and ignores SIGTERM: each writes its number
# and then outlives everybody.
ESCAPES = {
    "child": "sh -c 'echo $$ >> pids; exec sleep 60' &",
    "session": "setsid sh -c 'echo $$ >> pids; exec sleep 60' &",
    "daemon": """(setsid sh -c '(sh -c "echo \\$\\$ >> pids; exec sleep 60" &)' &)""",
    "bare": "(env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> pids; exec /bin/sleep 60' &)",
    "deaf": "(setsid sh -c 'trap \"\" TERM INT HUP; echo $$ >> pids; sleep 60; :' &)",
    "renamed": """(setsid python3 -c '
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("/proc/self/comm", "w").write("a) R 1 (b\\n")
open("pids", "a").write(f"{os.getpid()}\\n")
time.sleep(60)' &)""",
    "stopped": "(setsid sh -c 'echo $$ >> pids; kill -STOP $$; sleep 60' &)",
    "nohup": "(nohup sh -c 'echo $$ >> pids; exec sleep 60' > /dev/null 2>&1 &)",
    "job": "(set -m; sh -c 'echo $$ >> pids; exec sleep 60' & disown)",
    "threads": """(setsid python3 -c '
import ctypes, os, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
open("pids", "a").write(f"{os.getpid()}\\n")
ctypes.CDLL(None).pthread_exit(None)' &)""",
}


@pytest.fixture
def host(token: str) -> HostExecutor:
    return HostExecutor({**os.environ, TOKEN: token})


@pytest.fixture
def command(tmp_path: Path) -> MakeCommand:
    def make(script: str, **fields: Any) -> Command:
        return Command(name="check", project_dir=str(tmp_path), run=script, **fields)

    return make


@pytest.fixture
def pids(tmp_path: Path) -> Callable[[], list[int]]:
    """The numbers that a command's processes have written."""

    def read() -> list[int]:
        try:
            return [int(line) for line in (tmp_path / "pids").read_text("ascii").splitlines()]
        except FileNotFoundError:
            return []

    return read


def until_written(number: int) -> str:
    return f'until [ "$(wc -l 2>/dev/null < pids)" -ge {number} ] 2>/dev/null; do sleep 0.01; done'


def started_of(pids: list[int]) -> dict[int, int]:
    """When each living process started; dead ones are missing."""
    return {pid: entry.started for pid, entry in table.scan().items() if pid in pids}


class Witness:
    """Looks at the processes at the moment the command says that it is ready."""

    def __init__(
        self, pids: Callable[[], list[int]], then: Callable[[], None] = lambda: None
    ) -> None:
        self._pids = pids
        self._then = then
        self.seen: dict[int, int] = {}

    def __call__(self, data: bytes) -> None:
        if b"ready" in data:
            self.seen = started_of(self._pids())
            self._then()

    def left(self) -> list[int]:
        now = started_of(list(self.seen))
        return [pid for pid, started in now.items() if self.seen[pid] == started]


@pytest.mark.scenario("host-executor: Descendants in other sessions")
def test_no_descendant_survives_a_timeout(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]]
) -> None:
    witness = Witness(pids)
    script = "\n".join([*ESCAPES.values(), until_written(len(ESCAPES)), "echo ready; sleep 60"])

    ran = run(host, command(script), timeout_s=3, sink=Recorder(on_write=witness))

    assert ran.outcome.status is Status.TIMED_OUT
    assert len(witness.seen) == len(ESCAPES)
    assert witness.left() == []
    assert ran.took_s < paced(3 + 2 + 1)


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_descendant_survives_a_cancellation(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]], escape: str
) -> None:
    cancel = Cancellation()
    witness = Witness(pids, then=lambda: cancel.request("interrupted", grace_s=0.3))
    script = f"{ESCAPES[escape]}\n{until_written(1)}; echo ready; sleep 60"

    ran = run(host, command(script), cancel=cancel, sink=Recorder(on_write=witness))

    assert ran.outcome.status is Status.CANCELLED
    assert len(witness.seen) == 1
    assert witness.left() == []


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.scenario("host-executor: Background child that ignores SIGTERM")
def test_no_descendant_survives_a_pass_or_delays_it(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]], escape: str
) -> None:
    witness = Witness(pids)
    script = f"{ESCAPES[escape]}\n{until_written(1)}; echo ready"

    ran = run(host, command(script), sink=Recorder(on_write=witness))

    assert ran.outcome.status is Status.PASSED
    assert len(witness.seen) == 1
    assert witness.left() == []
    assert ran.took_s - ran.outcome.duration_s < paced(0.5)
    assert ran.outcome.notes[0].startswith("ended ")


def test_a_note_names_what_a_command_left_running(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]]
) -> None:
    ran = run(host, command("sleep 60 & echo $! > pids"))

    assert ran.outcome.notes == (
        f"ended 1 process that the command left running: sleep (pid {pids()[0]})",
    )


def test_a_note_names_a_few_of_many(host: HostExecutor, command: MakeCommand) -> None:
    ran = run(host, command("for i in 1 2 3 4 5 6 7; do sleep 60 & done"))

    assert ran.outcome.notes[0].startswith("ended 7 processes that the command left running: sleep")
    assert ran.outcome.notes[0].endswith(" and 2 more")


def test_what_a_failing_command_leaves_is_ended_too(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]]
) -> None:
    ran = run(host, command("sleep 60 & echo $! > pids; exit 3"))

    assert ran.outcome.status is Status.FAILED
    assert ran.outcome.exit_code == 3
    assert gone(pids()[0])


@pytest.fixture
def daemons(pids: Callable[[], list[int]]) -> Iterator[Callable[[], dict[int, int]]]:
    """Those who wrote their number and still run; none of them outlives the test."""
    yield lambda: started_of(pids())
    for pid in started_of(pids()):
        os.kill(pid, signal.SIGKILL)


DAEMON = """
(setsid sh -c 'echo $$ >> pids; exec sleep 60' > /dev/null 2>&1 &)
sh -c 'echo $$ >> pids; exec env -i /bin/sleep 60' > /dev/null 2>&1 &
until [ "$(wc -l < pids)" -ge 2 ] 2>/dev/null; do sleep 0.01; done
"""


@pytest.mark.scenario("host-executor: Daemon on purpose")
def test_a_daemon_on_purpose_outlives_its_command_and_later_ones(
    host: HostExecutor, command: MakeCommand, daemons: Callable[[], dict[int, int]]
) -> None:
    ran = run(host, command(DAEMON, keep_children=True))
    kept = daemons()

    later = run(host, command("sleep 60 & exit 0"))
    cancelled = run(host, command("trap '' TERM; sleep 60"), timeout_s=0.2)

    assert ran.outcome.status is Status.PASSED
    assert ran.outcome.notes == ()
    assert len(kept) == 2
    assert daemons() == kept
    assert later.outcome.notes[0].startswith("ended 1 process ")
    assert cancelled.outcome.status is Status.TIMED_OUT


def test_what_a_kept_daemon_starts_later_is_kept_too(
    host: HostExecutor, command: MakeCommand, daemons: Callable[[], dict[int, int]]
) -> None:
    worker = "setsid sh -c 'echo $$ >> pids; exec sleep 60' &"
    daemon = f"until [ -e gate ]; do sleep 0.01; done\n{worker}"
    script = f"cat > daemon <<'END'\n{daemon}\nEND\n(setsid sh daemon > /dev/null 2>&1 &)"

    kept = run(host, command(script, keep_children=True))
    later = run(host, command(f"touch gate; {until_written(1)}; sleep 0.1"))

    assert (kept.outcome.status, later.outcome.status) == (Status.PASSED, Status.PASSED)
    assert later.outcome.notes == ()
    assert len(daemons()) == 1


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("exit 3", Status.FAILED),
        ("kill -9 $$", Status.FAILED),
        ("sleep 60", Status.TIMED_OUT),
        ("echo ready; sleep 60", Status.CANCELLED),
    ],
)
@pytest.mark.scenario("host-executor: Daemon of a command that does not pass")
def test_a_command_that_does_not_pass_keeps_nothing(
    host: HostExecutor,
    command: MakeCommand,
    daemons: Callable[[], dict[int, int]],
    end: str,
    status: Status,
) -> None:
    cancel = Cancellation()
    seen: dict[int, int] = {}

    def ready(data: bytes) -> None:
        if b"ready" in data:
            seen.update(daemons())
            cancel.request("interrupted", grace_s=0.1)

    script = f"{DAEMON}\n{end}"
    ran = run(
        host,
        command(script, keep_children=True),
        timeout_s=1,
        cancel=cancel,
        sink=Recorder(on_write=ready),
    )

    assert ran.outcome.status is status
    assert len(seen) == (2 if status is Status.CANCELLED else 0)
    assert daemons() == {}


@pytest.mark.scenario("host-executor: Stopped process")
def test_a_command_that_stopped_itself_is_let_clean_up(
    host: HostExecutor, command: MakeCommand
) -> None:
    script = "trap 'echo cleaned; exit 0' TERM; kill -STOP $$; echo went on"

    ran = run(host, command(script), timeout_s=0.5)

    assert ran.outcome.status is Status.TIMED_OUT
    assert b"cleaned\n" in ran.stdout
    assert ran.took_s < paced(1.5)


@pytest.mark.scenario("host-executor: Processes that keep appearing")
def test_a_tree_of_hundreds_that_ignores_sigterm_is_ended(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]]
) -> None:
    script = """
trap '' TERM
tree() {
    echo $BASHPID >> pids
    [ "$1" -eq 0 ] || { tree $(($1 - 1)) & tree $(($1 - 1)) & }
    wait
    [ "$1" -gt 0 ] || read -r -t 60 < <(exec sleep 60)
}
tree 6 &
until [ "$(wc -l < pids)" -ge 127 ]; do sleep 0.05; done
echo ready
while :; do wait; done
"""
    cancel = Cancellation()
    witness = Witness(pids, then=lambda: cancel.request("interrupted", grace_s=0.5))

    ran = run(host, command(script), cancel=cancel, sink=Recorder(on_write=witness))

    assert ran.outcome.status is Status.CANCELLED
    assert len(witness.seen) >= 127
    assert witness.left() == []


@pytest.mark.parametrize(
    "script",
    [
        # One that never stays: each starts the next and ends. Bounded, lest a defect floods us.
        """trap '' TERM
hop() { echo $BASHPID >> pids; [ "$1" -eq 0 ] || hop $(($1 - 1)) & }
hop 20000
sleep 60""",
        # The same in sessions of their own.
        """trap '' TERM
cat > hop <<'END'
echo $$ >> pids
[ "$1" -eq 0 ] || setsid sh ./hop $(($1 - 1)) &
END
setsid sh ./hop 20000
sleep 60""",
        # One that starts children as fast as it can, up to a few hundred at a time.
        """trap '' TERM
while :; do
    [ $(jobs -rp | wc -l) -gt 200 ] || { sleep 60 & echo $! >> pids; }
done""",
    ],
    ids=["hopping", "hopping through sessions", "ever more"],
)
def test_processes_that_keep_appearing_are_ended(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]], script: str
) -> None:
    ran = run(host, command(script), timeout_s=0.7)

    assert ran.outcome.status is Status.TIMED_OUT
    assert 20 < len(pids()) < 20_000
    assert ran.outcome.notes == ()
    count = len(pids())
    assert [pid for pid in pids() if not gone(pid)] == []
    assert len(pids()) == count
    assert ran.took_s < paced(0.7 + 2 + 1)


def test_a_chain_of_processes_that_outlives_its_command_is_ended(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]]
) -> None:
    script = """
cat > hop <<'END'
trap '' TERM
echo $$ >> pids
[ "$1" -eq 0 ] || setsid sh ./hop $(($1 - 1)) &
END
setsid sh ./hop 20000
until [ "$(wc -l < pids)" -ge 20 ]; do sleep 0.01; done"""

    ran = run(host, command(script), timeout_s=20)

    assert ran.outcome.status is Status.PASSED
    count = len(pids())
    assert 20 <= count < 20_000
    assert [pid for pid in pids() if not gone(pid)] == []
    assert len(pids()) == count


@pytest.mark.scenario("host-executor: Bystanders")
def test_other_children_of_the_caller_go_on(host: HostExecutor, command: MakeCommand) -> None:
    in_session = subprocess.Popen(["sleep", "60"])
    in_own = subprocess.Popen(["sleep", "60"], start_new_session=True)
    ended = subprocess.Popen(["sh", "-c", "exit 7"], start_new_session=True)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    during: list[subprocess.Popen[bytes]] = []
    sink = Recorder(on_write=lambda _: during.append(subprocess.Popen(["sh", "-c", "exit 8"])))
    try:
        run(host, command("sleep 60 & exit 0"))
        run(host, command("trap '' TERM; echo ready; sleep 60"), timeout_s=0.3, sink=sink)

        assert in_session.poll() is None
        assert in_own.poll() is None
        assert ended.wait() == 7
        assert during[0].wait() == 8
    finally:
        for process in (in_session, in_own):
            process.kill()
            process.wait()


@pytest.mark.scenario("host-executor: Ended orphans")
def test_ended_orphans_leave_no_zombie(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]]
) -> None:
    script = "for i in 1 2 3 4 5; do (setsid sh -c 'echo $$ >> pids' &); done; " + until_written(5)

    run(host, command(script))

    assert len(pids()) == 5
    assert all(gone(pid) for pid in pids())


def test_orphans_that_end_while_the_command_runs_are_waited_for(
    host: HostExecutor, command: MakeCommand
) -> None:
    script = f"""
(setsid sh -c 'echo $$ >> pids' &)
{until_written(1)}
while [ -e /proc/$(cat pids) ]; do sleep 0.05; done
"""

    ran = run(host, command(script), timeout_s=5)

    assert ran.outcome.status is Status.PASSED


@pytest.mark.scenario("host-executor: Cancellation during the grace")
def test_a_cancellation_shortens_the_grace_of_a_timeout(
    host: HostExecutor, command: MakeCommand
) -> None:
    cancel = Cancellation()

    def in_the_grace(data: bytes) -> None:
        if b"asked" in data:
            cancel.request("interrupted", grace_s=0.1)

    script = "trap 'echo asked' TERM; while :; do sleep 0.05; done"
    sink = Recorder(on_write=in_the_grace)

    ran = run(host, command(script), timeout_s=0.3, cancel=cancel, sink=sink)

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.took_s < paced(1.5)


def test_a_signal_handler_can_cancel(host: HostExecutor, command: MakeCommand) -> None:
    cancel = Cancellation()
    before = signal.signal(signal.SIGUSR1, lambda *_: cancel.request("asked", grace_s=1))
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        ran = run(host, command("sleep 60"), cancel=cancel)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)

    assert ran.outcome.status is Status.CANCELLED
    assert ran.took_s < paced(5)


@pytest.mark.scenario("host-executor: Receiver of output that fails")
def test_a_receiver_that_fails_ends_the_command(
    host: HostExecutor, command: MakeCommand, pids: Callable[[], list[int]]
) -> None:
    def fail(_: bytes) -> None:
        raise ZeroDivisionError

    script = "trap '' TERM; sleep 60 & echo $! > pids; echo $$ >> pids; echo ready; wait"

    with pytest.raises(ZeroDivisionError):
        run(host, command(script), sink=Recorder(on_write=fail))

    assert len(pids()) == 2
    assert all(gone(pid) for pid in pids())


def test_endless_output_does_not_keep_a_command_from_timing_out(
    host: HostExecutor, command: MakeCommand
) -> None:
    ran = run(host, command("trap '' TERM; yes & yes >&2"), timeout_s=0.3)

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.took_s < paced(0.3 + 2 + 1)
    assert ran.outcome.stdout.total_bytes > 10_000_000


@pytest.fixture
def outsider(tmp_path: Path) -> Iterator[None]:
    """A process of somebody else that takes the command's output pipe and keeps it."""
    code = (
        "import os, time\n"
        "while not os.path.exists('pid'): time.sleep(0.005)\n"
        "time.sleep(0.05)\n"
        "pipe = open(f'/proc/{open(\"pid\").read().strip()}/fd/1', 'wb', buffering=0)\n"
        "open('taken', 'w').close()\n"
        "while True: pipe.write(b'x' * 65536)\n"
    )
    process = subprocess.Popen(["python3", "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL)
    yield
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


@pytest.mark.usefixtures("outsider")
def test_somebody_elses_hold_on_the_pipe_cannot_hang_the_result(
    host: HostExecutor, command: MakeCommand
) -> None:
    script = "echo $$ > pid; until [ -e taken ]; do sleep 0.01; done"

    ran = run(host, command(script))

    assert ran.outcome.status is Status.PASSED
    assert ran.took_s - ran.outcome.duration_s < paced(1.5)


def test_commands_in_parallel_end_only_what_is_theirs(host: HostExecutor, tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("one", "two")]
    for place in places:
        place.mkdir()
    daemon = f"{ESCAPES['daemon']}\n{until_written(1)}\n"
    scripts = [f"{daemon} sleep 0.6", f"{daemon} sleep 2; kill -0 $(cat pids) && echo still there"]
    rans: dict[int, Any] = {}

    def go(index: int) -> None:
        command = Command(name="c", project_dir=str(places[index]), run=scripts[index])
        rans[index] = run(host, command)

    threads = [threading.Thread(target=go, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()

    assert rans[0].outcome.notes[0].startswith("ended 1 process ")
    assert rans[1].stdout == b"still there\n"
    assert rans[1].outcome.notes[0].startswith("ended 1 process ")


def test_who_could_not_be_ended_is_named(
    host: HostExecutor,
    command: MakeCommand,
    pids: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Another user's process (sudo) takes no signal from us; this stands for it.
    really = signalling.send
    monkeypatch.setattr(
        family, "send", lambda entry, number: entry.pid in pids() or really(entry, number)
    )

    ran = run(host, command("sleep 60 & echo $! > pids"))

    survivor = pids()[0]
    os.kill(survivor, signal.SIGKILL)
    os.waitpid(survivor, 0)
    assert ran.outcome.status is Status.PASSED
    assert ran.outcome.notes[-1] == f"could not end 1 process: sleep (pid {survivor})"
    assert ran.took_s < paced(2)


def test_a_command_whose_end_could_not_be_seen_does_not_go_on(
    host: HostExecutor,
    command: MakeCommand,
    pids: Callable[[], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: object) -> int:
        wait_until(lambda: bool(pids()))
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(child, "_exit_descriptor", full)

    ran = run(host, command("echo $$ > pids; exec sleep 60"))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "start-failed"
    assert "Too many open files" in (ran.outcome.reason or "")
    assert gone(pids()[0])


def test_the_mark_of_a_command_names_the_one_around_it(command: MakeCommand, token: str) -> None:
    host = HostExecutor({**os.environ, TOKEN: token, "STOPHOOKS_COMMAND_ID": "outer"})

    ran = run(host, command('echo "$STOPHOOKS_COMMAND_ID"'))

    assert ran.stdout.startswith(b"outer.")
    assert len(ran.stdout) == len("outer.") + 16 + 1
