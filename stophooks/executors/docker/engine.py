"""The engine behind an endpoint: calls that end in bounded time, and what the engine can do.

docker-py's own timeouts bound single reads, not calls, and some calls have none. So every call
runs in a thread of its own, with a client of its own, and is ended from outside by shutting its
sockets; the answer of a call that was ended so is never used.
"""

from __future__ import annotations

import errno
import os
import queue
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import docker
import docker.errors
import docker.tls
import requests
import requests.adapters
import urllib3.connection
import urllib3.connectionpool
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.transport import unixconn

from stophooks.errors import ExecutorUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.docker.endpoint import Endpoint

T = TypeVar("T")
# A loaded engine answers these within a second; seconds.
CALL_BOUND_S = 10.0
# Creating copies nothing but may wait for a busy disk, and starting waits for runc; seconds.
CREATE_BOUND_S = 30.0
# One read of one call; the call's own bound comes first. Seconds.
SOCKET_TIMEOUT_S = 60.0


class EngineRefusedError(Exception):
    """The engine answered, and the answer is no; ``status`` is the HTTP status."""

    def __init__(self, what: str, status: int, text: str) -> None:
        super().__init__(f"{what}: {text} (HTTP {status})")
        self.what = what
        self.status = status
        self.text = text


class Sockets:
    """The sockets of one client, to be shut from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._aborted = False

    def add(self, sock: socket.socket) -> None:
        """Remember a socket; one that comes after the abort is shut at once."""
        with self._lock:
            self._sockets.append(sock)
            if self._aborted:
                _shut(sock)

    def abort(self) -> None:
        """End every call on these sockets, now and later."""
        with self._lock:
            self._aborted = True
            for sock in self._sockets:
                _shut(sock)


def _shut(sock: socket.socket) -> None:
    # Not connected any more is what is wanted.
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class _UnixConnection(unixconn.UnixHTTPConnection):
    sockets: Sockets

    def connect(self) -> None:
        super().connect()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What an engine is and can enforce, from its own ``/version`` and ``/info``."""

    api_version: str
    os: str
    architecture: str
    is_podman: bool
    is_rootless: bool
    remaps_users: bool
    has_apparmor: bool
    has_seccomp: bool
    limits_memory: bool
    limits_cpus: bool
    limits_pids: bool
    memory_bytes: int
    cpus: int
    root_dir: str


