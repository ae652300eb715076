"""Only a person adopts a change, and says which projects may run anything."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.values import replace
from tests.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.program import Finished, Stophooks

FAILS = """\
stop:
  commands:
    - name: tests
      run: ./check.sh
      env: {LEVEL: high, API_TOKEN: s3cr3t-one}
protect: ["*.toml"]
"""
PATIENCE_S = 20.0


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    (place / ".git").mkdir(parents=True)
    (place / "stophooks.yaml").write_text(FAILS)
    (place / "a.toml").write_text("strict = true")
    (place / "check.sh").write_text("#!/bin/sh\nexit 3\n")
    (place / "check.sh").chmod(0o755)
    return place


@pytest.fixture
def session(stophooks: Stophooks, place: Path) -> Session:
    return Session(stophooks=stophooks, place=place)


def require_trust(stophooks: Stophooks) -> None:
    own = stophooks.home / ".config/stophooks"
    own.mkdir(parents=True)
    (own / "stophooks.yaml").write_text("trust: required\n")


def weaken(place: Path) -> None:
    text = FAILS.replace("high", "low").replace("-one", "-two")
    (place / "stophooks.yaml").write_text(text)
    (place / "check.sh").write_text("#!/bin/sh\ntest $LEVEL = low\n")
    (place / "a.toml").write_text("strict = false")


def in_a_terminal(stophooks: Stophooks, place: Path, typed: bytes) -> tuple[int, str]:
    """Call ``stophooks trust`` in a terminal; its exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "stophooks", "trust"],
        cwd=place,
        env=stophooks.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and b"[y/N]" not in shown:
        shown += _read(ours)
    assert b"[y/N]" in shown, shown
    os.write(ours, typed)
    while piece := _read(ours):
        shown += piece
    os.close(ours)
    return process.wait(PATIENCE_S), shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096) if select.select([terminal], [], [], PATIENCE_S)[0] else b""
    except OSError:  # its other end is closed
        return b""


def trust(stophooks: Stophooks, place: Path, *args: str, **env: str) -> Finished:
    return stophooks("trust", *args, cwd=place, env=env)


@pytest.mark.scenario("sessions: The difference is shown and adopted")
@pytest.mark.scenario("sessions: The difference hides nothing and shows no key")
def test_the_difference_is_shown_and_adopted(
    session: Session, stophooks: Stophooks, place: Path
) -> None:
    session.start()
    weaken(place)
    assert "2 of 3 checks did not pass" not in session.blocked(), "the pinned LEVEL is another one"

    code, shown = in_a_terminal(stophooks, place, b"y\n")

    assert code == 0
    assert shown.startswith(f"{place}/stophooks.yaml (project {place})\n\n--- in force\n+++ now\n")
    rows = [row[0] + row[1:].strip() for row in shown.split("\n") if row[:1] in {"-", "+"}]
    assert '-"LEVEL=high",' in rows
    assert '+"LEVEL=low",' in rows
    assert "s3cr3t" not in shown
    assert shown.count("API_TOKEN=(sha256 ") == 2
    assert shown.partition("\n\nConfiguration:\n")[2] == (
        f"  changed: {place}/stophooks.yaml\n\n"
        f"Scripts that checks start:\n  changed: {place}/check.sh\n\n"
        "Protected files:\n  changed: a.toml\n"
        "Adopt it? [y/N] y\nAdopted, in 1 session.\n"
    )
    assert session.stop().returncode == 0


@pytest.mark.scenario("sessions: Saying no changes nothing")
def test_saying_no_changes_nothing(session: Session, stophooks: Stophooks, place: Path) -> None:
    session.start()
    weaken(place)

    code, shown = in_a_terminal(stophooks, place, b"\n")

    assert code == 1
    assert shown.endswith("Nothing was adopted.\n")
    assert "protected files" in session.blocked()


