"""HTTP in its plainest form: one request as bytes, and the head of one answer.

The watchdog and the executor for containers speak it over an engine's socket; ``http.client`` takes
longer to import than an engine takes to answer, and takes a cut head for a short one.
"""

from __future__ import annotations

# `typing` has the same constant, and is not worth its memory in the watchdog.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# No engine's head is longer; bytes.
HEAD_LIMIT = 64 * 1024
PIECE_BYTES = 16 * 1024
_END = b"\r\n\r\n"


class Head:
    """The head of an answer: its status, its fields by lower-case name, and what came behind it."""

    __slots__ = ("fields", "rest", "status")

    def __init__(self, status: int, fields: dict[str, str], rest: bytes) -> None:
        self.status = status
        self.fields = fields
        self.rest = rest


class CutError(OSError):
    """The connection ended before the answer did."""

    def __init__(self) -> None:
        super().__init__("the connection ended before the answer did")


class NotHttpError(OSError):
    """What answers is no engine."""

    def __init__(self) -> None:
        super().__init__("what answers there does not speak HTTP")


def request(method: str, target: str, body: bytes | None = None) -> bytes:
    """One request on a connection of its own, with a JSON body or none; ``target`` is quoted."""
    about = "Host: stophooks\r\nConnection: close\r\n"
    if body is not None:
        about += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    elif method == "POST":
        about += "Content-Length: 0\r\n"
    return f"{method} {target} HTTP/1.1\r\n{about}\r\n".encode() + (body or b"")


def head(receive: Callable[[int], bytes]) -> Head:
    """The head of an answer that is whole; ``receive`` gives the next bytes, at the end none.

    Raises:
        CutError: The answer ended before its head did.
        NotHttpError: That is no HTTP.
    """
    data = b""
    while _END not in data:
        piece = receive(PIECE_BYTES)
        if not piece:
            raise CutError
        data += piece
        if not data.startswith(b"HTTP/1."[: len(data)]) or len(data) > HEAD_LIMIT:
            raise NotHttpError
    text, _, rest = data.partition(_END)
    first, *lines = text.decode("latin-1").split("\r\n")
    status = first.split(" ", 2)[1:2]
    if not status or len(status[0]) != len("200") or not status[0].isdecimal():
        raise NotHttpError
    pairs = (line.partition(":") for line in lines)
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Head(int(status[0]), fields, rest)
