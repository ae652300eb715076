"""Containers removed for certain: asked again until the engine says that they are gone."""

from __future__ import annotations

import os
import time

from stophooks import threads
from stophooks.contexts import contextmanager
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import codes
from stophooks.executors.docker.engine import (
    CALL_BOUND_S,
    END_BOUND_S,
    Engine,
    EngineRefusedError,
)
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks.executors.docker.client import Client

REMOVE_BOUND_S = 20.0
PAUSE_S = 0.1
# For so long a removal that nobody waits for lets other containers go first; seconds.
YIELD_S = 1.0
# An unanswered create may still be carried out: so often must the container be absent, so far
# apart (seconds), before it counts as gone.
ABSENCES = 3
ABSENCE_PAUSE_S = 0.3


def new_name() -> str:
    """A name for a container that no other has."""
    return f"stophooks-{os.urandom(16).hex()}"


def remove(engine: Engine, name: str, *, cancel: Cancellation, is_sure: bool = True) -> str | None:
    """Remove a container and its anonymous volumes, within `REMOVE_BOUND_S`.

    Args:
        engine: Where it is.
        name: The container's own name.
        cancel: Once requested, the removal is over within `END_BOUND_S` from that.
        is_sure: Whether the engine has answered its creation; else it may still appear.

    Returns:
        None, or what was left behind, for the result.
    """
    engine = engine.until(cancel, end_s=END_BOUND_S)
    until = time.monotonic() + REMOVE_BOUND_S
    needed = 1 if is_sure else ABSENCES
    absences = 0
    problem = "there was no time left"
    while (left := engine.left(until - time.monotonic())) > 0:
        try:
            engine.call("remove", _remove(name), bound_s=min(CALL_BOUND_S, left))
            absences += 1
        except EngineRefusedError as err:
            absences = absences + 1 if err.status == codes.NOT_FOUND else 0
            problem = err.text
        except ExecutorUnavailableError as err:
            absences, problem = 0, err.reason
        if absences >= needed:
            engine.dismiss(name)
            return None
        time.sleep(ABSENCE_PAUSE_S if absences else PAUSE_S)
    return (
        f"LEAK: the container {name} could not be removed: {problem}. "
        f"Remove it with `docker rm -f {name}`."
    )


class Removals:
    """Removes containers beside everything else, for a run that does not wait for it.

    What others wait for comes first: while a container of the run is at work, which an engine may
    be about to start, a removal waits for up to `YIELD_S`. Whoever ends the process makes sure
    before that a watchdog has what is not gone, or waits.
    """

    def __init__(self) -> None:
        self._never = Cancellation()
        self._turn = threads.Condition()
        self._at_work = 0
        self._threads: list[threads.Thread] = []
        self._left: list[str] = []

    def begin(self, engine: Engine, name: str) -> None:
        """Have a container removed whose creation was answered; from any thread."""
        thread = threads.Thread(target=self._work, args=(engine, name), name="removal", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            self._work(engine, name)
        else:
            self._threads.append(thread)

    @contextmanager
    def before_them(self) -> Iterator[None]:
        """What is done in here comes first; from any thread."""
        with self._turn:
            self._at_work += 1
        try:
            yield
        finally:
            with self._turn:
                self._at_work -= 1
                if not self._at_work:
                    self._turn.notify_all()

    def wait(self) -> tuple[str, ...]:
        """Wait for the end of all of them; the names of containers that are still there."""
        for thread in self._threads:
            thread.join()
        return tuple(self._left)

    def _work(self, engine: Engine, name: str) -> None:
        until = time.monotonic() + YIELD_S
        with self._turn:
            while self._at_work and (left := until - time.monotonic()) > 0:
                self._turn.wait(left)
        if remove(engine, name, cancel=self._never):
            self._left.append(name)


@contextmanager
def removed(engine: Engine, name: str) -> Iterator[None]:
    """A block that makes the container ``name``, which is removed whatever becomes of the block.

    Raises:
        ExecutorUnavailableError: The block went well and the container is still there.
    """
    is_sure = False
    engine.expect(name)
    try:
        yield
        is_sure = True
    finally:
        leak = remove(engine, name, cancel=engine.cancel, is_sure=is_sure)
    if leak:
        raise ExecutorUnavailableError(
            leak, remedy="See whether the engine answers: `docker info`.", fault="cleanup-leak"
        )


def _remove(name: str) -> Callable[[Client], None]:
    return lambda client: client.remove_container(name)
