from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stophooks.agents.payload import PayloadError, read

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def test_an_object_is_read_while_its_stream_stays_open(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b'{"a": {"b": 1}}')

    assert read(pipe[0]) == {"a": {"b": 1}}


def test_a_brace_in_the_middle_is_not_taken_for_the_end(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b'{"a": {}')

    with pytest.raises(PayloadError, match=r"no complete JSON object within 0.01 seconds"):
        read(pipe[0], deadline_s=0.01)


def test_bytes_that_are_not_utf_8_keep_their_meaning_as_a_path(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b'{"cwd": "/\xff"}')

    assert os.fsencode(read(pipe[0])["cwd"]) == b"/\xff"


def test_a_payload_without_end_is_given_up(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b'{"a": "' + b"x" * 200)

    with pytest.raises(PayloadError, match="standard input carried more than 100 bytes"):
        read(pipe[0], max_bytes=100)
