"""The rows of the events, and what a configuration makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks import config
from stophooks.config.scripts import scripts
from stophooks.events import EVENTS
from stophooks.models import Command, Item, Severity, Subject
from stophooks.occasion import Occasion
from stophooks.occasion.steps import steps
from stophooks.plan import Plan, Section, from_json, to_json
from stophooks.store import history

if TYPE_CHECKING:
    from pathlib import Path


def load(tmp_path: Path, text: str) -> tuple[Plan | None, list[str]]:
    path = tmp_path / "stophooks.yaml"
    path.write_text(text)
    loaded = config.load(str(path), environ={})
    return loaded.plan, [f"{one.where}: {one.message}" for one in loaded.problems]


def whole(tmp_path: Path, text: str) -> Plan:
    plan, problems = load(tmp_path, text)
    assert plan is not None, problems
    return plan


@pytest.mark.scenario("events: Each event has its defaults")
def test_each_event_has_its_defaults(tmp_path: Path) -> None:
    plan = whole(
        tmp_path,
        """
stop: {commands: [{run: x}]}
cleanup: {commands: [{run: x}]}
task: {pre_start: {commands: [{run: x}]}, on_error: {commands: [{run: x}]}}
workspace: {post_create: {commands: [{run: x}]}, pre_close: {commands: [{run: x}]}}
service: {on_init: {commands: [{run: x}]}}
services: {db: {hooks: {post_exit: {commands: [{run: x}]}}}}
""",
    )

    found = {
        (one.event, one.of): (
            one.commands[0].timeout_s,
            str(one.commands[0].severity),
            one.fail_fast,
            one.commands[0].once,
        )
        for one in plan.sections
    }
    assert found == {
        ("stop", None): (300.0, "block", False, False),
        ("cleanup", None): (30.0, "warn", False, False),
        ("task.pre_start", None): (30.0, "block", True, False),
        ("task.on_error", None): (30.0, "warn", False, False),
        ("workspace.post_create", None): (30.0, "warn", False, False),
        ("workspace.pre_close", None): (30.0, "block", False, False),
        ("service.on_init", None): (30.0, "block", True, True),
        ("service.post_exit", "db"): (30.0, "warn", False, False),
    }


def test_only_gates_can_block() -> None:
    assert {kind.gate for kind in EVENTS.values() if kind.on_failure is Severity.BLOCK} == {True}
    assert {kind.on_failure for kind in EVENTS.values() if not kind.gate} == {Severity.WARN}


@pytest.mark.scenario("events: Terms that mean nothing")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "stop: {commands: [{run: x, severity: warn, on_failure: warn}]}",
            "on_failure: severity and on_failure both say what a failure means; keep one",
        ),
        (
            "stop: {commands: [{run: x, on_failure: warn, continue_on_error: true}]}",
            "continue_on_error: on_failure and continue_on_error both say",
        ),
        (
            "workspace: {pre_close: {commands: [{run: x, only: [a]}]}}",
            "only: only restricts for_each, which is missing: repos or resources",
        ),
        (
            "workspace: {pre_close: {commands: [{run: x, repos: [a], for_each: repos}]}}",
            "for_each: repos is short for for_each and only; keep it or for_each",
        ),
        (
            "workspace: {pre_close: {commands: [{run: x, for_each: resources}]}}",
            'for_each: "workspace.pre_close" has no resources that it could run for',
        ),
        (
            "stop: {commands: [{run: x, repos: [a]}]}",
            'repos: "stop" has no repos that it could run for',
        ),
        ("stop: {commands: [{run: x, once: true}]}", "once: a check of an agent runs at every"),
        (
            "cleanup: {commands: [{run: x, on_failure: block}]}",
            "on_failure: nothing waits for cleanup, so that a failure can block nothing",
        ),
        (
            "task: {on_error: {commands: [{run: x, severity: block}]}}",
            "severity: nothing waits for task.on_error",
        ),
        ("task: {resources: {../../evil: {}}}", '"../../evil" cannot be a resource\'s name'),
        ("stop: {commands: [{command: [x], shell: zsh}]}", "only run is given to a shell"),
        ("stop: {commands: [{run: x, shell: ./zsh}]}", "neither a program's name nor an absolute"),
        ("services: {db: {working_dir: nowhere}}", '"nowhere" does not exist'),
        ("workspace: {pre_close: {commands: [{runn: x}]}}", 'unknown key "runn"; did you mean'),
    ],
)
def test_terms_that_mean_nothing_are_problems(tmp_path: Path, text: str, problem: str) -> None:
    plan, problems = load(tmp_path, text)

    assert plan is None
    assert problem in problems[0]


@pytest.mark.scenario("events: Limits of an event")
@pytest.mark.parametrize("limit", ["4s", "301s", "null"])
@pytest.mark.parametrize("key", ["timeout", "default_timeout"])
def test_a_cleanup_has_bounds(tmp_path: Path, limit: str, key: str) -> None:
    inside, outside = (f", timeout: {limit}", "") if key == "timeout" else ("", f", {key}: {limit}")

    plan, problems = load(tmp_path, f"cleanup: {{commands: [{{run: x{inside}}}]{outside}}}")

    assert plan is None
    assert "a time limit of cleanup is from 5 s to 5 m; got" in problems[0]


def test_several_problems_in_nested_sections_are_told_at_once(tmp_path: Path) -> None:
    text = """
