"""Clients of an engine whose calls can be ended from another thread, at any moment.

docker-py gives no access to its sockets, and a call that waits on one cannot be ended otherwise;
so the connections made here report theirs.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import threading
import time
from contextlib import suppress

import docker
import docker.tls
import requests.adapters
import urllib3.connection
import urllib3.connectionpool
from docker.transport import unixconn

from stophooks.typed import TYPE_CHECKING, Any, BinaryIO, cast
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.executors.docker.endpoint import Endpoint

# One read of one call; the call's own bound comes first. Seconds.
SOCKET_TIMEOUT_S = 60.0
# An engine whose queue of connections is full says so at once; it is asked again so soon. Seconds.
RETRY_PAUSE_S = 0.05
# A machine that is there accepts a connection within this; nothing can end the attempt. Seconds.
CONNECT_BOUND_S = 10.0


class Sockets:
    """The sockets of one client, to be shut from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.is_aborted = False

    def add(self, sock: socket.socket) -> None:
        """Remember a socket; one that comes after the abort is shut at once."""
        with self._lock:
            self._sockets.append(sock)
            if self.is_aborted:
                _shut(sock)

    def abort(self) -> None:
        """End every call on these sockets, now and later; from any thread."""
        with self._lock:
            self.is_aborted = True
            for sock in self._sockets:
                _shut(sock)

    def close(self) -> None:
        """Free the sockets; from the thread that used them, or after it has ended."""
        with self._lock:
            self.is_aborted = True
            for sock in self._sockets:
                # Not sock.close(): it waits for readers that nobody closes after an error.
                if (descriptor := sock.detach()) >= 0:
                    os.close(descriptor)
            self._sockets.clear()


def _shut(sock: socket.socket) -> None:
    # Not connected any more is what is wanted.
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _WholeLines:
    """Lines of an answer's head; one that ends before its line does is no line."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader

    def readline(self, limit: int = -1) -> bytes:
        line = self._reader.readline(limit)
        if line.endswith(b"\n") or len(line) == limit:
            return line
        raise http.client.RemoteDisconnected("the connection ended before the answer did")

    def close(self) -> None:
        self._reader.close()


class _WholeHead(http.client.HTTPResponse):
    """An answer whose head must be complete: http.client takes a cut one for a short one.

    So an interrupted call would look like one that the engine has agreed to.
    """

    def begin(self) -> None:
        reader = self.fp
        lines = cast("Any", _WholeLines(reader))
        self.fp = lines
        try:
            super().begin()
        finally:
            # http.client may have closed it and forgotten it.
            if self.fp is lines:
                self.fp = reader


class _UnixConnection(unixconn.UnixHTTPConnection):
    response_class = _WholeHead
    sockets: Sockets

    def connect(self) -> None:
        until = time.monotonic() + SOCKET_TIMEOUT_S
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            # Without a timeout it would wait, out of reach, for room in the engine's queue.
            sock.settimeout(SOCKET_TIMEOUT_S)
            try:
                sock.connect(self.unix_socket)
                break
            except OSError as err:
                sock.close()
                is_full = err.errno == errno.EAGAIN and time.monotonic() < until
                if not is_full or self.sockets.is_aborted:
                    raise
                time.sleep(RETRY_PAUSE_S)
        sock.settimeout(self.timeout)
        self.sock = sock
        self.sockets.add(sock)


class _UnixPool(unixconn.UnixHTTPConnectionPool):
    sockets: Sockets

    def _new_conn(self) -> _UnixConnection:
        connection = _UnixConnection(self.base_url, self.socket_path, self.timeout)
        connection.sockets = self.sockets
        return connection


class _UnixAdapter(unixconn.UnixHTTPAdapter):
    def __init__(self, url: str, sockets: Sockets) -> None:
        super().__init__(url, SOCKET_TIMEOUT_S)
        self._sockets = sockets

    def get_connection(self, url: str, proxies: Any = None) -> _UnixPool:
        del proxies
        pool = _UnixPool(url, self.socket_path, self.timeout, maxsize=self.max_pool_size)
        pool.sockets = self._sockets
        return pool


class _TcpAdapter(requests.adapters.HTTPAdapter):
    """Pools whose connections report their sockets."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        sockets = self._sockets

        class Plain(urllib3.connection.HTTPConnection):
            response_class = _WholeHead

            def connect(self) -> None:
                timeout, self.timeout = self.timeout, CONNECT_BOUND_S
                super().connect()
                self.sock.settimeout(timeout)
                sockets.add(self.sock)

        class Tls(urllib3.connection.HTTPSConnection):
            response_class = _WholeHead

            def connect(self) -> None:
                timeout, self.timeout = self.timeout, CONNECT_BOUND_S
                super().connect()
                self.sock.settimeout(timeout)
                sockets.add(self.sock)

        class PlainPool(urllib3.connectionpool.HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(urllib3.connectionpool.HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One docker-py client whose calls can be ended from another thread."""

    client: docker.APIClient
    sockets: Sockets

    def abort(self) -> None:
        """End its calls; from any thread. What they return is not to be believed."""
        self.sockets.abort()

    def close(self) -> None:
        """Free its sockets; from the thread that makes its calls, or after it has ended."""
        self.client.close()
        self.sockets.close()


def connect(endpoint: Endpoint, *, version: str, tls: docker.tls.TLSConfig | None) -> Connection:
    """A new client on connections of its own; close it after use.

    Raises:
        docker.errors.DockerException: The address is not one.
    """
    sockets = Sockets()
    client = docker.APIClient(
        base_url=endpoint.url, version=version, timeout=SOCKET_TIMEOUT_S, tls=tls or False
    )
    # The environment's proxies and certificate bundles are not meant for the engine.
    client.trust_env = False
    if path := endpoint.socket:
        client.mount("http+docker://", _UnixAdapter(f"http+unix://{path}", sockets))
    else:
        client.mount("http://", _TcpAdapter(sockets))
        client.mount("https://", _TcpAdapter(sockets))
    return Connection(client=client, sockets=sockets)
