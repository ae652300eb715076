"""How many commands run at a time, and what they need of each other, as it is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.config import load
from stophooks.models import GIB
from stophooks.plan import MOST_JOBS, Section, from_json, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from stophooks.models import Problem


def loaded(directory: Path, *commands: dict[str, Any], **rules: Any) -> Any:
    path = directory / "stophooks.json"
    given = [{"run": ":", **command} for command in commands]
    path.write_text(json.dumps({"stop": {**rules, "commands": given}}))
    return load(str(path), environ={})


def problems(directory: Path, *commands: dict[str, Any], **rules: Any) -> tuple[Problem, ...]:
    return tuple(loaded(directory, *commands, **rules).problems)


def section(directory: Path, *commands: dict[str, Any], **rules: Any) -> Section:
    plan = loaded(directory, *commands, **rules).plan
    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan
    found = plan.section("stop")
    assert isinstance(found, Section)
    return found


def test_a_section_without_rules_runs_one_command_at_a_time(tmp_path: Path) -> None:
    found = section(tmp_path, {"name": "a"})

    assert (found.jobs, found.max_memory_bytes, found.max_memory_share) == (1, None, 0.8)
    assert (found.commands[0].needs, found.commands[0].exclusive) == ((), False)


def test_what_is_written_is_in_the_plan(tmp_path: Path) -> None:
    found = section(
        tmp_path,
        {"name": "a", "exclusive": True},
        {"name": "b", "needs": ["c", "a", "c"]},
        {"name": "c"},
        jobs="auto",
        max_memory="2g",
    )

    assert (found.jobs, found.max_memory_bytes) == (MOST_JOBS, 2 * GIB)
    assert [one.needs for one in found.commands] == [(), ("c", "a"), ()]
    assert [one.exclusive for one in found.commands] == [True, False, False]


@pytest.mark.parametrize("value", ["1%", "50%", "100%"])
def test_memory_may_be_a_share_of_the_machines(tmp_path: Path, value: str) -> None:
    found = section(tmp_path, {"name": "a"}, max_memory=value)

    assert found.max_memory_bytes is None
    assert found.max_memory_share == int(value[:-1]) / 100


@pytest.mark.parametrize("value", [0, 65, 1.5, "2", "all", True, None])
def test_jobs_of_another_form_are_a_problem(tmp_path: Path, value: object) -> None:
    (found,) = problems(tmp_path, {"name": "a"}, jobs=value)

    assert found.where == "stop.jobs"
    assert found.message.startswith("expected a whole number from 1 to 64, or auto; got ")


@pytest.mark.parametrize("value", ["0%", "101%", "80 %", "-1g", "x", 0, None])
def test_memory_of_another_form_is_a_problem(tmp_path: Path, value: object) -> None:
    (found,) = problems(tmp_path, {"name": "a"}, max_memory=value)

    assert found.where == "stop.max_memory"
    assert "a size such as 4g, or a share of this machine's memory such as 80%" in found.message


def test_memory_that_is_nothing_is_a_problem(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, {"name": "a"}, max_memory="0g")

    assert found.message == '"0g" is no size that a machine can have'


@pytest.mark.scenario("parallel: A need that is not there")
def test_a_need_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {"name": "lint"},
        {"name": "test", "needs": ["lint", "lnit", "build"]},
        {"name": "self", "needs": ["self"]},
    )

    assert [(one.where, one.message, one.hint) for one in found] == [
        (
            "stop.commands[1].needs[1]",
            'no command of this section is called "lnit"; did you mean "lint"?',
            None,
        ),
        (
            "stop.commands[1].needs[2]",
            'no command of this section is called "build"',
            'its other commands are "lint", "self"',
        ),
        ("stop.commands[2].needs[0]", '"self" needs itself', None),
    ]
    assert all(one.line for one in found)


def test_a_name_that_was_taken_out_as_a_problem_is_not_missed(tmp_path: Path) -> None:
    found = problems(tmp_path, {"name": "a\nb"}, {"name": "c", "needs": ["a\nb"]})

    assert [one.where for one in found] == ["stop.commands[0].name"]


@pytest.mark.scenario("parallel: Commands that wait for each other")
def test_commands_that_wait_for_each_other_are_one_problem(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {"name": "z"},
        {"name": "a", "needs": ["z", "c"]},
        {"name": "b", "needs": ["a"]},
        {"name": "c", "needs": ["b"]},
        {"name": "d", "needs": ["a", "c"]},
    )

    assert [(one.where, one.message) for one in found] == [
        ("stop.commands[1].needs[1]", "these commands wait for each other: a -> c -> b -> a")
    ]


@pytest.mark.scenario("parallel: Commands that wait for each other")
def test_a_condition_waits_for_all_before_it_too(tmp_path: Path) -> None:
    (found,) = problems(
        tmp_path,
        {"name": "a", "needs": ["c"]},
        {"name": "b"},
        {"name": "c", "if": "success"},
    )

    assert found.where == "stop.commands[0].needs[0]"
    assert found.message == "these commands wait for each other: a -> c -> a"
    assert found.hint == '"c" waits for all before it, by its `if`'


def test_each_circle_is_a_problem(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {"name": "a", "needs": ["b"]},
        {"name": "b", "needs": ["a"]},
        {"name": "c", "needs": ["d", "b"]},
        {"name": "d", "needs": ["e"]},
        {"name": "e", "needs": ["d", "c"]},
    )

    assert [one.message.partition(": ")[2] for one in found] == [
        "a -> b -> a",
        "c -> d -> e -> c",
        "d -> e -> d",
    ]


def test_a_long_chain_is_no_problem(tmp_path: Path) -> None:
    count = 1500
    chain = [{"name": f"c{one}", "needs": [f"c{one + 1}"]} for one in range(count)]

    assert problems(tmp_path, *chain, {"name": f"c{count}"}) == ()


@pytest.mark.scenario("parallel: A need whose failure counts for less")
@pytest.mark.parametrize(
    ("need", "own", "means"),
    [
        ({"severity": "warn"}, {}, "only warned of"),
        ({"on_failure": "ignore"}, {}, "ignored"),
        ({"on_failure": "ignore"}, {"severity": "warn"}, "ignored"),
    ],
)
def test_a_need_whose_failure_counts_for_less_is_a_problem(
    tmp_path: Path, need: dict[str, Any], own: dict[str, Any], means: str
) -> None:
    (found,) = problems(tmp_path, {"name": "a", **need}, {"name": "b", "needs": ["a"], **own})

    assert found.where == "stop.commands[1].needs[0]"
    assert found.message.startswith(f'a failure of "a" is {means}, and would leave out "b"')


def test_a_need_whose_failure_counts_for_more_is_none(tmp_path: Path) -> None:
    commands = ({"name": "a"}, {"name": "b", "needs": ["a"], "severity": "warn"})

    assert problems(tmp_path, *commands) == ()
