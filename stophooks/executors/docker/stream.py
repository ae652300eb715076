"""A container's output: read from the attach connection, split, and never waited for.

While an attach connection is not read, Docker 20.10 cannot kill or remove its container
(moby#41827), so the pump does nothing but read: its sink must return at once.
"""

from __future__ import annotations

import struct
import threading
import time
from contextlib import suppress

import urllib3.exceptions

from stophooks.executors.docker.engine import malformed
from stophooks.executors.output import Output
from stophooks.models import KIB, Stream
from stophooks.typed import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable

    import docker
    import requests

    from stophooks.executors.base import Sink
    from stophooks.executors.docker.connection import Connection
    from stophooks.models import Tail
    from stophooks.secrets.mask import Mask

# stream type, three zero bytes, length: Docker Engine API v1.41, "Attach to a container".
HEADER = struct.Struct(">BxxxL")
READ_BYTES = 64 * KIB
STDOUT_TYPE, STDERR_TYPE = 1, 2


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
        self._thread: threading.Thread | None = None
        self.is_cut = False
        self.ended_at: float | None = None

    def result(self, stream: Stream) -> Tail:
        """What is kept of one stream so far."""
        return self._output.result(stream)

    def attach(self, client: docker.APIClient, container: str) -> None:
        """Open the connection (before the container is started) and begin to read.

        Raises:
            EngineRefusedError: What answers is no stream.
        """
        response = client._post(  # noqa: SLF001 -- attach() of docker-py loses data, #3332
            client._url("/containers/{0}/attach", container),  # noqa: SLF001
            params={"stream": 1, "stdout": 1, "stderr": 1, "logs": 0},
            stream=True,
            timeout=None,
        )
        client._raise_for_status(response)  # noqa: SLF001
        # The buffered reader below http.client: docker-py reads past it and loses what it holds.
        reader: BinaryIO | None = response.raw._fp.fp  # noqa: SLF001
        if reader is None:
            raise malformed("attach")
        self._thread = threading.Thread(
            target=self._work, args=(reader, response), name="attach", daemon=True
        )
        self._thread.start()

    def _work(self, reader: BinaryIO, response: requests.Response) -> None:
        try:
            self._read(reader)
        except (OutputCutError, OSError):
            self.is_cut = True
        finally:
            self.ended_at = time.time()
            self._output.finish()
            with suppress(OSError, urllib3.exceptions.HTTPError):
                response.close()
            self._connection.close()
            self._on_end()

    def _read(self, reader: BinaryIO) -> None:
        while header := _exactly(reader, HEADER.size, may_end=True):
            kind, left = HEADER.unpack(header)
            if kind not in {STDOUT_TYPE, STDERR_TYPE}:
                raise OutputCutError
            stream = Stream.STDERR if kind == STDERR_TYPE else Stream.STDOUT
            while left:
                data = reader.read1(min(left, READ_BYTES))  # type: ignore[attr-defined]
                if not data:
                    raise OutputCutError
                left -= len(data)
                self._output.write(stream, data)

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the output; whether it came in time."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def abort(self) -> None:
        """End the connection, so that nothing keeps the container from being killed."""
        self._connection.abort()


def _exactly(reader: BinaryIO, size: int, *, may_end: bool) -> bytes:
    """``size`` bytes, or none at a clean end of the stream.

    Raises:
        OutputCutError: The stream ended in between.
    """
    data = b""
    while len(data) < size:
        more = reader.read(size - len(data))
        if not more:
            if may_end and not data:
                return b""
            raise OutputCutError
        data += more
    return data
