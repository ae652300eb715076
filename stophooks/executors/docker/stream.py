"""A container's output: read from the attach connection, split, and never waited for.

While an attach connection is not read, Docker 20.10 cannot kill or remove its container
(moby#41827), so the pump does nothing but read: its sink must return at once.
"""

from __future__ import annotations

import time

from stophooks import threads
from stophooks.executors.base import PIECE_BYTES
from stophooks.executors.docker.answers import malformed
from stophooks.executors.output import Output
from stophooks.models import KIB, Stream
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks.executors.base import Sink
    from stophooks.executors.docker.client import Client, Reply
    from stophooks.executors.docker.connection import Connection
    from stophooks.models import Tail
    from stophooks.secrets.mask import Mask

# stream type, three zero bytes, length: Docker Engine API v1.41, "Attach to a container".
HEADER_BYTES = 8
# What is read at once until more has come; Linux keeps less than `PIECE_BYTES` for a Unix socket.
FIRST_BYTES = 32 * KIB
# An engine sends a flood in frames of a few KiB, and to take each by itself costs more than what it
# says: who has just read so much, but not what a full socket has, waits so long for more. Seconds.
FLOOD_BYTES = 4 * KIB
PAUSE_S = 0.0003
_STREAMS = {1: Stream.STDOUT, 2: Stream.STDERR}


class OutputCutError(Exception):
    """The connection ended inside a frame, or carries something else: output is missing."""


class Pump:
    """Reads one attach connection to its end in a thread of its own.

    ``ended_at`` is when that was, in seconds since the epoch; ``is_cut`` says that it ended where
    no output ends.
    """

    def __init__(
        self,
        connection: Connection,
        sink: Sink,
        on_end: Callable[[], None],
        mask: Mask | None = None,
    ) -> None:
        self._connection = connection
        self._output = Output(sink, mask)
        self._on_end = on_end
        self._thread: threads.Thread | None = None
        self.is_cut = False
        self.ended_at: float | None = None

    def result(self, stream: Stream) -> Tail:
        """What is kept of one stream so far."""
        return self._output.result(stream)

    def attach(self, client: Client, container: str) -> None:
        """Open the connection (before the container is started) and begin to read.

        Raises:
            EngineRefusedError: What answers is no stream.
        """
        params = {"stream": 1, "stdout": 1, "stderr": 1, "logs": 0}
        reply = client.reply("POST", f"/containers/{container}/attach", params, endless=True)
        if not reply.is_stream():
            raise malformed("attach")
        self._thread = threads.Thread(target=self._work, args=(reply,), name="attach", daemon=True)
        self._thread.start()

    def _work(self, reply: Reply) -> None:
        try:
            self._read(reply)
        except (OutputCutError, OSError):
            self.is_cut = True
        finally:
            self.ended_at = time.time()
            self._output.finish()
            reply.close()
            self._connection.close()
            self._on_end()

    def _read(self, reply: Reply) -> None:
        """Take what comes, as much as has come at once: a call costs more than its bytes."""
        frames = _Frames()
        while size := reply.readinto(frames.room()):
            next_at = time.monotonic() + PAUSE_S
            for stream, pieces in frames.take(size):
                self._output.write(stream, *pieces)
            if FLOOD_BYTES <= size < PIECE_BYTES // 2:
                time.sleep(max(0.0, next_at - time.monotonic()))
        if frames.is_within:
            raise OutputCutError

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the output; whether it came in time."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def abort(self) -> None:
        """End the connection, so that nothing keeps the container from being killed."""
        self._connection.abort()


class _Frames:
    """A stream of frames, taken apart as it comes, in constant memory."""

    def __init__(self) -> None:
        self._view = memoryview(bytearray(FIRST_BYTES))
        # Of a header that has not come whole.
        self._begun = 0
        self._stream = Stream.STDOUT
        self._left = 0

    @property
    def is_within(self) -> bool:
        """Whether a frame is still to be finished."""
        return bool(self._begun or self._left)

    def room(self) -> memoryview:
        """Where the next bytes belong."""
        return self._view[self._begun :]

    def take(self, size: int) -> Iterator[tuple[Stream, list[memoryview]]]:
        """What ``size`` new bytes carry; neighbours of one stream come together.

        Valid until the next is asked for, and to be asked for to the end.

        Raises:
            OutputCutError: That is no frame.
        """
        view, end, at, left = self._view, self._begun + size, 0, self._left
        pieces: list[memoryview] = []
        while at < end:
            if left:
                pieces.append(view[at : min(at + left, end)])
                at, left = at + len(pieces[-1]), left - len(pieces[-1])
                continue
            if end - at < HEADER_BYTES:
                break
            kind, left = view[at], int.from_bytes(view[at + 4 : at + HEADER_BYTES], "big")
            at += HEADER_BYTES
            if kind not in _STREAMS:
                raise OutputCutError
            if pieces and _STREAMS[kind] is not self._stream:
                yield self._stream, pieces
                pieces = []
            self._stream = _STREAMS[kind]
        if pieces:
            yield self._stream, pieces
        self._left = left
        self._carry(view[at:end], is_full=end == len(view))

    def _carry(self, rest: memoryview, *, is_full: bool) -> None:
        """Begin again with the rest, in a larger place where the last one was filled."""
        if is_full and len(self._view) < PIECE_BYTES:
            self._view = memoryview(bytearray(PIECE_BYTES))
        self._begun = len(rest)
        self._view[: self._begun] = rest
