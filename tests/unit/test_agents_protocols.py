"""Recorded payloads in, events out; answers as the agents obey them, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stophooks import agents
from stophooks.agents import AGENTS
from stophooks.agents.base import Reply
from stophooks.events import EVENTS, SESSION_EVENTS, Event
from tests import payloads
from tests.payloads import fields

HERE = ("/srv/app",)
RECORDED = [
    ("claude", payloads.CLAUDE_STOP, "stop", "a29", None),
    ("claude", payloads.CLAUDE_SUBAGENT_STOP, "subagent_stop", "a29", "a5d"),
    ("claude", payloads.CLAUDE_SESSION_END, "session_end", "a29", None),
    ("codex", payloads.CODEX_STOP, "stop", "01a", None),
    ("codex", payloads.CODEX_SUBAGENT_STOP, "subagent_stop", "01a", "01d"),
    ("codex", payloads.CODEX_SESSION_END, "session_end", "01a", None),
    ("gemini", payloads.GEMINI_STOP, "stop", "2b1", None),
    ("gemini", payloads.GEMINI_SESSION_END, "session_end", "2b1", None),
    ("qwen", payloads.QWEN_STOP, "stop", "1a7", None),
    ("copilot", payloads.COPILOT_STOP, "stop", "784", None),
    ("copilot", payloads.COPILOT_CAPITAL_STOP, "stop", "784", None),
    ("copilot", payloads.COPILOT_SUBAGENT_STOP, "subagent_stop", "784", "785"),
    ("copilot", payloads.COPILOT_SESSION_END, "session_end", "784", None),
    ("droid", payloads.DROID_STOP, "stop", "c18", None),
    ("droid", payloads.DROID_SESSION_END, "session_end", "c18", None),
    ("cursor", payloads.CURSOR_STOP, "stop", "c00", None),
    ("kiro", payloads.KIRO_STOP, "stop", "k1r", None),
    ("kiro", payloads.KIRO_CAPITAL_STOP, "stop", "k1r", None),
    ("kiro", payloads.KIRO_SPAWN, "session_start", None, None),
    ("opencode", payloads.OPENCODE_IDLE, "stop", "ses_1", None),
]
STARTS = [
    ("claude", {"hook_event_name": "SessionStart"}),
    ("codex", {"hook_event_name": "SessionStart"}),
    ("gemini", {"hook_event_name": "SessionStart"}),
    ("qwen", {"hook_event_name": "SessionStart"}),
    ("copilot", {"sessionId": "784", "source": "new", "initialPrompt": "hi"}),
    ("copilot", {"hook_event_name": "SessionStart", "session_id": "784"}),
    ("droid", {"hook_event_name": "SessionStart"}),
    ("cursor", {"hook_event_name": "sessionStart"}),
    ("kiro", {"hook_event_name": "agentSpawn"}),
    ("opencode", {"hook_event_name": "session.created"}),
]
PROJECT_VARIABLES = [
    ("claude", "CLAUDE_PROJECT_DIR"),
    ("gemini", "GEMINI_PROJECT_DIR"),
    ("qwen", "QWEN_PROJECT_DIR"),
    ("copilot", "COPILOT_PROJECT_DIR"),
    ("droid", "FACTORY_PROJECT_DIR"),
    ("droid", "DROID_PROJECT_DIR"),
    ("cursor", "CURSOR_PROJECT_DIR"),
]
REASON = "1 of 2 commands failed\nü"
JSON_REASON = '"1 of 2 commands failed\\n\\u00fc"'
BLOCK = Reply(
    stdout=f'{{"decision": "block", "reason": {JSON_REASON}}}\n',
    stderr=f"{REASON}\n",
    exit_code=2,
)
BLOCKS = {
    **dict.fromkeys(("claude", "codex", "gemini", "qwen", "copilot", "droid", "opencode"), BLOCK),
    "kiro": Reply(stdout=BLOCK.stdout, stderr="", exit_code=0),
    "cursor": Reply(stdout=f'{{"followup_message": {JSON_REASON}}}\n', stderr="", exit_code=0),
}
MESSAGE = Reply(stdout='{"systemMessage": "checks did not pass"}\n', stderr="", exit_code=0)
NOTES = {
    **dict.fromkeys(("claude", "codex", "gemini", "qwen", "copilot", "droid", "opencode"), MESSAGE),
    "cursor": Reply(stdout="", stderr="checks did not pass\n", exit_code=0),
    "kiro": Reply(stdout="", stderr="checks did not pass\n", exit_code=1),
}
SET_BY_AGENTS = {
    "claude": (
        *("CLAUDE_PROJECT_DIR", "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID"),
        *("CLAUDE_PID", "CLAUDE_EFFORT", "AI_AGENT", "CLAUDE_CODE_CHILD_SESSION"),
        *("CLAUDE_CODE_MESSAGING_TOKEN", "CLAUDE_CODE_MESSAGING_SOCKET", "CLAUDE_PLUGIN_ROOT"),
    ),
    "codex": ("CODEX_MANAGED_BY_NPM", "CODEX_MANAGED_PACKAGE_ROOT", "CLAUDE_PLUGIN_DATA"),
    "gemini": (
        *("GEMINI_PROJECT_DIR", "GEMINI_CWD", "GEMINI_SESSION_ID", "GEMINI_PLANS_DIR"),
        "CLAUDE_PROJECT_DIR",
    ),
    "qwen": (
        *("QWEN_PROJECT_DIR", "GEMINI_PROJECT_DIR", "CLAUDE_PROJECT_DIR", "QWEN_CODE_MODEL"),
        *("QWEN_CODE_SESSION_ID", "QWEN_CODE_PROMPT_ID", "QWEN_CODE_AGENT_ID"),
    ),
    "copilot": (
        *("COPILOT_CLI", "COPILOT_PROJECT_DIR", "CLAUDE_PROJECT_DIR", "COPILOT_HOOK_DIR"),
        *("COPILOT_CLI_BINARY_VERSION", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0"),
        "GIT_CONFIG_VALUE_0",
    ),
    "droid": (
        *("FACTORY_PROJECT_DIR", "DROID_PROJECT_DIR", "CLAUDE_PROJECT_DIR", "DROID_PLUGIN_ROOT"),
        *json.loads(payloads.DROID_STOP),
        *json.loads(payloads.DROID_SESSION_END),
    ),
    "cursor": ("CURSOR_PROJECT_DIR", "CURSOR_VERSION", "CURSOR_PLUGIN_ROOT"),
    "kiro": (),
    "opencode": ("OPENCODE", "OPENCODE_PID"),
}
SET_BY_PEOPLE = (
    *("PATH", "HOME", "NO_PROXY", "NODE_EXTRA_CA_CERTS", "GIT_CONFIG_GLOBAL", "COREPACK_HOME"),
    *("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "QWEN_API_KEY", "FACTORY_API_KEY"),
    *("CURSOR_API_KEY", "GITHUB_TOKEN", "COPILOT_GITHUB_TOKEN", "CODEX_HOME", "COPILOT_HOME"),
    *("CODEX_API_KEY", "GEMINI_MODEL", "OPENCODE_CONFIG", "KIRO_HOME"),
)


def parse(agent: str, payload: dict[str, Any], **environ: str) -> Event:
    return AGENTS[agent].parse(payload, environ)


@pytest.mark.scenario("agents: A recorded payload becomes its event")
@pytest.mark.parametrize(("agent", "data", "kind", "session", "helper"), RECORDED)
def test_a_recorded_payload_becomes_its_event(
    agent: str, data: bytes, kind: str, session: str | None, helper: str | None
) -> None:
    event = parse(agent, fields(data))

    assert event == Event(
        kind=kind, agent=agent, session=session, directories=HERE, helper=helper, unfinished=None
    )


@pytest.mark.parametrize(("agent", "payload"), STARTS)
def test_a_session_start_is_one(agent: str, payload: dict[str, Any]) -> None:
    assert parse(agent, payload).kind == "session_start"


@pytest.mark.scenario("agents: Both spellings of one agent's payload mean the same")
def test_both_spellings_of_copilot_mean_the_same() -> None:
    small = parse("copilot", fields(payloads.COPILOT_STOP), COPILOT_PROJECT_DIR="/srv")
    capital = parse("copilot", fields(payloads.COPILOT_CAPITAL_STOP), COPILOT_PROJECT_DIR="/srv")

    assert small == capital


@pytest.mark.scenario("agents: The project is where the agent was started")
@pytest.mark.parametrize(("agent", "name"), PROJECT_VARIABLES)
def test_the_project_is_where_the_agent_was_started(agent: str, name: str) -> None:
    event = parse(agent, {"cwd": "/elsewhere"}, **{name: "/srv/app"})

    assert event.directories == ("/srv/app", "/elsewhere")


@pytest.mark.scenario("agents: Fields of another type count as absent")
@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("odd", [None, 7, "", [], {}, True, "nul\0", [{"status": []}]])
def test_fields_of_another_type_count_as_absent(agent: str, odd: Any) -> None:
    names = ("session_id", "sessionId", "conversation_id", "agent_id", "agentId", "cwd")
    more = ("hook_event_name", "status", "workspace_roots", "background_tasks")

    event = parse(agent, dict.fromkeys((*names, *more), odd))

    assert (event.kind, event.session, event.helper) == ("stop", None, None)
    assert event.directories == ()


@pytest.mark.parametrize("agent", AGENTS)
def test_another_event_keeps_its_name(agent: str) -> None:
    assert parse(agent, {"hook_event_name": "PreToolUse"}).kind == "PreToolUse"


@pytest.mark.scenario("agents: A stop while helpers run is not the end")
@pytest.mark.parametrize("data", [payloads.CLAUDE_STOP, payloads.QWEN_STOP])
def test_a_stop_while_helpers_run_is_not_the_end(data: bytes) -> None:
    agent = "claude" if data is payloads.CLAUDE_STOP else "qwen"
    tasks = [
        {"id": "1", "type": "subagent", "status": "running", "agent_type": "Explore"},
        {"id": "2", "type": "workflow", "status": "pending", "name": "review"},
        {"id": "3", "type": "subagent", "status": "completed"},
    ]

    both = parse(agent, fields(data) | {"background_tasks": tasks}).unfinished
    one = parse(agent, fields(data) | {"background_tasks": tasks[1:]}).unfinished

    assert both == "2 background tasks of the agent are running"
    assert one == "1 background task of the agent is running"


@pytest.mark.scenario("agents: A server in the background does not put the checks off")
@pytest.mark.parametrize(
    "task",
    [
        {"id": "1", "type": "shell", "status": "running", "command": "npm run dev"},
        {"id": "1", "type": "subagent", "status": "completed"},
        {"id": "1", "type": "workflow", "status": "failed"},
        "1",
    ],
)
def test_a_server_in_the_background_does_not_put_the_checks_off(task: Any) -> None:
    assert parse("claude", {"background_tasks": [task]}).unfinished is None


@pytest.mark.scenario("agents: A helper's end does not wait for its siblings")
def test_a_helpers_end_does_not_wait_for_its_siblings() -> None:
    task = {"id": "a5d", "type": "subagent", "status": "running"}
    payload = fields(payloads.CLAUDE_SUBAGENT_STOP) | {"background_tasks": [task]}

    event = parse("claude", payload)

    assert (event.kind, event.unfinished) == ("subagent_stop", None)


@pytest.mark.scenario("agents: A turn that was not completed is no stop")
@pytest.mark.parametrize("status", ["aborted", "error"])
def test_a_turn_that_was_not_completed_is_no_stop(status: str) -> None:
    event = parse("cursor", fields(payloads.CURSOR_STOP) | {"status": status})

    assert event.unfinished == f"its status is {status}"


@pytest.mark.scenario("agents: A helper that is announced as the agent is no stop")
def test_a_helper_that_is_announced_as_the_agent_is_no_stop() -> None:
    event = parse("copilot", fields(payloads.COPILOT_HELPERS_AGENT_STOP))

    assert (event.kind, event.helper) == ("stop", "785")
    assert event.unfinished == "it is a helper that stops, and not the agent"


@pytest.mark.scenario("agents: A block is said in the agent's own words")
@pytest.mark.parametrize("agent", AGENTS)
def test_a_block_is_said_in_the_agents_own_words(agent: str) -> None:
    assert AGENTS[agent].block(REASON) == BLOCKS[agent]


@pytest.mark.scenario("agents: The person is told in the agent's own way")
@pytest.mark.parametrize("agent", AGENTS)
def test_the_person_is_told_in_the_agents_own_way(agent: str) -> None:
    assert AGENTS[agent].allow("checks did not pass") == NOTES[agent]


@pytest.mark.scenario("agents: The person is told in the agent's own way")
def test_copilot_in_a_terminal_shows_a_warning() -> None:
    agent = agents.adapter("copilot", {"COPILOT_CLI": "1"})

    assert agent.allow("checks did not pass") == Reply(
        stdout="", stderr="checks did not pass\n", exit_code=2
    )
    assert agent.allow(None) == Reply(stdout="", stderr="", exit_code=0)
    assert agent.block(REASON) == BLOCK


@pytest.mark.scenario("agents: Leave to stop without a note is silent")
@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("note", [None, ""])
def test_leave_to_stop_without_a_note_is_silent(agent: str, note: str | None) -> None:
    assert AGENTS[agent].allow(note) == Reply(stdout="", stderr="", exit_code=0)


@pytest.mark.parametrize(
    "agent", ["claude", "codex", "gemini", "qwen", "copilot", "droid", "opencode"]
)
def test_a_note_is_cut_before_the_agent_cuts_it(agent: str) -> None:
    assert json.loads(AGENTS[agent].allow("n" * 20_000).stdout) == {"systemMessage": "n" * 8000}


@pytest.mark.scenario("agents: What an agent sets is dropped")
@pytest.mark.parametrize("agent", AGENTS)
def test_what_an_agent_sets_is_dropped(agent: str) -> None:
    environ = dict.fromkeys(SET_BY_AGENTS[agent], "x") | {"PATH": "/bin"}

    assert agents.public(environ) == {"PATH": "/bin"}


@pytest.mark.scenario("agents: What a person sets stays")
def test_what_a_person_sets_stays() -> None:
    environ = dict.fromkeys(SET_BY_PEOPLE, "x")

    assert agents.public(environ) == environ


def test_what_only_an_agent_there_makes_its_own_is_else_a_persons() -> None:
    environ = {"GIT_CONFIG_COUNT": "1", "source": "mine", "cwd": "here"}

    assert agents.public(environ) == environ


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_is_known_by_the_name_of_its_adapter(agent: str) -> None:
    adapter = AGENTS[agent]

    assert (adapter.NAME, bool(adapter.TITLE)) == (agent, True)
    assert "stop" in adapter.EVENTS.values()
    assert set(adapter.EVENTS.values()) <= {*EVENTS, *SESSION_EVENTS}


def test_only_agents_that_are_known_have_an_adapter() -> None:
    assert list(AGENTS) == [
        *("claude", "codex", "gemini", "qwen", "copilot", "droid", "cursor", "kiro", "opencode")
    ]
    assert "windsurf" not in AGENTS
    with pytest.raises(KeyError):
        AGENTS["base"]
