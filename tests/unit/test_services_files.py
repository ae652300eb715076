"""What a Compose file says, which file is meant, and the log of hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks import composefile, config
from stophooks.lifecycles.services import described, found
from stophooks.lifecycles.services.base import ServicesUnavailableError
from stophooks.lifecycles.services.composetool import words
from stophooks.lifecycles.services.described import Described
from stophooks.plan import ServiceRules
from stophooks.process.tool import Told
from stophooks.store import hooklog
from stophooks.store.hooklog import HookLine, HookLog

if TYPE_CHECKING:
    from pathlib import Path

# What `docker-compose config` (1.29.2) and `docker compose config` (2.26.1) answer; shortened.
ONE = """
services:
  db:
    environment:
      C: '3'
      HOME: /root
      UNSET: null
    image: busybox
  web:
    depends_on:
      db:
        condition: service_started
    environment:
      B: $$x /root
      FLAG: true
    restart: on-failure
    user: '0'
    working_dir: /tmp
version: '3.9'
"""
TWO = """
name: demoapp
services:
  db:
    environment: {C: "3", HOME: /root}
    networks: {default: null}
  web:
    depends_on:
      db: {condition: service_started, required: true}
    environment: {B: $$x /root, FLAG: "true"}
    restart: on-failure
    user: "0"
"""


@pytest.mark.parametrize("answer", [ONE, TWO])
def test_services_are_read_from_what_compose_answers(answer: str) -> None:
    services = described.describe(config.plain_yaml(answer), ["web", "gone", "db"])

    assert services == (
        Described(
            name="web", env=(("B", "$x /root"), ("FLAG", "true")), after=("db",), restarts=True
        ),
        Described(name="db", env=(("C", "3"), ("HOME", "/root"))),
    )


@pytest.mark.parametrize("answer", ["[]", "services: 1", "{}", "''"])
def test_an_answer_without_services_is_none(answer: str) -> None:
    with pytest.raises(ValueError, match="no services"):
        described.describe(config.plain_yaml(answer), [])


def test_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "docker-compose.yml"
    path.write_text("x-all: &all {image: busybox}\nservices: {web: {<<: *all}, db: *all}\n")

    assert described.order_in((str(path), "/not/there"), config.plain_yaml) == ["web", "db"]


@pytest.mark.parametrize(
    ("directory", "env_file", "environ", "whole", "name"),
    [
        ("Demo.App", None, {}, {}, "demoapp"),
        ("demo_app-1", None, {}, {}, "demo_app-1"),
        ("_demo", None, {}, {}, "_demo"),
        ("demo", None, {}, {"name": "other"}, "other"),
        ("demo", "A=1\nexport COMPOSE_PROJECT_NAME='filed'\n", {}, {"name": "x"}, "filed"),
        ("demo", "COMPOSE_PROJECT_NAME=filed\n", {"COMPOSE_PROJECT_NAME": "said"}, {}, "said"),
    ],
)
def test_a_project_is_called_as_compose_would_call_it(  # noqa: PLR0917 - a row of the table
    tmp_path: Path,
    directory: str,
    env_file: str | None,
    environ: dict[str, str],
    whole: dict[str, str],
    name: str,
) -> None:
    folder = tmp_path / directory
    folder.mkdir()
    if env_file is not None:
        (folder / ".env").write_text(env_file)

    assert described.project_name(str(folder / "compose.yaml"), whole, environ) == name


def test_a_directory_that_gives_no_name_has_to_be_given_one(tmp_path: Path) -> None:
    folder = tmp_path / "..."
    folder.mkdir()

    with pytest.raises(ServicesUnavailableError, match=r"service\.project_name"):
        described.project_name(str(folder / "compose.yaml"), {}, {})


def test_compose_files_are_looked_for_in_order(tmp_path: Path) -> None:
    names = ["docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"]
    for name in reversed(names):
        (tmp_path / name).touch()

        assert composefile.files(str(tmp_path))[0] == str(tmp_path / name)


def test_a_file_that_was_found_has_its_override_with_it(tmp_path: Path) -> None:
    for name in ("compose.yaml", "compose.override.yaml", "compose.override.yml"):
        (tmp_path / name).touch()

    chosen = found.find(ServiceRules(), str(tmp_path))
    named = found.find(ServiceRules(file=str(tmp_path / "compose.yaml")), str(tmp_path))

    assert chosen.files == (
        str(tmp_path / "compose.yaml"),
        str(tmp_path / "compose.override.yml"),
    )
    assert named.files == (str(tmp_path / "compose.yaml"),)


def test_the_configuration_decides_between_two_engines(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").touch()
    (tmp_path / "supervisord.conf").touch()

    one = found.find(ServiceRules(engine="compose"), str(tmp_path))
    other = found.find(ServiceRules(engine="supervisord"), str(tmp_path))

    assert (one.engine, other.engine) == ("compose", "supervisord")
    with pytest.raises(ServicesUnavailableError, match=r"service\.engine"):
        found.find(ServiceRules(), str(tmp_path))


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ServicesUnavailableError, match=r"there is no file .*/gone\.yml"):
        found.find(ServiceRules(file=str(tmp_path / "gone.yml")), str(tmp_path))


def test_of_composes_complaints_the_last_line_of_a_traceback_is_told() -> None:
    one = b"Traceback (most recent call last):\n  File x\nValueError: old\nOSError: no engine\n"
    two = b" Container demo-web-1  Starting\nError response from daemon: no such image\n"

    assert words(Told(code=1, stdout=b"", stderr=one)) == "OSError: no engine."
    assert words(Told(code=1, stdout=b"", stderr=two)) == (
        "Error response from daemon: no such image."
    )
    assert words(Told(code=5, stdout=b"", stderr=b"")) == "exit code 5, without a word."


def line(text: str, at: float = 1.0) -> HookLine:
    return HookLine(service="web", event="pre_start", command="x", text=text, at=at)


def test_what_was_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    log = HookLog(str(tmp_path / "deep/er"))
    strange = HookLine(service=None, event="e", command="c", text='a\t"\u2028\x1b', at=2.5)

    log.add(line("one"))
    log.add(strange)

    assert [*log.lines()] == [line("one"), strange]


def test_a_reader_goes_on_where_it_was_even_in_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = HookLog(str(tmp_path))
    log.add(line("before"))
    place = log.end()
    log.add(line("one"))
    found_, place = log.since(place)
    assert [one.text for one in found_] == ["one"]

    log.add(line("two"))
    with monkeypatch.context() as full:
        full.setattr(hooklog, "FULL_BYTES", 10)
        log.add(line("three"))
    found_, place = log.since(place)

    assert [one.text for one in found_] == ["two", "three"]
    assert log.since(place) == ((), place)


def test_a_broken_line_is_left_out(tmp_path: Path) -> None:
    log = HookLog(str(tmp_path))
    log.add(line("one"))
    with (tmp_path / "hooks.log").open("a") as file:
        file.write('{"service": 1}\nnot json\n[]\n')
    log.add(line("two"))

    assert [one.text for one in log.lines()] == ["one", "two"]