workspace:
  post_create: {commands: [{run: x, timeout: 5x}, {run: y, imagee: a}]}
services:
  web: {hooks: {pre_start: {commands: [{run: x, command: [y]}, {run: z, timeout: 0s}]}}}
"""

    _, problems = load(tmp_path, text)

    assert [one.partition(": ")[0] for one in problems] == [
        "workspace.post_create.commands[0].timeout",
        "workspace.post_create.commands[1]",
        "services.web.hooks.pre_start.commands[0]",
        "services.web.hooks.pre_start.commands[1].timeout",
    ]


def test_what_is_around_the_commands_is_in_the_plan(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web.env").write_text("A=1\nB=2\n")
    plan = whole(
        tmp_path,
        """
cleanup: {compose: false, compat: clsecure}
task: {hooks_dir: h, resources: {browser: {}}}
workspace: {compat: canopy}
service: {engine: supervisord, file: s.conf, project_name: demo}
services: {web: {user: "33", env: {B: 3}, env_file: web.env, working_dir: web}}
""",
    )

    assert (plan.cleanup.compose, plan.cleanup.compat) == (False, "clsecure")
    assert (plan.task.hooks_dir, plan.task.resources) == (f"{tmp_path}/h", ("browser",))
    assert plan.workspace.compat == "canopy"
    assert (plan.service.engine, plan.service.file) == ("supervisord", f"{tmp_path}/s.conf")
    (web,) = plan.services
    assert (web.user, web.env) == ("33", (("A", "1"), ("B", "3")))
    assert web.working_dir == f"{tmp_path}/web"
    assert from_json(to_json(plan)) == plan


@pytest.mark.scenario("events: A full history makes room")
def test_a_full_history_makes_room(tmp_path: Path) -> None:
    kept = history.History(str(tmp_path))
    size = history.FULL_BYTES // 4
    for number in range(12):
        kept.add({"number": number, "filling": "x" * size})

    numbers = [entry["number"] for entry in kept.entries()]

    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] == 11
    assert 3 <= len(numbers) <= 8
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2 * history.FULL_BYTES


@pytest.mark.scenario("events: A session is held to the scripts of its checks alone")
def test_only_scripts_of_checks_are_held_against_an_agent(tmp_path: Path) -> None:
    for name in ("check.sh", "setup.sh"):
        (tmp_path / name).touch()
    text = (
        "stop: {commands: [{run: ./check.sh}]}\n"
        "workspace: {post_create: {commands: [{run: ./setup.sh}]}}\n"
    )

    assert list(scripts(whole(tmp_path, text))) == [f"{tmp_path}/check.sh"]


def test_what_a_project_does_not_say_is_the_users(tmp_path: Path) -> None:
    user, project = tmp_path / "user.yaml", tmp_path / "stophooks.yaml"
    user.write_text(
        "cleanup: {compose: false, commands: [{name: mine, run: x}]}\n"
        "workspace: {compat: canopy}\nservices: {db: {user: '1'}, web: {user: '1'}}\n"
    )
    project.write_text(
        "cleanup: {commands: [{name: theirs, run: x}]}\nservices: {db: {user: '2'}}\n"
    )
    place = config.Place(project_dir=str(tmp_path), project_path=str(project), user_path=str(user))

    plan = config.effective(place, environ={}).plan

    assert plan is not None
    (cleanup,) = plan.sections
    assert [command.name for command in cleanup.commands] == ["mine", "theirs"]
    assert (plan.cleanup.compose, plan.workspace.compat) == (False, "canopy")
    assert [(one.name, one.user) for one in plan.services] == [("db", "2"), ("web", "1")]


def test_only_in_the_section_of_an_item_is_everything_for_that_one() -> None:
    section = Section(event="x", commands=(Command(name="c", project_dir="/"),))

    def found(of: str | None, *items: Item) -> list[Item | None]:
        subject = Subject(kind="service", id="web")
        occasion = Occasion(event="x", subject=subject, of=of, items=items)
        return [step.item for step in steps(section, occasion)]

    browser, db = (Item(kind="resource", name=name) for name in ("browser", "db"))
    assert found("db", browser, db) == [db]
    assert found(None, browser, db) == [None]
    # A service's own section: the subject is the service, and it has no items.
    assert found("web") == [None]
