"""A session is held to what was there when it began."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from stophooks.values import replace
from tests.sessions import Session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

FAILS = "stop:\n  max_blocks: 9\n  commands:\n    - {name: tests, run: 'echo of then; exit 3'}\n"
PASSES = "stop: {commands: [{name: tests, run: 'true'}]}\n"
CHANGED = (
    "stophooks: stophooks.yaml changed since this session began, which is held to what was there "
    "then. A person can look at the difference and adopt it: stophooks trust"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    (place / ".git").mkdir(parents=True)
    (place / "stophooks.yaml").write_text(FAILS)
    return place


@pytest.fixture
def session(stophooks: Stophooks, place: Path) -> Session:
    return Session(stophooks=stophooks, place=place)


def work(place: Path) -> None:
    """A change, so that there is something to check."""
    (place / "work").write_text("done")


@pytest.mark.scenario("sessions: A weakened configuration has no effect")
@pytest.mark.scenario("sessions: The next session has the configuration of its time")
def test_a_weakened_configuration_has_no_effect(session: Session, place: Path) -> None:
    session.start()
    (place / "stophooks.yaml").write_text(PASSES)

    reason = session.blocked()

    assert "tests: exit code 3" in reason
    assert "of then" in reason
    assert reason.endswith(CHANGED)
    assert replace(session, name="next").stop().returncode == 0


@pytest.mark.scenario("sessions: A broken configuration has no effect")
@pytest.mark.parametrize("text", ["stop: {comands: []}", "[[[", "\0"])
def test_a_broken_configuration_has_no_effect(session: Session, place: Path, text: str) -> None:
    session.start()
    (place / "stophooks.yaml").write_text(text)

    reason = session.blocked()

    assert reason.startswith("1 of 1 check did not pass.")
    assert reason.endswith(CHANGED)


@pytest.mark.scenario("sessions: A removed configuration has no effect")
def test_a_removed_configuration_has_no_effect(session: Session, place: Path) -> None:
    session.start()
    (place / "stophooks.yaml").unlink()

    reason = session.blocked()

    assert "tests: exit code 3" in reason
    assert reason.endswith(CHANGED)


@pytest.mark.scenario("sessions: An edited env file has no effect")
def test_an_edited_env_file_has_no_effect(session: Session, place: Path) -> None:
    (place / "check.env").write_text("CODE=3\n")
    (place / "stophooks.yaml").write_text(
        "stop: {commands: [{name: tests, run: exit $CODE, env_file: check.env}]}"
    )
    session.start()
    (place / "check.env").write_text("CODE=0\n")

    reason = session.blocked()

    assert "tests: exit code 3" in reason
    assert "stophooks: check.env changed since this session began" in reason


@pytest.mark.scenario("sessions: A second file, or a nearer one, has no effect")
def test_another_file_has_no_effect(session: Session, place: Path) -> None:
    session.start()
    nearer = place / "part"
    nearer.mkdir()
    (nearer / "stophooks.yaml").write_text(PASSES)

    elsewhere = session.stop(cwd=nearer)
    (place / ".stophooks.yaml").write_text(PASSES)
    reason = session.blocked()

    assert elsewhere.returncode == 2
    assert "stophooks: part/stophooks.yaml is not in force: this session began" in elsewhere.stderr
    assert "lie side by side" in reason
    assert "This session is held to what was there when it began." in reason


@pytest.mark.scenario("sessions: A first stop pins where no start was seen")
def test_a_first_stop_pins(session: Session, place: Path) -> None:
    session.blocked()
    (place / "stophooks.yaml").write_text(PASSES)

    reason = session.blocked()

    assert "tests" in reason
    assert reason.endswith(CHANGED)


@pytest.mark.scenario("sessions: A session that begins twice is pinned once")
def test_a_session_that_begins_twice_is_pinned_once(session: Session, place: Path) -> None:
    session.start()
    (place / "stophooks.yaml").write_text(PASSES)
    session.start()

    assert "tests: exit code 3" in session.blocked()


@pytest.mark.scenario("sessions: An agent in a session without a configuration makes one")
def test_a_configuration_made_in_a_session_is_not_in_force(session: Session, place: Path) -> None:
    (place / "stophooks.yaml").unlink()
    session.start()
    (place / "stophooks.yaml").write_text("stop: {commands: [{run: touch ran}]}")

    assert session.told() == (
        "stophooks: stophooks.yaml is not in force: this session began without. A person can look "
        "at the difference and adopt it: stophooks trust"
    )
    assert not (place / "ran").exists()


@pytest.mark.scenario(
    "sessions: A configuration that could not be used is not replaced by the agent"
)
def test_an_agent_does_not_mend_a_configuration_by_another(session: Session, place: Path) -> None:
    (place / "stophooks.yaml").write_text("stop: {comands: []}")
    assert 'unknown key "comands"' in session.blocked()
    (place / "stophooks.yaml").write_text(PASSES)

    reason = session.blocked()

    assert reason.startswith(
        "stophooks could not run the checks: the configuration could not be used when this session "
        "began, and what is there now is not in force in it. A person can look"
    )
    # Nothing that the agent does can help: it is kept for that once.
    assert session.stop().returncode == 0


def test_a_configuration_may_become_usable_by_itself(session: Session, place: Path) -> None:
    (place / "stophooks.yaml").write_text(
        "stop: {commands: [{run: exit $CODE, env: {CODE: '${CODE}'}}]}"
    )
    assert "CODE" in session.blocked()

    assert "stop[0]: exit code 4" in session.blocked(CODE="4")


@pytest.mark.scenario("sessions: A pinned session reads no configuration")
def test_a_pinned_session_loads_no_library(session: Session, place: Path, tmp_path: Path) -> None:
    # An interpreter runs this file at its start: these libraries then do not exist.
    session.start()
    (place / "stophooks.yaml").write_text(PASSES)
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules.update(dict.fromkeys(['yaml', 'jsonschema', 'pydantic']))\n"
    )

    reason = session.blocked(PYTHONPATH=str(tmp_path))

    assert "tests: exit code 3" in reason
    fresh = replace(session, name="fresh").stop(env={"PYTHONPATH": str(tmp_path)})
    assert "by a fault of its own" in fresh.stderr


@pytest.mark.scenario("sessions: A damaged pin is told")
def test_a_pin_that_was_changed_is_not_used(
    session: Session, stophooks: Stophooks, place: Path
) -> None:
    session.start()
    with sqlite3.connect(stophooks.state / "stophooks/state.db") as connection:
        connection.execute("UPDATE pins SET plan = replace(plan, 'exit 3', 'exit 0')")
    connection.close()
    work(place)

    reason = session.blocked()

    assert "tests: exit code 3" in reason
    assert "and a new one was begun." in reason


@pytest.mark.scenario("sessions: A changed script is a failure")
@pytest.mark.scenario("sessions: A script may be left to the agent")
@pytest.mark.parametrize("pin", ["true", "false"])
def test_a_changed_script_is_a_failure(session: Session, place: Path, pin: str) -> None:
    script = place / "check.sh"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    (place / "stophooks.yaml").write_text(f"stop: {{commands: [{{run: ./check.sh, pin: {pin}}}]}}")
    session.start()
    script.write_text("#!/bin/sh\nexit 0\n")

    answer = session.stop()

    if pin == "false":
        assert answer.returncode == 0
        return
    assert answer.stderr == (
        "1 of 2 checks did not pass. Mend it, then finish again.\n\n"
        "scripts of checks: 1 script that a check starts changed since the session began\n"
        "  Make it what it was, or, where the change is meant, ask the person to look at it and "
        "adopt it: stophooks trust\n"
        "  changed: check.sh\n"
    )


@pytest.mark.scenario("sessions: Changed, removed and new files are listed")
@pytest.mark.scenario("sessions: Protected files that are put back are no failure")
def test_changes_of_protected_files_are_a_failure(session: Session, place: Path) -> None:
    tests = place / "tests"
    tests.mkdir()
    for name in ("kept", "changed", "gone"):
        (tests / name).write_text(name)
    (place / "stophooks.yaml").write_text(PASSES + "protect: [tests/**, '*.toml']\n")
    session.start()
    (tests / "changed").write_text("weaker")
    (tests / "gone").unlink()
    (place / "new.toml").write_text("")

    reason = session.blocked()

    assert reason == (
        "1 of 2 checks did not pass. Mend it, then finish again.\n\n"
        "protected files: 3 files that the agent may not change changed since the session began\n"
        "  Make them what they were, or, where the change is meant, ask the person to look at it "
        "and adopt it: stophooks trust\n"
        "  new: new.toml\n"
        "  changed: tests/changed\n"
        "  gone: tests/gone"
    )
    (tests / "changed").write_text("changed")
    (tests / "gone").write_text("gone")
    (place / "new.toml").unlink()
    assert session.stop().returncode == 0


def test_protected_files_need_no_command(session: Session, place: Path) -> None:
    (place / "stophooks.yaml").write_text("protect: [Makefile]\n")
    session.start()
    assert session.stop().stdout == ""
    (place / "Makefile").write_text("all:\n")

    assert "new: Makefile" in session.blocked()


@pytest.mark.scenario("sessions: What is protected is shown")
def test_what_is_protected_is_shown(stophooks: Stophooks, place: Path) -> None:
    (place / "a.toml").write_text("")
    (place / "stophooks.yaml").write_text(PASSES + "protect: ['*.toml', tests/**]\n")

    listed = stophooks("list", cwd=place).stdout
    validated = stophooks("validate", cwd=place).stdout

    assert "\nprotect: *.toml, tests/**\n" in listed
    assert validated == "stophooks.yaml: ok, 1 command, 1 protected file\n"
