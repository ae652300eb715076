"""The engine behind an endpoint: calls that end in bounded time, and what the engine can do.

docker-py's own timeouts bound single reads, not calls, and some calls have none. So every call
runs in a thread of its own, with a client of its own, and is ended from outside by shutting its
sockets; the answer of a call that was ended so is never used.
"""

from __future__ import annotations

import copy
import errno
import http.client
import os
import queue
import re
import threading
import time
from functools import cached_property
from http import HTTPStatus

import docker
import docker.errors
import docker.tls
import requests
import urllib3.exceptions
from docker.constants import DEFAULT_DOCKER_API_VERSION

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import clock, faults
from stophooks.executors.docker.connection import Connection, connect
from stophooks.typed import TYPE_CHECKING, Any, TypeVar, cast
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.docker.endpoint import Endpoint
    from stophooks.watchdog.guard import Guard

T = TypeVar("T")
# A loaded engine answers these within a second; seconds.
CALL_BOUND_S = 10.0
# Creating copies nothing but may wait for a busy disk, and starting waits for runc; seconds.
CREATE_BOUND_S = 30.0
# Once everything is to end, a call gets so much and no more; seconds.
HURRY_S = 2.0
# Once everything is to end, a run and its removal are over so soon; the last part of it is the
# removal's own. Seconds.
END_BOUND_S = 9.0
STEPS_BOUND_S = 6.5
# How much of what an engine says is told; characters.
TEXT_LIMIT = 500


# As `/version` writes it.
API_VERSION = re.compile(r"[0-9]+\.[0-9]+")
# What docker-py, and code that reads an answer, run into when it has another shape than promised.
NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
# What a stream ends with when the engine, the connection or the answer breaks.
BROKEN = (
    docker.errors.DockerException,
    docker.errors.StreamParseError,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
    OSError,
    *NOT_UNDERSTOOD,
)


class EngineRefusedError(Exception):
    """The engine answered, and the answer is no; ``status`` is the HTTP status."""

    def __init__(self, what: str, status: int, text: str) -> None:
        super().__init__(f"{what}: {text} (HTTP {status})")
        self.what = what
        self.status = status
        self.text = text


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
    clock_ahead_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a waiting caller hears: a value, an error, or that time is short."""

    value: object = None
    error: BaseException | None = None
    hurry: bool = False


class _Known:
    """What was learnt about an engine, shared by all that ask it."""

    def __init__(self) -> None:
        self.version = DEFAULT_DOCKER_API_VERSION
        self.info: Info | None = None


class Engine:
    """One engine, asked by calls that end in bounded time.

    ``guard`` removes the containers if this process dies.
    """

    def __init__(self, endpoint: Endpoint, guard: Guard | None = None) -> None:
        self.endpoint = endpoint
        self._guard = guard
        self.cancel = Cancellation()
        self._end_s = STEPS_BOUND_S
        self._known = _Known()

    def until(self, cancel: Cancellation, *, end_s: float = STEPS_BOUND_S) -> Engine:
        """The same engine, whose calls end soon after ``cancel`` is requested.

        Each ends within `HURRY_S` then, and all of them within ``end_s`` seconds.
        """
        bound = copy.copy(self)
        bound.cancel, bound._end_s = cancel, end_s  # noqa: SLF001 -- a copy of this very object
        return bound

    def expect(self, name: str) -> None:
        """Have a container of this name removed if this process dies; call it before its create."""
        if self._guard is not None:
            place = self.endpoint
            self._guard.container(
                name, url=place.url, tls_dir=place.tls_dir, tls_verify=place.tls_verify
            )

    def dismiss(self, name: str) -> None:
        """It is certain that there is no such container and will be none."""
        if self._guard is not None:
            self._guard.container_gone(name)

    def left(self, bound_s: float) -> float:
        """How much of ``bound_s`` a step may take now, in seconds; less when all is to end."""
        requested_at = self.cancel.requested_at
        if requested_at is None:
            return bound_s
        return max(0.0, min(bound_s, requested_at + self._end_s - time.monotonic()))

    def open(self) -> Connection:
        """A new client on connections of its own; close it after use.

        Raises:
            ExecutorUnavailableError: The address cannot be used.
        """
        try:
            return connect(self.endpoint, version=self._known.version, tls=self._tls)
        except docker.errors.DockerException as err:
            raise self._unreachable(str(err)) from err

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
        self,
        what: str,
        function: Callable[[docker.APIClient], T],
        *,
        bound_s: float | None = None,
        on: Connection | None = None,
    ) -> T:
        """The answer of one call, or an error within ``bound_s`` (or `CALL_BOUND_S`) seconds.

        ``on`` is a connection that the caller goes on using after an answer; after an error it
        is closed.

        Raises:
            EngineRefusedError: The engine said no, or nothing that can be understood.
            ExecutorUnavailableError: It cannot be reached, or did not answer in time.
        """
        connection = self.open() if on is None else on
        answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

        def work() -> None:
            answer = _attempt(function, connection)
            if on is None or answer.error is not None:
                connection.close()
            answers.put(answer)

        threading.Thread(target=work, name=f"engine {what}", daemon=True).start()
        limit_s = CALL_BOUND_S if bound_s is None else bound_s
        answer = self._await(answers, connection, what, limit_s)
        if answer.error is not None:
            raise self.translate(what, answer.error) from answer.error
        return cast("T", answer.value)

    def ask(
        self,
        what: str,
        function: Callable[[docker.APIClient], Any],
        *,
        bound_s: float | None = None,
    ) -> dict[str, Any]:
        """The answer of a call that promises an object; raises what `call` raises."""
        answer = self.call(what, function, bound_s=bound_s)
        if not isinstance(answer, dict):
            raise malformed(what)
        return answer

    def _await(
        self,
        answers: queue.SimpleQueue[_Answer],
        connection: Connection,
        what: str,
        bound_s: float,
    ) -> _Answer:
        """The answer, within the bound, or within `HURRY_S` from the request to end everything."""
        unsubscribe = self.cancel.subscribe(lambda: answers.put(_Answer(hurry=True)))
        try:
            answer = answers.get(timeout=bound_s)
            if answer.hurry:
                bound_s = self.left(min(bound_s, HURRY_S))
                answer = answers.get(timeout=bound_s)
        except queue.Empty:
            # From here on the call is over, whatever it still receives.
            connection.abort()
            raise self.mute(what, bound_s) from None
        except BaseException:
            # A signal's: nobody will hear the answer.
            connection.abort()
            raise
        finally:
            unsubscribe()
        return answer

    def mute(self, what: str, bound_s: float) -> ExecutorUnavailableError:
        """The error for an engine that does not answer."""
        return ExecutorUnavailableError(
            f"The engine at {self._place} did not answer ({what}) within {round(bound_s, 1):g} s.",
            remedy="Look at it with `docker info`; restart it if that hangs too.",
            fault=faults.DAEMON_TIMEOUT,
        )

    def translate(self, what: str, error: BaseException) -> BaseException:
        """An error of docker-py in this program's own terms."""
        if isinstance(error, docker.errors.APIError):
            status = error.response.status_code if error.response is not None else 0
            return EngineRefusedError(what, status, _text(error))
        if isinstance(error, (requests.exceptions.InvalidJSONError, *NOT_UNDERSTOOD)):
            return malformed(what)
        if isinstance(error, docker.errors.DockerException | requests.RequestException | OSError):
            return self._unreachable(_cause(error))
        if isinstance(error, http.client.HTTPException | urllib3.exceptions.HTTPError):
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

    @property
    def info(self) -> Info:
        """What this engine is; asked once.

        Raises:
            ExecutorUnavailableError: It cannot be reached, or did not answer in time.
        """
        if self._known.info is None:
            version = self._about("version", lambda client: client.version(api_version=False))
            api_version = str(version.get("ApiVersion"))
            if not API_VERSION.fullmatch(api_version):
                raise self._unreachable(str(malformed("version")))
            self._known.version = api_version
            self._known.info = self._describe(version)
        return self._known.info

    def _describe(self, version: dict[str, Any]) -> Info:
        info = self._about("info", lambda client: client.info())
        try:
            return describe(version, info)
        except NOT_UNDERSTOOD as err:
            raise self._unreachable(str(malformed("info"))) from err

    def _about(self, what: str, function: Callable[[docker.APIClient], Any]) -> dict[str, Any]:
        try:
            return self.ask(what, function)
        except EngineRefusedError as err:
            raise self._unreachable(str(err)) from err


