"""Threads that do what those of `threading` do."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from typing import Any

import pytest

from stophooks import threads

BOTH = pytest.mark.parametrize("by", [threads, threading], ids=["ours", "theirs"])
# Longer than any of this takes on a busy machine; seconds.
LIMIT_S = 30.0


@BOTH
def test_what_has_happened_is_not_waited_for(by: Any) -> None:
    event = by.Event()

    assert not event.is_set()
    assert event.wait(0) is False
    assert event.wait(0.01) is False
    event.set()
    assert event.is_set()
    assert event.wait() is event.wait(0) is True


@BOTH
def test_everybody_who_waits_is_told(by: Any) -> None:
    event = by.Event()
    told: list[bool] = []
    waiting = [
        by.Thread(target=lambda: told.append(event.wait(LIMIT_S)), daemon=True) for _ in range(5)
    ]
    for thread in waiting:
        thread.start()
    event.set()
    for thread in waiting:
        thread.join(LIMIT_S)

    assert told == [True] * 5
    assert not any(thread.is_alive() for thread in waiting)


@BOTH
def test_an_event_can_be_set_by_a_signal_while_its_thread_waits_for_it(by: Any) -> None:
    event = by.Event()
    before = signal.signal(signal.SIGALRM, lambda *_: event.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert event.wait(LIMIT_S)
    finally:
        signal.signal(signal.SIGALRM, before)


@BOTH
def test_work_goes_from_hand_to_hand(by: Any) -> None:
    changed = by.Condition()
    given: list[int | None] = []
    taken: list[int] = []

    def take() -> None:
        while True:
            with changed:
                changed.wait_for(lambda: given)
                found = given.pop(0)
                changed.notify_all()
            if found is None:
                return
            taken.append(found)

    workers = [by.Thread(target=take, daemon=True) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in (*range(500), *[None] * 4):
        with changed:
            changed.wait_for(lambda: len(given) < 3)
            given.append(number)
            changed.notify_all()
    for worker in workers:
        worker.join(LIMIT_S)

    assert sorted(taken) == list(range(500))


@BOTH
def test_a_wait_with_a_limit_ends_and_has_the_lock_again(by: Any) -> None:
    changed = by.Condition()
    with changed:
        assert changed.wait(0.01) is False
        free: list[bool] = []
        other = by.Thread(target=lambda: free.append(_free(changed)), daemon=True)
        other.start()
        other.join(0.2)
        assert other.is_alive()
    other.join(LIMIT_S)

    assert free == [True]


def _free(changed: Any) -> bool:
    with changed:
        return True


@BOTH
def test_a_wait_that_is_interrupted_has_the_lock_again(by: Any) -> None:
    class StopError(Exception):
        pass

    def stop(*_: object) -> None:
        raise StopError

    changed = by.Condition()
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with changed, pytest.raises(StopError):
            changed.wait(LIMIT_S)
    finally:
        signal.signal(signal.SIGALRM, before)
    other = by.Thread(target=_free, args=(changed,), daemon=True)
    other.start()
    other.join(LIMIT_S)

    assert not other.is_alive()


@BOTH
def test_a_thread_is_given_what_it_is_for(by: Any) -> None:
    got: list[Any] = []
    thread = by.Thread(
        target=lambda *placed, **named: got.append((placed, named)),
        args=(1, 2),
        kwargs={"three": 3},
        name="worker",
        daemon=True,
    )
    assert not thread.is_alive()
    thread.start()
    thread.join()

    assert got == [((1, 2), {"three": 3})]
    assert (thread.name, thread.is_alive()) == ("worker", False)


@BOTH
def test_a_timer_calls_late_or_not_at_all(by: Any) -> None:
    called: list[str] = []
    late = by.Timer(0.05, called.append, ("late",))
    never = by.Timer(0.05, called.append, ("never",))
    began = time.monotonic()
    for timer in (late, never):
        timer.daemon = True
        timer.start()
    never.cancel()
    for timer in (late, never):
        timer.join(LIMIT_S)

    assert called == ["late"]
    assert time.monotonic() - began >= 0.05


def test_a_thread_that_the_system_does_not_give_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    thread = threads.Thread(target=print)
    monkeypatch.setattr(threads, "start_new_thread", refuse)

    with pytest.raises(RuntimeError):
        thread.start()
    assert not thread.is_alive()


def test_no_thread_is_asked_to_keep_the_program_from_ending() -> None:
    with pytest.raises(ValueError, match="never keeps"):
        threads.Thread(target=print, daemon=False)


def test_a_lock_is_that_of_python() -> None:
    assert threads.Lock is _thread.allocate_lock
    assert threads.RLock is threading.RLock().__class__