@pytest.mark.scenario("sessions: Without a terminal nothing is adopted")
@pytest.mark.scenario("sessions: An agent cannot adopt")
@pytest.mark.parametrize(
    ("args", "env", "why"),
    [
        ((), {}, "there is no terminal to show it in and to ask on."),
        (("--yes",), {"CLAUDECODE": "1"}, "Claude Code started this (CLAUDECODE is set)"),
        (("--yes",), {"GEMINI_CLI": "1"}, "Gemini CLI started this (GEMINI_CLI is set)"),
        (("--yes",), {"STOPHOOKS_RUNNING": "1"}, "a check started this"),
    ],
)
def test_nobody_but_a_person_adopts(
    stophooks: Stophooks, place: Path, args: tuple[str, ...], env: Mapping[str, str], why: str
) -> None:
    answer = trust(stophooks, place, *args, **env)

    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith(f"stophooks: Nothing was adopted: {why}")
    assert not (stophooks.state / "stophooks").exists()


@pytest.mark.scenario("sessions: A configuration with problems is not adopted")
def test_a_configuration_with_problems_is_not_adopted(stophooks: Stophooks, place: Path) -> None:
    (place / "stophooks.yaml").write_text("stop: {comands: []}")

    answer = trust(stophooks, place, "--yes")

    assert (answer.returncode, answer.stdout) == (3, "")
    assert 'unknown key "comands"; did you mean "commands"?' in answer.stderr


@pytest.mark.scenario("sessions: Nothing to adopt is said")
def test_nothing_to_adopt_is_said(stophooks: Stophooks, place: Path) -> None:
    first = trust(stophooks, place, "--yes")
    second = trust(stophooks, place, "--yes")

    assert first.stdout.endswith("\nAdopted.\n")
    assert "$ ./check.sh" in first.stdout
    assert (second.returncode, second.stdout) == (
        0,
        f"{place}/stophooks.yaml (project {place}): nothing to adopt, all of it is in force.\n",
    )


def test_what_a_session_began_without_can_be_adopted(
    session: Session, stophooks: Stophooks, place: Path
) -> None:
    text = (place / "stophooks.yaml").read_text()
    (place / "stophooks.yaml").unlink()
    session.start()
    (place / "stophooks.yaml").write_text(text)

    trust(stophooks, place, "--yes")

    assert "tests: exit code 3" in session.blocked()


@pytest.mark.scenario("sessions: A project that nobody trusts runs nothing")
@pytest.mark.scenario("sessions: A trusted project is checked")
@pytest.mark.scenario("sessions: A changed configuration has to be trusted again")
def test_trust_may_be_required(session: Session, stophooks: Stophooks, place: Path) -> None:
    require_trust(stophooks)
    (place / "check.sh").write_text("#!/bin/sh\ntouch ran\nexit 3\n")
    session.start()

    assert session.told() == (
        "stophooks: nothing was checked: nobody has said yet that the checks of "
        f"{place} may run (trust: required). A person can look at them and allow it: "
        "stophooks trust"
    )
    assert not (place / "ran").exists()

    assert trust(stophooks, place, "--yes").returncode == 0
    assert "tests: exit code 3" in session.blocked()

    (place / "ran").unlink()
    (place / "stophooks.yaml").write_text("stop: {commands: [{run: touch ran}]}")
    reason = replace(session, name="next").blocked()
    assert reason.startswith(
        "stophooks did not run the checks: the configuration of this project is not the one that "
        "a person allowed (trust: required)."
    )
    assert not (place / "ran").exists()


@pytest.mark.scenario("sessions: A project cannot speak for itself")
def test_a_project_cannot_speak_for_itself(stophooks: Stophooks, place: Path) -> None:
    (place / "stophooks.yaml").write_text(FAILS + "trust: assumed\n")

    answer = stophooks("validate", cwd=place)

    assert answer.returncode == 3
    assert "trust: only the configuration of a user says whom it trusts" in answer.stderr
    assert "write it in ~/.config/stophooks/stophooks.yaml" in answer.stderr
