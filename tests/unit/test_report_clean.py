"""Whatever a program wrote becomes valid, printable, bounded text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks.executors.capture import Capture
from stophooks.models import Tail
from stophooks.reports import clean
from stophooks.reports.excerpt import PREFIX, excerpt, share, size

POWER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# Hypothesis alone rarely strings together what terminals act on.
PIECES = st.sampled_from(
    [
        *(b"\x1b[", b"31m", b"\x1b]0;", b"\x07", b"\x1b\\", b"\x1bP", b"\x9b", b"\xc2\x9b"),
        *(b"\r", b"\n", b"\b", b"\t", b"\x00", b" ", b"a", b"\xc3", b"\xbc"),
        *(b"\xe2\x80\xae", b"\xed\xa0\x80"),
    ]
)
OUTPUT = st.one_of(st.binary(), st.lists(PIECES).map(b"".join))


def captured(data: bytes, *, head: int = 64, tail: int = 192) -> Tail:
    capture = Capture(head_bytes=head, tail_bytes=tail)
    capture.add(data)
    return capture.result()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ended\nnext", "\nnext"),
        ("\x1bPdata\x1b\\after", "after"),
        ("\x1b(Btext\x1b7", "text"),
        ("\x1b", ""),
        ("\x9b31mred", "red"),
        ("10%\r20%\r100%\ndone", "100%\ndone"),
        ("line\r\nnext\r\n", "line\nnext\n"),
        ("b\bbo\bold\b\b\b", "b"),
        ("a\tb\x00c\x7f", "a\tbc"),
        ("ab\u202edc\u200b", "abdc"),
        ("\ud800", ""),
        ("naïve 漢字 🙂", "naïve 漢字 🙂"),
    ],
)
def test_text_keeps_what_can_be_read(raw: str, expected: str) -> None:
    assert clean.text(raw) == expected


@given(OUTPUT)
def test_clean_text_has_no_power_left(data: bytes) -> None:
    cleaned = clean.text(data.decode("utf-8", "replace"))

    assert not POWER.search(cleaned)


@given(st.one_of(OUTPUT.map(lambda data: data.decode("latin-1")), st.text()))
def test_cleaning_twice_changes_nothing(raw: str) -> None:
    once = clean.text(raw)

    assert clean.text(once) == once


@given(st.text(), st.integers(min_value=3, max_value=600))
def test_a_line_is_never_wider_than_asked(raw: str, width: int) -> None:
    line = clean.line(raw, width=width)

    assert len(line) <= width
    assert "\n" not in line


def test_a_long_line_says_how_much_of_its_middle_is_missing() -> None:
    cut = clean.middle("a" * 300 + "b" * 300, 200)

    assert cut == "a" * 82 + " [... 435 characters left out ...] " + "b" * 83


def test_a_character_that_the_gap_cuts_in_two_is_dropped() -> None:
    stream = Tail(head="aü".encode()[:2], tail="üb".encode()[1:], total_bytes=100)

    lines = clean.lines(stream)

    assert (lines.head, lines.tail, lines.cut_bytes) == (("a",), ("b",), 96)


def test_a_stream_of_blank_lines_counts_as_nothing() -> None:
    assert not clean.lines(captured(b"\n \n\n"))


def test_the_excerpt_shows_a_quarter_of_the_beginning_and_the_rest_of_the_end() -> None:
    shown = clean.lines(captured(b"".join(b"%d\n" % number for number in range(1, 41))))

    rows = excerpt(shown, max_bytes=4096, max_lines=8)

    assert rows == [
        "  | 1",
        "  | 2",
        "  ... 32 lines left out ...",
        *(f"  | {number}" for number in range(35, 41)),
    ]


def test_the_excerpt_counts_bytes_where_lines_were_not_kept() -> None:
    data = b"".join(b"%04d\n" % number for number in range(1000))

    rows = excerpt(clean.lines(captured(data, head=10, tail=10)), max_bytes=4096)

    assert rows == ["  | 0000", "  ... 4.9 KiB left out ...", "  | 0998", "  | 0999"]


def test_the_line_that_tells_what_is_left_out_counts_too() -> None:
    shown = clean.lines(captured(b"x\n" * 90))

    rows = excerpt(shown, max_bytes=200)

    assert sum(len(row.encode()) + 1 for row in rows) <= 200
    assert "  ... " in "".join(rows)


def test_an_output_that_imitates_our_own_line_stays_behind_the_prefix() -> None:
    rows = excerpt(clean.lines(captured(b"... 5 lines left out ...\n")), max_bytes=4096)

    assert rows == ["  | ... 5 lines left out ..."]


@given(OUTPUT, st.integers(min_value=0, max_value=400), st.integers(min_value=1, max_value=20))
def test_an_excerpt_keeps_within_bytes_and_lines(data: bytes, room: int, most: int) -> None:
    rows = excerpt(clean.lines(captured(data)), max_bytes=room, max_lines=most)

    assert sum(len(row.encode()) + 1 for row in rows) <= room
    assert sum(row.startswith(PREFIX.rstrip()) for row in rows) <= most


@given(OUTPUT)
def test_an_excerpt_with_the_room_it_wants_leaves_out_nothing_that_was_kept(data: bytes) -> None:
    shown = clean.lines(captured(data, head=9999))

    rows = excerpt(shown, max_bytes=size(shown, limit=10**6, max_lines=shown.count))

    assert len(rows) == shown.count


@given(st.integers(min_value=0, max_value=500), st.lists(st.integers(0, 300), max_size=8))
def test_a_share_is_never_more_than_wanted_and_nothing_is_wasted(
    total: int, wants: list[int]
) -> None:
    given_out = share(total, wants)

    assert all(part <= want for part, want in zip(given_out, wants, strict=True))
    assert sum(given_out) == min(total, sum(wants))


def test_who_wants_little_leaves_the_rest_to_the_others() -> None:
    assert share(100, [10, 200, 200]) == [10, 45, 45]
