"""The plugin file for OpenCode, run by node with a client that only writes down what is asked."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.program import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    Play = Callable[..., list[list[str]]]

# The one that the tests' own environment has, before any other.
NODE = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or "node"
PLUGIN = Path(__file__).parents[2] / "plugins/opencode/stophooks.js"
COMMAND = 'const COMMAND = "stophooks hook --agent opencode";'
LIMIT = "const LIMIT_S = 600;"
GRACE = "const GRACE_S = 5;"
# Plays events, one after the other or (a list in the list) at once; prints what was asked for.
DRIVER = """
import { Stophooks } from "./stophooks.mjs";
const [events, refuses] = JSON.parse(process.argv[2]);
const asked = [];
const client = {
  tui: { showToast: async ({ body }) => { asked.push(["shown", body.message]); } },
  app: { log: async () => { throw new Error("no log"); } },
  session: {
    get: async ({ path }) => ({ data: path.id.startsWith("helper") ? { parentID: "ses_1" } : {} }),
    promptAsync: async ({ path, body }) => {
      asked.push(["sent", path.id, body.parts[0].type, body.parts[0].text]);
      return refuses ? { error: { name: "BadRequest" } } : {};
    },
  },
};
const plugin = await Stophooks({ client, directory: process.cwd() });
for (const event of events) {
  await Promise.all([event].flat().map((one) => plugin.event({ event: one })));
}
console.log(JSON.stringify(asked));
"""
IDLE = {"type": "session.idle", "properties": {"sessionID": "ses_1"}}


@pytest.fixture
def play(tmp_path: Path, token: str) -> Play:
    """Play events to the plugin, whose hook is a program; its standard input goes to `heard`."""
    directory = tmp_path / "project"
    directory.mkdir()
    state = tmp_path / "state"

    def played(
        command: list[str], *events: Any, limit_s: float = 30, refuses: bool = False
    ) -> list[list[str]]:
        text = PLUGIN.read_text()
        for was, now in (
            (COMMAND, f"const COMMAND = {json.dumps(shlex.join(command))};"),
            (LIMIT, f"const LIMIT_S = {limit_s};"),
            (GRACE, "const GRACE_S = 0.2;"),
        ):
            assert was in text
            text = text.replace(was, now)
        (tmp_path / "stophooks.mjs").write_text(text)
        (tmp_path / "driver.mjs").write_text(DRIVER)
        ended = subprocess.run(
            [NODE, tmp_path / "driver.mjs", json.dumps([events, refuses])],
            cwd=directory,
            env=os.environ | {"XDG_STATE_HOME": str(state), TOKEN: token},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        found: list[list[str]] = json.loads(ended.stdout)
        return found

    return played


def hook(tmp_path: Path, script: str) -> list[str]:
    """A program that writes down what it is told and then does this."""
    return ["sh", "-c", f'cat >> "{tmp_path}/heard"; echo >> "{tmp_path}/heard"; {script}', "hook"]


def heard(tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "heard"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def block(reason: str) -> str:
    answer = json.dumps({"decision": "block", "reason": reason})
    return f"echo '{answer}'; echo '{reason}' >&2; exit 2"


@pytest.mark.scenario("agents: A failing check goes back to the model")
@pytest.mark.scenario("agents: A passing check sends nothing")
def test_the_real_hook_sends_a_failing_check_back_until_it_passes(
    play: Play, tmp_path: Path
) -> None:
    config = tmp_path / "project/stophooks.yaml"
    config.write_text("stop:\n  commands:\n    - {name: tests, run: test -e fixed}\n")
    command = [sys.executable, "-m", "stophooks", "hook", "--agent", "opencode"]

    failing = play(command, IDLE)
    (tmp_path / "project/fixed").write_text("")
    passing = play(command, IDLE)

    assert [(name, session) for name, session, *_ in failing] == [("sent", "ses_1")]
    assert "tests" in failing[0][3]
    assert "exit code 1" in failing[0][3]
    assert passing == []


def test_the_reason_is_sent_as_it_is(play: Play, tmp_path: Path) -> None:
    asked = play(hook(tmp_path, block("1 of 2 failed")), IDLE)

    assert asked == [["sent", "ses_1", "text", "1 of 2 failed"]]
    assert heard(tmp_path) == [
        {
            "hook_event_name": "session.idle",
            "session_id": "ses_1",
            "cwd": str(tmp_path / "project"),
        }
    ]


@pytest.mark.scenario("agents: The person is shown a note")
def test_the_person_is_shown_a_note(play: Play, tmp_path: Path) -> None:
    note = """echo '{"systemMessage": "checks did not pass"}'"""

    assert play(hook(tmp_path, note), IDLE) == [["shown", "checks did not pass"]]


@pytest.mark.scenario("agents: A hook that cannot be asked is said to the person")
def test_a_program_that_is_missing_is_said_and_told_once(play: Play) -> None:
    asked = play(["/nowhere/stophooks"], IDLE, IDLE)

    text = asked[0][1]
    assert text.startswith("Nothing was checked: stophooks ended with exit code 127: ")
    assert "/nowhere/stophooks" in text
    assert asked == [
        ["shown", text],
        ["sent", "ses_1", "text", f"{text} Tell the person."],
        ["shown", text],
    ]


@pytest.mark.scenario("agents: A hook that cannot be asked is said to the person")
def test_a_hook_that_crashes_is_no_leave_to_stop(play: Play, tmp_path: Path) -> None:
    asked = play(hook(tmp_path, "echo trace >&2; echo boom >&2; exit 1"), IDLE)

    assert asked[0] == ["shown", "Nothing was checked: stophooks ended with exit code 1: boom."]


@pytest.mark.scenario("agents: A hook that cannot be asked is said to the person")
def test_a_hook_that_hangs_is_ended(play: Play, tmp_path: Path) -> None:
    hangs = ["sh", "-c", f"trap '' TERM; echo $$ > {tmp_path}/pid; exec sleep 60"]

    asked = play(hangs, IDLE, limit_s=0.3)

    assert asked[0] == ["shown", "Nothing was checked: stophooks gave no answer within 0.3 s."]
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_a_block_without_json_is_one_too(play: Play, tmp_path: Path) -> None:
    asked = play(hook(tmp_path, "echo no >&2; exit 2"), IDLE)

    assert asked == [["sent", "ses_1", "text", "no"]]


@pytest.mark.scenario("agents: The plugin does not ask for ever")
def test_the_plugin_does_not_ask_for_ever(play: Play, tmp_path: Path) -> None:
    asked = play(hook(tmp_path, block("no")), *[IDLE] * 9)

    assert asked == [
        *[["sent", "ses_1", "text", "no"]] * 8,
        ["shown", "Checks did not pass 9 times in a row; the session is let go."],
    ]


@pytest.mark.scenario("agents: A turn that the person interrupts is not taken up again")
def test_a_turn_that_ends_in_an_error_is_not_taken_up_again(play: Play, tmp_path: Path) -> None:
    error = {"type": "session.error", "properties": {"sessionID": "ses_1", "error": {}}}
    helper = {"type": "session.idle", "properties": {"sessionID": "helper_1"}}

    asked = play(hook(tmp_path, block("no")), error, IDLE, helper)

    assert (asked, heard(tmp_path)) == ([], [])


def test_the_turn_after_an_error_is_asked_about(play: Play, tmp_path: Path) -> None:
    error = {"type": "session.error", "properties": {"sessionID": "ses_1", "error": {}}}

    assert play(hook(tmp_path, block("no")), error, IDLE, IDLE) == [["sent", "ses_1", "text", "no"]]


def test_two_events_about_one_idle_are_one_question(play: Play, tmp_path: Path) -> None:
    play(hook(tmp_path, "true"), [IDLE, IDLE])

    assert len(heard(tmp_path)) == 1


def test_a_session_that_cannot_be_told_is_said_to_the_person(play: Play, tmp_path: Path) -> None:
    asked = play(hook(tmp_path, block("no")), IDLE, refuses=True)

    assert asked[1] == [
        "shown",
        'Checks did not pass, and the session could not be told: {"name":"BadRequest"}',
    ]


def test_the_start_and_the_end_of_a_session_are_told_and_not_a_helpers(
    play: Play, tmp_path: Path
) -> None:
    own, helpers = {"id": "ses_1"}, {"id": "ses_2", "parentID": "ses_1"}

    asked = play(
        hook(tmp_path, block("no")),
        *[
            {"type": kind, "properties": {"info": info}}
            for kind in ("session.created", "session.deleted")
            for info in (own, helpers)
        ],
        {"type": "file.edited", "properties": {"file": "a"}},
        {"type": "server.connected"},
    )

    assert asked == []
    assert [(one["hook_event_name"], one["session_id"]) for one in heard(tmp_path)] == [
        ("session.created", "ses_1"),
        ("session.deleted", "ses_1"),
    ]
