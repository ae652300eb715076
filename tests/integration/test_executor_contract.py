"""What every executor promises: one suite, run against each of them."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.containers import Container
from stophooks.executors.base import GRACE_S, PIECE_BYTES, Cancellation
from stophooks.executors.docker import DockerExecutor
from stophooks.executors.host import HostExecutor
from stophooks.models import KIB, Command, Status, Stream
from tests.program import TOKEN
from tests.running import Lifeline, Recorder, paced, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks.executors.base import Executor

    MakeCommand = Callable[..., Command]

IMAGE = "stophooks-test/busybox:1"
# Starts a child that ignores SIGTERM and holds the lifeline, and waits until it is there.
BACKGROUND = """
sh -c 'trap "" TERM; exec 3>lifeline; echo alive >&3; touch started; sleep 60; :' {redirect} &
until [ -e started ]; do sleep 0.01; done
"""


@pytest.fixture(params=["host", pytest.param("docker", marks=pytest.mark.engine)])
def place(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "docker":
        request.getfixturevalue("engine")
    return name


@pytest.fixture
def executor(place: str, token: str, tmp_path: Path) -> Iterator[Executor]:
    made: Executor
    if place == "host":
        made = HostExecutor({**os.environ, TOKEN: token})
    else:
        made = DockerExecutor(
            environ=dict(os.environ), uid=os.getuid(), gid=os.getgid(), home=str(tmp_path)
        )
    yield made
    made.close()


@pytest.fixture
def command(place: str, tmp_path: Path) -> MakeCommand:
    """Make a command for the place under test, in an empty project."""
    project = tmp_path / "project"
    project.mkdir()

    def make(script: str | None = None, **fields: Any) -> Command:
        container = Container(image=IMAGE, network="none") if place == "docker" else None
        return Command(
            name="check", project_dir=str(project), run=script, container=container, **fields
        )

    return make


@pytest.fixture
def lifeline(command: MakeCommand) -> Iterator[Lifeline]:
    made = Lifeline(Path(command("").project_dir) / "lifeline")
    yield made
    made.close()


@pytest.mark.parametrize("code", [0, 1, 2, 3, 7, 126, 127, 255])
@pytest.mark.scenario("host-executor: Exit codes")
def test_an_exit_code_is_reported_and_only_0_passes(
    executor: Executor, command: MakeCommand, code: int
) -> None:
    ran = run(executor, command(f"exit {code}"))

    assert ran.outcome.exit_code == code
    assert ran.outcome.status is (Status.FAILED if code else Status.PASSED)
    assert ran.outcome.signal is None
    assert ran.outcome.reason is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
@pytest.mark.scenario("host-executor: End by a signal")
def test_a_signal_is_reported_as_128_and_its_number(
    executor: Executor, command: MakeCommand, number: signal.Signals
) -> None:
    ran = run(executor, command(f"kill -{int(number)} $$"))

    assert ran.outcome.status is Status.FAILED
    assert ran.outcome.exit_code == 128 + number
    assert ran.outcome.signal == number


@pytest.mark.scenario("host-executor: A signal that a shell reports")
def test_a_code_above_128_names_the_signal_that_it_stands_for(
    executor: Executor, command: MakeCommand
) -> None:
    ran = run(executor, command("sh -c 'kill -9 $$'; exit $?"))

    assert ran.outcome.exit_code == 128 + signal.SIGKILL
    assert ran.outcome.signal == signal.SIGKILL


@pytest.mark.scenario("host-executor: Script of several lines")
def test_a_script_goes_whole_to_one_shell(executor: Executor, command: MakeCommand) -> None:
    script = """
