"""One container, from its creation to its certain end.

The order loses nothing: a name of our own before the create, attach before the start, the wait
opened before the start, our own clock for the timeout, and removal until the engine says that
the container is gone.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import docker
import docker.errors

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import GRACE_S, Cancellation, Sink, unavailable
from stophooks.executors.docker import faults
from stophooks.executors.docker.engine import (
    CREATE_BOUND_S,
    Engine,
    EngineRefusedError,
)
from stophooks.executors.docker.stream import Pump
from stophooks.models import Outcome, Status, Stream, human_duration, signal_of

if TYPE_CHECKING:
    from collections.abc import Callable

# How long the engine may take over one signal, and the container to die of it; seconds.
KILL_BOUND_S = 5.0
# After the last byte the exit code is due; after the exit, the last byte. Seconds.
EXIT_AFTER_OUTPUT_S = 2.0
OUTPUT_AFTER_EXIT_S = 5.0
# An engine that answers at once has the wait registered by then; Podman answers at the end.
ARMED_BOUND_S = 1.0
REMOVE_BOUND_S = 20.0
# Once everything is to end, a run and its removal are over so soon; seconds.
END_BOUND_S = 9.0
REMOVE_PAUSE_S = 0.1
# An unanswered create may still be carried out: so often must the container be absent, so far
# apart (seconds), before it counts as gone.
ABSENCES = 3
ABSENCE_PAUSE_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exit:
    """The engine's word that the container has ended."""

    code: int


class _OutputEnded:
    """The attach connection has ended."""


class _CancelRequested:
    """Everything is to end."""


class _WaitLost:
    """The wait ended without an answer."""


_Event = _Exit | _OutputEnded | _CancelRequested | _WaitLost


