from __future__ import annotations

import pytest

from stophooks.models import Command, Outcome, Result, Status, Tail
from stophooks.reports.likeness import digest, likeness, normal
from stophooks.values import replace


def failed(stdout: str, *, name: str = "tests", code: int = 1, cut: int = 0) -> Result:
    data = stdout.encode()
    return Result(
        command=Command(name=name, project_dir="/p", run="make test"),
        outcome=Outcome(
            status=Status.FAILED,
            exit_code=code,
            stdout=Tail(head=data[:8], tail=data[8:], total_bytes=len(data) + cut),
        ),
    )


@pytest.mark.scenario("budget: What always differs does not count")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1 failed in 0.12s", "1 failed in 3.5 seconds"),
        ("=== 1 failed in 0.12s ===", "========= 1 failed in 12 ms =========="),
        ("2026-11-21T06:53:01.123Z boom", "2025-01-02 23:59:59 boom"),
        ("06:53:01 boom", "7:01:59.5 boom"),
        ("<object at 0x7f08be462120>", "<object at 0x55>"),
        ("pid 123 died", "pid 99999 died"),
        ("connect 127.0.0.1:43123", "connect 127.0.0.1:999"),
        ("in '/tmp/pytest-of-me/a1/f.txt' no", "in '/tmp/x' no"),
        ("in /private/var/folders/ab/T/x: no", "in /var/tmp/y: no"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-0000-0000-0000-000000000000"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("one\ntwo\nthree", "three\none\ntwo"),
        ("a  b", "a\tb"),
    ],
)
def test_what_always_differs_does_not_count(first: str, second: str) -> None:
    assert likeness(failed(first)) == likeness(failed(second))


@pytest.mark.scenario("budget: What always differs does not count")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("test_a[1] failed", "test_a[2] failed"),
        ("a.py:10: undefined name", "a.py:11: undefined name"),
        ("expected 3, got 4", "expected 3, got 5"),
        ("one", "one\none"),
        ("in src/a.py", "in src/b.py"),
    ],
)
def test_everything_else_counts(first: str, second: str) -> None:
    assert likeness(failed(first)) != likeness(failed(second))


def test_the_command_and_its_end_count() -> None:
    one = failed("broken")
    others = [
        failed("broken", code=2),
        failed("broken", name="lint"),
        replace(one, outcome=replace(one.outcome, status=Status.TIMED_OUT)),
        replace(one, command=replace(one.command, run="make")),
    ]

    assert all(likeness(other) != likeness(one) for other in others)
    assert digest([one, others[0]]) != digest([one])
    assert digest([one, others[0]]) == digest([failed("broken"), others[0]])


def test_lines_at_a_gap_do_not_count() -> None:
    first = failed("head\nxxxxrest of a line\nlast", cut=100)
    second = failed("head\nyyof a line\nlast", cut=90)

    assert likeness(first) == likeness(second)


def test_a_line_is_told_without_what_differs() -> None:
    assert normal("  E   AssertionError at 0xdead after 5 ms  ") == (
        "E AssertionError at <at> after <took>"
    )
