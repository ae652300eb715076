"""A server on a Unix socket that speaks HTTP with as much malice as a test wants."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import socket
import tempfile
import threading
import time
from typing import Self

from stophooks.values import dataclass

VERSION = re.compile(r"^/v[0-9.]+(?=/)")
# One byte each; seconds.
DRIP_S = 0.5
# Nothing here waits longer for anything; seconds.
LIMIT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, as it came and as tests speak of it: ``POST /containers/create``."""

    what: str
    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """All of it."""
        return self.head + self.body


class Peer:
    """One connection to one client, to be closed from anywhere."""

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        self.sock = sock
        self._closing = closing

    def request(self) -> Request | None:
        """The next request, or None when the client is done."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = self.receive()
            if not data:
                return None
            head += data
        head, _, body = head.partition(b"\r\n\r\n")
        fields = fields_of(head)
        while not _is_whole(body, fields):
            body += self.receive() or b""
            if self.is_gone():
                return None
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ", 2)
        path = VERSION.sub("", target.partition("?")[0])
        return Request(what=f"{method} {path}", head=head + b"\r\n\r\n", body=body)

    def receive(self) -> bytes:
        """What comes next; nothing at the end."""
        with contextlib.suppress(OSError):
            return self.sock.recv(65536)
        return b""

    def send(self, data: bytes) -> bool:
        """Whether the client took it all."""
        with contextlib.suppress(OSError):
            self.sock.sendall(data)
            return True
        return False

    def drip(self, data: bytes) -> None:
        """Send one byte per half second, for as long as the client stays."""
        for position in range(len(data)):
            if not self.send(data[position : position + 1]) or self.stays_silent(DRIP_S):
                return

    def stays_silent(self, seconds: float = LIMIT_S) -> bool:
        """Say nothing for so long; whether the client has left, or the test is over, by then."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._closing.is_set() or self.is_gone():
                return True
            self._closing.wait(0.02)
        return self._closing.is_set()

    def is_gone(self) -> bool:
        """Whether the client has hung up."""
        with contextlib.suppress(OSError):
            if not select.select([self.sock], [], [], 0)[0]:
                return False
            return not self.sock.recv(1, socket.MSG_PEEK)
        return True

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


class Server:
    """Accepts connections on a socket of its own until it is left; `serve` says what it does."""

    def __init__(self, *, backlog: int = 128) -> None:
        self._backlog = backlog
        self.closing = threading.Event()
        self.seen: list[str] = []
        self._lock = threading.Lock()
        self._peers: list[Peer] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        # Not pytest's own directory: a socket's path has at most 107 bytes.
        self._directory = tempfile.mkdtemp(prefix="faults-")
        self.path = os.path.join(self._directory, "engine.sock")
        os.chmod(self._directory, 0o755)
        self.rise()
        return self

    def rise(self) -> None:
        """Be there."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self._socket.listen(self._backlog)
        self.started()

    def started(self) -> None:
        """Begin to accept."""
        self._start(self._accept)

    def die(self) -> None:
        """Be gone, with every connection, as a server that is killed."""
        for end in (self._socket.shutdown, lambda _: self._socket.close()):
            with contextlib.suppress(OSError):
                end(socket.SHUT_RDWR)
        os.unlink(self.path)
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            peer.close()

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with contextlib.suppress(FileNotFoundError):
            self.die()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(LIMIT_S)
        shutil.rmtree(self._directory)
        assert not [thread for thread in threads if thread.is_alive()]

    @property
    def url(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.path}"

    def count(self, pattern: str) -> int:
        """How many requests there were of a kind."""
        return sum(re.fullmatch(pattern, what) is not None for what in list(self.seen))

    def peer(self, sock: socket.socket) -> Peer:
        """Wrap a connection, which is closed in the end."""
        peer = Peer(sock, self.closing)
        with self._lock:
            self._peers.append(peer)
            if self.closing.is_set():
                peer.close()
        return peer

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="server", daemon=True)  # type: ignore[arg-type]
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        peer = self.peer(sock)
        try:
            while (request := peer.request()) and not self.closing.is_set():
                self.seen.append(request.what)
                if not self.serve(peer, request):
                    break
        finally:
            with self._lock:
                self._peers.remove(peer)
            peer.close()
            sock.close()

    def serve(self, peer: Peer, request: Request) -> bool:
        """Answer one request; whether the connection can carry another."""
        raise NotImplementedError


def fields_of(head: bytes) -> dict[str, str]:
    """The header fields, by lower-case name."""
    pairs = (line.decode().partition(":") for line in head.split(b"\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in pairs}


def _is_whole(body: bytes, fields: dict[str, str]) -> bool:
    if "chunked" in fields.get("transfer-encoding", ""):
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(fields.get("content-length", 0))


def answer(status: int, body: bytes, *, kind: str = "application/json") -> bytes:
    """One whole HTTP answer."""
    head = f"HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def chunked(*lines: bytes) -> bytes:
    """One whole HTTP answer that comes in pieces, as progress does."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(line), line) for line in lines)
    return head + b"\r\n\r\n" + pieces + b"0\r\n\r\n"
