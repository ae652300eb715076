"""Which agent calls, told without ``--agent``."""

from __future__ import annotations

from typing import Any

import pytest

from stophooks.agents.recognise import UnknownAgentError, recognise
from tests import payloads
from tests.payloads import fields

FIELD = "the payload has the field "
RECORDED = [
    (payloads.CLAUDE_STOP, "claude", FIELD + '"session_crons"'),
    (payloads.CLAUDE_SUBAGENT_STOP, "claude", FIELD + '"session_crons"'),
    (payloads.CLAUDE_SESSION_END, "claude", "its transcript lies in /.claude/projects/"),
    (payloads.CODEX_STOP, "codex", FIELD + '"turn_id"'),
    (payloads.CODEX_SUBAGENT_STOP, "codex", FIELD + '"turn_id"'),
    (payloads.CODEX_SESSION_END, "codex", "its transcript lies in /.codex/sessions/"),
    (payloads.GEMINI_STOP, "gemini", FIELD + '"prompt_response"'),
    (payloads.GEMINI_SESSION_END, "gemini", "its transcript lies in /.gemini/"),
    (payloads.QWEN_STOP, "qwen", FIELD + '"context_limit"'),
    (payloads.COPILOT_STOP, "copilot", FIELD + '"sessionId"'),
    (payloads.COPILOT_CAPITAL_STOP, "copilot", FIELD + '"stop_reason"'),
    (payloads.COPILOT_HELPERS_AGENT_STOP, "copilot", FIELD + '"sessionId"'),
    (payloads.COPILOT_SUBAGENT_STOP, "copilot", FIELD + '"sessionId"'),
    (payloads.COPILOT_SESSION_END, "copilot", FIELD + '"sessionId"'),
    (payloads.DROID_STOP, "droid", FIELD + '"tool_execution_count"'),
    (payloads.DROID_SESSION_END, "droid", FIELD + '"session_duration_ms"'),
    (payloads.CURSOR_STOP, "cursor", FIELD + '"conversation_id"'),
    (payloads.KIRO_STOP, "kiro", 'the event is named "stop"'),
    (payloads.KIRO_SPAWN, "kiro", 'the event is named "agentSpawn"'),
    (
        payloads.KIRO_CAPITAL_STOP,
        "kiro",
        "the payload has no more than cwd, hook_event_name, session_id",
    ),
    (payloads.OPENCODE_IDLE, "opencode", 'the event is named "session.idle"'),
]
# What each agent sets for its hooks, as far as it tells who set it.
MARKS = [
    ({"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": "s"}, "claude", "CLAUDE_CODE_SESSION_ID"),
    ({"COPILOT_CLI": "1"}, "copilot", "COPILOT_CLI"),
    ({"GEMINI_SESSION_ID": "s"}, "gemini", "GEMINI_SESSION_ID"),
    (
        {"QWEN_CODE_SESSION_ID": "s", "GEMINI_PROJECT_DIR": "/p"},
        "qwen",
        "QWEN_CODE_SESSION_ID",
    ),
    ({"FACTORY_PROJECT_DIR": "/p"}, "droid", "FACTORY_PROJECT_DIR"),
    ({"CODEX_MANAGED_BY_NPM": "1"}, "codex", "CODEX_MANAGED_BY_NPM"),
]


@pytest.mark.scenario("agents: Every recorded payload is recognised")
@pytest.mark.parametrize(("data", "agent", "because"), RECORDED)
def test_every_recorded_payload_is_recognised(data: bytes, agent: str, because: str) -> None:
    found = recognise(fields(data), {"CLAUDE_PROJECT_DIR": "/srv/app"})

    assert (found.agent, found.because) == (agent, because)


@pytest.mark.parametrize(("environ", "agent", "name"), MARKS)
def test_a_payload_without_a_sign_is_told_by_the_environment(
    environ: dict[str, str], agent: str, name: str
) -> None:
    event = {"hook_event_name": "AfterTool" if agent == "gemini" else "Stop"}

    found = recognise(event, environ | {"CLAUDE_PROJECT_DIR": "/p", "COPILOT_CLI_X": ""})

    assert (found.agent, found.because) == (agent, f"the variable {name} is set")


def test_the_environment_of_cursor_tells_too() -> None:
    found = recognise({"hook_event_name": "sessionStart"}, {"CURSOR_VERSION": "3.7.21"})

    assert (found.agent, found.because) == ("cursor", "the variable CURSOR_VERSION is set")


@pytest.mark.scenario("agents: The payload counts more than the environment")
@pytest.mark.parametrize(
    ("data", "agent"),
    # What has no sign of its own comes after the environment.
    [(data, agent) for data, agent, _ in RECORDED if data is not payloads.KIRO_CAPITAL_STOP],
)
def test_the_payload_counts_more_than_the_environment(data: bytes, agent: str) -> None:
    every = {name: value for environ, _, _ in MARKS for name, value in environ.items()}

    assert recognise(fields(data), every | {"CURSOR_VERSION": "3"}).agent == agent


@pytest.mark.scenario("agents: The session's variable counts more than a mark")
def test_the_sessions_variable_counts_more_than_a_mark() -> None:
    payload = {"hook_event_name": "Stop", "session_id": "inner"}
    environ = {
        "CLAUDECODE": "1",
        "CLAUDE_CODE_SESSION_ID": "outer",
        "QWEN_CODE_SESSION_ID": "inner",
    }

    found = recognise(payload, environ)

    assert found.agent == "qwen"
    assert found.because == "the variable QWEN_CODE_SESSION_ID is the payload's session"


def test_a_mark_of_an_agent_that_has_such_an_event_counts_more() -> None:
    found = recognise(
        {"hook_event_name": "Stop"}, {"GEMINI_SESSION_ID": "s", "CODEX_MANAGED_BY_NPM": "1"}
    )

    assert found.agent == "codex"


def test_the_last_directory_of_a_transcripts_path_tells() -> None:
    path = "/srv/.claude/projects/home/.qwen/projects/-srv/chats/1.jsonl"

    assert recognise({"transcript_path": path}, {}).agent == "qwen"


@pytest.mark.scenario("agents: A variable that five agents set is no sign")
@pytest.mark.parametrize("payload", [{"hook_event_name": "Stop"}, {}, {"session_id": 7}])
def test_a_variable_that_five_agents_set_is_no_sign(payload: dict[str, Any]) -> None:
    with pytest.raises(UnknownAgentError) as caught:
        recognise(payload, {"CLAUDE_PROJECT_DIR": "/srv/app", "COPILOT_CLI": ""})

    assert str(caught.value) == (
        "neither the payload nor the environment says which agent this is. Write, in the agent's "
        "settings, `stophooks hook --agent NAME`, where NAME is one of: claude, codex, gemini, "
        "qwen, copilot, droid, cursor, kiro, opencode; `stophooks install` writes it for you."
    )
