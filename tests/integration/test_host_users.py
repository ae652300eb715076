"""Commands of another user: who they are, what they see, and that none of them is left."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.host import HostExecutor
from stophooks.executors.host.account import CALLERS_OWN
from stophooks.models import Command, Status
from stophooks.process import table
from tests.program import TOKEN
from tests.running import Recorder, paced, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.program import Stophooks

    MakeCommand = Callable[..., Command]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
# Who is on every Debian machine, and whom nobody has.
USER = "www-data"
STRANGER, STRANGE_GROUP = 4321, 8765
# A child; one in a session of its own; one that ignores SIGTERM there; one without environment.
ESCAPES = """
sh -c 'echo $$ >> pids; exec sleep 60' &
setsid sh -c 'echo $$ >> pids; exec sleep 60' &
(setsid sh -c 'trap "" TERM INT HUP; echo $$ >> pids; sleep 60; :' &)
(env -i /usr/bin/setsid /bin/sh -c 'trap "" TERM; echo $$ >> pids; exec /bin/sleep 60' &)
until [ "$(wc -l < pids)" -ge 4 ] 2>/dev/null; do sleep 0.01; done
"""
COUNT = 4
# A run of one command of another user, as a process of its own that can be killed.
RUNNER = """
import os, sys
from stophooks.executors.host import HostExecutor
from stophooks.models import Command
from stophooks.watchdog.guard import Guard
from tests.running import run
with Guard(os.environ) as guard:
    command = Command(name="c", project_dir=sys.argv[1], run=sys.argv[2], user=sys.argv[3])
    print(run(HostExecutor(os.environ, guard=guard), command, timeout_s=60).outcome)
"""


@pytest.fixture
def host(token: str) -> HostExecutor:
    return HostExecutor({**os.environ, TOKEN: token})


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody can enter and change: pytest's own are root's alone."""
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o777)
        yield Path(made)


@pytest.fixture
def command(place: Path) -> MakeCommand:
    def make(script: str | None = None, user: str = USER, **fields: Any) -> Command:
        return Command(name="check", project_dir=str(place), run=script, user=user, **fields)

    return make


@pytest.fixture
def groups() -> Iterator[tuple[int, ...]]:
    """The groups of a user who is in more than one, made for the test."""
    subprocess.run(["groupadd", "stophooks-test"], check=True)
    try:
        subprocess.run(["gpasswd", "-a", USER, "stophooks-test"], check=True, capture_output=True)
        account = pwd.getpwnam(USER)
        yield (account.pw_gid, grp.getgrnam("stophooks-test").gr_gid)
    finally:
        subprocess.run(["groupdel", "stophooks-test"], check=True)


@contextlib.contextmanager
def as_somebody(uid: int, gid: int) -> Iterator[None]:
    os.setresgid(gid, gid, 0)
    os.setresuid(uid, uid, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


def status_of(output: bytes) -> dict[str, list[str]]:
    """The fields of a `/proc/<pid>/status`."""
    lines = (line.split(":", 1) for line in output.decode().splitlines())
    return {name: value.split() for name, value in lines}


def alive(place: Path) -> dict[int, int]:
    """The processes that wrote their numbers and run, and when each started."""
    numbers = (place / "pids").read_text("ascii").split() if (place / "pids").exists() else []
    now = table.scan()
    found = (now.get(int(number)) for number in numbers)
    return {entry.pid: entry.started for entry in found if entry and entry.alive}


@pytest.mark.parametrize("by", ["name", "uid"])
@pytest.mark.scenario("host-executor: Credentials of another user")
def test_a_command_has_the_users_credentials_and_no_others(
    host: HostExecutor, command: MakeCommand, groups: tuple[int, ...], by: str
) -> None:
    account = pwd.getpwnam(USER)
    user = USER if by == "name" else str(account.pw_uid)

    ran = run(host, command(argv=("cat", "/proc/self/status"), user=user))

    status = status_of(ran.stdout)
    assert status["Uid"] == [str(account.pw_uid)] * 4
    assert status["Gid"] == [str(account.pw_gid)] * 4
    assert set(status["Groups"]) == {str(group) for group in groups}
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind][0], 16) == 0


def test_a_user_cannot_go_back_to_being_root(host: HostExecutor, command: MakeCommand) -> None:
    code = """import os
for become in (os.setuid, os.seteuid, os.setgid, os.setegid):
    try:
        become(0)
    except PermissionError:
        print("no")
"""

    ran = run(host, command(code, shell="/usr/bin/python3"))

    assert ran.stdout == b"no\n" * 4


@pytest.mark.scenario("host-executor: Numbers without an account")
def test_numbers_need_no_account(host: HostExecutor, command: MakeCommand) -> None:
    script = "cat /proc/self/status; echo home:$HOME; echo name:$USER"

    ran = run(host, command(script, user=f"{STRANGER}:{STRANGE_GROUP}"))

    status = status_of(ran.stdout)
    assert status["Uid"] == [str(STRANGER)] * 4
    assert status["Gid"] == [str(STRANGE_GROUP)] * 4
    assert status["Groups"] == [str(STRANGE_GROUP)]
    assert status["home"] == ["/"]
    assert status["name"] == [str(STRANGER)]


