"""Connections to an engine whose calls can be ended from another thread, at any moment.

A call that waits on a socket cannot be ended otherwise; so the connections made here report theirs.
"""

from __future__ import annotations

import os

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.cores import SHUT_RDWR
from stophooks.executors.docker.direct import DirectClient
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.cores import socket
    from stophooks.executors.docker.dockerpy import DockerPyClient
    from stophooks.executors.docker.endpoint import Endpoint


class Sockets:
    """The sockets of one client, to be shut from another thread."""

    def __init__(self) -> None:
        self._lock = threads.Lock()
        self._sockets: list[socket] = []
        self.is_aborted = False

    def add(self, sock: socket) -> None:
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


def _shut(sock: socket) -> None:
    # Not connected any more is what is wanted.
    with suppress(OSError):
        sock.shutdown(SHUT_RDWR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One client whose calls can be ended from another thread."""

    client: DirectClient | DockerPyClient
    sockets: Sockets

    def abort(self) -> None:
        """End its calls; from any thread. What they return is not to be believed."""
        self.sockets.abort()

    def close(self) -> None:
        """Free its sockets; from the thread that makes its calls, or after it has ended."""
        self.client.close()
        self.sockets.close()


def connect(endpoint: Endpoint, *, version: str) -> Connection:
    """A new client on connections of its own; close it after use.

    Raises:
        UnusableError: The address is not one, or its TLS files cannot be used.
    """
    sockets = Sockets()
    if endpoint.socket:
        return Connection(client=DirectClient(endpoint, sockets, version), sockets=sockets)
    from stophooks.executors.docker.dockerpy import DockerPyClient  # noqa: PLC0415 -- takes a tenth of a second, and most engines are on this machine

    return Connection(client=DockerPyClient(endpoint, sockets, version), sockets=sockets)
