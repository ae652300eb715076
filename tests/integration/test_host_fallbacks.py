"""The same endings on systems that offer less: no pidfd, no subreaper, no /proc."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from stophooks.executors.host import HostExecutor
from stophooks.models import Command, Status
from stophooks.process import family, signalling, table
from tests.program import TOKEN
from tests.running import ended, paced, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def no_subreaper(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Orphans go to the machine's first process, as on macOS."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    monkeypatch.setattr(family, "_reaper", False)
    yield
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@pytest.fixture(
    params=["no pidfd", "pidfd refused", "no children file", "no subreaper", "no proc", "macos"]
)
def less(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that lacks something."""

    def refused(_: int) -> int:
        raise OSError

    lacks: str = request.param
    if lacks in {"no pidfd", "macos"}:
        monkeypatch.delattr(os, "pidfd_open")
    if lacks == "pidfd refused":
        monkeypatch.setattr(os, "pidfd_open", refused)
    if lacks == "no children file":
        monkeypatch.setattr(table, "_TASKS", "/proc/self/task/none")
    if lacks in {"no subreaper", "no proc", "macos"}:
        request.getfixturevalue("no_subreaper")
    if lacks in {"no proc", "macos"}:
        monkeypatch.setattr(table, "own_proc", lambda: False)
    if lacks == "macos":
        monkeypatch.delattr(os, "waitid")
        monkeypatch.delattr(fcntl, "F_SETPIPE_SZ")


@pytest.fixture
def script(tmp_path: Path, token: str) -> Callable[..., tuple[HostExecutor, Command]]:
    def make(text: str) -> tuple[HostExecutor, Command]:
        environ = {**os.environ, TOKEN: token}
        return HostExecutor(environ), Command(name="c", project_dir=str(tmp_path), run=text)

    return make


@pytest.mark.usefixtures("less")
def test_a_flood_of_output_is_whole_with_less(
    script: Callable[..., tuple[HostExecutor, Command]],
) -> None:
    ran = run(*script("head -c 3000000 /dev/zero"))

    assert ran.outcome.status is Status.PASSED
    assert ran.outcome.stdout.total_bytes == 3_000_000


@pytest.mark.usefixtures("less")
@pytest.mark.parametrize("code", [0, 3])
def test_an_exit_code_is_reported_with_less(
    script: Callable[..., tuple[HostExecutor, Command]], code: int
) -> None:
    ran = run(*script(f"echo out; exit {code}"))

    assert ran.outcome.exit_code == code
    assert ran.stdout == b"out\n"


@pytest.mark.usefixtures("less")
def test_a_background_child_is_ended_with_less(
    script: Callable[..., tuple[HostExecutor, Command]], tmp_path: Path
) -> None:
    ran = run(*script("sleep 60 & echo $! > pid; exit 0"))

    assert ran.outcome.status is Status.PASSED
    assert ran.took_s < paced(2)
    assert ended(int((tmp_path / "pid").read_text()))


@pytest.mark.usefixtures("less")
def test_children_are_ended_at_the_timeout_with_less(
    script: Callable[..., tuple[HostExecutor, Command]], tmp_path: Path
) -> None:
    text = "trap '' TERM; setsid sleep 60 & echo $! > pid; echo ready; while :; do wait; done"

    ran = run(*script(text), timeout_s=paced(0.5))

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.outcome.exit_code == 128 + signal.SIGKILL
    assert ran.stdout == b"ready\n"
    assert ended(int((tmp_path / "pid").read_text()))


@pytest.mark.usefixtures("no_subreaper")
def test_the_group_is_ended_where_no_process_can_be_seen(
    script: Callable[..., tuple[HostExecutor, Command]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "own_proc", lambda: False)
    monkeypatch.setitem(sys.modules, "psutil", None)
    text = "trap '' TERM; sleep 60 & echo $! > pid; while :; do wait; done"

    ran = run(*script(text), timeout_s=paced(0.5))

    # Nothing can be seen there, so nobody has waited for the end of what was killed.
    pid = int((tmp_path / "pid").read_text())
    assert ran.outcome.status is Status.TIMED_OUT
    wait_until(lambda: ended(pid))


def test_the_proc_of_another_pid_namespace_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert table.own_proc()

    monkeypatch.setattr(os, "readlink", lambda _: "1")

    assert not table.own_proc()


def test_both_ways_to_see_processes_agree() -> None:
    own = os.getpid()

    by_proc, by_psutil = table.scan_proc()[own], table.scan_psutil()[own]

    assert by_proc.parent == by_psutil.parent == os.getppid()
    assert by_proc.group == by_psutil.group == os.getpgid(0)
    assert by_proc.session == by_psutil.session == os.getsid(0)
    assert by_proc.name == by_psutil.name


def test_the_environment_of_a_process_is_read_exactly() -> None:
    name = next(iter(os.environ))

    assert table.variable_of(os.getpid(), name.encode()[:-1]) is None
    assert table.variable_of(2**22 + 1, b"PATH") is None
    assert table.variable_of(os.getpid(), b"PATH") is not None


def test_a_reused_number_is_never_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    send = signalling.send
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    own = table.scan()[os.getpid()]
    earlier = table.Entry(
        pid=own.pid,
        parent=own.parent,
        group=own.group,
        session=own.session,
        started=own.started - 1,
    )
    try:
        send(earlier, signal.SIGUSR1)
        with monkeypatch.context() as patch:
            patch.delattr(os, "pidfd_open")
            send(earlier, signal.SIGUSR1)
        assert heard == []

        send(own, signal.SIGUSR1)
        assert heard == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)
