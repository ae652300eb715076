"""What an agent reads when it is kept from stopping."""

from __future__ import annotations

import os
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stophooks.executors.capture import Capture
from stophooks.models import (
    Command,
    Container,
    Outcome,
    Report,
    Result,
    Severity,
    Status,
    Tail,
)
from stophooks.reports.reason import reason


def tail(data: bytes) -> Tail:
    capture = Capture()
    capture.add(data)
    return capture.result()


def result(
    name: str,
    status: Status = Status.FAILED,
    *,
    command: dict[str, Any] | None = None,
    stdout: bytes = b"",
    stderr: bytes = b"",
    **outcome: Any,
) -> Result:
    outcome = {"exit_code": 1, "duration_s": 0.42} | outcome
    return Result(
        command=Command(
            **{"name": name, "project_dir": "/p", "run": f"make {name}"} | (command or {})
        ),
        outcome=Outcome(status=status, stdout=tail(stdout), stderr=tail(stderr), **outcome),
    )


def report(*results: Result) -> Report:
    return Report(event="stop", results=results, duration_s=1.0, project_dir="/p")


PASSED = result("ok", Status.PASSED, exit_code=0)


def test_a_failure_is_told_with_everything_known_about_it() -> None:
    failed = result(
        "lint",
        command={"message": "Run make format."},
        stdout=b"\x1b[31ma.py:1: bad\x1b[0m\n",
        stderr=b"1 error\n",
        oom=True,
        notes=("git does not work here",),
        log_path="/state/lint.log",
    )

    told = reason(report(PASSED, failed))

    assert told == (
        "1 of 2 checks did not pass. Mend it, then finish again.\n"
        "\n"
        "lint: exit code 1 after 0.4 s (host)\n"
        "  Run make format.\n"
        "  $ make lint\n"
        "  stdout:\n"
        "  | a.py:1: bad\n"
        "  stderr:\n"
        "  | 1 error\n"
        "  Its memory was exhausted.\n"
        "  git does not work here\n"
        "  Full output: /state/lint.log"
    )


def test_every_way_of_not_passing_has_its_words() -> None:
    image = {"container": Container(image="python:3.13")}
    told = reason(
        report(
            result("slow", Status.TIMED_OUT, command=image, exit_code=137, duration_s=302.0),
            result(
                "late",
                Status.TIMED_OUT,
                exit_code=None,
                duration_s=12.0,
                reason="the deadline of 9 m for all commands was reached",
            ),
            result(
                "gone",
                Status.UNAVAILABLE,
                command=image,
                exit_code=None,
                reason="No Docker engine answers at /var/run/docker.sock.",
                remedy="Start it.",
            ),
            result("killed", exit_code=139, signal=11),
            result("ended", Status.CANCELLED, exit_code=None, reason="cancelled by SIGINT"),
            result("never", Status.SKIPPED, exit_code=None),
        )
    )

    titles = [row for row in told.split("\n") if row and not row.startswith("  ")]
    assert titles == [
        "5 of 6 checks did not pass. Mend them, then finish again.",
        "slow: timed out after 5 m (python:3.13)",
        "late: timed out after 12 s (host)",
        "gone: could not run (python:3.13)",
        "killed: ended by SIGSEGV, exit code 139 after 0.4 s (host)",
        "ended: cancelled after 0.4 s (host)",
        "Not run this time: never.",
    ]
    assert "  the deadline of 9 m for all commands was reached\n" in told
    assert "  No Docker engine answers at /var/run/docker.sock.\n  Start it.\n" in told


def test_checks_that_cannot_run_ask_for_the_person() -> None:
    gone = result("gone", Status.UNAVAILABLE, exit_code=None, reason="No engine.", remedy="Start.")

    assert reason(report(gone, PASSED)).startswith(
        "1 of 2 checks could not run. Mend what is named below, or tell the person what is "
        "missing, then finish again.\n"
    )


def test_warnings_come_last_and_are_marked() -> None:
    warning = result("style", command={"severity": Severity.WARN})

    told = reason(report(warning, result("test")))

    assert told.index("\ntest: exit code 1") < told.index(
        "These are warnings; they do not keep you from finishing:\n\nwarning: style: exit code 1"
    )


