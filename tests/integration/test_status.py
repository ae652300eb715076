"""What a person sees of the last result, and of checks that are turned off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.test_hook_answers import message, place, project, silent, stop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

__all__ = ["place"]


def status(stophooks: Stophooks, place: Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the state of ``stop``."""
    done = stophooks("status", "--format", "json", cwd=place)
    return done.returncode, json.loads(done.stdout)["events"]["stop"]


@pytest.mark.scenario("budget: Turned off checks are told")
@pytest.mark.scenario("budget: A value that is not clear turns nothing off")
def test_checks_are_turned_off_in_the_open(stophooks: Stophooks, place: Path) -> None:
    told = message(stop(stophooks, place, STOPHOOKS_DISABLE="1"))
    shown = stophooks("status", cwd=place)
    checked = [stop(stophooks, place, STOPHOOKS_DISABLE=value) for value in ("0", "")]
    (place / "stophooks.yaml").unlink()
    nothing = stop(stophooks, place, STOPHOOKS_DISABLE="1")

    assert told == "stophooks: nothing was checked: STOPHOOKS_DISABLE=1 is set."
    assert "Not checked since, " in shown.stdout
    assert shown.stdout.endswith(
        "claude, session a29e: STOPHOOKS_DISABLE=1 was set\n"
        "subagent_stop: nothing is known of it yet\n"
    )
    assert [answer.returncode for answer in checked] == [2, 2]
    assert silent(nothing)


@pytest.mark.scenario("budget: A run by hand says that it is turned off")
@pytest.mark.parametrize(
    ("args", "value", "why"),
    [((), "1", "STOPHOOKS_DISABLE=1"), (("--no-hooks",), "", "--no-hooks")],
)
def test_a_run_by_hand_says_that_it_is_turned_off(
    stophooks: Stophooks, place: Path, args: tuple[str, ...], value: str, why: str
) -> None:
    done = stophooks("run", *args, cwd=place, env={"STOPHOOKS_DISABLE": value})

    assert done.returncode == 0
    assert f"skipped: {why}" in done.stdout
    assert done.stderr == f"Nothing was run and nothing was checked: {why}.\n"


@pytest.mark.scenario("budget: The status of an unknown project")
def test_of_an_unknown_project_nothing_is_known(stophooks: Stophooks, place: Path) -> None:
    text = stophooks("status", cwd=place)
    data = stophooks("status", "--format", "json", cwd=place)

    assert text.stdout == (
        f"{place}\nstop: nothing is known of it yet\nsubagent_stop: nothing is known of it yet\n"
    )
    assert json.loads(data.stdout) == {
        "project": str(place),
        "passed": None,
        "events": {"stop": None, "subagent_stop": None},
        "cleanup": None,
    }
    assert (text.returncode, data.returncode) == (0, 0)


@pytest.mark.scenario("budget: The status says that checks did not pass until they do")
def test_the_status_says_so_until_a_pass(stophooks: Stophooks, place: Path) -> None:
    project(
        place, "stop:\n  max_blocks: 1\n  commands:\n    - {name: tests, run: test -e mended}\n"
    )
    for _ in range(2):
        stop(stophooks, place)
    text = stophooks("status", cwd=place)
    code, state = status(stophooks, place)
    (place / "mended").touch()
    stop(stophooks, place)
    after = stophooks("status", cwd=place)

    assert (text.returncode, code, after.returncode) == (1, 1, 0)
    rows = text.stdout.splitlines()
    assert rows[1].startswith("stop: did NOT pass, 20")
    assert rows[1].endswith(", claude, session a29e")
    assert rows[2:4] == [
        "  tests: exit code 1",
        "  Sent back 1 of 1 times in a row; then the agent was allowed to stop.",
    ]
    assert rows[4].startswith(f"  Full output: {stophooks.state}/stophooks/logs/")
    assert state | {"at": 0, "logs": 0} == {
        "event": "stop",
        "result": "failed",
        "agent": "claude",
        "session": "a29e",
        "at": 0,
        "failures": [{"name": "tests", "happened": "exit code 1"}],
        "blocks": 1,
        "max_blocks": 1,
        "allowed": True,
        "logs": 0,
        "reason": None,
        "skipped": None,
    }
    assert after.stdout.splitlines()[1].startswith("stop: passed, 20")


@pytest.mark.scenario("budget: Checks that could not be run are in the status")
def test_checks_that_could_not_be_run_are_in_the_status(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  comands: []\n")
    stop(stophooks, place)

    code, state = status(stophooks, place)

    assert code == 1
    assert 'unknown key "comands"' in state["reason"]
    assert state["blocks"] == 1


@pytest.mark.scenario("budget: A pass by hand is a pass for the status only")
def test_a_pass_by_hand_is_a_pass_for_the_status_only(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  commands:\n    - {name: tests, run: 'test -n \"$MENDED\"'}\n")
    stop(stophooks, place)
    by_hand = stophooks("run", cwd=place, env={"MENDED": "1"})

    shown = stophooks("status", cwd=place)
    again = stop(stophooks, place)

    assert (by_hand.returncode, shown.returncode, again.returncode) == (0, 0, 2)
    assert ", by hand" in shown.stdout
    assert stophooks("status", cwd=place).returncode == 1
