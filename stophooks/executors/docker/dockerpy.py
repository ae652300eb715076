"""An engine spoken to through docker-py: one that is not on this machine, and what only it can do.

docker-py gives no access to its sockets, and a call that waits on one cannot be ended otherwise;
so the connections made here report theirs. Importing this takes longer than an engine's answer.
"""

from __future__ import annotations

import http.client
import os
import socket

import docker
import docker.errors
import docker.tls
import requests.adapters
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.transport import unixconn

from stophooks import wire
from stophooks.contexts import contextmanager, suppress
from stophooks.executors.docker.answers import NOT_UNDERSTOOD, UnusableError, refused
from stophooks.executors.docker.client import Client
from stophooks.executors.docker.direct import PIECE_BYTES, SOCKET_TIMEOUT_S, connected
from stophooks.typed import TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.executors.docker.connection import Sockets
    from stophooks.executors.docker.endpoint import Endpoint

# A machine that is there accepts a connection within this; nothing can end the attempt. Seconds.
CONNECT_BOUND_S = 10.0
# What a stream ends with when the engine, the connection or the answer breaks.
BROKEN = (
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
    OSError,
    *NOT_UNDERSTOOD,
)


class _WholeLines:
    """Lines of an answer's head; one that ends before its line does is no line."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader

    def readline(self, limit: int = -1) -> bytes:
        line = self._reader.readline(limit)
        if line.endswith(b"\n") or len(line) == limit:
            return line
        raise wire.CutError

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
        self.sock = connected(self.unix_socket, self.sockets, socket.socket)
        self.sock.settimeout(self.timeout)


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


class DockerPyReply:
    """An answer that docker-py has got; see `stophooks.executors.docker.client.Reply`."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self._response = response
        # The buffered reader below http.client: docker-py reads past it and loses what it holds
        # (docker-py#3332), and with TLS is late by one record.
        self._reader: Any = response.raw._fp.fp  # noqa: SLF001

    def pieces(self) -> Iterator[bytes]:
        """Its body as it comes."""
        with _understood():
            yield from self._response.iter_content(PIECE_BYTES)

    def content(self) -> bytes:
        """All of its body."""
        with _understood():
            return self._response.content

    def field(self, name: str) -> str:
        """A field of its head; empty where there is none."""
        return str(self._response.headers.get(name, ""))

    def is_stream(self) -> bool:
        """Whether the connection goes on behind the head."""
        return self._reader is not None

    def readinto(self, view: memoryview) -> int:
        """What has come of a stream, and how much that is; 0 at its end."""
        return int(self._reader.readinto1(view))

    def send(self, data: bytes) -> None:
        """Give all of this to whom the connection leads to."""
        self._reader.raw._sock.sendall(data)  # noqa: SLF001

    def close(self) -> None:
        """Let go of it."""
        with suppress(OSError, urllib3.exceptions.HTTPError):
            self._response.close()


class DockerPyClient(Client):
    """See `Client`; for one thread at a time.

    Raises:
        UnusableError: The address is not one, or its TLS files cannot be used.
    """

    def __init__(self, endpoint: Endpoint, sockets: Sockets, api_version: str) -> None:
        super().__init__(api_version)
        self._docker = api_client(endpoint, sockets, api_version)

    def send(self, method: str, target: str, body: bytes | None, *, endless: bool) -> DockerPyReply:
        """Make one request."""
        with _understood():
            response = self._docker.request(
                method,
                self._docker.base_url + target,
                data=body,
                headers={"Content-Type": "application/json"} if body is not None else None,
                stream=True,
                timeout=None if endless else SOCKET_TIMEOUT_S,
            )
        return DockerPyReply(response)

    @property
    def docker(self) -> docker.APIClient:
        """The client itself."""
        return self._docker

    def understood(self, error: BaseException) -> BaseException:
        """An error in terms of `answers`."""
        return understood(error)

    def close(self) -> None:
        """Let go of the client."""
        self._docker.close()


def api_client(endpoint: Endpoint, sockets: Sockets, api_version: str) -> docker.APIClient:
    """A client of docker-py whose connections are found in ``sockets``.

    Raises:
        UnusableError: The address is not one, or its TLS files cannot be used.
    """
    try:
        client = docker.APIClient(
            base_url=endpoint.url,
            version=api_version or DEFAULT_DOCKER_API_VERSION,
            timeout=SOCKET_TIMEOUT_S,
            tls=_tls(endpoint) or False,
        )
    except docker.errors.DockerException as err:
        raise UnusableError(str(err)) from err
    # The environment's proxies and certificate bundles are not meant for the engine.
    client.trust_env = False
    if path := endpoint.socket:
        client.mount("http+docker://", _UnixAdapter(f"http+unix://{path}", sockets))
    else:
        client.mount("http://", _TcpAdapter(sockets))
        client.mount("https://", _TcpAdapter(sockets))
    return client


def _tls(endpoint: Endpoint) -> docker.tls.TLSConfig | None:
    folder = endpoint.tls_dir
    if folder is None:
        return None
    try:
        return docker.tls.TLSConfig(
            client_cert=(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")),
            ca_cert=os.path.join(folder, "ca.pem"),
            verify=endpoint.tls_verify,
        )
    except docker.errors.TLSParameterError as err:
        raise UnusableError(f"its TLS files in {folder} cannot be used: {err}") from err


@contextmanager
def _understood() -> Iterator[None]:
    """A block whose errors of docker-py are told in terms of `answers`."""
    try:
        yield
    except (
        requests.RequestException,
        http.client.HTTPException,
        urllib3.exceptions.HTTPError,
    ) as err:
        raise understood(err) from err


def understood(error: BaseException) -> BaseException:
    """An error of docker-py, or of what it stands on, in terms of `answers`."""
    if isinstance(error, docker.errors.APIError):
        status = error.response.status_code if error.response is not None else 0
        return refused(status, error.explanation)
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return ValueError(str(error))
    if isinstance(
        error,
        docker.errors.DockerException
        | requests.RequestException
        | http.client.HTTPException
        | urllib3.exceptions.HTTPError,
    ):
        return _cause(error)
    return error


def _cause(error: BaseException) -> OSError:
    """The innermost cause, which is the one a person can act on."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = error.__cause__ or error.__context__
        reason = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        error = reason or inner or error
    if isinstance(error, OSError) and error.strerror:
        return error
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, OSError):
        return wire.NotHttpError()
    return OSError(" ".join(str(error).split()) or type(error).__name__)
