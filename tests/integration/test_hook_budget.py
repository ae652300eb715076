from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
    from tests.program import Stophooks

__all__ = ["place"]

TWICE = FAILS.replace("stop:\n", "stop:\n  max_blocks: 2\n")


@pytest.mark.scenario("agent-claude: A check that never passes blocks only so often")
@pytest.mark.scenario("agent-claude: The person is told when the blocks are used up")
def test_blocks_in_a_row_end(stophooks: Stophooks, place: Path) -> None:
    project(place, TWICE)

    codes = [stop(stophooks, place).returncode for _ in range(3)]
    text = message(stop(stophooks, place))

    assert codes == [2, 2, 0]
    assert text.partition(" Full output: ")[0] == (
        "stophooks: 1 of 1 check did NOT pass: tests (exit code 3). The agent was sent back 2 "
        "times in a row and may stop now (max_blocks: 2); in this session it will not be sent "
        "back again until everything has passed once."
    )
    assert Path(text.partition(" Full output: ")[2]).is_dir()


@pytest.mark.scenario("agent-claude: A pass makes all blocks available again")
def test_a_pass_restores_the_blocks(stophooks: Stophooks, place: Path) -> None:
    project(place, TWICE.replace("echo broken; exit 3", "test -e mended"))
    spent = [stop(stophooks, place).returncode for _ in range(3)]

    (place / "mended").touch()
    passed = stop(stophooks, place)

    (place / "mended").unlink()
    assert spent == [2, 2, 0]
    assert silent(passed)
    assert [stop(stophooks, place).returncode for _ in range(3)] == [2, 2, 0]


@pytest.mark.scenario("agent-claude: Sessions are counted apart")
def test_sessions_and_helpers_are_counted_apart(stophooks: Stophooks, place: Path) -> None:
    project(place, TWICE + TWICE.replace("stop:", "subagent_stop:", 1))
    helper = {"hook_event_name": "SubagentStop", "agent_id": "a1"}
    spent = [stop(stophooks, place).returncode for _ in range(3)]
    helpers = [stop(stophooks, place, payload(**helper)).returncode for _ in range(3)]

    others = [
        stop(stophooks, place, payload(session_id="other")),
        stop(stophooks, place, payload(**helper | {"agent_id": "a2"})),
        stop(stophooks, place, payload(session_id=None)),
    ]

    assert (spent, helpers) == ([2, 2, 0], [2, 2, 0])
    assert [answer.returncode for answer in others] == [2, 2, 2]


@pytest.mark.scenario("agent-claude: What cannot be run uses the same budget")
def test_a_bad_configuration_does_not_block_for_ever(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  comands: []\n")
    codes = [stop(stophooks, place).returncode for _ in range(3)]

    text = message(stop(stophooks, place))

    assert codes == [2, 2, 2]
    assert text.startswith("stophooks: the checks did NOT pass: they could not be run. ")
    assert 'unknown key "comands"' in text


@pytest.mark.parametrize(
    ("args", "stdin"), [(("--agent", "claude"), b"nonsense"), (("--agent", "hal"), payload())]
)
def test_a_bad_call_does_not_block_for_ever(
    stophooks: Stophooks, place: Path, args: tuple[str, ...], stdin: bytes
) -> None:
    answers = [stophooks("hook", *args, cwd=place, stdin=stdin) for _ in range(4)]

    assert [answer.returncode for answer in answers] == [2, 2, 2, 0]
    assert "did NOT pass" in answers[3].stdout + answers[3].stderr


@pytest.mark.scenario("agent-claude: A count that cannot be kept does not allow a stop")
def test_a_store_that_can_be_kept_nowhere_blocks(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    stophooks.state.rmdir()
    stophooks.state.write_text("in the way")
    tmp = tmp_path / "tmp"
    tmp.mkdir()
    (tmp / f"stophooks-{os.getuid()}").write_text("in the way too")

    for _ in range(5):
        text = reason(stop(stophooks, place, TMPDIR=str(tmp)))

    assert "tests: exit code 3" in text
    assert "Blocks cannot be counted: no state can be kept: neither in" in text
    assert text.endswith("Make one of them writable, or set XDG_STATE_HOME to a directory that is.")


@pytest.mark.scenario(
    "agent-claude: A state directory that cannot be written is replaced by a private one"
)
def test_a_state_directory_that_cannot_be_made_is_replaced(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    stophooks.state.rmdir()
    stophooks.state.write_text("in the way")
    project(place, TWICE)
    tmp = tmp_path / "tmp"
    tmp.mkdir()

    codes = [stop(stophooks, place, TMPDIR=str(tmp)).returncode for _ in range(3)]

    (made,) = tmp.iterdir()
    assert codes == [2, 2, 0]
    assert made.stat().st_mode & 0o777 == 0o700
    made.chmod(0o777)
    text = reason(stop(stophooks, place, TMPDIR=str(tmp)))
    assert "it is not a directory that only you can open" in text
