"""A container from its creation to its certain end."""

from __future__ import annotations

import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Mount
from stophooks.executors.base import Cancellation
from stophooks.models import MIB, Outcome, Status
from tests.integration.docker.conftest import PYTHON, Case, text
from tests.running import paced

if TYPE_CHECKING:
    from collections.abc import Callable

IGNORES_SIGTERM = "trap '' TERM; echo before; while :; do sleep 0.1; done"


def until(condition: Callable[[], object], *, seconds: float = 10) -> None:
    """Poll a condition, and fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not true within {seconds} s")
        time.sleep(0.02)


@pytest.mark.scenario("docker-executor: No byte of a fast command is lost")
def test_a_fast_command_loses_no_byte(case: Case) -> None:
    executor = case.executor()
    expected = "".join(f"line {number}\n" for number in range(51))
    script = "i=0; while [ $i -lt 51 ]; do echo line $i; i=$((i+1)); done; echo err >&2; exit 7"

    outcomes = [case.run(script, executor=executor) for _ in range(50)]

    assert {(text(one), one.stderr.head, one.exit_code) for one in outcomes} == {
        (expected, b"err\n", 7)
    }


@pytest.mark.scenario("docker-executor: A container that ignores SIGTERM is killed")
def test_a_container_that_ignores_sigterm_is_killed_in_time(case: Case) -> None:
    before = case.containers()
    began = time.monotonic()

    outcome = case.run(IGNORES_SIGTERM, timeout_s=0.5)

    assert outcome.status is Status.TIMED_OUT
    assert outcome.reason == "timed out after 0.5 s"
    assert text(outcome) == "before\n"
    assert time.monotonic() - began < paced(0.5 + 2 + 2)
    assert case.containers() == before


def test_a_polite_container_ends_at_sigterm(case: Case) -> None:
    began = time.monotonic()

    outcome = case.run("trap 'echo bye; exit 0' TERM; sleep 60 & wait", timeout_s=0.5)

    assert outcome.status is Status.TIMED_OUT
    assert text(outcome) == "bye\n"
    assert time.monotonic() - began < paced(2)


def test_a_cancelled_container_ends_and_is_removed(case: Case) -> None:
    before = case.containers()
    cancel = Cancellation()
    box: list[Outcome] = []
    thread = threading.Thread(
        target=lambda: box.append(case.run(IGNORES_SIGTERM, cancel=cancel, timeout_s=None))
    )
    thread.start()
    until(lambda: case.containers() == before + 1)
    began = time.monotonic()

    cancel.request("interrupted", grace_s=0.1)
    thread.join(15)

    assert box[0].status is Status.CANCELLED
    assert box[0].reason == "interrupted"
    assert time.monotonic() - began < paced(3)
    assert case.containers() == before


def test_a_run_that_is_cancelled_beforehand_makes_no_container(case: Case) -> None:
    cancel = Cancellation()
    cancel.request("interrupted")

    outcome = case.run("true", cancel=cancel)

    assert outcome.status is Status.CANCELLED


@pytest.mark.scenario("docker-executor: Anonymous volumes go with the container")
def test_anonymous_volumes_are_removed(case: Case) -> None:
    mount = Mount(type="volume", source=None, target="/data")

    outcome = case.run("ls -d /data; cat /proc/self/mountinfo | grep ' /data '", mounts=(mount,))

    name = text(outcome).split("/volumes/")[1].split("/")[0]
    assert outcome.status is Status.PASSED
    assert name not in {one["Name"] for one in case.client.api.volumes()["Volumes"] or []}


@pytest.mark.scenario("docker-executor: Running out of memory is reported beside the exit code")
def test_running_out_of_memory_is_reported(case: Case) -> None:
    outcome = case.run(
        "head -c 50000000 /dev/zero > /dev/shm/x; exit 9", memory_bytes=8 * MIB, timeout_s=60
    )

    assert outcome.oom
    assert outcome.status is Status.FAILED
    assert outcome.exit_code in {9, 137}


@pytest.mark.scenario(
    "docker-executor: A program that cannot start is told apart from one that failed"
)
@pytest.mark.parametrize("init", [True, False])
@pytest.mark.parametrize(
    ("argv", "fault"),
    [
        (("/no/such/program", "x"), "command-not-found"),
        (("nosuchprogram",), "command-not-found"),
        (("/etc/passwd",), "not-executable"),
        (("/etc",), "not-executable"),
    ],
)
def test_a_program_that_cannot_start_is_unavailable(
    case: Case, argv: tuple[str, ...], fault: str, init: bool
) -> None:
    outcome = case.run(argv=argv, init=init)

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.fault == fault
    assert outcome.exit_code is None
    assert argv[0] in (outcome.reason or "")
    assert outcome.remedy


@pytest.mark.scenario(
    "docker-executor: A program that cannot start is told apart from one that failed"
)
def test_a_file_without_a_format_is_unavailable(case: Case) -> None:
    program = case.project / "program"
    program.write_bytes(b"\x7fELF but not really")
    program.chmod(0o755)

    # docker-init would hand it to a shell, as execvp(3) does.
    outcome = case.run(argv=("/workspace/program",), init=False)

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "exec-format")


def test_a_bad_interpreter_is_unavailable(case: Case) -> None:
    program = case.project / "program"
    program.write_bytes(b"#!/bin/sh\r\ntrue\r\n")
    program.chmod(0o755)

    outcome = case.run(argv=("/workspace/program",))

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "command-not-found")


@pytest.mark.scenario("docker-executor: A script's own 126 and 127 stay its own")
@pytest.mark.parametrize("code", [1, 2, 125, 126, 127, 128, 255])
def test_a_scripts_exit_code_is_its_own(case: Case, code: int) -> None:
    outcome = case.run(f"exit {code}")

    assert (outcome.status, outcome.exit_code) == (Status.FAILED, code)


def test_a_signal_is_named_beside_the_code(case: Case) -> None:
    outcome = case.run("kill -9 $$")

    assert (outcome.status, outcome.exit_code, outcome.signal) == (Status.FAILED, 137, 9)


@pytest.mark.scenario("docker-executor: A container killed from outside does not hang the run")
@pytest.mark.parametrize("how", ["remove", "kill", "stop"])
def test_a_container_ended_by_somebody_else_does_not_pass(case: Case, how: str) -> None:
    box: list[Outcome] = []
    thread = threading.Thread(target=lambda: box.append(case.run("echo up; sleep 60")))
    thread.start()
    until(case.running)
    (container,) = case.running()
    began = time.monotonic()

    if how == "remove":
        case.client.api.remove_container(container, force=True)
    else:
        getattr(case.client.api, how)(container)
    thread.join(15)

    assert box[0].status is Status.FAILED
    assert box[0].exit_code in {137, 143}
    assert time.monotonic() - began < paced(10)


def test_a_paused_container_still_times_out(case: Case) -> None:
    box: list[Outcome] = []
    thread = threading.Thread(target=lambda: box.append(case.run("sleep 60", timeout_s=2)))
    thread.start()
    until(case.running)
    (container,) = case.running()

    case.client.api.pause(container)
    thread.join(30)

    assert box[0].status is Status.TIMED_OUT


@pytest.mark.scenario("docker-executor: A flood of output does not fill memory")
def test_a_flood_of_output_is_counted_and_bounded(case: Case) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    outcome = case.run("echo first; head -c 200000000 /dev/zero; echo last", timeout_s=60)

    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert outcome.stdout.total_bytes == 200_000_000 + len("first\nlast\n")
    assert outcome.stdout.head.startswith(b"first\n\0")
    assert outcome.stdout.tail.endswith(b"\0last\n")
    assert grown_kib < 64 * 1024


def test_every_byte_arrives_unchanged(case: Case) -> None:
    script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 200)"

    outcome = case.run(argv=("python3", "-c", script), image=PYTHON)

    assert outcome.stdout.head + outcome.stdout.tail == bytes(range(256)) * 200


@pytest.mark.scenario("docker-executor: Commands run side by side do not disturb each other")
def test_commands_side_by_side_keep_their_own_results(case: Case) -> None:
    executor = case.executor()

    def one(number: int) -> tuple[str, int | None]:
        outcome = case.run(f"echo {number}; exit {number}", executor=executor)
        return text(outcome), outcome.exit_code

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, range(8)))

    assert results == [(f"{number}\n", number) for number in range(8)]


def test_no_thread_is_left_after_a_run(case: Case) -> None:
    before = threading.active_count()

    case.run("true")
    case.run("sleep 9", timeout_s=0.1)

    until(lambda: threading.active_count() <= before, seconds=3)
