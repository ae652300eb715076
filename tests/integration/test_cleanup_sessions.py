"""An agent's session is cleaned up after its end, announced or not, and only then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.values import dataclass, field
from tests.cleanups import SESSION, Scene, lives
from tests.running import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import docker

    from tests.program import Finished, Stophooks

IMAGE = "stophooks-test/busybox:1"
START, STOP, END = "SessionStart", "Stop", "SessionEnd"
# An agent: calls its hook for each line that it reads, and lives until it is ended.
AGENT = """
import os, subprocess, sys
for line in sys.stdin:
    done = subprocess.run(sys.argv[1:], input=line.encode(), capture_output=True)
    sys.stdout.write(f"{done.returncode} {done.stdout.decode()!r}\\n")
    sys.stdout.flush()
"""


@dataclass(kw_only=True)
class Sessions(Scene):
    """A project, and the hook's calls of agents in it."""

    agents: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def hook(
        self,
        event: str,
        *,
        agent: str = "claude",
        session: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        return self.stophooks(
            "hook",
            f"--agent={agent}",
            cwd=self.project,
            stdin=self.payload(event, session=session),
            env=env,
        )

    def payload(self, event: str, *, session: str | None = None) -> bytes:
        fields = {
            "session_id": session or self.session,
            "cwd": str(self.project),
            "hook_event_name": event,
        }
        return json.dumps(fields).encode()

    def agent(self) -> subprocess.Popen[bytes]:
        """Start an agent that can be killed."""
        hook = [sys.executable, "-m", "stophooks", "hook", "--agent=claude"]
        process = subprocess.Popen(
            [sys.executable, "-c", AGENT, *hook],
            cwd=self.project,
            env=self.stophooks.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.agents.append(process)
        return process

    def call(self, agent: subprocess.Popen[bytes], event: str) -> str:
        """Have an agent call its hook; its answer."""
        assert agent.stdin
        assert agent.stdout
        agent.stdin.write(self.payload(event) + b"\n")
        agent.stdin.flush()
        return agent.stdout.readline().decode()

    def runs(self) -> int:
        """How often the script has come to its end."""
        path = self.project / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def last(self) -> dict[str, Any]:
        """What the status says of the last cleanup."""
        done = self.stophooks("status", "--format", "json", cwd=self.project)
        return dict(json.loads(done.stdout)["cleanup"] or {})

    def await_runs(self, count: int) -> None:
        wait_until(lambda: self.runs() == count)

    def await_cleanup(self) -> dict[str, Any]:
        wait_until(lambda: self.last().get("state") == "done")
        return self.last()

    def clear(self) -> None:
        for agent in self.agents:
            agent.kill()
            agent.communicate()
        super().clear()


@pytest.fixture
def sessions(stophooks: Stophooks, tmp_path: Path) -> Iterator[Sessions]:
    project = tmp_path / "project"
    project.mkdir()
    one = Sessions(stophooks=stophooks, project=project)
    yield one
    one.clear()


COUNTS = "echo once >> runs; env > seen"


def silent(done: Finished) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.scenario("cleanup: The end of a session is followed by its cleanup")
@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_the_end_of_a_session_is_followed_by_its_cleanup(sessions: Sessions, agent: str) -> None:
    sessions.script(COUNTS)
    sessions.hook(START, agent=agent)
    process, slow = sessions.process(), sessions.trap("slow")
    assert lives(process)

    answer = sessions.hook(END, agent=agent)
    last = sessions.await_cleanup()
    history = sessions.stophooks("history", cwd=sessions.project).stdout

    assert answer.returncode == 0
    message = json.loads(answer.stdout)["systemMessage"]
    assert message.startswith("stophooks: the cleanup of this session goes on in the background")
    assert sessions.runs() == 1
    assert sessions.seen()[SESSION] == sessions.session
    assert not lives(process)
    assert not lives(slow)
    assert last["reason"] == "the session has ended"
    assert "\n    reason: the session has ended\n" in history
    assert "\n    ended: " in history
    assert last["level"] == "stop"
    assert last["session"] == sessions.session
    assert len(last["processes"]["ended"]) == 2


def test_the_answer_does_not_wait_for_the_cleanup(sessions: Sessions) -> None:
    sessions.script("echo $$ > pid; exec sleep 100")
    sessions.hook(START)

    sessions.hook(END)

    wait_until((sessions.project / "pid").exists)
    assert sessions.last()["state"] == "going_on"
    os.kill(int((sessions.project / "pid").read_text()), signal.SIGKILL)
    assert sessions.await_cleanup()["own"]["results"][0]["status"] == "failed"


@pytest.mark.scenario("cleanup: The cleanup outlives the agent")
def test_the_cleanup_outlives_the_agent(sessions: Sessions) -> None:
    sessions.script("touch began; sleep 2; " + COUNTS)
    agent = sessions.agent()
    sessions.call(agent, START)
    process = sessions.process()

    answer = sessions.call(agent, END)
    wait_until((sessions.project / "began").exists)
    # All that the agent could still find of what it started, and its group.
    for pid in _below(agent.pid):
        os.kill(pid, signal.SIGKILL)
    os.killpg(agent.pid, signal.SIGKILL)

    last = sessions.await_cleanup()
    assert "the cleanup of this session goes on" in answer
    assert sessions.runs() == 1
    assert last["passed"]
    assert not lives(process)


def _below(pid: int) -> list[int]:
    path = f"/proc/{pid}/task/{pid}/children"
    with open(path, encoding="ascii") as file:
        children = [int(one) for one in file.read().split()]
    return [*children, *(one for child in children for one in _below(child))]


@pytest.mark.scenario("cleanup: Two ends are one cleanup")
def test_two_ends_are_one_cleanup(sessions: Sessions) -> None:
    sessions.script(COUNTS)
    sessions.hook(START)

    answers = [sessions.hook(END) for _ in range(2)]
    sessions.await_cleanup()

    assert [bool(answer.stdout) for answer in answers] == [True, False]
    assert sessions.runs() == 1


def test_a_session_that_was_resumed_is_cleaned_up_again(sessions: Sessions) -> None:
    sessions.script(COUNTS)
    for runs in (1, 2):
        sessions.hook(START)
        sessions.hook(END)
        sessions.await_runs(runs)
        sessions.await_cleanup()


@pytest.mark.scenario("cleanup: A project without anything to clean starts nothing")
@pytest.mark.parametrize("config", [None, "stop:\n  commands: [{run: 'true'}]\n"])
def test_a_project_without_anything_to_clean_starts_nothing(
    sessions: Sessions, config: str | None
) -> None:
    (sessions.project / "compose.yml").write_text("services: {}\n")
    if config is not None:
        sessions.config(config)

    answers = [sessions.hook(event) for event in (START, STOP, END)]

    assert all(silent(answer) for answer in answers)
    assert sessions.last() == {}


def test_a_section_is_reason_enough(sessions: Sessions) -> None:
    sessions.config("cleanup:\n  commands: [{run: 'echo once >> runs'}]\n")
    sessions.hook(STOP)

    sessions.hook(END)
    sessions.await_cleanup()

    assert sessions.runs() == 1


@pytest.mark.scenario("cleanup: A session that was resumed is left alone")
def test_a_session_that_was_resumed_is_left_alone(sessions: Sessions) -> None:
    sessions.script("touch began; sleep 3")
    sessions.hook(START)
    sessions.hook(END)
    wait_until((sessions.project / "began").exists)

    sessions.hook(START)
    process = sessions.process()
    last = sessions.await_cleanup()

    assert last["processes"]["not_looked_for"].startswith("the session goes on")
    assert lives(process)


@pytest.mark.scenario("cleanup: A changed script runs as it was")
@pytest.mark.parametrize("change", ["changed", "removed"])
@pytest.mark.parametrize("by", ["agent", "person"])
def test_a_changed_script_runs_as_it_was(sessions: Sessions, change: str, by: str) -> None:
    path = sessions.script("echo as it was >> runs; pwd > place")
    sessions.hook(START)
    if change == "changed":
        path.write_text("#!/bin/sh\ntouch changed\n")
    else:
        path.unlink()

    if by == "agent":
        sessions.hook(END)
    else:
        sessions.of_session()
    last = sessions.await_cleanup()

    assert (sessions.project / "runs").read_text() == "as it was\n"
    assert (sessions.project / "place").read_text().strip() == str(sessions.project)
    assert not (sessions.project / "changed").exists()
    assert "the version that it began with was run" in last["own"]["notes"][0]
    assert not list((sessions.stophooks.state / "stophooks").glob("cleanup-*"))


@pytest.mark.scenario("cleanup: An added script does not run")
def test_an_added_script_does_not_run(sessions: Sessions) -> None:
    sessions.hook(START)
    sessions.script("touch ran")
    (sessions.project / "compose.yml").write_text("services: {}\n")

    done = sessions.of_session()
    adopted = sessions.stophooks("trust", "--yes", cwd=sessions.project)
    again = sessions.of_session()

    assert done.returncode == 1
    assert "this session began without it" in done.stdout
    assert "stophooks trust" in done.stdout
    assert adopted.returncode == 0, adopted
    assert "new: .stophooks/on-cleanup" in adopted.stdout
    assert again.returncode == 0, again
    assert (sessions.project / "ran").exists()


@pytest.mark.scenario("cleanup: A killed agent's session is cleaned up once")
@pytest.mark.parametrize("next_call", ["start", "stop", "run", "cleanup"])
def test_a_killed_agent_s_session_is_cleaned_up_once(sessions: Sessions, next_call: str) -> None:
    sessions.config("stop:\n  commands: [{run: 'true'}]\n")
    sessions.script(COUNTS)
    agent = sessions.agent()
    for event in (START, STOP):
        sessions.call(agent, event)
    process, other = sessions.process(), sessions.process(**{SESSION: "another"})
    agent.kill()
    agent.wait()

    calls = {
        "start": lambda: sessions.hook(START, session="another"),
        "stop": lambda: sessions.hook(STOP, session="another"),
        "run": lambda: sessions.stophooks("run", cwd=sessions.project),
        "cleanup": lambda: sessions("--no-hooks"),
    }
    calls[next_call]()
    wait_until(lambda: sessions.last().get("session") == sessions.session)
    last = sessions.await_cleanup()
    calls["start"]()

    assert last["reason"] == "its agent has ended without a word"
    assert sessions.runs() == 1
    assert not lives(process)
    assert lives(other)


def test_a_killed_agent_that_names_itself_is_known_at_once(sessions: Sessions) -> None:
    sessions.script(COUNTS)
    # What is between: a program that is started for each call.
    code = (
        "import os, subprocess, sys\n"
        "between = [sys.executable, '-c', 'import subprocess, sys;"
        "subprocess.run(sys.argv[1:], input=sys.stdin.buffer.read())', *sys.argv[1:]]\n"
        "env = os.environ | {'CLAUDE_PID': str(os.getpid())}\n"
        "subprocess.run(between, input=sys.stdin.buffer.read(), env=env)\n"
    )
    hook = [sys.executable, "-m", "stophooks", "hook", "--agent=claude"]
    subprocess.run(
        [sys.executable, "-c", code, *hook],
        cwd=sessions.project,
        env=sessions.stophooks.environment(),
        input=sessions.payload(START),
        check=True,
    )

    sessions.hook(START, session="another")

    assert sessions.await_cleanup()["session"] == sessions.session
    assert sessions.runs() == 1


@pytest.mark.scenario("cleanup: A living agent's session is not touched")
def test_a_living_agent_s_session_is_not_touched(sessions: Sessions) -> None:
    sessions.script(COUNTS)
    agent = sessions.agent()
    for event in (START, STOP):
        sessions.call(agent, event)
    process = sessions.process()

    for _ in range(2):
        answer = sessions.hook(START, session="another")

    assert silent(answer)
    assert sessions.last() == {}
    assert lives(process)


def test_a_program_that_is_started_for_each_call_is_no_agent(sessions: Sessions) -> None:
    sessions.script(COUNTS)
    between = (
        "import subprocess, sys;"
        "subprocess.run(sys.argv[1:], input=sys.stdin.buffer.read(), check=True)"
    )
    hook = [sys.executable, "-m", "stophooks", "hook", "--agent=claude"]
    for event in (START, STOP, STOP):
        subprocess.run(
            [sys.executable, "-c", between, *hook],
            cwd=sessions.project,
            env=sessions.stophooks.environment(),
            input=sessions.payload(event),
            check=True,
        )

    sessions.hook(START, session="another")

    assert sessions.last() == {}


def test_the_end_of_the_cleaner_does_not_leave_the_rest_undone(sessions: Sessions) -> None:
    sessions.script("trap '' TERM; echo $$ > pid; while :; do sleep 1; done")
    sessions.hook(START)
    process = sessions.process()
    sessions.hook(END)
    wait_until((sessions.project / "pid").exists)
    pid = int((sessions.project / "pid").read_text())
    cleaner = next(
        int(name)
        for name in filter(str.isdecimal, os.listdir("/proc"))
        if _is_cleaner(name, sessions.stophooks.token)
    )

    os.kill(cleaner, signal.SIGTERM)
    last = sessions.await_cleanup()

    assert last["own"]["results"][0]["status"] == "cancelled"
    assert ended(pid)
    assert not lives(process)


def _is_cleaner(name: str, token: str) -> bool:
    try:
        with open(f"/proc/{name}/cmdline", "rb") as file:
            line = file.read()
        with open(f"/proc/{name}/environ", "rb") as file:
            return b"hook.cleaner" in line and token.encode() in file.read()
    except OSError:
        return False


@pytest.mark.scenario("cleanup: The agent's shell gets the session's name")
def test_the_agent_s_shell_gets_the_session_s_name(sessions: Sessions, tmp_path: Path) -> None:
    sessions.session = 'it\'s $(touch ran) "so"'
    file = tmp_path / "env"
    file.write_text("export OTHERS=1")

    for _ in range(2):
        sessions.hook(START, env={"CLAUDE_ENV_FILE": str(file)})
    said = subprocess.run(
        ["sh", "-c", f'. {file}; printf %s "$OTHERS $STOPHOOKS_SESSION"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert said == f"1 {sessions.session}"
    assert len(file.read_text().splitlines()) == 2
    assert not (tmp_path / "ran").exists()


def test_a_file_that_cannot_be_written_keeps_no_session(sessions: Sessions) -> None:
    answer = sessions.hook(START, env={"CLAUDE_ENV_FILE": "/nowhere/env"})

    assert silent(answer)


@pytest.mark.scenario("cleanup: A check of a session bears its name")
@pytest.mark.parametrize("inherit", ["true", "false"])
def test_a_check_of_a_session_bears_its_name(sessions: Sessions, inherit: str) -> None:
    sessions.config(f"stop:\n  commands: [{{run: 'env > seen', inherit_env: {inherit}}}]\n")

    sessions.hook(STOP)

    assert sessions.seen()[SESSION] == sessions.session


@pytest.mark.scenario("cleanup: A container of a session's command bears its name")
def test_a_container_of_a_session_s_command_bears_its_name(
    engine: docker.DockerClient, sessions: Sessions
) -> None:
    sessions.config(
        "stop:\n  commands:\n"
        f"    - {{image: {IMAGE}, network: none, run: 'touch began; sleep 300'}}\n"
    )
    running = sessions.stophooks.start("hook", "--agent=claude", cwd=sessions.project)
    assert running.stdin
    running.stdin.write(sessions.payload(STOP))
    running.stdin.close()
    running.stdin = None
    label = f"stophooks.session={sessions.session}"

    # An engine lists a container some time after it has started.
    wait_until(lambda: bool(engine.containers.list(filters={"label": label})))
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)

    assert not engine.containers.list(all=True, filters={"label": label})
