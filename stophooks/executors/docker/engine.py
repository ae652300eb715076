"""The engine behind an endpoint: calls that end in bounded time, and what the engine can do.

Timeouts of sockets, and docker-py's, bound single reads, not calls. So every call runs in a thread
of its own, with a client of its own, and is ended from outside by shutting its sockets; the answer
of a call that was ended so is never used.
"""

from __future__ import annotations

import errno
import os
import time

from stophooks import threads
from stophooks.cores import Empty, SimpleQueue
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import faults
from stophooks.executors.docker.about import Info, describe, is_api_version, version_in
from stophooks.executors.docker.answers import (
    NOT_UNDERSTOOD,
    TEXT_LIMIT,
    EngineRefusedError,
    UnusableError,
    malformed,
)
from stophooks.executors.docker.connection import Connection, connect
from stophooks.typed import TYPE_CHECKING, Any, TypeVar, cast
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.docker.client import Client
    from stophooks.executors.docker.endpoint import Endpoint
    from stophooks.watchdog.guard import Guard

__all__ = ["Engine", "EngineRefusedError", "do"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a waiting caller hears: a value, an error, or that time is short."""

    value: object = None
    error: BaseException | None = None
    hurry: bool = False


class _Known:
    """What was learnt about an engine, shared by all that ask it."""

    def __init__(self) -> None:
        self.version = ""
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
        bound = self._copy()
        bound.cancel, bound._end_s = cancel, end_s  # noqa: SLF001 -- a copy of this very object
        return bound

    def _copy(self) -> Engine:
        """As `copy.copy` would make it, whose import takes a millisecond."""
        copy = object.__new__(Engine)
        copy.__dict__.update(self.__dict__)
        return copy

    def guarded(self, guard: Guard | None) -> Engine:
        """The same engine, with this guard."""
        bound = self._copy()
        bound._guard = guard  # noqa: SLF001 -- a copy of this very object
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
            return connect(self.endpoint, version=self._known.version)
        except UnusableError as err:
            raise self._unreachable(str(err)) from err

    def call(
        self,
        what: str,
        function: Callable[[Client], T],
        *,
        bound_s: float | None = None,
        on: Connection | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> T:
        """The answer of one call, or an error within ``bound_s`` (or `CALL_BOUND_S`) seconds.

        ``on`` is a connection that the caller goes on using after an answer; after an error it
        is closed. ``meanwhile`` is called once while the engine works; the bound begins behind it.

        Raises:
            EngineRefusedError: The engine said no, or nothing that can be understood.
            ExecutorUnavailableError: It cannot be reached, or did not answer in time.
        """
        connection = self.open() if on is None else on
        answers: SimpleQueue[_Answer] = SimpleQueue()

        def work() -> None:
            answer = _attempt(function, connection)
            if on is None or answer.error is not None:
                connection.close()
            answers.put(answer)

        threads.Thread(target=work, name=f"engine {what}", daemon=True).start()
        if meanwhile is not None:
            meanwhile()
        limit_s = CALL_BOUND_S if bound_s is None else bound_s
        answer = self._await(answers, connection, what, limit_s)
        if answer.error is not None:
            raise self.translate(what, answer.error) from answer.error
        return cast("T", answer.value)

    def ask(
        self,
        what: str,
        function: Callable[[Client], Any],
        *,
        bound_s: float | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> dict[str, Any]:
        """The answer of a call that promises an object; takes and raises what `call` does."""
        answer = self.call(what, function, bound_s=bound_s, meanwhile=meanwhile)
        if not isinstance(answer, dict):
            raise malformed(what)
        return answer

    def _await(
        self,
        answers: SimpleQueue[_Answer],
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
        except Empty:
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
        """An error of a call in this program's own terms."""
        if isinstance(error, EngineRefusedError) and not error.what:
            return EngineRefusedError(what, error.status, error.text)
        if isinstance(error, NOT_UNDERSTOOD):
            return malformed(what)
        return self._unreachable(_cause(error)) if isinstance(error, OSError) else error

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
            found = self._about("info", lambda client: client.about())
            version = version_in(found) or self._about(
                "version", lambda client: client.version(api_version=False)
            )
            api_version = str(version.get("ApiVersion"))
            if not is_api_version(api_version):
                raise self._unreachable(str(malformed("version")))
            self._known.version = api_version
            self._known.info = self._describe(version, found["info"])
        return self._known.info

    def _describe(self, version: dict[str, Any], info: dict[str, Any]) -> Info:
        try:
            return describe(version, info)
        except NOT_UNDERSTOOD as err:
            raise self._unreachable(str(malformed("info"))) from err

    def _about(self, what: str, function: Callable[[Client], Any]) -> dict[str, Any]:
        try:
            return self.ask(what, function)
        except EngineRefusedError as err:
            raise self._unreachable(str(err)) from err


def _attempt(function: Callable[[Client], object], connection: Connection) -> _Answer:
    try:
        return _Answer(value=function(connection.client))
    except BaseException as err:  # noqa: BLE001 -- raised again by the waiting thread
        return _Answer(error=connection.client.understood(err))


def do(client: Client, method: str, path: str, **params: object) -> None:
    """Make a call that is answered without content, and believe no other answer.

    Raises:
        EngineRefusedError: The answer is another.
    """
    client.do(method, path, **params)


def _cause(error: OSError) -> str:
    return error.strerror or " ".join(str(error).split())[:TEXT_LIMIT] or type(error).__name__
