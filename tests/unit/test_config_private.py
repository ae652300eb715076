"""Secrets and results in a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks import config
from stophooks.models import Expose, ResultFile, Secret
from stophooks.plan import from_json, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from stophooks.config.loading import Loaded


def loaded(directory: Path, text: str) -> Loaded:
    path = directory / "stophooks.yaml"
    path.write_text(text)
    return config.load(str(path), environ={})


def said(directory: Path, command: str, more: str = "") -> list[str]:
    text = f"stop:\n  commands:\n    - {command}\n{more}"
    return [f"{one.where}: {one.message}" for one in loaded(directory, text).problems]


def test_secrets_of_all_commands_come_first_and_are_replaced_by_a_command_s_own(
    tmp_path: Path,
) -> None:
    text = (
        "stop:\n  default_secrets: [A, {name: B, expose: env}]\n  commands:\n"
        "    - {run: x, image: 'a:1', secrets: [{name: B, from_file: ../key}, C]}\n"
        "    - {run: y}\n"
    )

    plan = loaded(tmp_path, text).plan

    assert plan is not None
    key = str(tmp_path.resolve().parent / "key")
    first, second = plan.sections[0].commands
    assert first.secrets == (Secret(name="A"), Secret(name="B", from_file=key), Secret(name="C"))
    assert second.secrets == (Secret(name="A"), Secret(name="B", expose=Expose.ENV))
    assert from_json(to_json(plan)) == plan


@pytest.mark.scenario("secrets: A configuration that makes no sense")
def test_secrets_that_make_no_sense_are_problems(tmp_path: Path) -> None:
    assert said(tmp_path, "{run: x, secrets: [A, A]}") == [
        'stop.commands[0].secrets[1]: the secret "A" is listed twice'
    ]
    assert said(tmp_path, "{run: x, secrets: [a-b]}") == [
        ('stop.commands[0].secrets[0]: expected a variable\'s name; got "a-b"')
    ]
    assert said(tmp_path, "{run: x, secrets: [{name: A, expose: file}]}") == [
        (
            "stop.commands[0].secrets[0].expose: is for containers; a host command gets its "
            "secrets as variables"
        )
    ]
    assert said(tmp_path, "{run: x, image: 'a:1', secrets: [A], tmpfs: [/run/secrets/A]}") == [
        "stop.commands[0].secrets: something else is mounted at /run/secrets already"
    ]


@pytest.mark.scenario("secrets: A configuration that widens")
def test_secrets_that_others_can_read_are_warnings(tmp_path: Path) -> None:
    assert said(tmp_path, "{run: x, image: 'a:1', secrets: [{name: A, expose: env}]}") == [
        (
            "stop.commands[0].secrets[0].expose: whoever may ask the engine can read the secret "
            "there, with docker inspect"
        )
    ]
    assert said(tmp_path, "{run: x, secrets: [{name: A, from_file: key}]}") == [
        (
            "stop.commands[0].secrets[0].from_file: the secret lies in the project, where the "
            "agent and every command can read it"
        )
    ]


@pytest.mark.scenario("output: A report out of a container")
def test_a_report_is_where_the_command_sees_it(tmp_path: Path) -> None:
    text = (
        "stop:\n  commands:\n"
        "    - {run: x, report: {format: junit, path: r.xml}}\n"
        "    - {run: x, report: {format: ruff-json}}\n"
        "    - {run: x, image: 'a:1', report: {format: junit, path: r.xml}}\n"
    )

    plan = loaded(tmp_path, text).plan

    assert plan is not None
    assert [command.report for command in plan.sections[0].commands] == [
        ResultFile(format="junit", path=str(tmp_path / "r.xml")),
        ResultFile(format="ruff-json"),
        ResultFile(format="junit", path="/workspace/r.xml"),
    ]
    assert from_json(to_json(plan)) == plan
    outside = "{run: x, image: 'a:1', report: {format: junit, path: /tmp/r.xml}}"
    assert said(tmp_path, outside) == [
        (
            'stop.commands[0].report.path: "/tmp/r.xml" is not in the project, and nothing else '
            "of a container is read"
        )
    ]
