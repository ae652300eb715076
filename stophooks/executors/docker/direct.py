"""An engine behind a Unix socket, spoken to without docker-py.

docker-py takes longer to import than a container takes to start, so a run that needs nothing of
what only it can do (see `DirectClient.docker`) never imports it. One request has one connection.
"""

from __future__ import annotations

import errno
import time

from stophooks import wire
from stophooks.cores import AF_UNIX, SOCK_STREAM, socket
from stophooks.executors.docker import codes
from stophooks.executors.docker.client import Client
from stophooks.models import KIB
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from stophooks.executors.docker.connection import Sockets
    from stophooks.executors.docker.endpoint import Endpoint

# One read of one call; the call's own bound comes first. Seconds.
SOCKET_TIMEOUT_S = 60.0
# An engine whose queue of connections is full says so at once; it is asked again so soon. Seconds.
RETRY_PAUSE_S = 0.05
PIECE_BYTES = 64 * KIB
# No engine's line about a chunk is longer; bytes.
LINE_LIMIT = 4 * KIB
_EMPTY = frozenset({codes.NO_CONTENT, codes.NOT_MODIFIED})


def connected(path: str, sockets: Sockets, kind: type[socket] = socket) -> socket:
    """A socket to the engine that listens at ``path``; it belongs to ``sockets``.

    ``kind``: one from `socket.socket` can also be read as a file, as `http.client` does.

    Raises:
        OSError: Nobody listens there.
    """
    until = time.monotonic() + SOCKET_TIMEOUT_S
    while True:
        sock = kind(AF_UNIX, SOCK_STREAM)
        # Without a timeout it would wait, out of reach, for room in the engine's queue.
        sock.settimeout(SOCKET_TIMEOUT_S)
        try:
            sock.connect(path)
        except OSError as err:
            sock.close()
            is_full = err.errno == errno.EAGAIN and time.monotonic() < until
            if not is_full or sockets.is_aborted:
                raise
            time.sleep(RETRY_PAUSE_S)
        else:
            sockets.add(sock)
            return sock


class DirectReply:
    """An answer on a socket that carries nothing else; see `Reply`."""

    def __init__(self, sock: socket) -> None:
        head = wire.head(sock.recv)
        self.status = head.status
        self._fields = head.fields
        self._rest = head.rest
        self._sock = sock

    def pieces(self) -> Iterator[bytes]:
        """Its body as it comes.

        Raises:
            OSError: The connection ended before it did, or what came is no HTTP.
        """
        if self.status in _EMPTY:
            return
        length = self._fields.get("content-length")
        if "chunked" in self._fields.get("transfer-encoding", "").lower():
            yield from iter(self._chunk, b"")
        elif length is None:
            yield from iter(self._piece, b"")
        elif length.isdecimal():
            yield self._exactly(int(length))
        else:
            raise wire.NotHttpError

    def content(self) -> bytes:
        """All of its body; raises what `pieces` raises."""
        return b"".join(self.pieces())

    def field(self, name: str) -> str:
        """See `Reply`."""
        return self._fields.get(name, "")

    def is_stream(self) -> bool:
        """Whether the connection goes on behind the head."""
        return self.status not in _EMPTY and self._fields.get("content-length") != "0"

    def readinto(self, view: memoryview) -> int:
        """What has come of a stream, and how much that is; 0 at its end."""
        if not self._rest:
            return self._sock.recv_into(view)
        size = min(len(self._rest), len(view))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def send(self, data: bytes) -> None:
        """Give all of this to whom the connection leads to."""
        self._sock.sendall(data)

    def close(self) -> None:
        """The socket is its connection's, and closed with that."""

    def _piece(self) -> bytes:
        """What has come; nothing at the end."""
        rest, self._rest = self._rest, b""
        return rest or self._sock.recv(PIECE_BYTES)

    def _line(self) -> bytes:
        """The next line of a chunked body."""
        while (end := self._rest.find(b"\n", 0, LINE_LIMIT)) < 0:
            if len(self._rest) >= LINE_LIMIT:
                raise wire.NotHttpError
            piece = self._sock.recv(PIECE_BYTES)
            if not piece:
                raise wire.CutError
            self._rest += piece
        line, self._rest = self._rest[:end], self._rest[end + 1 :]
        return line

    def _exactly(self, size: int) -> bytes:
        data = bytearray(self._rest[:size])
        self._rest = self._rest[size:]
        while len(data) < size:
            piece = self._sock.recv(min(size - len(data), PIECE_BYTES))
            if not piece:
                raise wire.CutError
            data += piece
        return bytes(data)

    def _chunk(self) -> bytes:
        """The next chunk; nothing for the last (RFC 9112, section 7.1)."""
        try:
            size = int(self._line().split(b";", 1)[0], 16)
        except ValueError:
            raise wire.NotHttpError from None
        data = self._exactly(size)
        if self._exactly(2) != b"\r\n":
            raise wire.NotHttpError
        return data


class DirectClient(Client):
    """See `Client`; for one thread at a time.

    Args:
        endpoint: A Unix socket.
        sockets: Where its connections are to be found, to be ended from another thread.
        api_version: As for `Client`.
    """

    def __init__(self, endpoint: Endpoint, sockets: Sockets, api_version: str) -> None:
        super().__init__(api_version)
        self._endpoint = endpoint
        self._sockets = sockets
        self._api_version = api_version
        self._docker: docker.APIClient | None = None

    def send(self, method: str, target: str, body: bytes | None, *, endless: bool) -> DirectReply:
        """Make one request on a socket of its own."""
        sock = connected(self._endpoint.socket or "", self._sockets)
        sock.sendall(wire.request(method, target, body))
        if endless:
            sock.settimeout(None)
        return DirectReply(sock)

    @property
    def docker(self) -> docker.APIClient:
        """A docker-py client, for pulls, archives to be unpacked and streams of JSON."""
        from stophooks.executors.docker import dockerpy  # noqa: PLC0415 -- see the module's text

        if self._docker is None:
            self._docker = dockerpy.api_client(self._endpoint, self._sockets, self._api_version)
        return self._docker

    def understood(self, error: BaseException) -> BaseException:
        """An error in terms of `answers`, where it came from docker-py."""
        if self._docker is None:
            return error
        from stophooks.executors.docker import dockerpy  # noqa: PLC0415 -- see the module's text

        return dockerpy.understood(error)

    def close(self) -> None:
        """Let go of docker-py's own, if any."""
        if self._docker is not None:
            self._docker.close()
