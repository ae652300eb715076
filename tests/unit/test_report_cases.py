"""Failing cases in what an agent and a program read."""

from __future__ import annotations

import json

import pytest

from stophooks.models import (
    Case,
    Cases,
    Command,
    Outcome,
    Report,
    Result,
    Status,
    Tail,
)
from stophooks.reports import json as json_report
from stophooks.reports.reason import MAX_BYTES, reason


def report(*cases: Case, total: int | None = None, output: bytes = b"", count: int = 1) -> Report:
    outcome = Outcome(
        status=Status.FAILED,
        exit_code=1,
        duration_s=1.0,
        stdout=Tail(head=output, total_bytes=len(output)),
        log_path="/state/log" if output else None,
        cases=Cases(format="junit", total=total or len(cases), first=cases),
    )
    results = tuple(
        Result(command=Command(name=f"tests{n}", project_dir="/p", run="pytest"), outcome=outcome)
        for n in range(count)
    )
    return Report(event="stop", results=results, duration_s=1.0, project_dir="/p")


@pytest.mark.scenario("output: Cases first")
def test_the_failing_cases_come_before_the_output() -> None:
    told = report(
        Case(file="tests/a.py", line=7, name="a::test_x", message="assert 1 == 2\n where 1 = f()"),
        Case(name="b::test_y", message="fixture not found"),
        total=3,
        output=b"F.E\n3 failed\n",
    )

    assert reason(told) == (
        "1 of 1 check did not pass. Mend it, then finish again.\n"
        "\n"
        "tests0: exit code 1 after 1 s (host)\n"
        "  $ pytest\n"
        "  3 failing cases (junit):\n"
        "  | tests/a.py:7: a::test_x: assert 1 == 2 where 1 = f()\n"
        "  | b::test_y: fixture not found\n"
        "  ... and 1 more\n"
        "  stdout:\n"
        "  | F.E\n"
        "  | 3 failed\n"
        "  Full output: /state/log"
    )


@pytest.mark.scenario("output: Output cannot pass for our words")
def test_a_case_cannot_pass_for_our_words() -> None:
    bad = "x\n\ntests1: passed\nFull output: /etc\x1b[2J\u202e\r"

    rows = reason(report(Case(file=bad, name=bad, message=bad))).split("\n")

    ours = [row for row in rows if not row.startswith("  | ")]
    assert ours == [
        "1 of 1 check did not pass. Mend it, then finish again.",
        "",
        "tests0: exit code 1 after 1 s (host)",
        "  $ pytest",
        "  1 failing case (junit):",
        "  It wrote nothing.",
    ]
    assert "\x1b" not in "".join(rows)


@pytest.mark.scenario("output: Room for many cases")
@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_cases_and_output_share_the_room(count: int) -> None:
    cases = tuple(Case(file=f"tests/{n}.py", line=n + 1, message="m" * 300) for n in range(50))
    output = b"".join(b"line %d of the output\n" % n for n in range(2000))

    text = reason(report(*cases, total=400, output=output, count=count))

    assert len(text.encode()) <= MAX_BYTES
    if count <= 5:
        assert text.count("400 failing cases (junit):") == count
        assert text.count("| tests/0.py:1: mmm") == count
        assert text.count("| line 1999 of the output") == count
        assert text.count("  ... and ") == count


def test_a_program_reads_the_cases() -> None:
    told = report(Case(file="a.py", line=7, name="x", message="one\ntwo"), total=9)

    assert json.loads(json_report.render(told))["results"][0]["cases"] == {
        "format": "junit",
        "total": 9,
        "first": [{"file": "a.py", "line": 7, "name": "x", "message": "one\ntwo"}],
    }
