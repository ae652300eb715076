"""The exit of a container, heard on a connection of its own that is opened before the start."""

from __future__ import annotations

from stophooks import threads
from stophooks.executors.docker.answers import NOT_UNDERSTOOD, EngineRefusedError
from stophooks.executors.docker.client import value
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.docker.connection import Connection

# What a wait ends with when the engine, the connection or the answer breaks.
_LOST = (EngineRefusedError, OSError, *NOT_UNDERSTOOD)


class Waiter:
    """Waits for one container's exit in a thread of its own.

    Args:
        connection: For this alone.
        on_end: Takes the exit code, or None when the wait ended without one: that is no exit.
    """

    def __init__(self, connection: Connection, on_end: Callable[[int | None], None]) -> None:
        self._connection = connection
        self._on_end = on_end
        self._armed = threads.Event()
        self._thread: threads.Thread | None = None

    def begin(self, container: str, *, condition: str = "next-exit") -> None:
        """Ask for the next exit, or for another condition of the API; see `armed`."""
        self._thread = threads.Thread(
            target=self._work, args=(container, condition), name="wait", daemon=True
        )
        self._thread.start()

    def armed(self, timeout_s: float) -> bool:
        """Whether the engine says in time that it waits (Podman says so at the end only)."""
        return self._armed.wait(timeout_s)

    def _work(self, container: str, condition: str) -> None:
        code: int | None = None
        try:
            code = self._ask(container, condition)
        except _LOST:
            # A lost wait is no exit: the container is asked directly.
            code = None
        finally:
            self._connection.close()
            self._armed.set()
            self._on_end(code)

    def _ask(self, container: str, condition: str) -> int:
        reply = self._connection.client.reply(
            "POST", f"/containers/{container}/wait", {"condition": condition}, endless=True
        )
        self._armed.set()
        answer = value(reply)
        return exit_code(answer["StatusCode"], error=answer.get("Error"))

    def abort(self) -> None:
        """End the wait; from any thread."""
        self._connection.abort()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of its thread."""
        if self._thread is not None:
            self._thread.join(timeout_s)


def exit_code(value: object, *, error: object = None) -> int:
    """An exit code as the API promises it.

    Raises:
        ValueError: It is none.
    """
    if error or not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"no exit code: {value!r} {error or ''}")
    return value
