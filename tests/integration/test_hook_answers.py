from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.running import paced

if TYPE_CHECKING:
    from tests.program import Finished, Stophooks

FAILS = "stop:\n  commands:\n    - name: tests\n      run: echo broken; exit 3\n"
PASSES = 'stop:\n  commands:\n    - run: "true"\n'


def payload(**fields: Any) -> bytes:
    """A Stop payload as Claude Code 2.1.329 sends it."""
    common = {
        "session_id": "a29e",
        "transcript_path": "/home/dev/.claude/projects/p/a29e.jsonl",
        "permission_mode": "default",
        "hook_event_name": "Stop",
        "stop_hook_active": False,
        "last_assistant_message": "All done.",
        "background_tasks": [],
    }
    return json.dumps(common | fields).encode() + b"\n"


def project(directory: Path, config: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / ".git").mkdir(exist_ok=True)
    (directory / "stophooks.yaml").write_text(config)
    return directory


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return project(tmp_path / "project", FAILS)


def stop(stophooks: Stophooks, place: Path, stdin: bytes | None = None, **env: str) -> Finished:
    return stophooks("hook", "--agent", "claude", cwd=place, stdin=stdin or payload(), env=env)


def reason(answer: Finished) -> str:
    """The reason of a block, which is said in three ways."""
    told = json.loads(answer.stdout)
    assert list(told) == ["decision", "reason"]
    assert told["decision"] == "block"
    assert answer.stderr == told["reason"] + "\n"
    assert answer.returncode == 2
    return str(told["reason"])


def message(answer: Finished) -> str:
    """The person's message of a stop that was allowed."""
    told = json.loads(answer.stdout)
    assert list(told) == ["systemMessage"]
    assert (answer.stderr, answer.returncode) == ("", 0)
    return str(told["systemMessage"])


def silent(answer: Finished) -> bool:
    return (answer.stdout, answer.stderr, answer.returncode) == ("", "", 0)


@pytest.mark.scenario("agent-claude: A failing check keeps the agent from stopping")
def test_a_failing_check_blocks(stophooks: Stophooks, place: Path) -> None:
    answer = stop(stophooks, place)

    text = reason(answer)
    assert "tests: exit code 3" in text
    assert "| broken" in text


@pytest.mark.scenario("agent-claude: Passing checks let the agent stop without a word")
def test_a_pass_is_silent(stophooks: Stophooks, place: Path) -> None:
    project(place, PASSES)

    assert silent(stop(stophooks, place))


@pytest.mark.scenario(
    "agent-claude: A failing check that only warns lets the agent stop and tells the person"
)
def test_a_warning_is_for_the_person(stophooks: Stophooks, place: Path) -> None:
    project(place, FAILS + "      severity: warn\n")

    text = message(stop(stophooks, place))

    assert text.startswith("stophooks: a check gives a warning: tests (exit code 3). Full output: ")


@pytest.mark.scenario("agent-claude: What is printed meanwhile stays out of the answer")
def test_noise_stays_out_of_the_answer(stophooks: Stophooks, place: Path, tmp_path: Path) -> None:
    # An interpreter runs this file at its start: it makes a library print, as a careless one does.
    (tmp_path / "sitecustomize.py").write_text(
        "import subprocess\n"
        "from stophooks import engine\n"
        "run = engine.run\n"
        "def noisy(*args, **options):\n"
        "    print('NOISE', flush=True)\n"
        "    subprocess.run(['echo', 'NOISE'])\n"
        "    return run(*args, **options)\n"
        "engine.run = noisy\n"
    )

    answer = stop(stophooks, place, PYTHONPATH=str(tmp_path))

    assert list(json.loads(answer.stdout)) == ["decision", "reason"]
    assert answer.stderr.count("NOISE") == 2


@pytest.mark.scenario("agent-claude: An agent that no longer reads changes nothing")
def test_closed_streams_do_not_change_the_exit_code(stophooks: Stophooks, place: Path) -> None:
    process = stophooks.start("hook", "--agent", "claude", cwd=place)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()

    process.stdin.write(payload())
    process.stdin.close()

    assert process.wait(timeout=30) == 2


