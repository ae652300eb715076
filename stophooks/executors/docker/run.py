"""One container, from its creation to its certain end.

The order loses nothing: a name of our own before the create, attach before the start, the wait
opened before the start, our own clock for the timeout, and removal until the engine says that
the container is gone.
"""

from __future__ import annotations

import time

from stophooks.contexts import suppress
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import GRACE_S, Cancellation, Sink
from stophooks.executors.docker import codes, faults, podman
from stophooks.executors.docker.answers import EngineRefusedError, malformed
from stophooks.executors.docker.engine import CREATE_BOUND_S, Engine, do
from stophooks.executors.docker.happenings import CancelRequested, Happenings
from stophooks.executors.docker.removal import new_name, remove
from stophooks.models import Outcome, Status, Stream, Tail, human_duration, signal_of
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stophooks.executors.docker.client import Client
    from stophooks.executors.docker.links import Links
    from stophooks.executors.docker.removal import Removals
    from stophooks.executors.docker.state import State
    from stophooks.secrets.mask import Mask

# How long the engine may take over one signal, and the container to die of it; seconds.
KILL_BOUND_S = 5.0
# How long it may take to say what a container is; seconds.
INSPECT_BOUND_S = 5.0
# After the last byte the exit code is due; after the exit, the last byte. Seconds.
EXIT_AFTER_OUTPUT_S = 2.0
OUTPUT_AFTER_EXIT_S = 5.0
# How often a container is asked for its exit once nothing else can tell; seconds.
ASK_EVERY_S = 0.2
# Output that ends this long before its container does was cut off, and what was started this long
# after our start was answered was started again; clocks that differ by more are two. Seconds.
EARLY_S = 0.25
# A container that was killed for memory may be known to have ended before that is known, on a
# busy machine by more than a third of a second; seconds.
OOM_BOUND_S = 1.0
ASK_OOM_EVERY_S = 0.05
SIGKILL_CODE = 137


