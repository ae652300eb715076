"""The words behind ``stophooks hook``, and which of two calls about one stop answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stophooks.agents import base
from stophooks.agents.recognise import UnknownAgentError
from stophooks.errors import StoreError, UsageError
from stophooks.hook import caller
from stophooks.hook.arguments import Arguments, parse
from stophooks.store.facts import Facts
from tests import payloads
from tests.payloads import fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ask = Callable[..., caller.Caller]

START = {"sessionId": "784", "cwd": "/srv/app", "source": "new", "initialPrompt": "hi"}
OWN_STOP = fields(payloads.COPILOT_STOP)
CLAUDES_START = {
    "hook_event_name": "SessionStart",
    "session_id": "784",
    "transcript_path": "/home/dev/.copilot/session-state/784/events.jsonl",
}
CLAUDES_STOP = fields(payloads.COPILOT_CAPITAL_STOP)


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """A call by way of one agent's settings; None where they do not name it."""

    def called(agent: str | None, payload: dict[str, Any], **environ: str) -> caller.Caller:
        return caller.find(Arguments(agent=agent), payload, environ, state_dir=str(tmp_path))

    return called


@pytest.mark.parametrize(
    ("argv", "agent", "debug"),
    [
        ([], None, False),
        (["--agent", "codex"], "codex", False),
        (["--agent=gemini"], "gemini", False),
        (["--debug"], None, True),
        (["--debug", "--agent", "kiro"], "kiro", True),
    ],
)
def test_the_words_say_which_agent_it_is(argv: list[str], agent: str | None, debug: bool) -> None:
    assert parse(argv, {}) == Arguments(agent=agent, debug=debug)


@pytest.mark.parametrize(("value", "debug"), [("1", True), ("0", False), ("", False)])
def test_a_variable_asks_for_the_reasons_too(value: str, debug: bool) -> None:
    assert parse([], {"STOPHOOKS_DEBUG": value}).debug is debug


@pytest.mark.scenario("agents: Words that are not known are refused")
@pytest.mark.parametrize(
    "argv", [["--agent"], ["--agent", "vim"], ["--agent="], ["claude"], ["--agent=codex", "--all"]]
)
def test_words_that_are_not_known_are_refused(argv: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse(argv, {})

    assert str(caught.value) == (
        f"`{' '.join(['stophooks hook', *argv])}` names no agent that is known. Write, in the "
        "agent's settings, usage: stophooks hook --agent NAME, where NAME is one of: claude, "
        "codex, gemini, qwen, copilot, droid, cursor, kiro, opencode; `stophooks install` writes "
        "it for you."
    )


def test_until_the_payload_is_read_the_named_agent_is_answered() -> None:
    assert caller.named(Arguments(agent="kiro")).NAME == "kiro"
    assert caller.named(Arguments()) is base.UNKNOWN


def test_the_named_agent_is_taken_at_its_word(ask: Ask) -> None:
    found = ask("gemini", fields(payloads.CODEX_STOP))

    assert (found.agent.NAME, found.event.agent, found.because, found.aside) == (
        "gemini",
        "gemini",
        "--agent names it",
        False,
    )


def test_an_agent_that_is_not_named_is_recognised(ask: Ask) -> None:
    found = ask(None, fields(payloads.CODEX_STOP))

    assert (found.agent.NAME, found.because) == ("codex", 'the payload has the field "turn_id"')


def test_an_agent_that_nothing_tells_is_not_guessed(ask: Ask) -> None:
    with pytest.raises(UnknownAgentError):
        ask(None, {})

    assert ask("claude", {}).agent.NAME == "claude"


@pytest.mark.scenario("agents: Another agent's settings are answered in the caller's words")
def test_another_agents_settings_are_answered_in_the_callers_words(ask: Ask) -> None:
    found = ask("claude", CLAUDES_STOP)

    assert (found.agent.NAME, found.aside) == ("copilot", False)
    assert found.event.session == "784"


def test_a_claude_that_copilot_has_started_is_claude(ask: Ask) -> None:
    found = ask("claude", fields(payloads.CLAUDE_STOP), COPILOT_CLI="1")

    assert found.agent.NAME == "claude"


def test_cursor_translates_an_answer_to_another_agents_settings(ask: Ask) -> None:
    payload = fields(payloads.CURSOR_STOP) | {"hook_event_name": "Stop"}

    lent = ask("claude", payload)
    own = ask("cursor", fields(payloads.CURSOR_STOP))

    assert (lent.event, lent.agent.block("r").stdout) == (
        own.event,
        '{"decision": "block", "reason": "r"}\n',
    )
    assert own.agent.block("r").stdout == '{"followup_message": "r"}\n'


@pytest.mark.scenario("agents: The hook in the agent's own settings answers")
def test_the_hook_in_the_agents_own_settings_answers(ask: Ask) -> None:
    own_start, claudes_start = ask("copilot", START), ask("claude", CLAUDES_START)
    claudes_stop, own_stop = ask("claude", CLAUDES_STOP), ask("copilot", OWN_STOP)
    own_again, claudes_again = ask("copilot", OWN_STOP), ask("claude", CLAUDES_STOP)

    assert (own_start.aside, claudes_start.aside) == (False, False)
    assert (claudes_stop.aside, own_stop.aside) == (True, False)
    assert (own_again.aside, claudes_again.aside) == (False, True)


@pytest.mark.scenario("agents: A hook that is no longer called does not keep the other silent")
def test_a_hook_that_is_no_longer_called_does_not_keep_the_other_silent(ask: Ask) -> None:
    ask("copilot", START)

    asides = [ask("claude", CLAUDES_STOP).aside for _ in range(3)]

    assert asides == [True, False, False]


def test_another_session_has_its_own_hook(ask: Ask) -> None:
    ask("copilot", START)

    assert not ask("claude", CLAUDES_STOP | {"session_id": "785"}).aside
    assert not ask("claude", {"stop_reason": "end_turn"}).aside


@pytest.mark.parametrize("session", ["half \ud800", "s" * 1_000_000, "'; DROP TABLE facts; --"])
def test_an_odd_session_is_one_too(ask: Ask, session: str) -> None:
    ask("copilot", START | {"sessionId": session})

    assert ask("claude", CLAUDES_STOP | {"session_id": session}).aside


def test_without_a_store_both_calls_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(file))
    state_dir = str(file / "state")

    own = caller.find(Arguments(agent="copilot"), START, {}, state_dir=state_dir)
    claudes = caller.find(Arguments(agent="claude"), CLAUDES_STOP, {}, state_dir=state_dir)

    assert (own.aside, claudes.aside) == (False, False)


