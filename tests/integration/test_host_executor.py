"""What only the host executor promises: its surroundings, and why something cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.host import HostExecutor
from stophooks.executors.host.executor import KEPT_VARIABLES
from stophooks.executors.host.shell import find_shell
from stophooks.models import MIB, Command, Status
from stophooks.process.pump import CHUNK_BYTES, FLOOD_BYTES
from tests.program import TOKEN
from tests.running import paced, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakeCommand = Callable[..., Command]

ON_SOCKETS = """
import os, sys
from stophooks.executors.base import Cancellation
from stophooks.executors.host import HostExecutor
from stophooks.models import Command
from tests.running import run
ran = run(HostExecutor(os.environ), Command(name="c", project_dir="/", run=sys.argv[1]))
sys.stdout.buffer.write(b"%d|%s|%s" % (ran.outcome.exit_code, ran.stdout, ran.stderr))
"""


@pytest.fixture
def environ(token: str) -> dict[str, str]:
    return {**os.environ, TOKEN: token}


@pytest.fixture
def host(environ: dict[str, str]) -> HostExecutor:
    return HostExecutor(environ)


@pytest.fixture
def command(tmp_path: Path) -> MakeCommand:
    def make(script: str | None = None, **fields: Any) -> Command:
        return Command(name="check", **{"project_dir": str(tmp_path), "run": script, **fields})

    return make


def test_the_pipe_of_a_flood_is_made_larger(host: HostExecutor, command: MakeCommand) -> None:
    size = "import fcntl; print(fcntl.fcntl(1, fcntl.F_GETPIPE_SZ))"
    flood = f"import os; [os.write(1, bytes(1 << 20)) for _ in range(20)]; {size}"

    quiet = run(host, command(argv=(sys.executable, "-c", size), run=None))
    loud = run(host, command(argv=(sys.executable, "-c", flood), run=None))

    assert int(quiet.stdout) == CHUNK_BYTES
    assert loud.outcome.stdout.total_bytes == 20 * MIB + len(f"{FLOOD_BYTES}\n")
    assert loud.stdout.endswith(b"\0%d\n" % FLOOD_BYTES)


@pytest.mark.scenario("host-executor: Script that begins with a dash")
def test_a_script_may_begin_with_a_dash(host: HostExecutor, command: MakeCommand) -> None:
    ran = run(host, command("-no-such-program"))

    assert ran.outcome.exit_code == 127
    assert b"-no-such-program: command not found" in ran.stderr


@pytest.mark.scenario("host-executor: Machine without bash")
def test_sh_runs_a_script_where_there_is_no_bash(
    command: MakeCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    really = os.path.isfile
    monkeypatch.setattr(os.path, "isfile", lambda path: "bash" not in path and really(path))

    ran = run(HostExecutor({**environ, "PATH": str(tmp_path)}), command('echo "$0"'))

    assert ran.stdout == f"{tmp_path}/sh\n".encode()


@pytest.mark.scenario("host-executor: Machine without a shell")
def test_a_machine_without_a_shell_says_so(
    host: HostExecutor, command: MakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "isfile", lambda _: False)

    with pytest.raises(ExecutorUnavailableError, match="No shell") as raised:
        run(host, command("true"))

    assert raised.value.fault == "no-shell"


def test_a_shell_is_never_taken_from_a_relative_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bash").symlink_to("/bin/false")
    monkeypatch.chdir(tmp_path)

    assert find_shell(".::/nowhere") in {"/bin/bash", "/usr/bin/bash"}


def test_a_script_runs_whatever_path_the_command_sets(
    host: HostExecutor, command: MakeCommand
) -> None:
    ran = run(host, command('echo "$PATH"', env=(("PATH", "/nowhere"),)))

    assert ran.stdout == b"/nowhere\n"


def test_a_program_is_looked_for_on_the_path_of_the_command(
    host: HostExecutor, command: MakeCommand, tmp_path: Path
) -> None:
    tool = tmp_path / "tools/own-tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho found\n", encoding="utf-8")
    tool.chmod(0o755)

    ran = run(host, command(argv=("own-tool",), env=(("PATH", str(tool.parent)),)))

    assert ran.stdout == b"found\n"


@pytest.mark.scenario("host-executor: Output streams can be opened by name")
def test_output_streams_can_be_opened_by_name_when_the_caller_has_sockets() -> None:
    script = "echo out > /dev/stdout; echo err > /dev/stderr"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            [sys.executable, "-c", ON_SOCKETS, script],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=theirs.fileno(),
            check=True,
            timeout=20,
        )

        assert ours.recv(4096) == b"0|out\n|err\n"


@pytest.mark.scenario("host-executor: Nothing else of the caller is open")
def test_open_files_of_the_caller_are_not_inherited(
    host: HostExecutor, command: MakeCommand
) -> None:
    reading, writing = os.pipe()
    os.dup2(writing, 77, inheritable=True)
    try:
        ran = run(host, command(argv=("ls", "/proc/self/fd")))
    finally:
        for descriptor in (reading, writing, 77):
            os.close(descriptor)

    # 3 is the directory that `ls` reads.
    assert ran.stdout.split() == [b"0", b"1", b"2", b"3"]


@pytest.mark.scenario("host-executor: Working directory")
def test_a_command_runs_in_its_working_directory(
    host: HostExecutor, command: MakeCommand, tmp_path: Path
) -> None:
    inner = tmp_path / "inner directory"
    inner.mkdir()

    by_default = run(host, command(argv=("pwd", "-L")))
    elsewhere = run(host, command(argv=("pwd", "-L"), working_dir=str(inner)))

    assert by_default.stdout.decode() == f"{tmp_path}\n"
    assert elsewhere.stdout.decode() == f"{inner}\n"


@pytest.mark.scenario("host-executor: No terminal")
def test_a_command_has_no_terminal_and_a_session_of_its_own(
    host: HostExecutor, command: MakeCommand
) -> None:
    ran = run(host, command("exec 2>&1; echo $$; cut -d' ' -f6 /proc/$$/stat; : < /dev/tty"))

    pid, session, refusal = ran.stdout.split(b"\n", 2)
    assert pid == session
    assert b"No such device or address" in refusal
    assert ran.outcome.status is Status.FAILED


@pytest.mark.scenario("host-executor: Environment that is not inherited")
def test_an_environment_that_is_not_inherited_has_the_listed_variables_only(
    command: MakeCommand, token: str, tmp_path: Path
) -> None:
    kept = {name: f"/kept/{name}" for name in KEPT_VARIABLES}
    host = HostExecutor({**kept, TOKEN: token, "SECRET": "s", "LANGUAGE": "x"})

    ran = run(host, command(argv=("/usr/bin/env",), inherit_env=False, env=(("OWN", "o"),)))

    seen = dict(line.split("=", 1) for line in ran.stdout.decode().splitlines())
    assert len(seen.pop("STOPHOOKS_COMMAND_ID")) == 16
    assert seen == {**kept, "OWN": "o", "PWD": str(tmp_path)}


def test_the_inherited_environment_is_the_given_one(
    host: HostExecutor, command: MakeCommand, environ: dict[str, str], tmp_path: Path
) -> None:
    ran = run(host, command(argv=("/usr/bin/env", "-0")))

    seen = dict(item.split("=", 1) for item in ran.stdout.decode().split("\0") if item)
    seen.pop("STOPHOOKS_COMMAND_ID")
    assert seen == {**environ, "PWD": str(tmp_path)}


@pytest.mark.scenario("host-executor: Last words of a helper")
def test_a_helper_that_carries_the_output_has_its_last_word(
    host: HostExecutor, command: MakeCommand
) -> None:
    script = 'exec > >(while read -r line; do sleep 0.02; echo "said: $line"; done); echo hi'

    ran = run(host, command(script))

    assert ran.stdout == b"said: hi\n"
    assert ran.outcome.notes == ()


@pytest.fixture
def sigchld_ignored() -> Any:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("sigchld_ignored")
@pytest.mark.scenario("host-executor: Exit codes when the caller ignores SIGCHLD")
def test_a_failure_stays_one_when_the_caller_ignores_sigchld(
    host: HostExecutor, command: MakeCommand
) -> None:
    ran = run(host, command("exit 3"))

    assert ran.outcome.status is Status.FAILED
    assert ran.outcome.exit_code == 3


@pytest.mark.scenario("host-executor: Exit code that comes after the end")
def test_an_exit_code_that_comes_after_the_end_is_waited_for(
    host: HostExecutor, command: MakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As it happens under `strace --follow-forks`, in one run of five.
    asked: list[float] = []
    wait = os.waitpid

    def late(pid: int, options: int) -> tuple[int, int]:
        asked.append(time.monotonic())
        return (0, 0) if asked[-1] - asked[0] < 0.5 else wait(pid, options)

    monkeypatch.setattr(os, "waitpid", late)

    ran = run(host, command("exit 3"))

    assert (ran.outcome.status, ran.outcome.exit_code) == (Status.FAILED, 3)
    assert ran.outcome.notes == ()
    assert ran.took_s < paced(2)
    assert len(asked) < 200  # nothing spins meanwhile


@pytest.mark.usefixtures("sigchld_ignored")
@pytest.mark.parametrize("pidfd", [True, False])
@pytest.mark.parametrize("script", ["exit 3", "sleep 0.05; exit 3"])
def test_an_exit_code_that_is_lost_is_never_a_pass(
    host: HostExecutor,
    command: MakeCommand,
    monkeypatch: pytest.MonkeyPatch,
    pidfd: bool,
    script: str,
) -> None:
    if not pidfd:
        monkeypatch.delattr(os, "pidfd_open")
    outcomes = []
    # Only the main thread can undo an ignored SIGCHLD.
    thread = threading.Thread(target=lambda: outcomes.append(run(host, command(script)).outcome))
    thread.start()
    thread.join()

    assert outcomes[0].status is Status.UNAVAILABLE
    assert outcomes[0].exit_code is None
    assert outcomes[0].reason


def test_a_relative_program_is_one_of_the_working_directory(
    host: HostExecutor, command: MakeCommand, tmp_path: Path
) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho found\n", encoding="utf-8")
    tool.chmod(0o755)

    ran = run(host, command(argv=("./tool",)))

    assert ran.stdout == b"found\n"


def test_a_missing_file_is_named_with_its_directory(
    host: HostExecutor, command: MakeCommand, tmp_path: Path
) -> None:
    ran = run(host, command(argv=("./tool",)))

    assert ran.outcome.fault == "command-not-found"
    assert ran.outcome.reason == f"There is no {tmp_path}/./tool."


@pytest.mark.scenario("host-executor: Format that the machine does not execute")
def test_a_file_in_a_foreign_format_says_so(
    host: HostExecutor, command: MakeCommand, tmp_path: Path
) -> None:
    tool = tmp_path / "tool"
    tool.write_bytes(b"\x00\x01 not a program")
    tool.chmod(0o755)

    ran = run(host, command(argv=(str(tool),)))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "exec-format"
    assert "#!/bin/sh" in (ran.outcome.remedy or "")


@pytest.mark.parametrize(
    ("first_line", "named"),
    [
        (b"#!/no/such/interpreter -x\n", "/no/such/interpreter -x, which its first line names,"),
        (b"#!/bin/sh\r\n", "/bin/sh, which its first line names (the line ends with a carriage"),
    ],
)
@pytest.mark.scenario("host-executor: Interpreter that is not there")
def test_an_interpreter_that_is_not_there_is_named(
    host: HostExecutor, command: MakeCommand, tmp_path: Path, first_line: bytes, named: str
) -> None:
    tool = tmp_path / "tool"
    tool.write_bytes(first_line)
    tool.chmod(0o755)

    ran = run(host, command(argv=("./tool",)))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "exec-format"
    assert named in (ran.outcome.reason or "")


def test_a_program_without_its_loader_says_so(
    host: HostExecutor, command: MakeCommand, tmp_path: Path
) -> None:
    tool = tmp_path / "tool"
    with open("/bin/ls", "rb") as file:
        program = file.read()
    tool.write_bytes(
        program.replace(b"/lib64/ld-linux", b"/lib64/no-linux").replace(
            b"/lib/ld-linux", b"/lib/no-linux"
        )
    )
    tool.chmod(0o755)

    ran = run(host, command(argv=("./tool",)))

    assert ran.outcome.reason == "./tool is there, but the loader that it was built for is not."


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"argv": ("true", "x" * 200_000)}, "Argument 1 "),
        ({"run": ": " + "x" * 200_000}, "The script "),
        ({"run": "true", "env": (("BIG", "x" * 200_000),)}, "The variable BIG "),
    ],
)
@pytest.mark.scenario("host-executor: Argument that is too long")
def test_what_is_too_long_is_named(
    host: HostExecutor, command: MakeCommand, fields: dict[str, Any], named: str
) -> None:
    ran = run(host, command(**fields))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "argument-too-long"
    assert (ran.outcome.reason or "").startswith(named)


@pytest.mark.parametrize("kind", ["gone", "a file"])
@pytest.mark.scenario("host-executor: Working directory that is gone")
def test_a_working_directory_that_is_gone_is_named(
    host: HostExecutor, command: MakeCommand, tmp_path: Path, kind: str
) -> None:
    directory = tmp_path / "place"
    if kind == "a file":
        directory.touch()

    ran = run(host, command("true", working_dir=str(directory)))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "working-directory"
    assert str(directory) in (ran.outcome.reason or "")


def test_an_argument_that_no_program_can_get_is_not_a_failed_check(
    host: HostExecutor, command: MakeCommand
) -> None:
    ran = run(host, command(argv=("true", "nul\0byte")))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "start-failed"
    assert "null byte" in (ran.outcome.reason or "")


def test_no_descriptor_is_left_open(host: HostExecutor, command: MakeCommand) -> None:
    run(host, command("true"))
    before = set(os.listdir("/proc/self/fd"))

    for script in ("true", "exit 3", "sleep 60 & true"):
        run(host, command(script))
    run(host, command(argv=("no-such-program",)))

    assert set(os.listdir("/proc/self/fd")) == before