class ContainerRun:
    """One run of one container; use it once.

    Args:
        engine: Where it runs.
        config: What the engine is asked for.
        platform: For which platform; None for the engine's own.
        sink: Takes its output.
        mask: Takes secrets out of that first.
        secrets: Are written into it.
        removals: See `run`.
        beside: Is called once while the engine starts it, which takes a while.
    """

    def __init__(
        self,
        engine: Engine,
        config: dict[str, Any],
        *,
        platform: str | None,
        sink: Sink,
        mask: Mask | None = None,
        secrets: Mapping[str, bytes] | None = None,
        removals: Removals | None = None,
        beside: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = new_name()
        self._removals = removals
        # Requested by the caller's cancellation or by the timeout, whichever comes first.
        self._end_all = Cancellation()
        self._engine = engine.until(self._end_all)
        self._config = config
        self._platform = platform
        self._sink, self._mask, self._secrets = sink, mask, secrets
        self._beside = beside
        self._heard = Happenings()
        self._links: Links | None = None
        self._is_create_asked = False
        self._is_create_answered = False
        self._is_known = False
        self._began = self._started_at = self._started_wall = 0.0
        self._is_gone = self._is_restarted = False

    def run(self, *, timeout_s: float | None, cancel: Cancellation) -> Outcome:
        """Run the container to its end and remove it; whatever fails is in the outcome.

        Where there are removals, they get the container of a command that ended by itself.
        """
        self._began = time.monotonic()

        def end_all() -> None:
            self._end_all.request(cancel.reason, grace_s=cancel.grace_s)
            self._heard.cancel_requested()

        unsubscribe = cancel.subscribe(end_all)
        leak = None
        try:
            with self._removals.before_them() if self._removals else suppress():
                outcome = self._run(timeout_s, cancel)
        except ExecutorUnavailableError as err:
            outcome = self._without_exit(err, cancel)
        finally:
            if self._links is not None:
                self._links.close()
            leak = self._remove()
            unsubscribe()
        return replace(outcome, notes=(*outcome.notes, leak)) if leak else outcome

    def _run(self, timeout_s: float | None, cancel: Cancellation) -> Outcome:
        if cancel.requested:
            return self._outcome(Status.CANCELLED, reason=cancel.reason)
        warnings = self._create()
        self._linked().open(meanwhile=self._check_kept)
        if cancel.requested:
            return self._outcome(Status.CANCELLED, reason=cancel.reason)
        self._start()
        outcome = self._follow(timeout_s, cancel)
        return replace(outcome, notes=(*outcome.notes, *warnings))

    def _create(self) -> tuple[str, ...]:
        def create(client: Client) -> Any:
            return client.create_container(self._config, self.name, self._platform)

        self._engine.expect(self.name)
        self._is_create_asked = True
        try:
            answer = self._engine.ask(
                "create", create, bound_s=CREATE_BOUND_S, meanwhile=self._linked
            )
            self._is_create_answered = True
        except EngineRefusedError as err:
            # A server error may come from between us and an engine that goes on creating.
            if codes.BAD_REQUEST <= err.status < codes.INTERNAL_SERVER_ERROR:
                self._is_create_answered = True
            raise faults.create(err) from err
        warnings = answer.get("Warnings")
        return tuple(map(str, warnings)) if isinstance(warnings, list) else ()

    def _check_kept(self) -> None:
        """Look whether the engine keeps all that was asked of it.

        Raises:
            ExecutorUnavailableError: It has dropped some, or does not tell.
        """
        try:
            kept = self._inspect().get("HostConfig")
            if not isinstance(kept, dict):
                raise malformed("inspect")
        except EngineRefusedError as err:
            raise faults.create(err) from err
        is_podman = self._engine.info.is_podman
        asked = self._config["HostConfig"]
        faults.check_kept(asked, podman.kept(asked, kept) if is_podman else kept)

    def _inspect(self) -> dict[str, Any]:
        return self._engine.ask(
            "inspect",
            lambda client: client.inspect_container(self.name),
            bound_s=INSPECT_BOUND_S,
        )

    def _state_now(self) -> State:
        """What the engine says that the container does.

        Raises:
            EngineRefusedError, ExecutorUnavailableError, ValueError: It does not say.
        """
        from stophooks.executors.docker.state import read  # noqa: PLC0415 -- as in `_linked`

        return read(self._inspect())

    def _linked(self) -> Links:
        if self._links is None:
            from stophooks.executors.docker.links import Links  # noqa: PLC0415 -- time: it is imported while the engine works

            self._links = Links(
                self._engine,
                self.name,
                self._heard,
                sink=self._sink,
                mask=self._mask,
                secrets=self._secrets,
            )
        return self._links

    def _start(self) -> None:
        try:
            self._engine.call(
                "start",
                lambda client: do(client, "POST", f"/containers/{self.name}/start"),
                bound_s=CREATE_BOUND_S,
                meanwhile=self._beside,
            )
        except EngineRefusedError as err:
            if err.status < codes.BAD_REQUEST:
                raise faults.garbled_start(err) from err
            if err.status == codes.NOT_FOUND and self.name in err.text:
                raise faults.lost("somebody removed it before it was started") from err
            raise faults.start(err) from err
        except ExecutorUnavailableError as err:
            raise faults.unanswered_start(err) from err
        self._started_at, self._started_wall = time.monotonic(), time.time()
        self._linked().started()

    def _duration(self) -> float:
        """Seconds since its creation began: what a person waits for."""
        return time.monotonic() - self._began

    def _follow(self, timeout_s: float | None, cancel: Cancellation) -> Outcome:
        """Wait for the exit, the deadline or a cancellation, whichever comes first."""
        deadline = None if timeout_s is None else self._started_at + timeout_s
        while self._heard.exit is None:
            event = self._heard.next(deadline)
            if event is None:
                reason = f"timed out after {human_duration(timeout_s or 0.0)}"
                self._end_all.request(reason)
                self._end(GRACE_S)
                return self._outcome(Status.TIMED_OUT, reason=reason, state=self._state())
            if isinstance(event, CancelRequested):
                self._end(cancel.grace_s)
                return self._outcome(Status.CANCELLED, reason=cancel.reason, state=self._state())
            if self._heard.exit is None and not self._heard.has_output:
                self._learn_exit(deadline)
        return self._ended(self._heard.exit)

    def _learn_exit(self, deadline: float | None) -> None:
        """Wait for the exit that is due once the output has ended, unless something else comes.

        The wait says it, or the container when the wait was lost.

        Raises:
            ExecutorUnavailableError: The container still runs, though no more output can come.
        """
        due = time.monotonic() + EXIT_AFTER_OUTPUT_S
        while (now := time.monotonic()) < (deadline or float("inf")):
            if self._heard.exit is None and (not self._heard.has_wait or now >= due):
                self._heard.exit = self._asked_exit()
            if self._heard.exit is not None:
                return
            if now >= due:
                raise self._lost()
            until = due if self._heard.has_wait else now + ASK_EVERY_S
            event = self._heard.next(min(until, deadline or until))
            if isinstance(event, CancelRequested):
                self._heard.cancel_requested()
                return

    def _asked_exit(self) -> int | None:
        """The exit code as the container itself has it; None while it runs.

        Raises:
            ExecutorUnavailableError: Nobody knows.
        """
        try:
            state = self._state_now()
        except (EngineRefusedError, ValueError) as err:
            raise faults.lost(str(err)) from err
        except ExecutorUnavailableError as err:
            if err.fault == faults.DAEMON_TIMEOUT:
                raise
            raise faults.lost(err.reason) from err
        if state.code is None and not state.is_running:
            raise faults.lost("the engine says that it neither runs nor has ended")
        return state.code

    def _lost(self) -> ExecutorUnavailableError:
        if self._linked().output.is_cut:
            return faults.output_cut()
        return faults.lost("the connection for its output ended while it was running")

    def _ended(self, code: int) -> Outcome:
        output = self._linked().output
        if not output.join(self._engine.left(OUTPUT_AFTER_EXIT_S)) or output.is_cut:
            raise faults.output_cut()
        state = self._state(may_be_oom=code == SIGKILL_CODE)
        self._is_restarted = state is not None and self._was_started_again(state)
        if self._is_restarted and code == 0:
            raise faults.lost("somebody else started it again, and its exit code went with that")
        if self._ended_early(state):
            raise faults.output_cut("its connection ended before the container did")
        if start_failure := faults.start_failure(
            code, output.result(Stream.STDERR), self._config["Entrypoint"]
        ):
            raise start_failure
        self._is_known = state is not None
        return self._outcome(Status.FAILED if code else Status.PASSED, state=state)

    def _was_started_again(self, state: State) -> bool:
        """Whether somebody else has started it since we did; with another clock, if it still runs.

        An engine may answer a wait for a container that is restarted with the new start's code, 0.
        """
        latest = self._started_wall + EARLY_S
        return state.is_running or (self._has_our_clock and (state.started_at or 0.0) > latest)

    def _ended_early(self, state: State | None) -> bool:
        """Whether the output ended while the container still ran; told with our own clock only."""
        has_clock = self._has_our_clock and not self._engine.info.is_podman
        if state is None or state.finished_at is None or not has_clock:
            return False
        ended_at = self._linked().output.ended_at or state.finished_at
        return state.code is not None and ended_at < state.finished_at - EARLY_S

    @property
    def _has_our_clock(self) -> bool:
        info = self._engine.info
        is_here = self._engine.endpoint.socket is not None and info.has_our_kernel
        return is_here and abs(info.clock_ahead_s) < EARLY_S

    def _end(self, grace_s: float) -> None:
        """SIGTERM, the grace, SIGKILL; the pump keeps the connection empty all the while."""
        for signal, wait_s in (("SIGTERM", grace_s), ("SIGKILL", KILL_BOUND_S)):
            with suppress(EngineRefusedError, ExecutorUnavailableError):
                # Refused: it has just ended. No answer: removal by force is still to come.
                self._engine.call("kill", _kill(self.name, signal), bound_s=KILL_BOUND_S)
            if self._heard.await_end(self._engine.left(wait_s)):
                self._linked().output.join(self._engine.left(OUTPUT_AFTER_EXIT_S))
                return

    def _without_exit(self, error: ExecutorUnavailableError, cancel: Cancellation) -> Outcome:
        """The outcome when nothing can be said for the command; it keeps what was printed."""
        outcome = faults.outcome(error, cancel, duration_s=self._duration())
        return replace(
            outcome,
            stdout=self._said(Stream.STDOUT),
            stderr=self._said(Stream.STDERR),
        )

    def _outcome(
        self, status: Status, *, reason: str | None = None, state: State | None = None
    ) -> Outcome:
        return Outcome(
            status=status,
            exit_code=self._heard.exit,
            signal=signal_of(self._heard.exit),
            stdout=self._said(Stream.STDOUT),
            stderr=self._said(Stream.STDERR),
            duration_s=self._duration(),
            oom=state is not None and state.is_oom,
            reason=reason,
            notes=self._notes(status, state),
        )

    def _said(self, stream: Stream) -> Tail:
        return self._links.output.result(stream) if self._links else Tail()

    def _notes(self, status: Status, state: State | None) -> tuple[str, ...]:
        if self._is_gone:
            return ("the container was removed from outside while it ran",)
        if self._is_restarted:
            return ("the container was started again from outside while it ran",)
        if (
            status is not Status.FAILED
            or self._heard.exit != SIGKILL_CODE
            or (state and state.is_oom)
        ):
            return ()
        return ("killed with SIGKILL and not for lack of memory: by itself, or from outside",)

    def _state(self, *, may_be_oom: bool = False) -> State | None:
        """The container's state after its end, or None; nothing fails for want of it."""
        until = time.monotonic() + OOM_BOUND_S
        while True:
            try:
                state = self._state_now()
            except EngineRefusedError as err:
                self._is_gone = err.status == codes.NOT_FOUND
                return None
            except (ExecutorUnavailableError, ValueError):
                return None
            is_sure = state.is_oom or not may_be_oom or not self._config["HostConfig"].get("Memory")
            if is_sure or time.monotonic() > until:
                return state
            time.sleep(ASK_OOM_EVERY_S)

    def _remove(self) -> str | None:
        if not self._is_create_asked:
            return None
        if self._removals is not None and self._is_known and not self._end_all.requested:
            self._removals.begin(self._engine, self.name)
            return None
        is_sure = self._is_create_answered
        return remove(self._engine, self.name, cancel=self._end_all, is_sure=is_sure)


def _kill(name: str, signal: str) -> Callable[[Client], None]:
    return lambda client: do(client, "POST", f"/containers/{name}/kill", signal=signal)
