"""The user's own commands run in every project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.sessions import Session

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

OWN = "stop: {commands: [{name: tests, run: 'pwd; echo of the user; exit 1'}]}\n"
PROJECTS = "stop: {max_blocks: 7, commands: [{name: tests, run: 'pwd; exit 2'}]}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    (place / ".git").mkdir(parents=True)
    return place


@pytest.fixture
def own(stophooks: Stophooks) -> Path:
    """The user's own configuration."""
    path = stophooks.home / ".config/stophooks/stophooks.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(OWN)
    return path


@pytest.mark.scenario("sessions: Both configurations are run")
@pytest.mark.scenario("sessions: A name that both have is told apart")
def test_both_configurations_are_run(stophooks: Stophooks, place: Path, own: Path) -> None:
    (place / "stophooks.yaml").write_text(PROJECTS)

    reason = Session(stophooks=stophooks, place=place).blocked()

    assert own.exists()
    assert reason.startswith("2 of 2 checks did not pass.")
    assert reason.index("\ntests (user): exit code 1") < reason.index("\ntests: exit code 2")
    assert reason.count(f"{place}\n") == 2


@pytest.mark.scenario("sessions: The user's commands run without a project's configuration")
def test_the_users_commands_run_everywhere(stophooks: Stophooks, place: Path, own: Path) -> None:
    inside = place / "src"
    inside.mkdir()
    session = Session(stophooks=stophooks, place=inside)

    reason = session.blocked()

    assert own.exists()
    assert "tests: exit code 1" in reason
    assert f"{place}\n" in reason


@pytest.mark.scenario("sessions: What comes from where is shown")
def test_what_comes_from_where_is_shown(stophooks: Stophooks, place: Path, own: Path) -> None:
    (place / "stophooks.yaml").write_text(PROJECTS)

    shown = stophooks("list", cwd=place).stdout
    plan = json.loads(stophooks("list", "--format", "json", cwd=place).stdout)

    assert shown == (
        f"{place}/stophooks.yaml (project {place})\n"
        f"{own} (your own, for every project)\n"
        "\n"
        "stop: 2 commands, deadline 9 m, max_blocks 7\n"
        "  tests (user)  (host, 5 m, of your own configuration)\n"
        "    $ pwd; echo of the user; exit 1\n"
        "  tests  (host, 5 m)\n"
        "    $ pwd; exit 2\n"
    )
    sources = [command["source"] for command in plan["sections"][0]["commands"]]
    assert sources == [str(own), f"{place}/stophooks.yaml"]


def test_the_users_own_is_listed_alone(stophooks: Stophooks, place: Path, own: Path) -> None:
    shown = stophooks("list", cwd=place).stdout

    assert shown.startswith(f"{own} (your own, for every project; this one: {place})\n\nstop: 1")


def test_the_users_configuration_is_where_xdg_says(stophooks: Stophooks, place: Path) -> None:
    elsewhere = stophooks.home / "elsewhere/stophooks/stophooks.toml"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text('[[stop.commands]]\nrun = "true"\n')

    env = {"XDG_CONFIG_HOME": str(stophooks.home / "elsewhere")}
    shown = stophooks("list", cwd=place, env=env).stdout

    assert shown.startswith(str(elsewhere))


@pytest.mark.scenario("sessions: Problems of the user's configuration are problems")
def test_problems_of_the_users_configuration_are_problems(
    stophooks: Stophooks, place: Path, own: Path
) -> None:
    own.write_text("stop: {comands: []}")
    (place / "stophooks.yaml").write_text(PROJECTS)

    reason = Session(stophooks=stophooks, place=place).blocked()
    validated = stophooks("validate", cwd=place)

    assert f"{own}:1:8: stop: unknown key" in reason
    assert validated.returncode == 3
    assert f"{own}:1:8: stop: unknown key" in validated.stderr
    assert validated.stdout == "stophooks.yaml: ok, 1 command\n"
