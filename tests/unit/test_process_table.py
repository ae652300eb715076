"""Processes as values: the parsing of their lines, and who descends from whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks.process.table import Entry, descend, parse_stat

# A real line of Linux 6.18: `sleep 60` in a session of its own.
LINE = (
    b"4242 (sleep) S 4100 4242 4242 0 -1 4194304 109 0 1 0 0 0 0 0 20 0 1 0 987654 5791744 "
    b"420 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)


def entry(pid: int, parent: int, *, session: int = 1, started: int = 1) -> Entry:
    return Entry(pid=pid, parent=parent, group=session, session=session, started=started)


def test_a_line_of_proc_becomes_a_process() -> None:
    assert parse_stat(LINE) == Entry(
        pid=4242,
        parent=4100,
        group=4242,
        session=4242,
        started=987654,
        state="S",
        threads=1,
        name="sleep",
    )


@given(st.binary(max_size=15))
def test_a_name_cannot_change_what_a_line_says(name: bytes) -> None:
    parsed = parse_stat(LINE.replace(b"(sleep)", b"(" + name + b")"))

    assert (parsed.parent, parsed.session, parsed.started) == (4100, 4242, 987654)
    assert parsed.name == name.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "line", [b"", b"4242", b"4242 (sleep", b"4242 (sleep) S 1 2 3", b"x (y) S"]
)
def test_a_line_that_is_cut_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="/proc"):
        parse_stat(line)


@pytest.mark.parametrize(
    ("state", "threads", "alive"),
    [
        ("R", 1, True),
        ("S", 1, True),
        ("D", 1, True),
        ("T", 1, True),
        ("Z", 1, False),
        ("X", 1, False),
        ("Z", 0, False),
        ("Z", 2, True),
    ],
)
def test_a_zombie_lives_while_it_has_another_thread(state: str, threads: int, alive: bool) -> None:
    one = Entry(pid=2, parent=1, group=2, session=2, started=1, state=state, threads=threads)

    assert one.alive is alive


@pytest.mark.parametrize(("state", "stopped"), [("T", True), ("t", True), ("S", False)])
def test_a_stopped_process_is_recognised(state: str, stopped: bool) -> None:
    one = Entry(pid=2, parent=1, group=2, session=2, started=1, state=state)

    assert one.stopped is stopped


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("sleep", "sleep (pid 7)"),
        ("a\x1b[1m\n", "a?[1m? (pid 7)"),
        ("", "? (pid 7)"),
    ],
)
def test_a_process_is_named_in_printable_text(name: str, shown: str) -> None:
    assert str(Entry(pid=7, parent=1, group=7, session=7, started=1, name=name)) == shown


def test_a_family_is_its_roots_and_everything_below() -> None:
    table = {
        one.pid: one for one in (entry(2, 1), entry(3, 2), entry(4, 3), entry(5, 1), entry(6, 5))
    }

    found = descend(table, roots=lambda one: one.pid == 2, never=lambda _: False)

    assert sorted(one.pid for one in found) == [2, 3, 4]


def test_a_stranger_is_left_out_with_everything_below() -> None:
    table = {one.pid: one for one in (entry(2, 1), entry(3, 2), entry(4, 3), entry(5, 2))}

    found = descend(table, roots=lambda one: one.pid == 2, never=lambda one: one.pid == 3)

    assert sorted(one.pid for one in found) == [2, 5]


def test_a_family_is_found_once_however_many_roots_lead_to_it() -> None:
    table = {one.pid: one for one in (entry(2, 1), entry(3, 2), entry(4, 3))}

    found = descend(table, roots=lambda one: one.pid > 1, never=lambda _: False)

    assert sorted(one.pid for one in found) == [2, 3, 4]


def test_a_table_that_changed_while_it_was_read_does_not_loop() -> None:
    table = {one.pid: one for one in (entry(2, 3), entry(3, 2))}

    found = descend(table, roots=lambda one: one.pid == 2, never=lambda _: False)

    assert sorted(one.pid for one in found) == [2, 3]
