"""What a command says, without its secrets: to the sink, and in part kept for the outcome."""

from __future__ import annotations

from stophooks import threads
from stophooks.executors.capture import Capture
from stophooks.models import Stream
from stophooks.secrets.mask import Mask, MaskFlow
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.base import Sink
    from stophooks.models import Tail

# A sink has to return at once; one that does not misses the end. Seconds.
STUCK_S = 1.0


class Output:
    """Both streams of one command on their way to a sink; safe across threads.

    Nothing is passed on or kept before it is masked.

    Args:
        sink: Takes what is masked.
        mask: The secrets; by default only what looks like a token.
    """

    def __init__(self, sink: Sink, mask: Mask | None = None) -> None:
        mask = mask or Mask()
        self._sink = sink
        self._flows = {stream: MaskFlow(mask) for stream in Stream}
        self._captures = {stream: Capture() for stream in Stream}
        # What is kept never waits for a sink that does not return.
        self._kept = threads.Lock()
        self._passing = threads.Lock()

    def write(self, stream: Stream, *pieces: bytes | memoryview) -> None:
        """Take the next pieces of a stream; what is in them may change afterwards."""
        with self._passing:
            masked = self._keep(stream, self._flows[stream].feed, *pieces)
            if masked:
                self._sink.write(stream, masked)

    def finish(self) -> None:
        """Pass on what was held back of unfinished lines."""
        rest = [(stream, self._keep(stream, flow.finish)) for stream, flow in self._flows.items()]
        if not any(data for _, data in rest) or not self._passing.acquire(timeout=STUCK_S):
            return
        try:
            for stream, data in rest:
                if data:
                    self._sink.write(stream, data)
        finally:
            self._passing.release()

    def result(self, stream: Stream) -> Tail:
        """What is kept of a stream so far."""
        self.finish()
        with self._kept:
            return self._captures[stream].result()

    def _keep(
        self, stream: Stream, step: Callable[..., bytes], *pieces: bytes | memoryview
    ) -> bytes:
        """What the next step gives, kept for the outcome."""
        with self._kept:
            masked = step(*pieces)
            if masked:
                self._captures[stream].add(masked)
            return masked