def test_a_group_that_is_named_is_the_only_one(
    host: HostExecutor, command: MakeCommand, groups: tuple[int, ...]
) -> None:
    number = run(host, command("id -G", user=f"{USER}:{groups[1]}"))
    name = run(host, command("id -G", user=f"{USER}:stophooks-test"))

    assert number.stdout == name.stdout == f"{groups[1]}\n".encode()


@pytest.mark.scenario("host-executor: Surroundings of another user")
def test_a_command_sees_the_users_own_surroundings(command: MakeCommand, token: str) -> None:
    own = dict.fromkeys(CALLERS_OWN, "/root/mine")
    host = HostExecutor({**os.environ, **own, "HOME": "/root", "KEPT": "yes", TOKEN: token})

    ran = run(host, command(argv=("/usr/bin/env",)))
    bare = run(host, command(argv=("/usr/bin/env",), inherit_env=False))

    account = pwd.getpwnam(USER)
    seen = dict(line.split("=", 1) for line in ran.stdout.decode().splitlines())
    assert seen["HOME"] == account.pw_dir
    assert seen["USER"] == seen["LOGNAME"] == USER
    assert seen["SHELL"] == account.pw_shell
    assert seen["KEPT"] == "yes"
    assert not set(seen) & set(CALLERS_OWN)
    assert f"HOME={account.pw_dir}\n".encode() in bare.stdout


@pytest.mark.scenario("host-executor: Own home of a command")
def test_a_variable_of_the_command_wins(host: HostExecutor, command: MakeCommand) -> None:
    env = (("HOME", "/own"), ("SSH_AUTH_SOCK", "/own/agent"))

    ran = run(host, command('echo "$HOME $USER $SSH_AUTH_SOCK"', env=env))

    assert ran.stdout == f"/own {USER} /own/agent\n".encode()


@pytest.mark.parametrize(
    ("user", "named"),
    [
        ("no-such-user", "no user no-such-user "),
        ("www-data:no-such-group", "no group no-such-group "),
        (f"{STRANGER}", f"no user {STRANGER} "),
        ("4294967295", "no user 4294967295 "),  # -1: no change at all, so still root
        ("4294967295:0", "no user 4294967295 "),
        (f"{STRANGER}:4294967295", "no group 4294967295 "),
        ("-1:-1", "no user -1 "),
        (":33", "no user (empty) "),
        ("www-data:", "no group (empty) "),
    ],
)
@pytest.mark.scenario("host-executor: User that is not there")
def test_a_user_that_is_not_there_is_named(
    host: HostExecutor, command: MakeCommand, place: Path, user: str, named: str
) -> None:
    with pytest.raises(ExecutorUnavailableError) as raised:
        run(host, command("touch ran", user=user, source="/p/stophooks.yaml"))

    assert raised.value.fault == "user"
    assert named in raised.value.reason
    assert user in raised.value.reason
    assert raised.value.remedy == "Create it, or correct `user` in /p/stophooks.yaml."
    assert not (place / "ran").exists()


@pytest.mark.scenario("host-executor: Caller who is not root")
def test_only_root_runs_a_command_as_somebody_else(
    host: HostExecutor, command: MakeCommand, place: Path
) -> None:
    nobody = pwd.getpwnam("nobody")

    with (
        as_somebody(nobody.pw_uid, nobody.pw_gid),
        pytest.raises(ExecutorUnavailableError) as raised,
    ):
        run(host, command("touch ran"))

    assert raised.value.fault == "user"
    assert f"user {USER}, and on this machine only root " in raised.value.reason
    assert raised.value.reason.endswith("this is user nobody.")
    assert not (place / "ran").exists()


@pytest.mark.scenario("host-executor: The caller as user")
def test_a_caller_who_is_not_root_is_a_user_too(host: HostExecutor, command: MakeCommand) -> None:
    nobody = pwd.getpwnam("nobody")

    with as_somebody(nobody.pw_uid, nobody.pw_gid):
        ran = run(host, command("id -un; echo $HOME", user="nobody"))

    assert ran.stdout == f"nobody\n{nobody.pw_dir}\n".encode()