class Engine:
    """One engine, asked by calls that end in bounded time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._version = DEFAULT_DOCKER_API_VERSION

    def open(self) -> Connection:
        """A new client on connections of its own; close it after use."""
        sockets = Sockets()
        try:
            client = docker.APIClient(
                base_url=self.endpoint.url,
                version=self._version,
                timeout=SOCKET_TIMEOUT_S,
                tls=self._tls or False,
            )
        except docker.errors.DockerException as err:
            raise self._unreachable(str(err)) from err
        # The environment's proxies and certificate bundles are not meant for the engine.
        client.trust_env = False
        if path := self.endpoint.socket:
            client.mount("http+docker://", _UnixAdapter(f"http+unix://{path}", sockets))
        else:
            client.mount("http://", _TcpAdapter(sockets))
            client.mount("https://", _TcpAdapter(sockets))
        return Connection(client=client, sockets=sockets)

    @cached_property
    def _tls(self) -> docker.tls.TLSConfig | None:
        folder = self.endpoint.tls_dir
        if folder is None:
            return None
        try:
            return docker.tls.TLSConfig(
                client_cert=(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")),
                ca_cert=os.path.join(folder, "ca.pem"),
                verify=self.endpoint.tls_verify,
            )
        except docker.errors.TLSParameterError as err:
            raise self._unreachable(f"its TLS files in {folder} cannot be used: {err}") from err

    def call(
        self, what: str, function: Callable[[docker.APIClient], T], *, bound_s: float = CALL_BOUND_S
    ) -> T:
        """The answer of one call, or an error within ``bound_s`` seconds.

        Raises:
            EngineRefusedError: The engine said no.
            ExecutorUnavailableError: It cannot be reached, or did not answer in time.
        """
        connection = self.open()
        answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put((function(connection.client), None))
            except BaseException as err:  # noqa: BLE001 -- raised again by the waiting thread
                answers.put((None, err))

        threading.Thread(target=work, name=f"engine {what}", daemon=True).start()
        try:
            value, error = answers.get(timeout=bound_s)
        except queue.Empty:
            raise self.mute(what, bound_s) from None
        finally:
            connection.close()
        if error is not None:
            raise self.translate(what, error) from error
        return value  # type: ignore[return-value]  # a call without an error has a value

    def mute(self, what: str, bound_s: float) -> ExecutorUnavailableError:
        """The error for an engine that does not answer."""
        return ExecutorUnavailableError(
            f"The engine at {self._place} did not answer ({what}) within {bound_s:g} s.",
            remedy="Look at it with `docker info`; restart it if that hangs too.",
            fault="daemon-timeout",
        )

    def translate(self, what: str, error: BaseException) -> BaseException:
        """An error of docker-py in this program's own terms."""
        if isinstance(error, docker.errors.APIError):
            status = error.response.status_code if error.response is not None else 0
            return EngineRefusedError(what, status, _text(error))
        if isinstance(error, requests.exceptions.InvalidJSONError | ValueError):
            return EngineRefusedError(what, 200, "the answer is not what the API promises")
        if isinstance(error, docker.errors.DockerException | requests.RequestException | OSError):
            return self._unreachable(_cause(error))
        return error

    def _unreachable(self, cause: str) -> ExecutorUnavailableError:
        remedy = (
            "Start it (`sudo systemctl start docker`), or name another with DOCKER_HOST or "
            "`docker context use`."
        )
        if "Permission denied" in cause or os.strerror(errno.EACCES) in cause:
            remedy = (
                "Let your user reach it: `sudo usermod -aG docker $USER` and a new login, or a "
                "rootless engine."
            )
        return ExecutorUnavailableError(
            f"No engine answers at {self._place}: {cause}.",
            remedy=remedy,
            fault="daemon-unreachable",
        )

    @property
    def _place(self) -> str:
        return f"{self.endpoint.url} (from {self.endpoint.source})"

    @cached_property
    def info(self) -> Info:
        """What this engine is; asked once.

        Raises:
            ExecutorUnavailableError: It cannot be reached, or did not answer in time.
        """
        version = self._ask("version", lambda client: client.version(api_version=False))
        self._version = str(version.get("ApiVersion", DEFAULT_DOCKER_API_VERSION))
        return describe(version, self._ask("info", lambda client: client.info()))

    def _ask(self, what: str, function: Callable[[docker.APIClient], Any]) -> dict[str, Any]:
        try:
            answer = self.call(what, function)
        except EngineRefusedError as err:
            raise self._unreachable(str(err)) from err
        if not isinstance(answer, dict):
            raise self._unreachable(f"its answer to {what} is not an object")
        return answer


def describe(version: dict[str, Any], info: dict[str, Any]) -> Info:
    """The engine's own description of itself, as far as it matters here."""
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    names = {part for option in options for part in option.split(",") if part.startswith("name=")}
    components = version.get("Components") or [{}]
    is_rootless = "name=rootless" in names or bool(info.get("Rootless"))
    # A rootless engine cannot use cgroup v1 and ignores every limit there, whatever it says.
    can_limit = not (is_rootless and str(info.get("CgroupVersion", "")) == "1")
    return Info(
        api_version=str(version.get("ApiVersion", "")),
        os=str(version.get("Os") or info.get("OSType") or ""),
        architecture=str(version.get("Arch") or ""),
        is_podman=str(components[0].get("Name", "")).startswith("Podman"),
        is_rootless=is_rootless,
        remaps_users="name=userns" in names,
        has_apparmor="name=apparmor" in names,
        has_seccomp="name=seccomp" in names,
        limits_memory=can_limit and bool(info.get("MemoryLimit")),
        limits_cpus=can_limit and bool(info.get("CpuCfsQuota")),
        limits_pids=can_limit and bool(info.get("PidsLimit")),
        memory_bytes=int(info.get("MemTotal") or 0),
        cpus=int(info.get("NCPU") or 0),
        root_dir=str(info.get("DockerRootDir") or ""),
    )


def _text(error: docker.errors.APIError) -> str:
    return str(error.explanation or error).strip().splitlines()[0] if str(error) else "no reason"


def _cause(error: BaseException) -> str:
    """The innermost cause, which is the one a person can act on."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = error.__cause__ or error.__context__
        reason = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        error = reason or inner or error
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
