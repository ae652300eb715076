"""Heads of answers, as they come."""

from __future__ import annotations

import pytest

from stophooks import wire

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: a: b\r\nX-Empty:\r\n\r\nbody"


def receiver(*pieces: bytes) -> wire.Head:
    """What is read of these pieces, one after the other, and then the end."""
    left = list(pieces)
    return wire.head(lambda _: left.pop(0) if left else b"")


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_head_is_read_in_whatever_pieces_it_comes(size: int) -> None:
    end = WHOLE.index(b"body")
    pieces = [WHOLE[at : at + size] for at in range(0, end, size)]

    found = receiver(*pieces)

    assert (found.status, found.fields) == (200, {"content-type": "a: b", "x-empty": ""})
    assert found.rest == WHOLE[end : len(b"".join(pieces))]


@pytest.mark.parametrize("size", range(WHOLE.index(b"body") - 1))
def test_a_head_that_is_cut_is_none(size: int) -> None:
    with pytest.raises(wire.CutError):
        receiver(WHOLE[:size])


@pytest.mark.parametrize(
    "said",
    [
        b"<html>\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 -20 OK\r\n\r\n",
        b"HTTP/1.1 OK 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x" * wire.HEAD_LIMIT + b"\r\n\r\n",
        b"\x00",
    ],
)
def test_what_is_no_head_is_refused(said: bytes) -> None:
    with pytest.raises(wire.NotHttpError):
        receiver(said)


def test_a_request_says_how_long_its_body_is() -> None:
    assert wire.request("POST", "/x?y=1", b"{}") == (
        b"POST /x?y=1 HTTP/1.1\r\nHost: stophooks\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert b"Content-Length: 0\r\n" in wire.request("POST", "/x")
    assert b"Content-Length" not in wire.request("GET", "/x")
