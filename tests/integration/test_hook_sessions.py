"""The beginning of an agent's session, its end, and what a person sees of it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.events import STOP, Event
from stophooks.hook import baseline
from stophooks.store.memory import Memory
from tests.integration.test_hook_answers import (
    FAILS,
    message,
    payload,
    place,
    project,
    reason,
    silent,
    stop,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

__all__ = ["place"]

START = {"hook_event_name": "SessionStart", "source": "startup"}
END = {"hook_event_name": "SessionEnd", "reason": "other"}
# `old` fails when the session begins, `new` once there is a file of that name.
BASELINE = """\
stop:
  baseline: true
  commands:
    - {name: old, run: "echo took $$ ms; echo old is broken; exit 1"}
    - {name: new, run: "test ! -e broken"}
"""


def begin(stophooks: Stophooks, place: Path, **fields: Any) -> None:
    """Begin a session and wait until its baseline is there."""
    assert silent(stop(stophooks, place, payload(**START | fields)))
    done = stophooks.state / "stophooks/logs"
    until(lambda: done.is_dir() and not known(stophooks, place).endswith("come to its end"))


def known(stophooks: Stophooks, place: Path) -> str:
    """Why the baseline is not known."""
    event = Event(kind=STOP.name, agent="claude", session="a29e", directories=())
    memory = Memory(str(stophooks.state / "stophooks"), event, str(place))
    try:
        return baseline.missing(memory.baseline("stop")) or ""
    finally:
        memory.close()


def until(happened: Any) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"


@pytest.mark.scenario("budget: A failure from before the session does not block")
@pytest.mark.scenario("budget: A new failure blocks beside an old one")
@pytest.mark.scenario("budget: A session cannot get a second baseline")
def test_what_failed_before_the_session_does_not_block(stophooks: Stophooks, place: Path) -> None:
    project(place, BASELINE)
    begin(stophooks, place)

    (place / "work").touch()
    allowed = message(stop(stophooks, place))
    (place / "broken").touch()
    blocked = reason(stop(stophooks, place))
    for event in (END, START):
        stop(stophooks, place, payload(**event))
    again = reason(stop(stophooks, place))

    assert allowed.startswith("stophooks: a check gives a warning: old (exit code 1).")
    assert blocked.startswith("1 of 2 checks did not pass.")
    assert "new: exit code 1" in blocked
    assert "warning: old: exit code 1" in blocked
    assert "It failed in the same way when the session began (baseline: true)." in blocked
    assert "new: exit code 1" in again
    assert "warning: old: exit code 1" in again


@pytest.mark.scenario("budget: A failure from before the session that keeps a check from running")
def test_what_keeps_a_check_from_running_blocks_all_the_same(
    stophooks: Stophooks, place: Path
) -> None:
    project(place, BASELINE.replace("{name: new,", "{name: new, needs: [old],"))
    begin(stophooks, place)

    (place / "work").touch()
    blocked = reason(stop(stophooks, place))

    assert "old: exit code 1" in blocked
    assert "warning: old" not in blocked


@pytest.mark.scenario("budget: Without the session's beginning everything blocks")
def test_without_the_session_s_beginning_everything_blocks(
    stophooks: Stophooks, place: Path
) -> None:
    project(place, BASELINE)

    text = reason(stop(stophooks, place))

    assert "old: exit code 1" in text
    assert text.endswith(
        "What failed when the session began is not known: the session's beginning was not seen; "
        "`stophooks install` adds the hook for it."
    )


@pytest.mark.scenario("budget: A baseline of a changing project is not used")
def test_a_baseline_of_a_changing_project_is_not_used(stophooks: Stophooks, place: Path) -> None:
    project(place, BASELINE.replace("echo old", "date +%N > changed; echo old"))
    begin(stophooks, place)

    text = reason(stop(stophooks, place))

    assert "files changed while its commands ran." in text


@pytest.mark.scenario("budget: The session's beginning is not held up")
def test_the_session_s_beginning_is_not_held_up(stophooks: Stophooks, place: Path) -> None:
    slow = (
        "trap 'touch .git/ended; exit' TERM; touch .git/began; "
        "for i in $(seq 200); do sleep 0.1; done"
    )
    project(
        place,
        f"stop:\n  baseline: true\n  deadline: 4s\n  commands:\n    - run: {json.dumps(slow)}\n",
    )

    began = time.monotonic()
    answer = stop(stophooks, place, payload(**START))
    took = time.monotonic() - began

    until((place / ".git/began").exists)
    until((place / ".git/ended").exists)
    until(lambda: known(stophooks, place) == "its commands did not end in half of the deadline")
    assert silent(answer)
    assert took < 10


@pytest.mark.scenario("budget: A stop does not wait for the baseline")
def test_a_stop_does_not_wait_for_the_baseline(stophooks: Stophooks, place: Path) -> None:
    slow = "test -e mended && exit; touch .git/began; sleep 100"
    project(
        place, f"stop:\n  baseline: true\n  commands:\n    - run: {json.dumps(slow + '; exit 1')}\n"
    )
    stop(stophooks, place, payload(**START))
    until((place / ".git/began").exists)
    (place / "mended").touch()

    began = time.monotonic()
    answer = stop(stophooks, place)

    assert silent(answer)
    assert time.monotonic() - began < 15
    assert known(stophooks, place) == "the agent stopped before its run had ended"


@pytest.mark.scenario("budget: A session's events are answered with nothing")
@pytest.mark.parametrize("config", [FAILS, "stop:\n  comands: []\n", None])
def test_a_session_s_events_are_answered_with_nothing(
    stophooks: Stophooks, place: Path, config: str | None
) -> None:
    if config is None:
        (place / "stophooks.yaml").unlink()
    else:
        project(place, config)

    answers = [stop(stophooks, place, payload(**event)) for event in (START, END)]

    assert all(silent(answer) for answer in answers)


@pytest.mark.scenario("budget: The end of a session forgets its blocks")
def test_the_end_of_a_session_forgets_its_blocks(stophooks: Stophooks, place: Path) -> None:
    project(place, FAILS.replace("stop:\n", "stop:\n  max_blocks: 1\n"))
    codes = [stop(stophooks, place).returncode for _ in range(2)]

    stop(stophooks, place, payload(**END))

    assert codes == [2, 0]
    assert "| broken" in reason(stop(stophooks, place))