@pytest.mark.scenario("host-executor: Root that may not become others")
def test_root_that_may_not_become_others_says_so(place: Path) -> None:
    setpriv = shutil.which("setpriv") or "setpriv"
    less = [setpriv, "--bounding-set=-setuid,-setgid"]
    started = subprocess.run(
        [*less, sys.executable, "-c", RUNNER, str(place), "touch ran", USER],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "fault='user'" in started.stdout
    assert "refuses to become it: Operation not permitted" in started.stdout
    assert not (place / "ran").exists()


@pytest.mark.parametrize("closed", ["itself", "above"])
@pytest.mark.scenario("host-executor: Directory that is closed to the user")
def test_a_directory_that_is_closed_to_the_user_is_named(
    host: HostExecutor, command: MakeCommand, place: Path, closed: str
) -> None:
    inner = place / "outer/inner"
    inner.mkdir(parents=True)
    (inner if closed == "itself" else inner.parent).chmod(0o700)

    ran = run(host, command("touch ran", working_dir=str(inner)))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "working-directory"
    assert ran.outcome.reason == (
        f"The working directory {inner} cannot be entered by user {USER}: Permission denied."
    )
    assert f"namei -l {inner}" in (ran.outcome.remedy or "")
    assert not (inner / "ran").exists()


def test_a_directory_that_only_the_user_may_enter_is_entered(
    host: HostExecutor, command: MakeCommand, place: Path
) -> None:
    inner = place / "own"
    inner.mkdir(mode=0o700)
    shutil.chown(inner, USER)

    ran = run(host, command("pwd", working_dir=str(inner)))

    assert ran.stdout == f"{inner}\n".encode()


def test_a_directory_that_is_gone_is_not_the_users_fault(
    host: HostExecutor, command: MakeCommand, place: Path
) -> None:
    ran = run(host, command("true", working_dir=f"{place}/gone"))

    assert ran.outcome.fault == "working-directory"
    assert "No such file or directory" in (ran.outcome.reason or "")
    assert (ran.outcome.remedy or "").startswith("Create it")


@pytest.mark.scenario("host-executor: Program that is closed to the user")
def test_a_program_that_is_closed_to_the_user_is_named(
    host: HostExecutor, command: MakeCommand, place: Path
) -> None:
    (place / "tool").write_text("#!/bin/sh\n", encoding="utf-8")
    (place / "tool").chmod(0o700)

    ran = run(host, command(argv=("./tool",)))

    assert ran.outcome.fault == "not-executable"
    assert ran.outcome.reason == f"./tool cannot be executed by user {USER}: permission denied."


@pytest.mark.scenario("host-executor: Output of another user")
def test_the_output_of_another_user_is_kept(host: HostExecutor, command: MakeCommand) -> None:
    script = "echo a; echo b > /dev/stdout; echo c >&2; echo d > /dev/stderr; ls /proc/self/fd"

    ran = run(host, command(script))

    assert ran.stdout.split() == [b"a", b"b", b"0", b"1", b"2", b"3"]
    assert ran.stderr == b"c\nd\n"


@pytest.mark.scenario("host-executor: Output of another user")
def test_what_is_written_about_another_users_command_is_the_callers(
    stophooks: Stophooks, place: Path
) -> None:
    (place / "stophooks.yaml").write_text(
        f"stop:\n  commands:\n    - {{run: 'id -un; pwd; exit 3', user: {USER}}}\n"
    )

    ran = stophooks("run", cwd=place)

    logs = [path for path in stophooks.state.rglob("*.log") if path.stat().st_size]
    assert ran.returncode == 1
    assert f"{USER}\n{place}\n" in logs[0].read_text()
    written = [path for top in (stophooks.state, place) for path in top.rglob("*")]
    assert {path.stat().st_uid for path in written} == {0}
    assert all(path.stat().st_mode & 0o077 == 0 for path in logs)


@pytest.mark.parametrize("end", ["passes", "times out", "is cancelled"])
@pytest.mark.scenario("host-executor: Another user's processes end")
def test_no_process_of_another_user_is_left(
    host: HostExecutor, command: MakeCommand, place: Path, end: str
) -> None:
    cancel = Cancellation()
    seen: dict[int, int] = {}

    def ready(data: bytes) -> None:
        if b"ready" in data:
            seen.update(alive(place))
            if end == "is cancelled":
                cancel.request("interrupted", grace_s=0.3)

    script = f"trap '' TERM\n{ESCAPES} echo ready"
    timeout_s = 2 if end == "times out" else 20

    ran = run(
        host,
        command(script if end == "passes" else f"{script}; sleep 60"),
        timeout_s=timeout_s,
        cancel=cancel,
        sink=Recorder(on_write=ready),
    )

    assert len(seen) == COUNT
    assert {os.stat(f"/proc/{os.getpid()}").st_uid} == {0}
    assert alive(place) == {}
    assert (
        ran.outcome.status.value
        == {
            "passes": "passed",
            "times out": "timed_out",
            "is cancelled": "cancelled",
        }[end]
    )


@pytest.mark.parametrize("whom", ["runner", "group"])
@pytest.mark.scenario("host-executor: Another user's processes after the runner's death")
def test_no_process_of_another_user_survives_the_runner(token: str, place: Path, whom: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(place), f"{ESCAPES} sleep 60", USER],
        env={**os.environ, TOKEN: token},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    ) as runner:
        wait_until(lambda: len(alive(place)) == COUNT)
        owners = {os.stat(f"/proc/{pid}").st_uid for pid in alive(place)}

        if whom == "runner":
            runner.kill()
        else:
            os.killpg(runner.pid, signal.SIGKILL)

        wait_until(lambda: not alive(place))
        assert owners == {pwd.getpwnam(USER).pw_uid}


def test_another_user_costs_little(host: HostExecutor, command: MakeCommand) -> None:
    ran = run(host, command(argv=("true",)))

    assert ran.took_s < paced(0.5)
