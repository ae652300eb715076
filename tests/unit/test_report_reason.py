"""What an agent reads when it is kept from stopping."""

from __future__ import annotations

import os
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stophooks.containers import Container
from stophooks.executors.capture import Capture
from stophooks.models import Command, Outcome, Report, Result, Severity, Status, Tail
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
    assert rows[2] == "check0: exit code 1"
    assert rows[-1] == f"... and {500 - (len(rows) - 3)} more."


def test_the_place_of_the_logs_is_told_once_where_there_is_room_for_names_only() -> None:
    told = reason(
        report(
            *(
                result(f"check{number}", stdout=b"x", log_path=f"/state/run/{number}.log")
                for number in range(150)
            ),
            result("never", Status.SKIPPED),
        )
    )

    assert told.count("\ncheck") == 150
    assert told.endswith("\n\nFull output: /state/run\n\nNot run this time: never.")


def test_long_outputs_go_first_then_scripts_then_messages_then_all_but_titles() -> None:
    script = "\n".join(f"step {number} {'s' * 60}" for number in range(9))
    values = {"run": script, "message": "Why " + "m" * 400 + " ends."}
    output = b"".join(b"row %d\n" % number for number in range(300))

    def told(count: int) -> str:
        many = (result(f"c{index}", command=values, stdout=output) for index in range(count))
        return reason(report(*many))

    def counts(text: str) -> tuple[int, ...]:
        marks = ("\nc", "  | row 299", "  $ step 0", "m" * 400 + " ends.", "step 4")
        return tuple(text.count(mark) for mark in marks)

    assert counts(told(6)) == (6, 6, 6, 6, 6)
    assert counts(told(8))[:4] == (8, 8, 8, 8)
    assert counts(told(10))[:3] == (10, 10, 10)
    titles, outputs, scripts, *_ = counts(told(16))
    assert titles == scripts == 16
    assert 5 < outputs < 16
    titles, outputs, scripts, *_ = counts(told(60))
    assert titles == 60
    assert 5 < outputs <= scripts < 20


def test_a_short_list_of_lines_gets_wide_ones() -> None:
    output = b"".join(b"%d %s\n" % (number, b"x" * 400) for number in range(9))

    told = reason(
        report(result("t", command={"max_output_lines": 2}, stdout=output)), max_bytes=1500
    )

    assert told.count("x" * 400) == 2


def test_a_small_excerpt_has_few_readable_lines() -> None:
    output = b"".join(b"%d %s\n" % (number, b"x" * 90) for number in range(99))

    told = reason(report(result("t", stdout=output)), max_bytes=500)

    assert told.count("| 98 " + "x" * 90) == 1


def test_what_one_output_cannot_use_goes_to_another() -> None:
    output = b"".join(b"%d %s\n" % (number, b"x" * 900) for number in range(99))
    many = report(*(result(f"c{index}", stdout=output) for index in range(12)))

    told = [len(reason(many, max_bytes=most).encode()) / most for most in range(4096, 8192, 64)]

    assert min(told) > 0.95


def test_a_failure_is_told_in_full_even_where_its_output_has_no_room() -> None:
    said = {"message": "m" * 140, "run": "x" * 190}
    why: dict[str, Any] = {"reason": "r" * 140, "remedy": "d" * 140}
    long = [
        result(name, command=said, stdout=output, **why)
        for name, output in (("a", b""), ("b", b"row\n" * 99), ("c", b"row\n" * 99))
    ]

    told = reason(report(*long), max_bytes=1600)

    assert [told.count(sign) for sign in ("\n  $ xxx", "\nc: exit code 1")] == [2, 1]


TEXT = st.text(alphabet="ab \n", max_size=700)
OUTPUTS = st.builds(
    lambda line, count: (line + "\n").encode() * count,
    st.text(alphabet="xyz", max_size=700),
    st.integers(0, 60),
)
FAILURES = st.lists(
    st.tuples(
        TEXT,
        TEXT.filter(str.strip),
        OUTPUTS,
        OUTPUTS,
        st.none() | st.integers(1, 30),
        st.sampled_from([*Severity]),
    ),
    min_size=1,
    max_size=40,
)


@given(FAILURES, st.integers(min_value=4096, max_value=9000))
def test_nothing_is_left_out_while_there_is_room_for_it(
    found: list[tuple[str, str, bytes, bytes, int | None, Severity]], most: int
) -> None:
    results = [
        result(
            f"check {index}",
            command={"message": said, "run": run, "max_output_lines": rows, "severity": severity},
            stdout=out,
            stderr=err,
            log_path=f"/state/logs/run/{index}.log",
        )
        for index, (said, run, out, err, rows, severity) in enumerate(found)
    ]

    told = reason(report(*results), max_bytes=most)

    assert len(told.encode()) <= most
    assert len(told.encode()) > most * 0.75 or told == reason(report(*results), max_bytes=10**6)


def test_a_check_that_never_began_is_not_told_as_timed_out() -> None:
    late = result(
        "late",
        Status.TIMED_OUT,
        exit_code=None,
        duration_s=0.0,
        started=False,
        reason="the deadline of 9 m for all commands was reached",
    )

    told = reason(report(late))

    assert "late: not started: the deadline of 9 m for all commands was reached (host)" in told
    assert told.count("deadline") == 1
    assert "timed out" not in told


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
    # A no-break space is a space, although Python does not call it printable.
    assert all(char.isprintable() or char in "\n\t\xa0" for char in told if ord(char) < 256)


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
