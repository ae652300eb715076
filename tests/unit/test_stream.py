"""What comes out of an attach connection, however its frames are cut."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stophooks.executors.base import PIECE_BYTES
from stophooks.executors.docker.stream import Pump
from stophooks.models import KIB, Stream
from tests.running import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

STREAMS = {1: Stream.STDOUT, 2: Stream.STDERR}
Frame = tuple[int, bytes]


class Wire:
    """A client of an engine, and the reply, connection and socket that it leads to."""

    status = 101

    def __init__(self, data: bytes, cuts: list[int]) -> None:
        self._data = memoryview(data)
        self._cuts = iter(cuts)

    def reply(self, *_: object, **__: object) -> Wire:
        return self

    def is_stream(self) -> bool:
        return True

    def readinto(self, view: memoryview) -> int:
        size = min(next(self._cuts, PIECE_BYTES), len(view), len(self._data))
        view[:size] = self._data[:size]
        self._data = self._data[size:]
        return size

    def close(self) -> None:
        self._data.release()


def pumped(data: bytes, cuts: list[int]) -> tuple[Pump, Recorder]:
    wire, sink = Wire(data, cuts), Recorder()
    pump = Pump(wire, sink, lambda: None)  # type: ignore[arg-type]
    pump.attach(wire, "container")  # type: ignore[arg-type]
    assert pump.join(30)
    return pump, sink


def framed(frames: list[Frame]) -> bytes:
    return b"".join(struct.pack(">BxxxL", kind, len(data)) + data for kind, data in frames)


def spoken(frames: list[Frame]) -> Iterator[tuple[Stream, bytes]]:
    for kind, stream in STREAMS.items():
        yield stream, b"".join(data for found, data in frames if found == kind)


FRAMES = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.one_of(
            # Nothing that could be a secret.
            st.text("012 \n\xff", max_size=40).map(lambda said: said.encode("latin-1")),
            st.builds(bytes.__mul__, st.just(b"0123456789\n"), st.integers(0, 60_000)),
        ),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(
    frames=FRAMES,
    cuts=st.lists(st.one_of(st.integers(1, 12), st.integers(1, 300_000)), max_size=60),
)
def test_both_streams_come_whole_however_frames_are_cut(
    frames: list[Frame], cuts: list[int]
) -> None:
    pump, sink = pumped(framed(frames), cuts)

    assert not pump.is_cut
    for stream, data in spoken(frames):
        assert sink.of(stream) == data
        assert pump.result(stream).total_bytes == len(data)


@settings(max_examples=100, deadline=None)
@given(frames=FRAMES.filter(bool), cuts=st.lists(st.integers(1, 5), max_size=30), lost=st.data())
def test_an_end_inside_a_frame_is_told(
    frames: list[Frame], cuts: list[int], lost: st.DataObject
) -> None:
    whole = framed(frames)
    last = struct.calcsize(">BxxxL") + len(frames[-1][1])
    size = len(whole) - lost.draw(st.integers(1, last - 1))

    pump, _ = pumped(whole[:size], cuts)

    assert pump.is_cut


def test_frames_that_came_together_are_handed_on_together() -> None:
    frames = [(1, b"a line of output\n" * 400)] * 200

    _, sink = pumped(framed(frames), [])

    assert sink.of(Stream.STDOUT) == b"a line of output\n" * 80_000
    assert len(sink.pieces) < 10
    assert max(len(data) for _, data in sink.pieces) <= PIECE_BYTES


def test_neither_stream_overtakes_the_other() -> None:
    frames = [(1, b"one\n"), (2, b"two\n"), (2, b"three\n"), (1, b"four\n")]

    _, sink = pumped(framed(frames), [])

    assert sink.pieces == [
        (Stream.STDOUT, b"one\n"),
        (Stream.STDERR, b"two\nthree\n"),
        (Stream.STDOUT, b"four\n"),
    ]


@pytest.mark.parametrize("kind", [0, 3, 255])
def test_what_is_no_frame_ends_it(kind: int) -> None:
    pump, sink = pumped(framed([(1, b"said\n"), (kind, b"x" * KIB)]), [])

    assert pump.is_cut
    assert sink.of(Stream.STDERR) == b""
