"""The engine behind an endpoint: calls that end in bounded time, and what the engine can do.

docker-py's own timeouts bound single reads, not calls, and some calls have none. So every call
runs in a thread of its own, with a client of its own, and is ended from outside by shutting its
sockets; the answer of a call that was ended so is never used.
"""

from __future__ import annotations

import copy
import errno
import os
import queue
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

import docker
import docker.errors
import docker.tls
import requests
from docker.constants import DEFAULT_DOCKER_API_VERSION

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker.connection import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.docker.endpoint import Endpoint

T = TypeVar("T")
# A loaded engine answers these within a second; seconds.
CALL_BOUND_S = 10.0
# Creating copies nothing but may wait for a busy disk, and starting waits for runc; seconds.
CREATE_BOUND_S = 30.0
# Once everything is to end, a call gets so much and no more; seconds.
HURRY_S = 2.0


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
    """One engine, asked by calls that end in bounded time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._cancel = Cancellation()
        self._known = _Known()

    def until(self, cancel: Cancellation) -> Engine:
        """The same engine, whose calls end soon after ``cancel`` is requested."""
        bound = copy.copy(self)
        bound._cancel = cancel  # noqa: SLF001 -- a copy of this very object
        return bound

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
        self, what: str, function: Callable[[docker.APIClient], T], *, bound_s: float = CALL_BOUND_S
    ) -> T:
        """The answer of one call, or an error within ``bound_s`` seconds.

        Raises:
            EngineRefusedError: The engine said no.
            ExecutorUnavailableError: It cannot be reached, or did not answer in time.
        """
        connection = self.open()
        answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put(_Answer(value=function(connection.client)))
            except BaseException as err:  # noqa: BLE001 -- raised again by the waiting thread
                answers.put(_Answer(error=err))

        threading.Thread(target=work, name=f"engine {what}", daemon=True).start()
        try:
            answer = self._await(answers, what, bound_s)
        finally:
            # From here on the call is over, whatever it still receives.
            connection.close()
        if answer.error is not None:
            raise self.translate(what, answer.error) from answer.error
        return cast("T", answer.value)

    def _await(self, answers: queue.SimpleQueue[_Answer], what: str, bound_s: float) -> _Answer:
        """The answer, within the bound, or within `HURRY_S` from the request to end everything."""
        unsubscribe = self._cancel.subscribe(lambda: answers.put(_Answer(hurry=True)))
        try:
            answer = answers.get(timeout=bound_s)
            if answer.hurry:
                bound_s = min(bound_s, HURRY_S)
                answer = answers.get(timeout=bound_s)
        except queue.Empty:
            raise self.mute(what, bound_s) from None
        finally:
            unsubscribe()
        return answer

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

    @property
    def info(self) -> Info:
        """What this engine is; asked once.

        Raises:
            ExecutorUnavailableError: It cannot be reached, or did not answer in time.
        """
        if self._known.info is None:
            version = self._ask("version", lambda client: client.version(api_version=False))
            self._known.version = str(version.get("ApiVersion", DEFAULT_DOCKER_API_VERSION))
            self._known.info = describe(version, self._ask("info", lambda client: client.info()))
        return self._known.info

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
