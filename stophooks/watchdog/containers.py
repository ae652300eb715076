"""Containers of a dead run, and their certain removal, by the plainest HTTP there is."""

from __future__ import annotations

import os
import time

from stophooks import wire

# `typing` has the same constant, and is not worth its memory here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

# An engine that restarts is back by then; seconds.
WINDOW_S = 90.0
# What an engine gets for one answer; removal by force takes it half a second as a rule. Seconds.
ANSWER_S = 15.0
CONNECT_S = 2.0
# A create may be carried out after the runner that asked for it has died: so often must the
# container be absent, so far apart, before it counts as gone. Seconds.
ABSENCES = 3
ABSENCE_PAUSE_S = 0.3
# After an error the next attempt waits this long, then twice as long, up to a second. Seconds.
FIRST_PAUSE_S = 0.05
LAST_PAUSE_S = 1.0

_REMOVED, _ABSENT, _HTTPS_PORT, _HTTP_PORT = (200, 204), 404, 2376, 2375


class Container:
    """One container that the runner has asked for, or is about to.

    Args:
        name: Its name, chosen by the runner.
        url: The engine, as ``unix:///path`` or ``tcp://host:port``.
        tls_dir: Where ``ca.pem``, ``cert.pem`` and ``key.pem`` are; empty without TLS.
        verify: Whether the engine has to prove who it is.
        owner: The run inside this one whose it is, as a process; None for this run's own.
    """

    __slots__ = ("_tls_dir", "_url", "_verify", "name", "owner")

    def __init__(
        self,
        name: str,
        url: str,
        tls_dir: str,
        *,
        verify: bool,
        owner: tuple[int, int] | None = None,
    ) -> None:
        self.name = name
        self.owner = owner
        self._url = url
        self._tls_dir = tls_dir
        self._verify = verify

    def remove(self) -> bool:
        """Remove it until the engine says that it is not there; False after `WINDOW_S`."""
        until = time.monotonic() + WINDOW_S
        absences, pause = 0, FIRST_PAUSE_S
        while time.monotonic() < until:
            status = self._delete()
            if status in _REMOVED:
                # It existed, so its create is over: nothing more can come.
                return True
            if status == _ABSENT:
                absences += 1
                if absences == ABSENCES:
                    return True
                time.sleep(ABSENCE_PAUSE_S)
                continue
            absences = 0
            time.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE_S)
        return False

    def _delete(self) -> int:
        """The HTTP status of one attempt; 0 when there was no answer."""
        try:
            return self._ask()
        except (OSError, ValueError, IndexError):
            # Whatever it was, the next attempt tells whether it lasts.
            return 0

    def _ask(self) -> int:
        deadline = time.monotonic() + ANSWER_S
        connection = self._connect()
        try:
            connection.sendall(wire.request("DELETE", f"/containers/{self.name}?force=1&v=1"))

            def receive(size: int) -> bytes:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                connection.settimeout(left)
                return connection.recv(size)

            return wire.head(receive).status
        finally:
            connection.close()

    def _connect(self) -> socket.socket:
        scheme, _, place = self._url.partition("://")
        if scheme == "unix":
            from stophooks import cores  # noqa: PLC0415 - imported when something is to be removed

            connection = cores.socket(cores.AF_UNIX, cores.SOCK_STREAM)
            connection.settimeout(CONNECT_S)
            connection.connect(place)
            return connection
        import socket  # noqa: PLC0415 - the same: it costs 1 MB

        has_tls = bool(self._tls_dir) or scheme == "https"
        host, port = _address(place, _HTTPS_PORT if has_tls else _HTTP_PORT)
        plain = socket.create_connection((host, port), CONNECT_S)
        return self._secured(plain, host) if has_tls else plain

    def _secured(self, plain: socket.socket, host: str) -> socket.socket:
        import ssl  # noqa: PLC0415 - only an engine behind TLS needs its 5 MB

        context = ssl.create_default_context()
        if self._tls_dir:
            if self._verify:
                context.load_verify_locations(os.path.join(self._tls_dir, "ca.pem"))
            context.load_cert_chain(
                os.path.join(self._tls_dir, "cert.pem"), os.path.join(self._tls_dir, "key.pem")
            )
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(plain, server_hostname=host)


def connect(url: str, tls_dir: str, *, verify: bool) -> socket.socket:
    """A connection to an engine, for one question; the arguments are those of `Container`.

    Raises:
        OSError, ValueError: There is none.
    """
    return Container("", url, tls_dir, verify=verify)._connect()  # noqa: SLF001 -- its own module


def remove_apart(containers: list[Container], leaks_dir: str = "") -> list[int]:
    """Remove each in a process of its own, so that none waits for another; their numbers.

    Those that cannot be removed are kept in mind in ``leaks_dir``, if there is one.
    """
    started = []
    for container in containers:
        pid = os.fork()
        if pid == 0:
            os._exit(_remove_or_keep(container, leaks_dir))
        started.append(pid)
    return started


def _remove_or_keep(container: Container, leaks_dir: str) -> int:
    """The exit code of a process that was started for one container."""
    if container.remove():
        return 0
    from stophooks.watchdog import leaks  # noqa: PLC0415 - hardly ever needed: it costs memory

    if leaks_dir:
        leaks.keep(leaks_dir, container.name)
    return 1


def _address(place: str, port: int) -> tuple[str, int]:
    place = place.split("/", 1)[0]
    host, colon, number = place.rpartition(":")
    if not colon or number.endswith("]"):
        return place.strip("[]"), port
    return host.strip("[]"), int(number)
