"""Resources are held by one task at a time, whoever dies, waits or is stopped."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.store import held, holder
from stophooks.store.holder import State
from stophooks.store.tickets import STOPPED_S
from stophooks.values import replace
from tests.running import wait_until
from tests.taker import Taker, both

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.program import Stophooks

ROUNDS = 1000
CROSSINGS = 100
KILLS = 20


@pytest.fixture
def taker(stophooks: Stophooks) -> Callable[[str], Taker]:
    return lambda task: Taker(stophooks.state, stophooks.environment(), task)


def states(stophooks: Stophooks) -> dict[str, State]:
    found = held.shelf(str(stophooks.state), str(stophooks.state)).held()
    return {one.resource: one.state for one in found}


@pytest.mark.scenario("locks: One of two takes it, a thousand times")
def test_one_of_two_takes_it_a_thousand_times(stophooks: Stophooks) -> None:
    told = both(stophooks.environment(), "race", stophooks.state, ROUNDS)

    winners = [int(one) + int(other) for one, other in zip(*told, strict=True)]
    assert winners == [1] * ROUNDS


@pytest.mark.scenario("locks: Opposite orders never wait for each other")
def test_opposite_orders_never_wait_for_each_other(stophooks: Stophooks) -> None:
    told = both(stophooks.environment(), "cross", stophooks.state, CROSSINGS)

    assert told == ["1" * CROSSINGS] * 2


@pytest.mark.scenario("locks: A killed holder's lock is taken over once")
def test_a_killed_holders_lock_is_taken_over_once(
    stophooks: Stophooks, taker: Callable[[str], Taker]
) -> None:
    for turn in range(KILLS):
        with taker(f"dead {turn}") as dead, taker("second") as second, taker("third") as third:
            assert dead.take("one").startswith("got")
            assert second.take("one").startswith("busy: one is held by task")
            dead.kill()
            assert states(stophooks) == {"one": State.DEAD}

            answers = [second.take("one"), third.take("one")]

            assert answers[0] == f"got dead {turn}"
            assert answers[1].startswith('busy: one is held by task "second"')
            second.release()
            assert states(stophooks) == {}
            assert third.take("one") == "got"


@pytest.mark.scenario("locks: One busy resource leaves the others free")
def test_one_busy_resource_leaves_the_others_free(taker: Callable[[str], Taker]) -> None:
    with taker("first") as first, taker("second") as second, taker("third") as third:
        assert first.take("b") == "got"

        answer = second.take("a", "b", "c")

        assert answer == f'busy: b is held by task "first" (pid {first.process.pid})'
        assert third.take("a", "c") == "got"


@pytest.mark.scenario("locks: A stopped holder still holds")
def test_a_stopped_holder_still_holds(stophooks: Stophooks, taker: Callable[[str], Taker]) -> None:
    with taker("first") as first, taker("second") as second:
        assert first.take("one") == "got"
        first.process.send_signal(signal.SIGSTOP)

        answer = second.take("one")

        assert answer.startswith("busy:")
        assert states(stophooks) == {"one": State.ALIVE}


@pytest.mark.scenario("locks: Who came first is served first")
def test_who_came_first_is_served_first(
    stophooks: Stophooks, taker: Callable[[str], Taker]
) -> None:
    with taker("first") as first, taker("second") as second, taker("third") as third:
        assert first.take("a") == "got"
        second.wait("a", "b")
        wait_until(lambda: waiting(stophooks) == 1)

        # It holds nothing meanwhile, and nobody passes it by.
        assert states(stophooks) == {"a": State.ALIVE}
        assert third.take("b") == "busy: b: others who wait were first"
        assert third.take("c") == "got"
        first.release()

        assert second.answer() == "got"


@pytest.mark.scenario("locks: A dead waiter is no longer waited for")
def test_a_dead_waiter_is_no_longer_waited_for(
    stophooks: Stophooks, taker: Callable[[str], Taker]
) -> None:
    with taker("first") as first, taker("second") as second, taker("third") as third:
        assert first.take("a") == "got"
        second.wait("a", "b")
        wait_until(lambda: waiting(stophooks) == 1)
        second.kill()

        assert third.take("b") == "got"
        assert waiting(stophooks) == 0


@pytest.mark.scenario("locks: A stopped waiter lets others pass")
def test_a_stopped_waiter_lets_others_pass(
    stophooks: Stophooks, taker: Callable[[str], Taker]
) -> None:
    with taker("first") as first, taker("second") as second, taker("third") as third:
        assert first.take("a") == "got"
        second.wait("a", "b")
        wait_until(lambda: waiting(stophooks) == 1)
        second.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{second.process.pid}/stat").read_text().split()[2] == "T")
        assert third.take("b") == "busy: b: others who wait were first"
        (ticket,) = queue(stophooks).iterdir()
        long_ago = time.time() - STOPPED_S
        os.utime(ticket, (long_ago, long_ago))

        assert third.take("b") == "got"
        third.release()
        second.process.send_signal(signal.SIGCONT)
        first.release()
        assert second.answer() == "got"


def waiting(stophooks: Stophooks) -> int:
    return len(list(queue(stophooks).iterdir()))


def queue(stophooks: Stophooks) -> Path:
    return Path(held.shelf(str(stophooks.state), str(stophooks.state)).directory, "queue")


@pytest.mark.scenario("locks: Release removes no other's lock")
def test_release_removes_no_others_lock(
    stophooks: Stophooks, taker: Callable[[str], Taker]
) -> None:
    place = held.shelf(str(stophooks.state), str(stophooks.state))
    with taker("first") as first, taker("second") as second, taker("third") as third:
        assert first.take("one", "two") == "got"
        cleared = place.clear(["one"], force=True)
        assert [one.state for one in cleared] == [State.ALIVE]
        assert second.take("one") == "got"

        assert first.lost() == "one"
        first.release()

        assert third.take("one").startswith('busy: one is held by task "second"')
        assert third.take("two") == "got"


@pytest.mark.scenario("locks: A holder on another machine is believed for two minutes")
@pytest.mark.parametrize(("age_s", "state"), [(60, State.FOREIGN), (180, State.DEAD)])
def test_a_holder_on_another_machine_is_believed_for_two_minutes(
    stophooks: Stophooks, taker: Callable[[str], Taker], age_s: int, state: State
) -> None:
    record = left_behind(stophooks, boot_id="another", host="far")
    beat = time.time() - age_s
    os.utime(record, (beat, beat))
    assert states(stophooks) == {"one": state}

    with taker("second") as second:
        answer = second.take("one")

    if state is State.FOREIGN:
        assert answer == f'busy: one is held by task "left" (pid {os.getpid()} on far)'
    else:
        assert answer == "got left"


@pytest.mark.scenario("locks: A number used again is not the holder")
def test_a_number_used_again_is_not_the_holder(
    stophooks: Stophooks, taker: Callable[[str], Taker]
) -> None:
    record = left_behind(stophooks, started=1)
    assert str(os.getpid()) in record.read_text()

    with taker("second") as second:
        assert second.take("one") == "got left"


@pytest.mark.scenario("locks: A living process without its lock is believed")
def test_a_living_process_without_its_lock_is_believed(
    stophooks: Stophooks, taker: Callable[[str], Taker]
) -> None:
    left_behind(stophooks)

    with taker("second") as second:
        assert second.take("one").startswith("busy:")


@pytest.mark.scenario("locks: A record that makes no sense is nobody's")
@pytest.mark.parametrize("text", ["", "[]", "{}", "\0", '{"task": 1}', "[" * 100_000])
def test_a_record_that_makes_no_sense_is_nobodys(
    stophooks: Stophooks, taker: Callable[[str], Taker], text: str
) -> None:
    left_behind(stophooks).write_text(text)

    with taker("second") as second:
        assert second.take("one") == "got"


def left_behind(stophooks: Stophooks, **changes: object) -> Path:
    """A record that names this process, and that nobody has locked."""
    me = holder.myself(task="left", path="/left.md", project="/p", now=time.time())
    place = held.shelf(str(stophooks.state), str(stophooks.state))
    folder = Path(place.directory) / "held"
    folder.mkdir(parents=True)
    record = folder / "one"
    record.write_bytes(replace(me, **changes).to_json())  # type: ignore[arg-type]
    return record