word=gate
say() {
    echo "the $1 holds"
}
say "$word"
cat <<'END'
$word stays
END
false
echo last
"""

    ran = run(executor, command(script))

    assert ran.outcome.status is Status.PASSED
    assert ran.stdout == b"the gate holds\n$word stays\nlast\n"


@pytest.mark.scenario("host-executor: Arguments stay literal")
def test_an_argument_list_reaches_the_program_unchanged(
    executor: Executor, command: MakeCommand
) -> None:
    items = ("$HOME", "two words", "'single'", '"double"', "*", "", "a\nb", "-n", "\\", "äöü")

    ran = run(executor, command(argv=("printf", "<%s>", *items)))

    assert ran.outcome.status is Status.PASSED
    assert ran.stdout.decode() == "".join(f"<{item}>" for item in items)


@pytest.mark.scenario("host-executor: Program that is not there")
def test_a_program_that_is_not_there_is_not_a_failed_check(
    executor: Executor, command: MakeCommand
) -> None:
    ran = run(executor, command(argv=("no-such-program", "--version")))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "command-not-found"
    assert "no-such-program" in (ran.outcome.reason or "")
    assert ran.outcome.remedy


@pytest.mark.scenario("host-executor: File that is not executable")
def test_a_file_that_is_not_executable_is_not_a_failed_check(
    executor: Executor, command: MakeCommand
) -> None:
    ran = run(executor, command(argv=("/etc/passwd",)))

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.fault == "not-executable"
    assert "/etc/passwd" in (ran.outcome.reason or "")
    assert ran.outcome.remedy


@pytest.mark.scenario("host-executor: Script that misses a program")
def test_a_script_that_misses_a_program_has_failed(
    executor: Executor, command: MakeCommand
) -> None:
    ran = run(executor, command("no-such-program --version"))

    assert ran.outcome.status is Status.FAILED
    assert ran.outcome.exit_code == 127
    assert b"no-such-program" in ran.stderr


@pytest.mark.scenario("host-executor: Standard input is empty")
def test_standard_input_is_empty(executor: Executor, command: MakeCommand) -> None:
    ran = run(executor, command("wc -c; readlink /proc/self/fd/0"), timeout_s=5)

    assert ran.stdout.split() == [b"0", b"/dev/null"]


@pytest.mark.scenario("host-executor: Own variables win")
def test_the_environment_of_the_command_is_set(executor: Executor, command: MakeCommand) -> None:
    env = (("GREETING", "two  words $HOME"), ("PATH", "/bin:/usr/bin:/mine"), ("EMPTY", ""))

    ran = run(executor, command('echo "$GREETING|$PATH|${EMPTY-unset}"', env=env))

    assert ran.stdout == b"two  words $HOME|/bin:/usr/bin:/mine|\n"


@pytest.mark.scenario("host-executor: Two streams")
def test_the_streams_are_kept_apart(executor: Executor, command: MakeCommand) -> None:
    ran = run(executor, command("echo out; echo err >&2; echo out2"))

    assert ran.stdout == b"out\nout2\n"
    assert ran.stderr == b"err\n"
    assert ran.sink.of(Stream.STDOUT) == b"out\nout2\n"
    assert ran.sink.of(Stream.STDERR) == b"err\n"


@pytest.mark.scenario("host-executor: Bytes that are not text")
def test_output_is_kept_byte_for_byte(executor: Executor, command: MakeCommand) -> None:
    octal = "".join(f"\\{byte:03o}" for byte in range(256))

    ran = run(executor, command(f"printf '{octal}'; printf '{octal}' >&2"))

    assert ran.stdout == bytes(range(256))
    assert ran.stderr == bytes(range(256))


@pytest.mark.scenario("host-executor: Very long output")
def test_long_output_is_bounded_and_all_of_it_is_handed_on(
    executor: Executor, command: MakeCommand
) -> None:
    script = "echo first; yes 0123456789 | head -c 10000000; echo last"

    ran = run(executor, command(script))

    assert ran.outcome.status is Status.PASSED
    assert ran.outcome.stdout.total_bytes == 6 + 10_000_000 + 5
    assert len(ran.stdout) == 256 * KIB
    assert ran.outcome.stdout.head.startswith(b"first\n0123456789\n")
    assert ran.outcome.stdout.tail.endswith(b"last\n")
    assert len(ran.sink.of(Stream.STDOUT)) == 6 + 10_000_000 + 5
    assert max(len(data) for _, data in ran.sink.pieces) <= PIECE_BYTES


def test_output_without_a_line_end_is_handed_on_while_the_command_runs(
    executor: Executor, command: MakeCommand
) -> None:
    cancel = Cancellation()
    sink = Recorder(on_write=lambda _: cancel.request("seen"))

    ran = run(executor, command("printf word; sleep 60"), cancel=cancel, sink=sink)

    assert ran.stdout == b"word"
    assert ran.took_s < paced(10)


@pytest.mark.scenario("host-executor: Timeout")
def test_a_timeout_keeps_the_output_up_to_it(executor: Executor, command: MakeCommand) -> None:
    ran = run(executor, command("echo before; echo why >&2; sleep 60"), timeout_s=1)

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.outcome.reason == "timed out after 1 s"
    assert ran.stdout == b"before\n"
    assert ran.stderr == b"why\n"
    assert ran.outcome.duration_s >= 1


@pytest.mark.scenario("host-executor: Command that ignores SIGTERM")
def test_a_command_that_ignores_sigterm_ends_in_time(
    executor: Executor, command: MakeCommand, lifeline: Lifeline
) -> None:
    script = """trap '' TERM; exec 3>lifeline; echo alive >&3; while :; do sleep 0.1; done"""

    ran = run(executor, command(script), timeout_s=1)

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.outcome.duration_s < paced(1 + GRACE_S + 1)
    assert lifeline.read() == b"alive\n"


@pytest.mark.scenario("host-executor: Time to clean up")
def test_a_timed_out_command_may_clean_up(executor: Executor, command: MakeCommand) -> None:
    script = """
