"""An executor that is made ready beside everything else, for whoever needs it in the end."""

from __future__ import annotations

from stophooks import threads
from stophooks.models import Outcome, Status
from stophooks.typed import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.base import Cancellation, Executor, Sink
    from stophooks.models import Command


class _Closable(Protocol):
    def close(self) -> None:
        """Let go of it."""


B = TypeVar("B", bound=_Closable)


class LaterExecutor(Generic[B]):
    """An executor that begins to be made at once, and is made when the first command needs it.

    Args:
        begin: Does, in a thread of its own, what takes long; what it raises is raised by `run`.
        finish: Makes the executor of what has been begun, which it closes with itself.
    """

    def __init__(self, begin: Callable[[], B], finish: Callable[[B], Executor]) -> None:
        self._begin = begin
        self._finish = finish
        self._begun: B | None = None
        self._error: BaseException | None = None
        self._lock = threads.Lock()
        self._made: Executor | None = None
        self._thread = threads.Thread(target=self._work, name="executor", daemon=True)
        self._thread.start()

    def run(
        self, command: Command, *, timeout_s: float | None, sink: Sink, cancel: Cancellation
    ) -> Outcome:
        """Run one command once the executor is there; see `stophooks.executors.base.Executor`."""
        if cancel.requested:
            return Outcome(status=Status.CANCELLED, reason=cancel.reason)
        return self._executor().run(command, timeout_s=timeout_s, sink=sink, cancel=cancel)

    def close(self) -> None:
        """Finish what was left to be finished in the background."""
        self._thread.join()
        made = self._made or self._begun
        if made is not None:
            made.close()

    def _executor(self) -> Executor:
        # Imports end, and nothing else is waited for in that thread.
        self._thread.join()
        with self._lock:
            if self._made is None:
                if self._begun is None:
                    raise self._error or RuntimeError("nothing was begun")
                self._made = self._finish(self._begun)
            return self._made

    def _work(self) -> None:
        try:
            self._begun = self._begin()
        except BaseException as err:  # noqa: BLE001 -- raised again by who needs it
            self._error = err