def _attempt(function: Callable[[docker.APIClient], object], connection: Connection) -> _Answer:
    try:
        return _Answer(value=function(connection.client))
    except BaseException as err:  # noqa: BLE001 -- raised again by the waiting thread
        return _Answer(error=err)


def do(client: docker.APIClient, method: str, path: str, **params: object) -> None:
    """Make a call that is answered without content, and believe no other answer.

    docker-py takes any friendly answer for a yes, a web server's page too.

    Raises:
        EngineRefusedError: The answer is another.
    """
    url = client._url(path)  # noqa: SLF001 -- what docker-py's own calls use
    response = client.request(method, url, params=params, timeout=client.timeout)
    client._raise_for_status(response)  # noqa: SLF001
    if response.status_code not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        raise malformed(f"{method} {path}")


def malformed(what: str) -> EngineRefusedError:
    """The error for an answer that has not the shape which the API promises."""
    return EngineRefusedError(what, HTTPStatus.OK, "the answer is not what the API promises")


def describe(version: dict[str, Any], info: dict[str, Any]) -> Info:
    """The engine's own description of itself, as far as it matters here."""
    if not isinstance(info.get("OSType"), str):
        # Every engine says so much; without it this is another's answer.
        raise ValueError("no OSType")  # noqa: TRY004 -- callers tell answers apart, not types
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
        clock_ahead_s=clock.ahead_s(info.get("SystemTime")),
    )


def _text(error: docker.errors.APIError) -> str:
    """What the engine said, on one line."""
    words = " ".join(str(error.explanation or "").split())
    return words[:TEXT_LIMIT] or "no reason given"


def _cause(error: BaseException) -> str:
    """The innermost cause, which is the one a person can act on."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner = error.__cause__ or error.__context__
        reason = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        error = reason or inner or error
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, OSError):
        return "what answers there does not speak HTTP"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:TEXT_LIMIT] or type(error).__name__