def test_streams_that_were_never_open_do_not_change_the_exit_code(
    stophooks: Stophooks, place: Path
) -> None:
    line = f"exec {stophooks.python} -m stophooks hook --agent claude >&- 2>&-"

    done = subprocess.run(
        ["sh", "-c", line],
        cwd=place,
        env=stophooks.environment(),
        input=payload(),
        timeout=30,
        check=False,
    )

    assert done.returncode == 2


@pytest.mark.scenario("agent-claude: An open stdin does not delay the answer")
def test_a_complete_payload_is_enough(stophooks: Stophooks, place: Path) -> None:
    process = stophooks.start("hook", "--agent", "claude", cwd=place)
    assert process.stdin is not None
    process.stdin.write(payload())
    process.stdin.flush()
    began = time.monotonic()

    code = process.wait(timeout=30)

    took = time.monotonic() - began
    process.communicate()
    assert code == 2
    assert took < paced(4)


@pytest.mark.scenario("agent-claude: A byte order mark and surrounding white space are tolerated")
def test_a_byte_order_mark_is_tolerated(stophooks: Stophooks, place: Path) -> None:
    stdin = b"\xef\xbb\xbf \r\n" + payload() + b"\r\n"

    assert "tests: exit code 3" in reason(stop(stophooks, place, stdin))


@pytest.mark.scenario("agent-claude: Odd fields are ignored")
def test_odd_fields_are_ignored(stophooks: Stophooks, place: Path) -> None:
    stdin = payload(session_id=7, cwd=["x"], stop_hook_active="yes", new={"deep": [1]})

    assert "tests: exit code 3" in reason(stop(stophooks, place, stdin))


@pytest.mark.scenario("agent-claude: A payload that cannot be read blocks")
@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (b" \n", "standard input was empty"),
        (b"done", "standard input is not a JSON object"),
        (b'["Stop"]', "standard input is JSON, but not an object"),
        (b'{"a":' * 100_000, "standard input is not a JSON object: nested too deeply"),
        (b'{"a": %s}' % (b"9" * 5000), "standard input is not a JSON object"),
    ],
)
def test_an_unreadable_payload_blocks(
    stophooks: Stophooks, place: Path, stdin: bytes, words: str
) -> None:
    assert words in reason(stop(stophooks, place, stdin))


@pytest.mark.scenario("agent-claude: A payload that never ends blocks")
def test_half_a_payload_blocks_in_time(stophooks: Stophooks, place: Path) -> None:
    process = stophooks.start("hook", "--agent", "claude", cwd=place)
    assert process.stdin is not None
    process.stdin.write(payload()[:40])
    process.stdin.flush()

    assert process.wait(timeout=30) == 2
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    process.communicate()
    assert "no complete JSON object within 5 seconds" in told["reason"]


@pytest.mark.scenario("agent-claude: The stop of a helper runs its own section")
def test_a_helper_has_its_own_section(stophooks: Stophooks, place: Path) -> None:
    project(place, FAILS + "subagent_stop:\n  commands:\n    - run: touch helper\n")

    answer = stop(stophooks, place, payload(hook_event_name="SubagentStop", agent_id="a5d"))

    assert silent(answer)
    assert (place / "helper").exists()


@pytest.mark.scenario("agent-claude: An event without commands passes")
@pytest.mark.parametrize("event", ["SubagentStop", "SessionEnd"])
def test_an_event_without_commands_passes(stophooks: Stophooks, place: Path, event: str) -> None:
    assert silent(stop(stophooks, place, payload(hook_event_name=event)))


@pytest.mark.scenario("agent-claude: Without a configuration the agent may stop in silence")
def test_no_configuration_is_no_gate(stophooks: Stophooks, place: Path) -> None:
    (place / "stophooks.yaml").unlink()

    assert silent(stop(stophooks, place, payload(cwd=str(place)), CLAUDE_PROJECT_DIR=str(place)))


