"""What an agent is told the second time, and what is not worth a second time."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from stophooks.events import Event
from stophooks.store.memory import Memory
from tests.integration.test_hook_answers import (
    message,
    payload,
    place,
    project,
    reason,
    silent,
    stop,
)
from tests.repositories import repository
from tests.running import wait_until
from tests.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.program import Finished, Stophooks

__all__ = ["place"]

# A check of the project: it says when, fails while there is no file `mended`, and counts its runs.
CHECK = "date +%H:%M:%S.%N; echo $$ >> .git/runs; cat said; test -e mended"
TWO = f"""\
stop:
  max_blocks: 9
  commands:
    - {{name: tests, run: {json.dumps(CHECK)}}}
    - {{name: lint, run: "test -e mended"}}
"""
RUNNING = {"background_tasks": [{"id": "b1", "status": "running"}]}


@pytest.fixture
def checked(place: Path) -> Path:
    """A project whose two checks fail."""
    project(place, TWO)
    (place / "said").write_text("broken\n")
    return place


def runs(directory: Path) -> int:
    """How often the check ran; the file is where no tree has it."""
    path = directory / ".git/runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.scenario("budget: The payload's own flag is not trusted")
def test_the_payload_s_own_flag_is_not_trusted(stophooks: Stophooks, place: Path) -> None:
    project(place, TWO.replace("max_blocks: 9", "max_blocks: 2"))

    answers = [
        stop(stophooks, place, payload(stop_hook_active=active)) for active in (True, False, True)
    ]

    assert [answer.returncode for answer in answers] == [2, 2, 0]
    assert "2 of 2 checks did NOT pass" in message(answers[2])


@pytest.mark.scenario("budget: The same failures are told in one line")
@pytest.mark.scenario("budget: The same failures after a change say so")
@pytest.mark.scenario("budget: Another failure is told in full")
def test_the_same_failures_are_told_in_full_once(stophooks: Stophooks, checked: Path) -> None:
    first = reason(stop(stophooks, checked))
    again = reason(stop(stophooks, checked))
    (checked / "new").touch()
    changed = reason(stop(stophooks, checked))
    (checked / "said").write_text("worse\n")
    other = reason(stop(stophooks, checked))

    logs = re.escape(str(stophooks.state / "stophooks/logs")) + r"/\S+"
    assert "| broken" in first
    assert re.fullmatch(
        "The same 2 failures as before; nothing that they cover changed: "
        rf"tests \(exit code 1\), lint \(exit code 1\)\. Full output: {logs}",
        again,
    )
    assert re.fullmatch(
        r"The same 2 failures as before: files changed, and they still fail\."
        rf"\ntests \(exit code 1\)\. Full output: {logs}/0-tests\.log"
        rf"\nlint \(exit code 1\)\. Full output: {logs}/1-lint\.log",
        changed,
    )
    assert "| worse" in other


@pytest.mark.scenario("budget: A machine's fault blocks once")
def test_a_machine_s_fault_blocks_once(stophooks: Stophooks, place: Path, tmp_path: Path) -> None:
    project(place, "stop:\n  commands:\n    - {name: box, image: 'x:1', run: 'true'}\n")
    engine = f"unix://{tmp_path}/none.sock"

    answers = [stop(stophooks, place, DOCKER_HOST=engine) for _ in range(3)]

    first, later = reason(answers[0]), [message(answer) for answer in answers[1:]]
    assert "1 of 1 check could not run." in first
    assert "This is a fault of this machine, not of your work." in first
    for text in later:
        assert text.startswith(
            "stophooks: 1 of 1 check did NOT pass: this machine could not run it: box (could not "
            "run). "
        )
        assert "none.sock" in text
    assert stophooks("status", cwd=place).returncode == 1


@pytest.mark.scenario("budget: What only a person can do blocks once")
def test_what_only_a_person_can_do_blocks_once(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  comands: []\n")
    broken = reason(stop(stophooks, place))
    project(place, TWO)

    blocked, allowed = (stop(stophooks, place) for _ in range(2))

    assert 'unknown key "comands"' in broken
    assert "is not in force in it" in reason(blocked)
    assert message(allowed).startswith(
        "stophooks: the checks did NOT pass: they could not be run. The agent cannot mend that"
    )


@pytest.mark.scenario("budget: A missing program is a failure like others")
def test_a_missing_program_is_a_failure_like_others(stophooks: Stophooks, place: Path) -> None:
    project(place, "stop:\n  commands:\n    - {name: tests, command: [./no-such-script]}\n")

    codes = [stop(stophooks, place).returncode for _ in range(3)]

    assert codes == [2, 2, 2]


@pytest.mark.scenario("budget: An agent that is not done is not checked")
@pytest.mark.scenario("budget: An agent that is never done is checked")
def test_an_agent_that_is_not_done_is_checked_in_the_end(
    stophooks: Stophooks, checked: Path
) -> None:
    answers = [stop(stophooks, checked, payload(**RUNNING)) for _ in range(4)]

    told = {message(answer) for answer in answers[:3]}
    assert told == {"stophooks: nothing was checked: 1 background task of the agent is running."}
    assert "tests: exit code 1" in reason(answers[3])
    assert runs(checked) == 1


@pytest.mark.scenario("budget: Nothing changed since the last pass")
@pytest.mark.scenario("budget: Any change is checked")
def test_nothing_is_checked_twice(stophooks: Stophooks, checked: Path) -> None:
    (checked / "mended").touch()

    passed = stop(stophooks, checked)
    skipped = message(stop(stophooks, checked))
    ran = [runs(checked)]
    (checked / "new").touch()
    stop(stophooks, checked)
    ran.append(runs(checked))
    (checked / "new").write_text("1")
    stop(stophooks, checked)
    ran.append(runs(checked))
    stop(stophooks, checked, PATH_OF_TOOLS="/elsewhere")
    ran.append(runs(checked))

    assert silent(passed)
    assert re.fullmatch(
        r"stophooks: nothing was checked: nothing changed since everything passed at "
        r"\d{4}-\d\d-\d\d \d\d:\d\d\.",
        skipped,
    )
    assert ran == [1, 2, 3, 4]


@pytest.mark.scenario("budget: A failure is always checked again")
def test_a_failure_is_always_checked_again(stophooks: Stophooks, checked: Path) -> None:
    start = payload(hook_event_name="SessionStart", session_id="next")
    stop(stophooks, checked)
    began = stop(stophooks, checked, start)

    again = stop(stophooks, checked, payload(session_id="next"))

    assert silent(began)
    assert again.returncode == 2
    assert runs(checked) == 2


@pytest.mark.scenario("budget: Nothing changed since the session began")
def test_nothing_changed_since_the_session_began(stophooks: Stophooks, checked: Path) -> None:
    (checked / "mended").touch()
    stop(stophooks, checked)
    (checked / "by a person").touch()
    stop(stophooks, checked, payload(hook_event_name="SessionStart", session_id="next"))

    unchanged = message(stop(stophooks, checked, payload(session_id="next")))
    (checked / "mended").unlink()
    changed = stop(stophooks, checked, payload(session_id="next"))

    assert unchanged == (
        "stophooks: nothing was checked: nothing changed since this session began."
    )
    assert changed.returncode == 2


@pytest.mark.scenario("budget: A project that was never checked is checked")
def test_a_project_that_was_never_checked_is_checked(stophooks: Stophooks, checked: Path) -> None:
    stop(stophooks, checked, payload(hook_event_name="SessionStart"))

    assert stop(stophooks, checked).returncode == 2


@pytest.mark.scenario("budget: Two calls about one stop are one block")
def test_two_calls_about_one_stop_are_one_block(stophooks: Stophooks, checked: Path) -> None:
    project(checked, TWO.replace("max_blocks: 9", "max_blocks: 2"))
    stops = [payload(timestamp=at) for at in ("1", "1", "2", "2", "3", "3")]

    one_by_one = [stop(stophooks, checked, stdin) for stdin in stops]
    with ThreadPoolExecutor(2) as pool:
        at_once = list(
            pool.map(lambda _: stop(stophooks, checked, payload(session_id="other")), range(2))
        )
    after = stop(stophooks, checked, payload(session_id="other"))

    assert [answer.returncode for answer in one_by_one] == [2, 2, 2, 2, 0, 0]
    assert "| broken" in reason(one_by_one[0])
    assert "| broken" in reason(one_by_one[1])
    assert all("| broken" in reason(answer) for answer in at_once)
    assert after.returncode == 2


@pytest.mark.scenario("budget: A store that cannot be used skips nothing")
def test_a_store_that_cannot_be_used_skips_nothing(
    stophooks: Stophooks, checked: Path, tmp_path: Path
) -> None:
    (checked / "mended").touch()
    stophooks.state.rmdir()
    stophooks.state.write_text("in the way")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / f"stophooks-{checked.stat().st_uid}").write_text("in the way too")

    codes = [stop(stophooks, checked, TMPDIR=str(tmp_path / "tmp")).returncode for _ in range(2)]

    assert codes == [0, 0]
    assert runs(checked) == 2


def test_a_project_that_cannot_be_read_is_always_checked(
    stophooks: Stophooks, checked: Path, tmp_path: Path
) -> None:
    (checked / "mended").touch()
    (tmp_path / "sitecustomize.py").write_text(
        "from stophooks import inputs\ninputs.look = lambda *args, **options: None\n"
    )

    answers = [stop(stophooks, checked, PYTHONPATH=str(tmp_path)) for _ in range(2)]

    assert all(silent(answer) for answer in answers)
    assert runs(checked) == 2


def commands(*checks: Mapping[str, object], **more: object) -> str:
    return json.dumps({"stop": {"max_blocks": 9, "commands": list(checks)}, **more})


def ended(answer: Finished) -> str:
    """What a stop came to: what the person was told, or nothing for a pass, or that it blocked."""
    return "blocked" if answer.returncode == 2 else "" if silent(answer) else message(answer)


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", {"a.py": "good\n", ".gitignore": ".env\nout\n"})


@pytest.mark.scenario("budget: What inputs name beside the project's files")
@pytest.mark.parametrize("since_start", [False, True])
def test_an_ignored_input_that_changed_is_checked(
    stophooks: Stophooks, committed: Path, *, since_start: bool
) -> None:
    check = {"name": "tests", "run": "grep -q good .env", "inputs": ["a.py", ".env"]}
    (committed / "stophooks.json").write_text(commands(check))
    (committed / ".env").write_text("good\n")
    session = Session(stophooks=stophooks, place=committed)
    first = [ended(session.stop()), ended(session.stop())]
    if since_start:
        session = Session(stophooks=stophooks, place=committed, name="next")
        session.start()
    (committed / ".env").write_text("bad\n")

    assert first[0] == ""
    assert "nothing changed since everything passed" in first[1]
    assert ended(session.stop()) == "blocked"


@pytest.mark.scenario("budget: What inputs name beside the project's files")
def test_a_secret_s_file_that_changed_is_checked(
    stophooks: Stophooks, committed: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "key"
    secret.write_text("good")
    secret.chmod(0o600)
    check = {
        "name": "tests",
        "run": 'test "$KEY" = good',
        "secrets": [{"name": "KEY", "from_file": str(secret)}],
    }
    (committed / "stophooks.json").write_text(commands(check))
    session = Session(stophooks=stophooks, place=committed)
    told = [ended(session.stop()), ended(session.stop())]
    secret.write_text("evil")
    told.append(ended(session.stop()))

    assert told[::2] == ["", "blocked"]
    assert "nothing changed since everything passed" in told[1]


@pytest.mark.scenario("budget: What runs every time is checked every time")
def test_a_command_that_is_there_for_what_it_leaves_is_always_run(
    stophooks: Stophooks, committed: Path
) -> None:
    check = {"name": "tests", "run": "echo >> .git/runs", "keep_children": True}
    (committed / "stophooks.json").write_text(commands(check))
    session = Session(stophooks=stophooks, place=committed)

    told = [ended(session.stop()) for _ in range(2)]

    assert told == ["", ""]
    assert runs(committed) == 2


@pytest.mark.scenario("budget: A failure of anybody else is checked again")
@pytest.mark.parametrize("args", [(), ("--only", "tests"), ("--no-cache",)])
@pytest.mark.parametrize("since_start", [False, True])
def test_a_failure_by_hand_is_checked_again(
    stophooks: Stophooks, committed: Path, args: tuple[str, ...], *, since_start: bool
) -> None:
    check = {"name": "tests", "run": "echo >> .git/runs; test ! -e .git/bad"}
    (committed / "stophooks.json").write_text(commands(check))
    session = Session(stophooks=stophooks, place=committed)
    assert ended(session.stop()) == ""
    if since_start:
        session = Session(stophooks=stophooks, place=committed, name="next")
        session.start()
    (committed / ".git/bad").touch()
    assert stophooks("run", *args, cwd=committed).returncode == 1

    blocked = ended(session.stop())
    (committed / ".git/bad").unlink()
    after = [ended(session.stop()) for _ in range(2)]

    assert (blocked, after[0]) == ("blocked", "")
    assert "nothing changed since everything passed" in after[1]
    assert runs(committed) == 4


@pytest.mark.scenario("budget: A failure of anybody else is checked again")
def test_a_pass_does_not_outlive_a_failure_of_the_same_time(tmp_path: Path) -> None:
    """Another session's check failed while this one's was going on, which knows nothing of it."""
    event = Event(kind="stop", agent="claude", session="a", directories=())
    memory = Memory(str(tmp_path / "state"), event, str(tmp_path))
    began = time.time()
    memory.put_state("stop", {"result": "failed"})

    memory.passed("stop", {"result": "passed"}, tree="t", terms="x", began=began)
    meanwhile = (memory.is_doubted("stop"), memory.last_pass("stop"))
    memory.passed("stop", {"result": "passed"}, tree="t", terms="x", began=time.time())

    assert meanwhile == (True, None)
    assert not memory.is_doubted("stop")
    assert (memory.last_pass("stop") or {}).get("tree") == "t"
    memory.close()


@pytest.mark.scenario("budget: A file that was changed and changed back during the checks")
@pytest.mark.parametrize("more", [{}, {"inputs": [".env"]}])
def test_a_stop_during_which_a_file_was_changed_back_is_no_pass(
    stophooks: Stophooks, committed: Path, more: dict[str, object]
) -> None:
    name = ".env" if more else "a.py"
    waits = "touch .git/began; until test -e .git/go; do sleep 0.01; done"
    ends = "touch .git/seen; until test -e .git/end; do sleep 0.01; done; exit $r"
    check = {"name": "tests", "run": f"{waits}; grep -q good {name}; r=$?; {ends}", **more}
    (committed / "stophooks.json").write_text(commands(check))
    (committed / name).write_text("bad\n")

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(Session(stophooks=stophooks, place=committed).stop)
        wait_until((committed / ".git/began").exists)
        (committed / name).write_text("good\n")
        (committed / ".git/go").touch()
        wait_until((committed / ".git/seen").exists)
        (committed / name).write_text("bad\n")
        (committed / ".git/end").touch()
        first = ended(answer.result(30))

    assert first == ""
    assert ended(Session(stophooks=stophooks, place=committed).stop()) == "blocked"