class ContainerRun:
    """One run of one container; use it once."""

    def __init__(
        self, engine: Engine, config: dict[str, Any], *, platform: str | None, sink: Sink
    ) -> None:
        self.name = f"stophooks-{uuid.uuid4().hex}"
        self._engine = engine
        self._config = config
        self._platform = platform
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._attach = engine.open()
        self._wait = engine.open()
        self._pump = Pump(self._attach, sink, lambda: self._events.put(_OutputEnded()))
        self._armed = threading.Event()
        self._waiter: threading.Thread | None = None
        self._is_create_asked = self._is_create_unanswered = False
        self._began = self._started_at = 0.0
        self._exit: int | None = None

    def run(self, *, timeout_s: float | None, cancel: Cancellation) -> Outcome:
        """Run the container to its end and remove it; whatever fails is in the outcome."""
        self._began = time.monotonic()
        unsubscribe = cancel.subscribe(lambda: self._events.put(_CancelRequested()))
        try:
            outcome = self._run(timeout_s, cancel)
        except ExecutorUnavailableError as err:
            outcome = unavailable(err, duration_s=self._duration())
        finally:
            unsubscribe()
            self._release()
            leak = self._remove(self._removal_bound(cancel))
        return replace(outcome, notes=(*outcome.notes, leak)) if leak else outcome

    def _run(self, timeout_s: float | None, cancel: Cancellation) -> Outcome:
        if cancel.requested:
            return Outcome(status=Status.CANCELLED, reason=cancel.reason)
        warnings = self._create()
        self._attach_and_wait()
        self._start()
        outcome = self._follow(timeout_s, cancel)
        return replace(outcome, notes=(*outcome.notes, *warnings))

    def _create(self) -> tuple[str, ...]:
        def create(client: docker.APIClient) -> dict[str, Any]:
            answer: dict[str, Any] = client.create_container_from_config(
                self._config, self.name, self._platform
            )
            return answer

        self._is_create_asked = True
        try:
            answer = self._engine.call("create", create, bound_s=CREATE_BOUND_S)
            state = self._inspect()
        except EngineRefusedError as err:
            raise faults.create(err) from err
        except ExecutorUnavailableError:
            self._is_create_unanswered = True
            raise
        faults.check_kept(self._config["HostConfig"], state.get("HostConfig") or {})
        return tuple(str(warning) for warning in answer.get("Warnings") or ())

    def _inspect(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._engine.call(
            "inspect", lambda client: client.inspect_container(self.name)
        )
        return answer

    def _attach_and_wait(self) -> None:
        attached: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

        def attach() -> None:
            try:
                self._pump.attach(self._attach.client, self.name)
                attached.put(None)
            except BaseException as err:  # noqa: BLE001 -- raised again by the waiting thread
                attached.put(err)

        threading.Thread(target=attach, name="attach", daemon=True).start()
        self._waiter = threading.Thread(target=self._await_exit, name="wait", daemon=True)
        self._waiter.start()
        try:
            error = attached.get(timeout=KILL_BOUND_S)
        except queue.Empty:
            raise self._engine.mute("attach", KILL_BOUND_S) from None
        if error is not None:
            error = self._engine.translate("attach", error)
            raise faults.start(error) if isinstance(error, EngineRefusedError) else error
        self._armed.wait(ARMED_BOUND_S)

    def _await_exit(self) -> None:
        client = self._wait.client
        try:
            response = client._post(  # noqa: SLF001 -- wait() answers only at the end
                client._url("/containers/{0}/wait", self.name),  # noqa: SLF001
                params={"condition": "next-exit"},
                stream=True,
                timeout=None,
            )
            self._armed.set()
            answer = client._result(response, json=True)  # noqa: SLF001
            self._events.put(_Exit(code=int(answer["StatusCode"])))
        except (docker.errors.DockerException, OSError, ValueError, KeyError, TypeError):
            # A lost wait is no exit: the container is asked directly.
            self._armed.set()
            self._events.put(_WaitLost())

    def _start(self) -> None:
        try:
            self._engine.call(
                "start", lambda client: client.start(self.name), bound_s=CREATE_BOUND_S
            )
        except EngineRefusedError as err:
            raise faults.start(err) from err
        self._started_at = time.monotonic()

    def _duration(self) -> float:
        """Seconds since its creation began: what a person waits for."""
        return time.monotonic() - self._began

    def _follow(self, timeout_s: float | None, cancel: Cancellation) -> Outcome:
        """Wait for the exit, the deadline or a cancellation, whichever comes first."""
        deadline = None if timeout_s is None else self._started_at + timeout_s
        while True:
            event = self._next(deadline)
            if isinstance(event, _Exit):
                return self._ended(event.code)
            if event is None:
                self._end(GRACE_S)
                reason = f"timed out after {human_duration(timeout_s or 0.0)}"
                return self._outcome(Status.TIMED_OUT, reason=reason)
            if isinstance(event, _CancelRequested):
                self._end(cancel.grace_s)
                return self._outcome(Status.CANCELLED, reason=cancel.reason)
            code = self._code_without_wait(deadline)
            if code is not None:
                return self._ended(code)

    def _next(self, deadline: float | None) -> _Event | None:
        try:
            if deadline is None:
                return self._events.get()
            return self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    def _code_without_wait(self, deadline: float | None) -> int | None:
        """The exit code, after one of the two connections ended without one.

        Raises:
            ExecutorUnavailableError: It still runs, and its output or its exit is lost.
        """
        due = time.monotonic() + EXIT_AFTER_OUTPUT_S
        event = self._next(due if deadline is None else min(due, deadline))
        if isinstance(event, _Exit):
            return event.code
        if isinstance(event, _CancelRequested):
            self._events.put(event)
            return None
        try:
            state = self._inspect().get("State") or {}
        except EngineRefusedError as err:
            raise faults.lost(err.text) from err
        if state.get("Running"):
            raise faults.lost("the connection for its output ended while it was running")
        return int(state.get("ExitCode", -1))

    def _ended(self, code: int) -> Outcome:
        self._exit = code
        if not self._pump.join(OUTPUT_AFTER_EXIT_S) or self._pump.is_cut:
            raise faults.output_cut()
        if start_failure := faults.start_failure(
            code, self._pump.capture(Stream.STDERR).result(), self._config["Entrypoint"]
        ):
            raise start_failure
        return self._outcome(Status.FAILED if code else Status.PASSED)

    def _end(self, grace_s: float) -> None:
        """SIGTERM, the grace, SIGKILL; the pump keeps the connection empty all the while."""
        for signal, wait_s in (("SIGTERM", grace_s), ("SIGKILL", KILL_BOUND_S)):
            with suppress(EngineRefusedError, ExecutorUnavailableError):
                # Refused: it has just ended. No answer: removal by force is still to come.
                self._engine.call("kill", _kill(self.name, signal), bound_s=KILL_BOUND_S)
            if self._await_code(wait_s):
                break
        self._pump.join(OUTPUT_AFTER_EXIT_S)

    def _await_code(self, wait_s: float) -> bool:
        until = time.monotonic() + wait_s
        while (event := self._next(until)) is not None:
            if isinstance(event, _Exit):
                self._exit = event.code
                return True
        return False

    def _outcome(self, status: Status, reason: str | None = None) -> Outcome:
        duration_s = self._duration()
        return Outcome(
            status=status,
            exit_code=self._exit,
            signal=signal_of(self._exit),
            stdout=self._pump.capture(Stream.STDOUT).result(),
            stderr=self._pump.capture(Stream.STDERR).result(),
            duration_s=duration_s,
            oom=self._was_out_of_memory(),
            reason=reason,
        )

    def _was_out_of_memory(self) -> bool:
        """Whether any of its processes was killed for memory; not asked twice, never in doubt."""
        try:
            return bool((self._inspect().get("State") or {}).get("OOMKilled"))
        except (EngineRefusedError, ExecutorUnavailableError):
            return False

    def _release(self) -> None:
        """Close both connections and let their threads end."""
        for connection in (self._attach, self._wait):
            connection.close()
        self._pump.join(KILL_BOUND_S)
        if self._waiter is not None:
            self._waiter.join(KILL_BOUND_S)

    def _removal_bound(self, cancel: Cancellation) -> Callable[[], float]:
        """Until when the removal may be tried, on the monotonic clock; sooner once cancelled."""
        until = time.monotonic() + REMOVE_BOUND_S

        def bound() -> float:
            if cancel.requested_at is None:
                return until
            return min(until, cancel.requested_at + END_BOUND_S)

        return bound

    def _remove(self, until: Callable[[], float]) -> str | None:
        """Remove the container until the engine says that it is gone.

        Returns:
            None, or what was left behind, for the result.
        """
        if not self._is_create_asked:
            return None
        needed = ABSENCES if self._is_create_unanswered else 1
        absences = 0
        problem = ""
        while not problem or time.monotonic() < until():
            try:
                self._engine.call("remove", _remove(self.name))
                absences += 1
            except EngineRefusedError as err:
                absences = absences + 1 if err.status == HTTPStatus.NOT_FOUND else 0
                problem = err.text
            except ExecutorUnavailableError as err:
                absences, problem = 0, err.reason
            if absences >= needed:
                return None
            time.sleep(ABSENCE_PAUSE_S if absences else REMOVE_PAUSE_S)
        return f"LEAK: the container {self.name} could not be removed: {problem}"


def _kill(name: str, signal: str) -> Callable[[docker.APIClient], None]:
    return lambda client: client.kill(name, signal)


def _remove(name: str) -> Callable[[docker.APIClient], None]:
    return lambda client: client.remove_container(name, force=True, v=True)