trap 'sleep 0.2; echo cleaned; exit 0' TERM
echo ready
while :; do sleep 0.05; done
"""

    ran = run(executor, command(script), timeout_s=1)

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.stdout == b"ready\ncleaned\n"


@pytest.mark.parametrize("redirect", ["", ">/dev/null 2>&1"], ids=["holding pipes", "silent"])
@pytest.mark.scenario("host-executor: Background child")
def test_a_background_child_neither_delays_a_pass_nor_survives_it(
    executor: Executor, command: MakeCommand, lifeline: Lifeline, redirect: str
) -> None:
    ran = run(executor, command(BACKGROUND.format(redirect=redirect) + "echo done"))

    assert ran.outcome.status is Status.PASSED
    assert ran.stdout == b"done\n"
    assert ran.took_s < paced(5)
    assert lifeline.read() == b"alive\n"


def test_a_background_child_does_not_survive_a_timeout(
    executor: Executor, command: MakeCommand, lifeline: Lifeline
) -> None:
    ran = run(executor, command(BACKGROUND.format(redirect="") + "sleep 60"), timeout_s=1)

    assert ran.outcome.status is Status.TIMED_OUT
    assert lifeline.read() == b"alive\n"


@pytest.mark.scenario("host-executor: Cancellation")
def test_a_cancelled_command_ends_with_all_it_started(
    executor: Executor, command: MakeCommand, lifeline: Lifeline
) -> None:
    cancel = Cancellation()
    asked = threading.Thread(target=cancel.request, args=("interrupted",), kwargs={"grace_s": 0.2})
    sink = Recorder(on_write=lambda _: asked.start())
    script = BACKGROUND.format(redirect="") + "echo ready; sleep 60"

    ran = run(executor, command(script), cancel=cancel, sink=sink)

    assert ran.outcome.status is Status.CANCELLED
    assert ran.outcome.reason == "interrupted"
    assert ran.stdout == b"ready\n"
    assert lifeline.read() == b"alive\n"


@pytest.mark.scenario("host-executor: Cancellation before the start")
def test_a_command_cancelled_before_its_turn_is_not_started(
    executor: Executor, command: MakeCommand, tmp_path: Path
) -> None:
    cancel = Cancellation()
    cancel.request("interrupted")

    ran = run(executor, command("touch started"), cancel=cancel)

    assert ran.outcome.status is Status.CANCELLED
    assert ran.outcome.reason == "interrupted"
    assert ran.outcome.exit_code is None
    assert not (tmp_path / "project/started").exists()


def test_the_duration_is_that_of_the_command(executor: Executor, command: MakeCommand) -> None:
    ran = run(executor, command("sleep 0.5"))

    assert 0.5 <= ran.outcome.duration_s < paced(5)
    assert ran.outcome.duration_s <= ran.took_s


def test_commands_run_one_after_the_other_do_not_see_each_other(
    executor: Executor, command: MakeCommand
) -> None:
    first = run(executor, command("word=first; cd /; echo $word"))
    second = run(executor, command('echo "${word-unset}"; pwd'))

    assert first.stdout == b"first\n"
    assert second.stdout.startswith(b"unset\n/")
    assert second.stdout != b"unset\n/\n"


def test_what_a_command_writes_into_the_project_stays(
    executor: Executor, command: MakeCommand, tmp_path: Path
) -> None:
    written = tmp_path / "project/report.txt"

    run(executor, command("echo kept > report.txt"))
    wait_until(written.exists)

    assert written.read_text(encoding="utf-8") == "kept\n"
    assert written.stat().st_uid == os.getuid()
