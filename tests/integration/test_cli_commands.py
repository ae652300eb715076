"""The other sub-commands, usage, and our own defects."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

TWO_MISTAKES = """\
stop:
  commands:
    - run: make test
      timeout: 5x
      imagee: python:3.13
"""
WIDENED = "stop: {commands: [{name: t, run: 'true', image: 'a:1', network: host}]}"


@pytest.mark.scenario("cli: The command line makes no sense")
@pytest.mark.parametrize(
    "arguments",
    [["frobnicate"], ["run", "--frobnicate"], ["list", "--format", "xml"], [], ["run", "a", "b"]],
)
def test_a_senseless_command_line_exits_3(
    stophooks: Stophooks, tmp_path: Path, arguments: list[str]
) -> None:
    done = stophooks(*arguments, cwd=tmp_path)

    assert done.returncode == 3
    assert done.stdout == ""
    assert "Usage: stophooks" in done.stderr


def test_hook_elsewhere_than_in_front_is_refused(stophooks: Stophooks, tmp_path: Path) -> None:
    done = stophooks("--", "hook", cwd=tmp_path)

    assert done.returncode == 3
    assert done.stderr == (
        "stophooks: hook must be the first argument, as in: stophooks hook --agent claude\n"
    )


def test_a_working_directory_that_is_gone_is_named(stophooks: Stophooks, tmp_path: Path) -> None:
    script = f"mkdir gone && cd gone && rmdir ../gone && exec {stophooks.python} -m stophooks list"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env=stophooks.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 3
    assert done.stderr == (
        "stophooks: The working directory no longer exists. Change to another one.\n"
    )


@pytest.mark.scenario("cli: A defect of stophooks")
@pytest.mark.parametrize(("debug", "traceback"), [("", False), ("1", True)])
def test_our_own_defect_is_a_sentence_and_exits_70(
    stophooks: Stophooks, tmp_path: Path, debug: str, *, traceback: bool
) -> None:
    broken = (
        "import stophooks.config, stophooks.cli\n"
        "def schema_text(): raise ZeroDivisionError('never expected')\n"
        "stophooks.config.schema_text = schema_text\n"
        "raise SystemExit(stophooks.cli.main())\n"
    )
    done = subprocess.run(
        [stophooks.python, "-c", broken, "schema"],
        cwd=tmp_path,
        env=stophooks.environment({"STOPHOOKS_DEBUG": debug}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 70
    assert "this is a bug in stophooks" in done.stderr
    assert "ZeroDivisionError: never expected" in done.stderr
    assert ("Traceback" in done.stderr) is traceback
    assert ("STOPHOOKS_DEBUG=1" in done.stderr) is not traceback


@pytest.mark.scenario("cli: The result cannot be written")
@pytest.mark.parametrize("command", ["schema", "run"])
def test_a_full_disk_is_no_defect_of_ours(
    stophooks: Stophooks, tmp_path: Path, command: str
) -> None:
    (tmp_path / "stophooks.yaml").write_text("stop: {commands: [{run: 'true'}]}")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [stophooks.python, "-m", "stophooks", command],
            cwd=tmp_path,
            env=stophooks.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 3
    assert done.stderr == (
        "stophooks: The result cannot be written to standard output: No space left on device.\n"
    )


@pytest.mark.scenario("cli: A valid file")
def test_a_valid_file_is_named_with_its_number_of_commands(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / "stophooks.yaml").write_text("stop: {commands: [{run: 'true'}, {run: 'false'}]}")

    done = stophooks("validate", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "stophooks.yaml: ok, 2 commands\n",
        "",
    )


@pytest.mark.scenario("cli: Several problems")
def test_all_problems_are_shown_at_once(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "stophooks.yaml").write_text(TWO_MISTAKES)

    done = stophooks("validate", cwd=tmp_path)

    assert done.returncode == 3
    assert done.stdout == ""
    assert "   4 |       timeout: 5x\n     |                ^^\n" in done.stderr
    assert "   5 |       imagee: python:3.13\n     |       ^^^^^^\n" in done.stderr
    assert done.stderr.endswith("2 problems in stophooks.yaml. Nothing was run.\n")


@pytest.mark.scenario("cli: A warning")
def test_a_warning_is_an_error_only_when_strict(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "stophooks.yaml").write_text(WIDENED)

    lax = stophooks("validate", cwd=tmp_path)
    strict = stophooks("validate", "--strict", cwd=tmp_path)

    assert (lax.returncode, strict.returncode) == (0, 3)
    assert lax.stdout == "stophooks.yaml: ok, 1 command\n"
    assert ": warning: stop.commands[0].network: " in lax.stderr
    assert lax.stderr.endswith("1 warning in stophooks.yaml.\n")
    assert strict.stdout == ""
    assert strict.stderr.endswith("1 problem in stophooks.yaml. Nothing was run.\n")


@pytest.mark.scenario("cli: Problems for a program")
def test_problems_are_one_json_document(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(TWO_MISTAKES)
    (tmp_path / "good.yaml").write_text("stop: {commands: [{run: 'true'}]}")

    done = stophooks("validate", "good.yaml", "bad.yaml", "--format", "json", cwd=tmp_path)

    good, bad = json.loads(done.stdout)["files"]
    assert done.returncode == 3
    assert good == {"path": "good.yaml", "ok": True, "problems": []}
    assert (bad["path"], bad["ok"], len(bad["problems"])) == ("bad.yaml", False, 2)
    assert set(bad["problems"][0]) == {
        *("path", "line", "column", "where", "message", "hint", "severity")
    }


@pytest.mark.scenario("cli: A directory is validated")
def test_a_directory_is_searched_and_not_left(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "stophooks.yaml").write_text("stop: {commands: [{run: 'true'}]}")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ".stophooks.json").write_text('{"stop": {"commands": [{"run": "true"}]}}')
    (tmp_path / "empty").mkdir()

    full = stophooks("validate", "full", cwd=tmp_path)
    empty = stophooks("validate", "empty", cwd=tmp_path)

    assert (full.returncode, full.stdout) == (0, "full/.stophooks.json: ok, 1 command\n")
    assert empty.returncode == 3
    assert empty.stderr == (
        "stophooks: No stophooks.yaml in empty. Write one there with: stophooks init\n"
    )


@pytest.mark.scenario("cli: There is no configuration")
@pytest.mark.parametrize("command", ["validate", "run", "list"])
def test_without_a_configuration_init_is_named(
    stophooks: Stophooks, tmp_path: Path, command: str
) -> None:
    (tmp_path / ".git").mkdir()

    done = stophooks(command, cwd=tmp_path)

    assert done.returncode == 3
    assert done.stderr == (
        f"stophooks: No stophooks.yaml in {tmp_path} or above it. Write one with: stophooks init\n"
    )


@pytest.mark.scenario("cli: Commands for a person")
def test_list_shows_what_is_in_force(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "stophooks.yaml").write_text(
        "stop:\n  commands:\n    - {name: unit, run: make test, timeout: 90s}\n"
        "    - {name: box, run: 'true', image: 'a:1', network: none, memory: 1g}\n"
    )

    done = stophooks("list", cwd=tmp_path)

    assert done.returncode == 0
    assert done.stdout == (
        f"{tmp_path}/stophooks.yaml (project {tmp_path})\n"
        "\n"
        "stop: 2 commands, deadline 9 m, max_blocks 3\n"
        "  unit  (host, 1 m 30 s)\n"
        "    $ make test\n"
        "  box  (a:1, 5 m)\n"
        "    $ true\n"
        "    pull: missing; workdir: /workspace; workspace: rw; network: none\n"
        "    user: the caller's uid and gid; read_only: no; no_new_privileges: yes; init: yes\n"
        "    capabilities: drop ALL, add none; seccomp: the engine's default; "
        "apparmor: the engine's default\n"
        "    limits: memory 1 GiB, pids_limit 4096\n"
    )


@pytest.mark.scenario("cli: Commands for a program")
def test_list_as_json_has_every_value(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "stophooks.yaml").write_text(WIDENED)

    done = stophooks("list", "--format", "json", cwd=tmp_path)

    command = json.loads(done.stdout)["sections"][0]["commands"][0]
    assert command["timeout_s"] == 300.0
    assert command["container"]["network"] == "host"
    assert command["container"]["cap_drop"] == ["ALL"]


@pytest.mark.scenario("cli: The schema is printed")
def test_schema_prints_the_schema(stophooks: Stophooks, tmp_path: Path) -> None:
    done = stophooks("schema", cwd=tmp_path)

    schema = json.loads(done.stdout)
    assert done.returncode == 0
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "StopCommand" in schema["$defs"]


@pytest.mark.scenario("cli: Help imports little")
@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_little(
    stophooks: Stophooks, tmp_path: Path, argument: str
) -> None:
    done = stophooks(argument, cwd=tmp_path, env={"PYTHONPROFILEIMPORTTIME": "1"})

    imported = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "stophooks.cli.console" in imported
    assert not imported & {"docker", "pydantic", "jsonschema", "yaml", "rich", "stophooks.engine"}


@pytest.mark.parametrize(
    "command", ["init", "validate", "run", "list", "schema", "install", "uninstall"]
)
def test_every_sub_command_explains_itself(
    stophooks: Stophooks, tmp_path: Path, command: str
) -> None:
    whole = stophooks("--help", cwd=tmp_path)
    own = stophooks(command, "--help", cwd=tmp_path)

    assert f"\n  {command} " in whole.stdout
    assert own.returncode == 0
    assert own.stdout.startswith(f"Usage: stophooks {command} ")
