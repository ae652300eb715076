"""The head and the tail of a stream, whatever the pieces it comes in."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks.executors.capture import HEAD_BYTES, TAIL_BYTES, Capture
from stophooks.models import MIB, Tail


def fill(pieces: list[bytes], *, head: int, tail: int) -> Tail:
    capture = Capture(head_bytes=head, tail_bytes=tail)
    for piece in pieces:
        capture.add(piece)
    return capture.result()


def test_an_empty_stream_is_empty() -> None:
    assert fill([], head=4, tail=4) == Tail(head=b"", tail=b"", total_bytes=0)


@pytest.mark.parametrize(
    ("text", "head", "tail", "cut"),
    [
        (b"abc", b"abc", b"", 0),
        (b"abcd", b"abcd", b"", 0),
        (b"abcde", b"abcd", b"e", 0),
        (b"abcdefg", b"abcd", b"efg", 0),
        (b"abcdefgh", b"abcd", b"fgh", 1),
        (b"abcdefghijklmnop", b"abcd", b"nop", 9),
    ],
)
def test_the_middle_of_a_long_stream_is_left_out(
    text: bytes, head: bytes, tail: bytes, cut: int
) -> None:
    kept = fill([text], head=4, tail=3)

    assert (kept.head, kept.tail, kept.cut_bytes) == (head, tail, cut)


@given(
    pieces=st.lists(st.binary(max_size=40)),
    head=st.integers(min_value=0, max_value=30),
    tail=st.integers(min_value=1, max_value=30),
)
def test_the_pieces_do_not_matter(pieces: list[bytes], head: int, tail: int) -> None:
    whole = b"".join(pieces)

    kept = fill(pieces, head=head, tail=tail)

    rest = whole[head:]
    assert kept == Tail(head=whole[:head], tail=rest[-tail:], total_bytes=len(whole))


@pytest.mark.parametrize("size", [1, 7, 400, 1500])
def test_many_small_pieces_are_kept_as_few_large_ones(size: int) -> None:
    numbers = b"".join(b"%d\n" % number for number in range(2000))
    pieces = [numbers[:size], *(numbers[place : place + 1] for place in range(size, len(numbers)))]
    capture = Capture(head_bytes=3, tail_bytes=1000)

    for count, piece in enumerate(pieces):
        capture.add(piece)

        said = numbers[: size + count]
        assert capture.result() == Tail(head=said[:3], tail=said[3:][-1000:], total_bytes=len(said))


def test_a_result_can_be_taken_before_the_end() -> None:
    capture = Capture(head_bytes=2, tail_bytes=2)
    capture.add(b"abc")

    early = capture.result()
    capture.add(b"def")

    assert early == Tail(head=b"ab", tail=b"c", total_bytes=3)
    assert capture.result() == Tail(head=b"ab", tail=b"ef", total_bytes=6)


@pytest.mark.parametrize("piece_bytes", [1000, 65536, 4 * MIB])
def test_memory_stays_bounded(piece_bytes: int) -> None:
    capture = Capture()
    piece = bytes(piece_bytes)
    tracemalloc.start()
    try:
        for _ in range(32 * MIB // piece_bytes):
            capture.add(piece)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # A bytearray that grows may hold an eighth more than it shows.
    assert kept < (HEAD_BYTES + 2 * TAIL_BYTES + TAIL_BYTES) * 1.25


@pytest.mark.parametrize("size", [0, 3, 10, 11, 15, 20, 100])
def test_what_is_kept_can_be_shortened(size: int) -> None:
    data = bytes(range(size))
    capture = Capture(head_bytes=10, tail_bytes=10)
    capture.add(data)

    kept = capture.result().shortened(head_bytes=2, tail_bytes=8)

    assert kept.head + kept.tail == (data if size <= 10 else data[:2] + data[-8:])
    assert kept.total_bytes == size
    assert kept.cut_bytes == max(0, size - 10)
