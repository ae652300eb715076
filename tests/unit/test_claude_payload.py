from __future__ import annotations

import os
import threading
import time
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


@pytest.mark.parametrize("behind", [b"\n.", b" {", b"\x00\xff", b"}", b'{"b": 2}', b"[1]\n"])
@pytest.mark.scenario("agent-claude: What follows the payload is not read")
def test_what_follows_a_complete_object_does_not_matter(
    pipe: tuple[int, int], behind: bytes
) -> None:
    os.write(pipe[1], b'{"a": {"b": "}"}}' + behind)

    assert read(pipe[0], deadline_s=5) == {"a": {"b": "}"}}


def test_an_object_with_something_endless_behind_it_is_read(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b'{"a": 1}' + b"y\n" * 200)

    assert read(pipe[0], max_bytes=100) == {"a": 1}


def test_an_object_in_pieces_is_put_together(pipe: tuple[int, int]) -> None:
    pieces = [b'{"a": ', b'{"b": "\xc3', b'\xbc"}', b"}  x"]

    def write() -> None:
        for piece in pieces:
            # Longer than the silence after which a reader looks at what it has.
            time.sleep(0.07)
            os.write(pipe[1], piece)

    writer = threading.Thread(target=write)
    writer.start()
    payload = read(pipe[0])
    writer.join()

    assert payload == {"a": {"b": "ü"}}


@pytest.mark.parametrize("data", [b"", b"[1]", b"nonsense", b'{"a"'])
def test_every_refusal_says_what_to_do(data: bytes) -> None:
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)

    with pytest.raises(
        PayloadError, match=r"tell the person .* `stophooks run` runs the checks\.$"
    ):
        read(reader)
    os.close(reader)


def test_bytes_that_are_not_utf_8_keep_their_meaning_as_a_path(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b'{"cwd": "/\xff"}')

    assert os.fsencode(read(pipe[0])["cwd"]) == b"/\xff"


def test_a_payload_without_end_is_given_up(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b'{"a": "' + b"x" * 200)

    with pytest.raises(PayloadError, match="standard input carried more than 100 bytes"):
        read(pipe[0], max_bytes=100)