def test_nothing_is_cut_off_at_the_end_when_more_is_wanted_than_there_is() -> None:
    long = b"x\n" * 5000
    warning = result(
        "style", command={"severity": Severity.WARN}, stdout=long, log_path="/state/style.log"
    )

    full = report(warning, result("never", Status.SKIPPED))
    told = [reason(full, max_bytes=most) for most in range(1000, 1100)]

    end = "  Full output: /state/style.log\n\nNot run this time: never."
    assert [text for text in told if not text.endswith(end)] == []


def test_a_timeout_is_told_once() -> None:
    late = result("slow", Status.TIMED_OUT, duration_s=301.0, reason="timed out after 5 m")

    assert reason(report(late)).count("timed out after 5 m") == 1


def test_only_warnings_block_nothing() -> None:
    told = reason(report(result("style", command={"severity": Severity.WARN}), PASSED))

    assert told.startswith("No check blocks; 1 of 2 checks gave a warning.\n")


def test_a_report_without_failures_says_so() -> None:
    assert reason(report(PASSED, PASSED)) == "All 2 checks passed."


def test_output_that_is_not_to_be_shown_is_not_shown() -> None:
    hidden = {"show_stdout": False, "show_command": False}

    told = reason(report(result("test", command=hidden, stdout=b"secret", stderr=b"seen")))

    assert "secret" not in told
    assert "$ make" not in told
    assert "  | seen\n" in told + "\n"


def test_a_long_script_is_shown_by_its_first_lines() -> None:
    script = "\n".join(f"step {number}" for number in range(9))

    told = reason(report(result("test", command={"run": script})))

    assert (
        "  $ step 0\n    step 1\n    step 2\n    step 3\n    step 4\n    ... and 4 more lines\n"
    ) in told


def test_the_line_limit_counts_both_streams_together() -> None:
    many = b"".join(b"row %d\n" % number for number in range(50))

    told = reason(
        report(result("test", command={"max_output_lines": 9}, stdout=b"one\n", stderr=many))
    )

    assert told.count("  | ") == 9
    assert "  | one\n" in told
    assert "  | row 49" in told


def test_a_short_failure_leaves_its_room_to_a_long_one() -> None:
    long = b"".join(b"row %d\n" % number for number in range(5000))

    told = reason(report(result("short", stderr=b"brief\n"), result("long", stdout=long)))

    assert 7500 < len(told.encode()) <= 8192
    assert "  | brief\n" in told


def test_too_many_failures_are_told_by_name_and_counted() -> None:
    told = reason(report(*(result(f"check{number}") for number in range(500))))

    rows = told.split("\n")
    assert len(told.encode()) <= 8192
    assert rows[2] == "check0: exit code 1 after 0.4 s (host)"
    assert rows[-1] == f"... and {500 - (len(rows) - 3)} more."


def test_a_check_that_wrote_nothing_is_told_so() -> None:
    assert reason(report(result("test"))).endswith("\n  It wrote nothing.")


@given(
    st.lists(st.tuples(st.binary(max_size=3000), st.binary(max_size=300), st.text()), max_size=6),
    st.integers(min_value=0, max_value=3000),
)
def test_the_text_is_bounded_and_clean_whatever_came_out(
    found: list[tuple[bytes, bytes, str]], most: int
) -> None:
    results = [
        result(name, command={"message": name}, stdout=out, stderr=err) for out, err, name in found
    ]

    told = reason(report(*results), max_bytes=most)

    assert len(told.encode()) <= most
    assert all(char.isprintable() or char in "\n\t" for char in told if ord(char) < 256)


def test_a_quarter_megabyte_of_anything_is_told_in_no_time() -> None:
    size = 256 * 1024
    worst = [os.urandom(size), b"\x1b[m" * (size // 3), b"a\n" * (size // 2), b"x\r" * (size // 2)]
    took = []

    for data in worst:
        began = time.perf_counter()
        reason(report(result("test", stdout=data)))
        took.append(time.perf_counter() - began)

    # Measured 3 to 20 ms; the margin is for a busy machine, a quadratic step would take minutes.
    assert max(took) < 1.0
