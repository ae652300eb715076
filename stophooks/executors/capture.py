"""Keep the head and the tail of a stream in bounded memory while all of it flows past."""

from __future__ import annotations

from stophooks.models import KIB, Tail

HEAD_BYTES = 64 * KIB
TAIL_BYTES = 192 * KIB
# So many pieces are kept as they came; more are put together, as each costs memory of its own.
_MOST_PIECES = 256


class Capture:
    """The head and the tail of one stream; memory stays below both and the longest piece."""

    def __init__(self, *, head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES) -> None:
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._head = bytearray()
        # Pieces as they came: nothing of a long stream is copied to be dropped.
        self._pieces: list[bytes] = []
        self._pieces_bytes = 0
        self._total = 0

    def add(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        self._total += len(data)
        room = self._head_bytes - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if not data:
            return
        pieces = self._pieces
        pieces.append(data)
        self._pieces_bytes += len(data)
        while self._pieces_bytes - len(pieces[0]) >= self._tail_bytes:
            self._pieces_bytes -= len(pieces.pop(0))
        if len(pieces) > _MOST_PIECES:
            whole = self._tail()
            self._pieces = [whole]
            self._pieces_bytes = len(whole)

    def result(self) -> Tail:
        """What is kept so far."""
        return Tail(head=bytes(self._head), tail=self._tail(), total_bytes=self._total)

    def _tail(self) -> bytes:
        return b"".join(self._pieces)[-self._tail_bytes :]
