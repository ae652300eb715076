"""Work that is done once for several threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker.flights import Flights

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 30
BROKEN = ExecutorUnavailableError("it is broken", remedy="", fault="x")


def late() -> ExecutorUnavailableError:
    return ExecutorUnavailableError("too late", remedy="", fault="late")


class Work:
    """Counts how often it is done, and ends when it is let go."""

    def __init__(self, *, fails: bool = False) -> None:
        self.done = 0
        self.begun = threading.Event()
        self.free = threading.Event()
        self._fails = fails

    def __call__(self) -> int:
        self.done += 1
        self.begun.set()
        assert self.free.wait(LIMIT_S)
        if self._fails:
            raise BROKEN
        return self.done


def asked(flights: Flights[int], work: Callable[[], int], cancel: Cancellation) -> int | str:
    """What one thread gets: the value, or the reason why not."""
    try:
        return flights.get("key", work, cancel=cancel, late=late)
    except ExecutorUnavailableError as err:
        return err.reason


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("keeps", [False, True])
def test_work_is_done_once_for_all_that_wait(*, fails: bool, keeps: bool) -> None:
    flights: Flights[int] = Flights(keeps=keeps)
    work = Work(fails=fails)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(asked, flights, work, Cancellation())
        assert work.begun.wait(LIMIT_S)
        cancels = [Subscribed() for _ in range(7)]
        others = [pool.submit(asked, flights, work, cancel) for cancel in cancels]
        # They listen to their cancellations while they wait.
        assert all(cancel.listened.wait(LIMIT_S) for cancel in cancels)
        work.free.set()
        got = {first.result(LIMIT_S), *(one.result(LIMIT_S) for one in others)}

    assert got == {"it is broken" if fails else 1}
    assert work.done == 1
    assert asked(flights, work, Cancellation()) == ("it is broken" if fails else 1 + (not keeps))
    assert work.done == 1 + (not keeps)


class Subscribed(Cancellation):
    """Says that somebody listens."""

    def __init__(self) -> None:
        super().__init__()
        self.listened = threading.Event()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Listen."""
        end = super().subscribe(listener)
        self.listened.set()
        return end


def test_a_wait_ends_with_its_own_cancellation() -> None:
    flights: Flights[int] = Flights(keeps=True)
    work, cancel = Work(), Subscribed()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(asked, flights, work, Cancellation())
        assert work.begun.wait(LIMIT_S)
        second = pool.submit(asked, flights, work, cancel)
        assert cancel.listened.wait(LIMIT_S)
        cancel.request("enough")

        assert second.result(LIMIT_S) == "too late"
        work.free.set()
        assert first.result(LIMIT_S) == 1


@pytest.mark.parametrize("error", [BROKEN, KeyboardInterrupt()], ids=["cancelled", "interrupted"])
def test_work_that_ended_with_its_thread_is_done_again_for_the_others(
    error: BaseException,
) -> None:
    flights: Flights[int] = Flights(keeps=True)
    given_up, waiting = Cancellation(), Subscribed()
    begun, free = threading.Event(), threading.Event()

    def void() -> int:
        begun.set()
        assert free.wait(LIMIT_S)
        given_up.request("only this one")
        raise error

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.get, "key", void, cancel=given_up, late=late)
        assert begun.wait(LIMIT_S)
        second = pool.submit(asked, flights, lambda: 7, waiting)
        assert waiting.listened.wait(LIMIT_S)
        free.set()

        assert second.result(LIMIT_S) == 7
        with pytest.raises(type(error)):
            first.result(LIMIT_S)