def test_a_call_that_cannot_be_written_down_does_not_stand_aside(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise StoreError("read-only")

    ask("copilot", START)
    monkeypatch.setattr(Facts, "put", refuse)

    assert not ask("claude", CLAUDES_STOP).aside


def test_what_debug_says_stands_behind_the_reason(ask: Ask) -> None:
    task = {"id": "1", "type": "subagent", "status": "running"}
    found = ask(None, fields(payloads.CLAUDE_STOP) | {"background_tasks": [task]})
    reply = caller.debugged(found.agent.block("no"), caller.explained(found))

    assert reply.stdout == '{"decision": "block", "reason": "no"}\n'
    assert reply.stderr == (
        "no\n"
        "stophooks: debug: the agent is Claude Code (claude): "
        'the payload has the field "session_crons"\n'
        "stophooks: debug: the event is stop of session a29\n"
        "stophooks: debug: nothing is checked: 1 background task of the agent is running\n"
    )


def test_debug_names_the_helper_and_the_hook_that_answers(ask: Ask) -> None:
    ask("copilot", START | {"sessionId": "785"})
    payload = CLAUDES_STOP | {"session_id": "785", "agentId": "785"}

    assert caller.explained(ask("claude", payload)) == (
        'the agent is Copilot CLI (copilot): the payload has the field "stop_reason"',
        "the event is stop of session 785",
        "it is about the helper 785",
        "nothing is checked: it is a helper that stops, and not the agent",
        "nothing is checked: the hook in the agent's own settings answers",
    )


def test_a_name_cannot_pass_for_a_line_of_ours(ask: Ask) -> None:
    odd = "x\nstophooks: debug: all is well \ud800" + "y" * 1000
    found = ask("claude", {"hook_event_name": odd, "session_id": odd, "agent_id": odd})

    assert [len(line) < 260 for line in caller.explained(found)] == [True] * 3
    assert caller.explained(found)[2] == (
        "it is about the helper x\\nstophooks: debug: all is well \\ud800" + "y" * 61
    )
