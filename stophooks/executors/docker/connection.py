"""Clients of an engine whose calls can be ended from another thread, at any moment.

docker-py gives no access to its sockets, and a call that waits on one cannot be ended otherwise;
so the connections made here report theirs.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker
import docker.tls
import requests.adapters
import urllib3.connection
import urllib3.connectionpool
from docker.transport import unixconn

if TYPE_CHECKING:
    from stophooks.executors.docker.endpoint import Endpoint

# One read of one call; the call's own bound comes first. Seconds.
SOCKET_TIMEOUT_S = 60.0
# An engine whose queue of connections is full says so at once; it is asked again so soon. Seconds.
RETRY_PAUSE_S = 0.05


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
        """End every call on these sockets, now and later."""
        with self._lock:
            self.is_aborted = True
            for sock in self._sockets:
                _shut(sock)


def _shut(sock: socket.socket) -> None:
    # Not connected any more is what is wanted.
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _UnixConnection(unixconn.UnixHTTPConnection):
    sockets: Sockets

    def connect(self) -> None:
        until = time.monotonic() + SOCKET_TIMEOUT_S
        while True:
            try:
                super().connect()
            except BlockingIOError as err:
                is_full = err.errno == errno.EAGAIN and time.monotonic() < until
                if not is_full or self.sockets.is_aborted:
                    raise
                time.sleep(RETRY_PAUSE_S)
            else:
                break
        self.sockets.add(self.sock)


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
            def connect(self) -> None:
                super().connect()
                sockets.add(self.sock)

        class Tls(urllib3.connection.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
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

    def close(self) -> None:
        """End its calls and free its sockets."""
        self.sockets.abort()
        self.client.close()


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
