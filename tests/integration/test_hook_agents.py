"""Every agent at the door: recognised, kept from stopping and let go in its own words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from stophooks.agents import AGENTS
from tests import payloads
from tests.integration.test_hook_answers import PASSES, place, project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Finished, Stophooks

__all__ = ["place"]

STOPS = {
    "claude": payloads.CLAUDE_STOP,
    "codex": payloads.CODEX_STOP,
    "gemini": payloads.GEMINI_STOP,
    "qwen": payloads.QWEN_STOP,
    "copilot": payloads.COPILOT_STOP,
    "droid": payloads.DROID_STOP,
    "cursor": payloads.CURSOR_STOP,
    "kiro": payloads.KIRO_STOP,
    "opencode": payloads.OPENCODE_IDLE,
}


def call(
    stophooks: Stophooks, place: Path, *args: str, payload: bytes = b"", **env: str
) -> Finished:
    # The configuration is the one of the working directory: /srv/app is not there.
    return stophooks("hook", *args, cwd=place, stdin=payload, env=env)


def test_every_agent_is_here() -> None:
    assert list(STOPS) == list(AGENTS)


@pytest.mark.scenario("agents: A block is said in the agent's own words")
@pytest.mark.scenario("agents: Every recorded payload is recognised")
@pytest.mark.parametrize("agent", STOPS)
def test_a_failing_check_is_said_in_the_words_of_whoever_calls(
    stophooks: Stophooks, place: Path, agent: str
) -> None:
    answer = call(stophooks, place, payload=STOPS[agent])

    told = json.loads(answer.stdout)
    reason = told["followup_message" if agent == "cursor" else "reason"]
    reply = AGENTS[agent].block(reason)
    assert "exit code 3" in reason
    assert (answer.stdout, answer.stderr) == (reply.stdout, reply.stderr)
    assert answer.returncode == reply.exit_code


@pytest.mark.parametrize("agent", ["codex", "cursor", "kiro"])
def test_passing_checks_let_every_agent_go_in_silence(
    stophooks: Stophooks, place: Path, agent: str
) -> None:
    project(place, PASSES)

    answer = call(stophooks, place, "--agent", agent, payload=STOPS[agent])

    assert (answer.stdout, answer.stderr, answer.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    "data", [payloads.CODEX_SESSION_END, payloads.COPILOT_SESSION_END, payloads.KIRO_SPAWN]
)
def test_the_start_and_the_end_of_a_session_are_answered_in_silence(
    stophooks: Stophooks, place: Path, data: bytes
) -> None:
    answer = call(stophooks, place, payload=data)

    assert (answer.stdout, answer.stderr, answer.returncode) == ("", "", 0)


@pytest.mark.scenario("agents: The person can see who was recognised")
def test_the_person_can_see_who_was_recognised(stophooks: Stophooks, place: Path) -> None:
    answer = call(stophooks, place, "--debug", payload=STOPS["codex"])

    reason = json.loads(answer.stdout)["reason"]
    head = reason + "\n"
    lines = answer.stderr.removeprefix(head).splitlines()
    assert answer.returncode == 2
    assert answer.stdout == AGENTS["codex"].block(reason).stdout
    assert answer.stderr.startswith(head)
    assert all(line.startswith("stophooks: debug: ") for line in lines)
    assert lines[0] == (
        'stophooks: debug: the agent is Codex CLI (codex): the payload has the field "turn_id"'
    )


def test_a_variable_shows_it_too(stophooks: Stophooks, place: Path) -> None:
    project(place, PASSES)

    answer = call(stophooks, place, "--agent=qwen", payload=STOPS["qwen"], STOPHOOKS_DEBUG="1")

    assert (answer.stdout, answer.returncode) == ("", 0)
    assert answer.stderr.startswith(
        "stophooks: debug: the agent is Qwen Code (qwen): --agent names it\n"
    )


@pytest.mark.scenario("agents: The hook in the agent's own settings answers")
def test_a_stop_of_copilot_is_checked_once(stophooks: Stophooks, tmp_path: Path) -> None:
    place = project(
        tmp_path / "project", "stop:\n  commands:\n    - {run: 'echo ran >> ran; exit 3'}\n"
    )

    begun = call(
        *(stophooks, place, "--agent", "copilot"),
        payload=b'{"sessionId": "784", "source": "new", "initialPrompt": "hi"}',
    )
    # Without a change since the beginning there would be nothing to check.
    (place / "work").write_text("")
    claudes = call(stophooks, place, "--agent=claude", payload=payloads.COPILOT_CAPITAL_STOP)
    own = call(stophooks, place, "--agent=copilot", payload=payloads.COPILOT_STOP)

    assert [answer.returncode for answer in (begun, claudes, own)] == [0, 0, 2]
    assert (begun.stdout, claudes.stdout) == ("", "")
    assert (place / "ran").read_text() == "ran\n"


def test_a_command_has_no_variable_of_the_agent(stophooks: Stophooks, tmp_path: Path) -> None:
    place = project(tmp_path / "project", "stop:\n  commands:\n    - {run: 'env > seen'}\n")
    env = {"FACTORY_PROJECT_DIR": str(place), "session_id": "c18", "CLAUDE_PROJECT_DIR": "/x"}

    call(stophooks, place, payload=STOPS["droid"], **env, OPENAI_BASE_URL="http://x")

    seen = {line.partition("=")[0] for line in (place / "seen").read_text().splitlines()}
    assert not seen & set(env)
    assert "OPENAI_BASE_URL" in seen