@pytest.mark.scenario("agent-claude: Changing the directory does not change the checks")
def test_the_project_directory_comes_first(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    easy = project(tmp_path / "easy", PASSES)

    answer = stop(stophooks, easy, payload(cwd=str(easy)), CLAUDE_PROJECT_DIR=str(place))

    assert "tests: exit code 3" in reason(answer)


def test_the_payload_s_directory_comes_second(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    easy = project(tmp_path / "easy", PASSES)

    assert "tests: exit code 3" in reason(stop(stophooks, easy, payload(cwd=str(place))))


def test_it_works_without_a_home(stophooks: Stophooks, place: Path) -> None:
    environ = stophooks.environment()
    del environ["HOME"]

    done = subprocess.run(
        [stophooks.python, "-m", "stophooks", "hook", "--agent", "claude"],
        cwd=place,
        env=environ,
        input=payload(),
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 2
    assert "tests: exit code 3" in json.loads(done.stdout)["reason"]


@pytest.mark.scenario("agent-claude: A configuration with problems blocks and shows them")
def test_a_bad_configuration_blocks(stophooks: Stophooks, place: Path) -> None:
    more = "".join(f"    - run: 'true'\n      odd{index}: 1\n" for index in range(500))
    project(place, f"stop:\n  commands:\n    - run: touch ran\n      timeuot: 5s\n{more}")

    text = reason(stop(stophooks, place))

    assert f'{place}/stophooks.yaml:4:7: stop.commands[0]: unknown key "timeuot"' in text
    assert len(text.encode()) <= 8192
    assert not (place / "ran").exists()


@pytest.mark.scenario("agent-claude: A call without a known agent blocks")
@pytest.mark.parametrize("args", [("--agent",), ("--agent", "hal"), ("--agent=hal",), ("x",)])
def test_an_unknown_agent_blocks(stophooks: Stophooks, place: Path, args: tuple[str, ...]) -> None:
    text = reason(stophooks("hook", *args, cwd=place, stdin=payload()))

    assert "usage: stophooks hook --agent NAME, where NAME is one of: claude" in text


@pytest.mark.scenario("agent-claude: A call without a known agent blocks")
def test_a_call_that_no_agent_makes_blocks(stophooks: Stophooks, place: Path) -> None:
    text = reason(stophooks("hook", cwd=place, stdin=b'{"hook_event_name": "Stop"}'))

    assert "says which agent this is" in text
    assert "where NAME is one of: claude" in text


def test_the_agent_s_name_may_follow_an_equals_sign(stophooks: Stophooks, place: Path) -> None:
    project(place, PASSES)

    assert silent(stophooks("hook", "--agent=claude", cwd=place, stdin=payload()))


@pytest.mark.scenario("agent-claude: A fault of stophooks itself blocks")
@pytest.mark.parametrize("error", ["KeyError('lost')", "MemoryError()", "RecursionError('deep')"])
def test_our_own_fault_blocks(
    stophooks: Stophooks, place: Path, tmp_path: Path, error: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from stophooks import engine\n"
        "def broken(*args, **options):\n"
        f"    raise {error}\n"
        "engine.run = broken\n"
    )

    text = reason(stop(stophooks, place, PYTHONPATH=str(tmp_path)))

    assert "by a fault of its own: " + error.partition("(")[0] in text
    assert "broken in" in text
    assert "Traceback" not in text


def test_a_fault_while_the_answer_is_made_blocks_too(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from stophooks.hook import budget\n"
        "def broken(*args, **options):\n"
        "    raise KeyError('lost')\n"
        "budget.open_store = broken\n"
    )

    text = reason(stop(stophooks, place, PYTHONPATH=str(tmp_path)))

    assert "by a fault of its own: KeyError" in text


def test_a_fault_after_the_answer_changes_nothing(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "from stophooks.store import logs\n"
        "def broken(*args, **options):\n"
        "    raise KeyError('lost')\n"
        "logs.prune = broken\n"
    )

    assert "tests: exit code 3" in reason(stop(stophooks, place, PYTHONPATH=str(tmp_path)))


def test_checks_that_do_not_end_by_their_deadline_are_given_up(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    project(place, FAILS.replace("stop:\n", "stop:\n  deadline: 1s\n"))
    (tmp_path / "sitecustomize.py").write_text(
        "import threading\n"
        "from stophooks import engine\n"
        "from stophooks.hook import watch\n"
        "watch.OVERRUN_S = 0.1\n"
        "engine.run = lambda *args, **options: threading.Event().wait()\n"
    )

    text = reason(stop(stophooks, place, PYTHONPATH=str(tmp_path)))

    assert text.startswith("stophooks could not end the checks by their deadline")


def test_a_stdin_that_was_never_open_blocks(stophooks: Stophooks, place: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {stophooks.python} -m stophooks hook --agent claude <&-"],
        cwd=place,
        env=stophooks.environment(),
        capture_output=True,
        timeout=30,
        check=False,
    )

    told = json.loads(done.stdout)
    assert "standard input was empty" in told["reason"]


@pytest.mark.scenario("agent-claude: An interrupted call answers before it is killed")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_call_answers(
    stophooks: Stophooks, place: Path, number: signal.Signals
) -> None:
    project(place, "stop:\n  commands:\n    - run: |\n        sleep 100 & touch ran; sleep 100\n")
    process = stophooks.start("hook", "--agent", "claude", cwd=place)
    assert process.stdin is not None
    process.stdin.write(payload())
    process.stdin.flush()
    _wait_for(place / "ran")

    began = time.monotonic()
    os.kill(process.pid, number)

    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 0.4)[0]
    assert process.wait(timeout=30) == 2
    assert time.monotonic() - began < paced(2)
    told = json.loads(process.stdout.read())
    process.communicate()
    assert told["reason"] == (
        f"stophooks was interrupted ({number.name}) before the checks were finished; "
        "they did not pass."
    )


@pytest.mark.scenario("agent-claude: Checks end with the agent")
def test_checks_end_with_the_agent(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  commands:\n    - run: |\n        sleep 100 & touch ran; sleep 100\n")
    process = stophooks.start("hook", "--agent", "claude", cwd=place)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(payload())
    process.stdin.flush()
    _wait_for(place / "ran")

    process.stdout.close()
    process.stderr.close()

    assert process.wait(timeout=30) == 2


def test_a_call_that_still_waits_for_its_payload_ends_at_a_signal(
    stophooks: Stophooks, place: Path
) -> None:
    process = stophooks.start("hook", "--agent", "claude", cwd=place)
    deadline = time.monotonic() + 10
    while not _catches(process.pid, signal.SIGHUP) and time.monotonic() < deadline:
        pass

    process.send_signal(signal.SIGHUP)

    assert process.wait(timeout=30) == 2
    process.communicate()


@pytest.mark.scenario("agent-claude: A command does not see the agent's own variables")
def test_private_variables_stay_private(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  commands:\n    - run: env > seen\n")

    answer = stop(
        stophooks,
        place,
        CLAUDE_CODE_MESSAGING_TOKEN="t",
        CLAUDECODE="1",
        AI_AGENT="claude-code",
        ANTHROPIC_API_KEY="k",
    )

    names = {line.partition("=")[0] for line in (place / "seen").read_text().splitlines()}
    assert silent(answer)
    assert "ANTHROPIC_API_KEY" in names
    assert not {name for name in names if name.startswith("CLAUDE") or name == "AI_AGENT"}


@pytest.mark.scenario("agent-claude: The whole output is in the log")
def test_the_log_has_all_of_the_output(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  commands:\n    - name: ../big one\n      run: seq 20000; exit 1\n")

    text = reason(stop(stophooks, place))

    path = Path(text.partition("Full output: ")[2].splitlines()[0])
    assert path.read_text() == "".join(f"{number}\n" for number in range(1, 20001))
    assert path.name == "0-big-one.log"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.is_relative_to(stophooks.state / "stophooks/logs")
    assert len(text.encode()) <= 8192


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"


def _catches(pid: int, number: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = next(line for line in lines if line.startswith("SigCgt:")).split()[1]
    return bool(int(mask, 16) >> (number - 1) & 1)
