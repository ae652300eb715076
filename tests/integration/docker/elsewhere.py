"""The real engine behind a TCP port, as one on another machine is, with TLS or without."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_URL = "unix:///var/run/docker.sock"
PIECE_BYTES = 65536
LIMIT_S = 60.0


def certificates(directory: Path) -> None:
    """Make ``ca.pem``, ``cert.pem`` and ``key.pem``, of an authority that vouches for itself."""
    names = ("-keyout", directory / "key.pem", "-out", directory / "cert.pem")
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            *names,
            *subject,
        ],
        check=True,
        capture_output=True,
    )
    (directory / "ca.pem").write_bytes((directory / "cert.pem").read_bytes())


class Elsewhere:
    """Passes what comes on a port on to the engine's socket, and back."""

    def __init__(self, tls_dir: Path | None = None) -> None:
        url = os.environ.get("DOCKER_HOST") or DEFAULT_URL
        self._socket = url.removeprefix("unix://")
        self._context = None
        if tls_dir is not None:
            self._context = ssl.create_default_context(
                ssl.Purpose.CLIENT_AUTH, cafile=str(tls_dir / "ca.pem")
            )
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_cert_chain(tls_dir / "cert.pem", tls_dir / "key.pem")
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.taken = 0

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._server, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(LIMIT_S)
        for sock in (self._server, *self._open):
            sock.close()

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._server.accept()
                self.taken += 1
                self._start(self._serve, plain)

    def _serve(self, plain: socket.socket) -> None:
        near: socket.socket = plain
        self._open.append(plain)
        with contextlib.suppress(OSError):
            if self._context is not None:
                near = self._context.wrap_socket(plain, server_side=True)
                self._open.append(near)
            far = socket.socket(socket.AF_UNIX)
            self._open.append(far)
            far.connect(self._socket)
            self._start(self._pass, far, near)
            self._pass(near, far)

    def _pass(self, giver: socket.socket, taker: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := giver.recv(PIECE_BYTES):
                taker.sendall(data)
        for sock in (giver, taker):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
