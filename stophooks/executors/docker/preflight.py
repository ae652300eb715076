"""What an engine is, found out while the caller does something else."""

from __future__ import annotations

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import endpoint
from stophooks.executors.docker.engine import Engine
from stophooks.executors.docker.flights import Flights
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.watchdog.guard import Guard

# One that is told to end does so within this; seconds.
CLOSE_BOUND_S = 3.0


class Preflight:
    """Finds the engine and asks it once what it is; safe across threads.

    An engine that is away is not asked again.

    Args:
        environ: Names the engine.
        home: The caller's home directory, where Docker keeps its configuration.
        guard: As for `Engine`; may be set before anything but `begin` is asked for.
    """

    def __init__(self, environ: Mapping[str, str], home: str, guard: Guard | None) -> None:
        self._environ = environ
        self._home = home
        self.guard = guard
        self._flights: Flights[Engine] = Flights(keeps=True)
        self._end = Cancellation()
        self._thread: threads.Thread | None = None

    def begin(self) -> None:
        """Ask in a thread of its own; who needs the answer waits for that one."""
        self._thread = threads.Thread(target=self._ahead, name="preflight", daemon=True)
        self._thread.start()

    def engine(self, cancel: Cancellation) -> Engine:
        """The engine, which has said what it is; its calls end soon after ``cancel``.

        Raises:
            ExecutorUnavailableError: It is away.
        """

        def ask() -> Engine:
            engine = Engine(endpoint.resolve(self._environ, self._home))
            _ = engine.until(cancel).info
            return engine

        def late() -> ExecutorUnavailableError:
            return Engine(endpoint.resolve(self._environ, self._home)).mute("version", 0.0)

        found = self._flights.get("engine", ask, cancel=cancel, late=late)
        return found.guarded(self.guard).until(cancel)

    def close(self) -> None:
        """End what was begun."""
        self._end.request("the run is over")
        if self._thread is not None:
            self._thread.join(CLOSE_BOUND_S)

    def _ahead(self) -> None:
        # Who needs the engine meets the same error.
        with suppress(ExecutorUnavailableError):
            self.engine(self._end)
