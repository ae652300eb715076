from __future__ import annotations

import json
from typing import Any

import pytest

from stophooks.agents import AGENTS, claude


def test_a_stop_payload_becomes_a_stop_of_its_session() -> None:
    event = claude.parse(
        {"session_id": "s", "hook_event_name": "Stop", "cwd": "/work", "stop_hook_active": True},
        {"CLAUDE_PROJECT_DIR": "/project"},
    )

    assert (event.kind, event.agent, event.session, event.helper) == ("stop", "claude", "s", None)
    assert event.directories == ("/project", "/work")


def test_a_helper_keeps_its_own_name_beside_the_session() -> None:
    event = claude.parse(
        {"session_id": "s", "hook_event_name": "SubagentStop", "agent_id": "a1"}, {}
    )

    assert (event.kind, event.session, event.helper) == ("subagent_stop", "s", "a1")


def test_another_event_keeps_its_name() -> None:
    assert claude.parse({"hook_event_name": "PreCompact"}, {}).kind == "PreCompact"


@pytest.mark.parametrize("odd", [None, 7, "", [], {}, True, "nul\0"])
def test_a_field_of_another_type_counts_as_absent(odd: Any) -> None:
    payload = dict.fromkeys(("session_id", "cwd", "hook_event_name", "agent_id"), odd)

    event = claude.parse(payload, {"CLAUDE_PROJECT_DIR": ""})

    assert (event.kind, event.session, event.helper, event.directories) == ("stop", None, None, ())


def test_a_relative_directory_is_not_trusted() -> None:
    assert claude.parse({"cwd": "src"}, {"CLAUDE_PROJECT_DIR": "."}).directories == ()


def test_a_block_is_said_in_three_ways() -> None:
    reply = claude.block("tests failed\nü")

    assert reply.stdout == '{"decision": "block", "reason": "tests failed\\n\\u00fc"}\n'
    assert (reply.stderr, reply.exit_code) == ("tests failed\nü\n", 2)


def test_leave_to_stop_is_silent() -> None:
    reply = claude.allow(None)

    assert (reply.stdout, reply.stderr, reply.exit_code) == ("", "", 0)


def test_a_note_is_for_the_person_and_bounded() -> None:
    reply = claude.allow("n" * 20_000)

    assert json.loads(reply.stdout) == {"systemMessage": "n" * 8000}
    assert (reply.stderr, reply.exit_code) == ("", 0)


@pytest.mark.parametrize(
    "name",
    [
        "CLAUDECODE",
        "CLAUDE_CODE_MESSAGING_TOKEN",
        "CLAUDE_CODE_MESSAGING_SOCKET",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_PROJECT_DIR",
        "AI_AGENT",
    ],
)
def test_what_the_agent_sets_for_itself_is_private(name: str) -> None:
    assert AGENTS["claude"].private(name)


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "ANTHROPIC_API_KEY", "COREPACK_ENABLE_AUTO_PIN", "CLAUDETTE"]
)
def test_what_commands_may_need_is_not_private(name: str) -> None:
    assert not AGENTS["claude"].private(name)
