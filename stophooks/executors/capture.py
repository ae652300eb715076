"""Keep the head and the tail of a stream in bounded memory while all of it flows past."""

from __future__ import annotations

from stophooks.models import KIB, Tail

HEAD_BYTES = 64 * KIB
TAIL_BYTES = 192 * KIB


class Capture:
    """The head and the tail of one stream; memory stays below the head plus twice the tail."""

    def __init__(self, *, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES) -> None:
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def add(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        self._total += len(data)
        room = self._head_bytes - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data[-self._tail_bytes :]
        if len(self._tail) > 2 * self._tail_bytes:
            del self._tail[: -self._tail_bytes]

    def result(self) -> Tail:
        """What is kept so far."""
        tail = bytes(self._tail[-self._tail_bytes :])
        return Tail(head=bytes(self._head), tail=tail, total_bytes=self._total)
