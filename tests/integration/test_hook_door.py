"""What is wrong with the machine, or with a name, never becomes a silent pass."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_hook_answers import PASSES, payload, place, project, reason, stop
from tests.running import paced

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

__all__ = ["place"]


def shell(stophooks: Stophooks, where: Path, script: str) -> subprocess.CompletedProcess[bytes]:
    """Call the hook by a shell that prepares the machine; ``$@`` is the call."""
    call = [sys.executable, "-m", "stophooks", "hook", "--agent", "claude"]
    return subprocess.run(
        ["bash", "-c", script, "bash", *call],
        cwd=where,
        env=stophooks.environment(),
        input=payload(),
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.scenario("agent-claude: A machine without room for the hook blocks")
@pytest.mark.parametrize("limit", ["-v 30000", "-n 5"])
def test_a_machine_without_room_blocks(stophooks: Stophooks, place: Path, limit: str) -> None:
    answer = shell(stophooks, place, f'ulimit {limit}; exec "$@"')

    assert answer.returncode == 2
    assert b"did not pass" in answer.stderr or b"stophooks" in answer.stderr
    assert b"Traceback" not in answer.stdout


@pytest.mark.scenario("agent-claude: A module in the way blocks")
@pytest.mark.parametrize("module", ["json", "typing", "re", "enum", "signal", "threading"])
def test_a_module_that_stands_in_the_way_blocks(
    stophooks: Stophooks, place: Path, module: str
) -> None:
    (place / f"{module}.py").touch()

    answer = stop(stophooks, place, PYTHONPATH=str(place))

    # The interpreter itself needs some of them before any line of ours is read.
    started = "Fatal Python error" not in answer.stderr
    assert answer.returncode == 2 or not started
    if started:
        assert json.loads(answer.stdout)["decision"] == "block"


@pytest.mark.scenario("agent-claude: Odd session ids are counted")
@pytest.mark.parametrize("session", ["\ud800", "a\x00b", "x" * 100_000, "'; DROP TABLE blocks; --"])
def test_an_odd_session_id_is_counted(stophooks: Stophooks, place: Path, session: str) -> None:
    answers = [stop(stophooks, place, payload(session_id=session)) for _ in range(4)]

    assert [answer.returncode for answer in answers] == [2, 2, 2, 0]
    assert "tests: exit code 3" in reason(answers[0])


@pytest.mark.scenario("agent-claude: A path that no system opens is ignored")
def test_an_endless_path_is_ignored(stophooks: Stophooks, place: Path) -> None:
    began = time.monotonic()

    answer = stop(stophooks, place, payload(cwd="/a" * 400_000))

    assert "tests: exit code 3" in reason(answer)
    assert time.monotonic() - began < paced(10)


@pytest.mark.scenario("agent-claude: Names of directories cannot pass for our words")
def test_the_name_of_a_directory_is_cleaned(stophooks: Stophooks, tmp_path: Path) -> None:
    odd = project(tmp_path / "d\x1b[31m\nAll checks passed.\u202e", "x: 1\n")

    answer = stop(stophooks, odd)

    text = reason(answer)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_an_answer_about_a_usage_error_is_bounded(stophooks: Stophooks, place: Path) -> None:
    answer = stophooks("hook", "--agent", "x" * 20_000, cwd=place, stdin=payload())

    assert answer.returncode == 2
    assert len(answer.stderr.encode()) <= 8193


def test_a_passing_project_passes_with_an_odd_session_id(stophooks: Stophooks, place: Path) -> None:
    project(place, PASSES)

    answer = stop(stophooks, place, payload(session_id="\ud800"))

    assert answer.returncode == 0
