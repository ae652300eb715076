"""What people are told about a wrong configuration, and about one that opens a container."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.config import load, schema_text
from stophooks.config.sound import sound
from stophooks.reports import problems as report

if TYPE_CHECKING:
    from stophooks.models import Problem

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_file())


def problems(directory: Path, text: str, name: str = "stophooks.yaml") -> tuple[Problem, ...]:
    (directory / name).write_text(text, encoding="utf-8")
    loaded = load(str(directory / name), environ={})
    assert (loaded.plan is None) == any(not item.warning for item in loaded.problems)
    return loaded.problems


def of_command(directory: Path, text: str) -> list[tuple[str, str, str | None]]:
    """Place below the command, message and hint of each problem of one flow-style command."""
    found = problems(directory, f"stop: {{commands: [{{{text}}}]}}")
    return [
        (item.where.removeprefix("stop.commands[0]").lstrip("."), item.message, item.hint)
        for item in found
    ]


@pytest.mark.scenario("config-validation: Every problem is told at once")
def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = """\
stop:
  commands:
    - run: make
      timeout: 5x
    - run: make test
      imagee: python:3.12
"""

    found = problems(tmp_path, text)

    path = tmp_path / "stophooks.yaml"
    assert report.text(found) == (
        f"{path}:4:16: stop.commands[0].timeout: "
        'expected a duration such as 30s, 5m or 2h, or null; got "5x"\n'
        "   4 |       timeout: 5x\n"
        "     |                ^^\n"
        f'{path}:6:7: stop.commands[1]: unknown key "imagee"; did you mean "image"?\n'
        "   6 |       imagee: python:3.12\n"
        "     |       ^^^^^^\n"
        f"2 problems in {path}. Nothing was run."
    )


@pytest.mark.scenario("config-validation: Shape and meaning are told together")
def test_shape_and_meaning_are_told_together(tmp_path: Path) -> None:
    text = """\
stop:
  commands:
    - run: make
      timeout: 5x
    - run: make
      image: alpine
      memory: 5m
      mounts: [{typ: bind, source: ., target: /a}, {type: bind, source: /, target: /b}]
      capabilities: {add: [FOO], drp: []}
    - 7
    - {run: make, image: "a:1", network: host}
    - {run: make, memory: 5m, imagge: 5}
    - {run: make, working_dir: gone, timeout: 5}
  default_env: {A: "${MISSING}"}
"""

    found = problems(tmp_path, text)

    assert [(item.line, item.where.removeprefix("stop."), item.message) for item in found] == [
        (
            4,
            "commands[0].timeout",
            'expected a duration such as 30s, 5m or 2h, or null; got "5x"',
        ),
        (6, "commands[1].image", '"alpine" has neither tag nor digest'),
        (7, "commands[1].memory", '"5m" is below the engine\'s least, 6m'),
        (8, "commands[1].mounts[0]", 'unknown key "typ"; did you mean "type"?'),
        (
            8,
            "commands[1].mounts[1].source",
            '"/" is never mounted: it is the whole file system of this machine',
        ),
        (9, "commands[1].capabilities.add[0]", 'unknown capability "FOO"'),
        (9, "commands[1].capabilities", 'unknown key "drp"; did you mean "drop"?'),
        (10, "commands[2]", "expected a command: an object with run or command; got 7"),
        (
            11,
            "commands[3].network",
            "the command reaches every service of this machine, and listens on its ports",
        ),
        (12, "commands[4].memory", '"5m" is below the engine\'s least, 6m'),
        (12, "commands[4]", 'unknown key "imagge"; did you mean "image"?'),
        (13, "commands[5].working_dir", '"gone" does not exist'),
        (
            13,
            "commands[5].timeout",
            "expected a duration such as 30s, 5m or 2h, or null; got 5",
        ),
        (14, "default_env.A", "the variable MISSING is not set on this machine"),
    ]


def test_a_command_with_a_fault_is_not_said_to_widen_what_the_fault_hides(tmp_path: Path) -> None:
    text = "run: x, image: 'a:1', capabilities: {drop: ['ALL!']}"

    ((where, message, _),) = of_command(tmp_path, text)

    assert where == "capabilities.drop[0]"
    assert message.startswith("expected a capability")


@pytest.mark.parametrize(
    "text",
    ["command: ['', 5]", "command: [5, '']", "command: [], imagee: x", "run: 5, command: []"],
)
def test_what_is_taken_out_makes_no_new_problem(tmp_path: Path, text: str) -> None:
    written = [place for place, _, _ in of_command(tmp_path, text)]

    assert all("[0]" not in place or "5, " in text for place in written)
    assert not any("nothing to run" in message for _, message, _ in of_command(tmp_path, text))


def test_the_document_is_not_changed_by_what_is_taken_out() -> None:
    value = {"stop": {"commands": [{"run": "x", "env": ["A", "B=1"], "timeout": 5}, 7], "x": 1}}
    before = deepcopy(value)

    part = sound(value)

    assert value == before
    assert part is not None
    assert part.value == {"stop": {"commands": [{"run": "x", "env": ["B=1"]}, {"run": ":"}]}}
    assert part.written(("stop", "commands", 0, "env", 0)) == ("stop", "commands", 0, "env", 1)


def test_what_one_yaml_alias_shares_is_judged_in_each_place(tmp_path: Path) -> None:
    text = """\
stop:
  commands:
    - {run: x, image: "a:1", mounts: &m [{type: bind, source: /, target: /a}, 5]}
    - {run: x, image: "a:1", mounts: *m}
"""

    found = problems(tmp_path, text)

    assert sorted(item.where.removeprefix("stop.commands") for item in found) == [
        "[0].mounts[0].source",
        "[0].mounts[1]",
        "[1].mounts[0].source",
        "[1].mounts[1]",
    ]


@pytest.mark.scenario("config-validation: One cause is told once")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "imagee: 'a:1', run: x, network: none, memory: 1g",
            'unknown key "imagee"; did you mean "image"?',
        ),
        ("rum: x", 'unknown key "rum"; did you mean "run"?'),
        ("script: x", 'unknown key "script"'),
        ("run: [x]", "expected a script: a text that is not empty; got a list"),
        ("run: x, timeout: [1]", "expected a duration such as 30s, 5m or 2h, or null; got a list"),
        ("run: x, env: 1", "expected an object of names and values, or a list of KEY=VALUE; got 1"),
        ("run: x, env: {A: []}", "expected a text, a number or a boolean; got an empty list"),
        (
            "run: x, image: 'a:1', mounts: [{typ: bind, source: ., target: /a}]",
            'unknown key "typ"; did you mean "type"?',
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: bind, src: ., target: /a}]",
            'unknown key "src"',
        ),
    ],
)
def test_one_cause_is_told_once(tmp_path: Path, text: str, message: str) -> None:
    assert [said for _, said, _ in of_command(tmp_path, text)] == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected an object with a section such as stop; got an empty list"),
        (
            "{}",
            "nothing to run: stop, subagent_stop, cleanup, task, workspace or service is missing",
        ),
        ("stop:", "expected a section: an object with commands; got nothing (null)"),
        ("stop: {}", '"commands" is missing'),
        ("stop: {commands: {run: x}}", "expected a list of commands; got an object"),
        (
            "stop: {commands: [make]}",
            'expected a command: an object with run or command; got "make"',
        ),
        ("stops: {commands: []}", 'unknown key "stops"; did you mean "stop"?'),
        ("commands: [{run: x}]", 'unknown key "commands"'),
    ],
)
def test_the_outer_shape_is_told_once(tmp_path: Path, text: str, message: str) -> None:
    found = [item.message for item in problems(tmp_path, text)]

    assert message in found
    assert len(found) == 1 or text.startswith("commands")


@pytest.mark.scenario("config-validation: Places are known in every format")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "stop:\n  commands:\n  - run: x\n    timeout: 5x\n"),
        ("c.json", '{"stop": {"commands": [\n{"run": "x",\n\n  "timeout": "5x"}]}}'),
        ("c.toml", '[[stop.commands]]\n# words\nrun = "x"\ntimeout  =  "5x"\n'),
        (
            "c.toml",
            '[stop]\ncommands = [ # words\n  { run = "x",\n timeout = "5x" } ]\n'.replace(
                ",\n", ", "
            ),
        ),
    ],
)
def test_places_are_known_in_every_format(tmp_path: Path, name: str, text: str) -> None:
    (found,) = problems(tmp_path, text, name)

    row = text.splitlines()[found.line - 1]
    assert found.where == "stop.commands[0].timeout"
    assert row[found.column - 1 : found.column - 1 + found.width].strip('"') == "5x"


@pytest.mark.scenario("config-validation: A slip is recognised")
@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("timeuot", "timeout"),
        ("imgae", "image"),
        ("envrionment_file", "env_file"),
        ("severty", "severity"),
    ],
)
def test_a_slip_is_recognised(tmp_path: Path, slip: str, meant: str) -> None:
    found = of_command(tmp_path, f"run: x, {slip}: 1")

    assert found == [("", f'unknown key "{slip}"; did you mean "{meant}"?', None)]


@pytest.mark.scenario("config-validation: Camel case is recognised")
@pytest.mark.parametrize(
    ("camel", "snake"),
    [
        ("maxOutputLines", "max_output_lines"),
        ("showStdout", "show_stdout"),
        ("showStderr", "show_stderr"),
        ("showCommand", "show_command"),
        ("readOnly", "read_only"),
        ("shmSize", "shm_size"),
        ("pidsLimit", "pids_limit"),
        ("envFile", "env_file"),
        ("workingDir", "working_dir"),
        ("inherit-env", "inherit_env"),
        ("keepChildren", "keep_children"),
        ("noNewPrivileges", "no_new_privileges"),
    ],
)
def test_camel_case_is_recognised(tmp_path: Path, camel: str, snake: str) -> None:
    found = of_command(tmp_path, f"run: x, {camel}: 1")

    assert found == [("", f'unknown key "{camel}"; did you mean "{snake}"?', None)]


def test_camel_case_is_recognised_in_a_section(tmp_path: Path) -> None:
    text = "stop: {commands: [], defaultTimeout: 1s, failFast: true, maxBlocks: 1, defaultEnv: {}}"

    assert [item.message.partition("; ")[2] for item in problems(tmp_path, text)] == [
        'did you mean "default_timeout"?',
        'did you mean "fail_fast"?',
        'did you mean "max_blocks"?',
        'did you mean "default_env"?',
    ]


@pytest.mark.scenario("config-validation: Words of other tools are recognised")
@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("volumes", "write mounts: [{type: bind, source: …, target: …}]"),
        ("cap_add", "write capabilities: {add: […]}"),
        ("capDrop", "write capabilities: {drop: […]}"),
        (
            "privileged",
            "there is no privileged; add single capabilities with capabilities: {add: […]}",
        ),
        ("entrypoint", "write command: it replaces what the image would start"),
        ("cmd", "write command (a list) or run (a script)"),
        ("mem_limit", "write memory"),
        ("cpu", "write cpus"),
        ("network_mode", "write network"),
        ("security_opt", "write seccomp, apparmor or no_new_privileges"),
        ("commands", None),
        ("fail_fast", "fail_fast is a key of a section such as stop"),
    ],
)
def test_words_of_other_tools_are_recognised(tmp_path: Path, key: str, hint: str | None) -> None:
    ((_, message, said),) = of_command(tmp_path, f"run: x, image: 'a:1', {key}: 1")

    assert message.startswith(f'unknown key "{key}"')
    assert said == hint


def test_words_of_other_tools_are_recognised_in_a_mount(tmp_path: Path) -> None:
    text = "run: x, image: 'a:1', mounts: [{type: volume, target: /a, src: a, read_only: true}]"

    assert [hint for _, _, hint in of_command(tmp_path, text)] == ["write source", "write readonly"]


@pytest.mark.scenario("config-validation: Durations are corrected")
@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("30", 'write "30s"'),
        ("'30'", 'write "30s"'),
        ("1.5", 'write "1.5s"'),
        ("5m30s", 'write "5.5m" or "330s"'),
        ("1h 1s", 'write "3601s"'),
        ("0", "it must be more than zero; for no limit write null"),
        ("0s", "it must be more than zero; for no limit write null"),
        ("-1s", "it must be more than zero; for no limit write null"),
        ("5min", 'write "5m"'),
        ("5 m", 'write "5m"'),
        ("5M", 'write "5m"'),
        ("500ms", 'write "0.5s"'),
        ("1d", 'write "24h"'),
        ("90 seconds", 'write "90s"'),
        ("forever", None),
        ("true", None),
        ('"5m\\n"', 'write "5m"'),
    ],
)
def test_durations_are_corrected(tmp_path: Path, written: str, hint: str | None) -> None:
    ((where, message, said),) = of_command(tmp_path, f"run: x, timeout: {written}")

    assert where == "timeout"
    assert message.startswith("expected a duration such as 30s, 5m or 2h, or null; got ")
    assert said == hint


def test_a_deadline_cannot_be_null(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "stop: {commands: [], deadline: 0}")

    assert found.message == "expected a duration such as 30s, 5m or 2h; got 0"
    assert found.hint == "it must be more than zero"


def test_more_than_a_day_is_a_problem(tmp_path: Path) -> None:
    assert of_command(tmp_path, "run: x, timeout: 25h") == [
        ("timeout", 'longer than 24h: "25h"', None)
    ]


@pytest.mark.scenario("config-validation: Amounts are corrected")
@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("memory: 0", "it must be more than zero; for no limit write null"),
        ("memory: -1", "it must be more than zero; for no limit write null"),
        ("memory: '-1g'", "it must be more than zero; for no limit write null"),
        ("memory: '0'", "it must be more than zero; for no limit write null"),
        ("memory: 0m", "it must be more than zero; for no limit write null"),
        ("memory: 512Mi", 'write "512m"'),
        ("memory: 2 gigs", 'write "2g"'),
        ("memory: unlimited", "for no limit write null"),
        (
            "memory: abc",
            "write a number with one of the units k, m, g and t; for no limit write null",
        ),
        ("memory: true", None),
        ("shm_size: 0", "it must be more than zero"),
        ("shm_size: '0'", "it must be more than zero"),
        ("shm_size: abc", "write a number with one of the units k, m, g and t"),
        ("cpus: 0", "it must be more than zero; for no limit write null"),
        ("cpus: '0'", "it must be more than zero; for no limit write null"),
        ("cpus: -1", "it must be more than zero; for no limit write null"),
        ("cpus: 500m", "write 0.5"),
        ("cpus: 150%", "write 1.5"),
        ("cpus: 2 cores", "write 2"),
        ("cpus: abc", "write a number without a unit; for no limit write null"),
        ("cpus: 0.001", None),
        ("user: '1000:wheel'", 'write the group\'s number too: "1000:1000"'),
    ],
)
def test_amounts_are_corrected(tmp_path: Path, written: str, hint: str | None) -> None:
    ((_, _, said),) = of_command(tmp_path, f"run: x, image: 'a:1', {written}")

    assert said == hint


@pytest.mark.scenario("config-validation: YAML's booleans are explained")
def test_yamls_booleans_are_explained(tmp_path: Path) -> None:
    assert of_command(tmp_path, "run: x, name: on, message: Yes") == [
        ("name", "expected a name on one line; got on", 'YAML reads on as true; quote it: "on"'),
        (
            "message",
            "expected a text that is not empty; got Yes",
            'YAML reads Yes as true; quote it: "Yes"',
        ),
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("run: 1.10", 'quote it: "1.10"'),
        ("command: pytest -q", 'write a list: ["pytest -q"]'),
        ("run: x, show_stdout: 'True'", "write true without quotes"),
        ("run: x, max_output_lines: '5'", "write 5 without quotes"),
        ("run: x, env: {A: null}", 'for an empty text write ""'),
        ("run: x, env: [PATH]", 'to hand on this machine\'s value write "PATH=${PATH}"'),
        ("run: x, env: [a b]", None),
        ("run: x, image: 'a:1', mounts: {a: b}", 'begin each item with "- "'),
        ("run: x, max_output_lines: 5.0", None),
        ("run: x, severity: 7", None),
    ],
)
def test_the_right_form_is_guessed(tmp_path: Path, text: str, hint: str | None) -> None:
    ((_, message, said),) = of_command(tmp_path, text)

    assert message.startswith("expected ")
    assert said == hint


def test_a_wrong_choice_is_guessed(tmp_path: Path) -> None:
    assert of_command(tmp_path, "run: x, severity: Warning") == [
        ("severity", 'expected block or warn; got "Warning"; did you mean "warn"?', None)
    ]


@pytest.mark.scenario("config-validation: A command does exactly one thing")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: x, command: [y]", "run and command exclude each other; keep one"),
        ("command: [y], run: x", "command and run exclude each other; keep one"),
        ("name: x", "nothing to run: run or command is missing"),
    ],
)
def test_a_command_does_exactly_one_thing(tmp_path: Path, text: str, message: str) -> None:
    assert [said for _, said, _ in of_command(tmp_path, text)] == [message]


@pytest.mark.scenario("config-validation: Container keys need an image")
def test_container_keys_need_an_image(tmp_path: Path) -> None:
    expected = 'memory and network need "image": without it the command runs on the host'

    assert of_command(tmp_path, "memory: 1g, run: x, network: none") == [("", expected, None)]


def test_host_keys_exclude_an_image(tmp_path: Path) -> None:
    found = of_command(
        tmp_path,
        "run: x, image: 'a:1', working_dir: ., inherit_env: false, keep_children: true",
    )

    assert [message for _, message, _ in found] == [
        "working_dir is for commands on the host; in a container it is workdir",
        "inherit_env is for commands on the host; a container never inherits the environment",
        "keep_children is for commands on the host; a container takes all its processes with it",
    ]


@pytest.mark.scenario("config-validation: An image needs a tag or a digest")
@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("''", 'expected an image such as python:3.12-slim; got ""'),
        ("python", '"python" has neither tag nor digest'),
        ("localhost:5000/python", '"localhost:5000/python" has neither tag nor digest'),
        ("Python:3.12", '"Python:3.12" is not an image\'s name'),
        ("'a b:1'", '"a b:1" is not an image\'s name'),
        ("'a:'", '"a:" has a tag that no image can have'),
        ("'a:1!'", '"a:1!" has a tag that no image can have'),
        ("a@sha256:12", '"a@sha256:12" has a digest that no image can have'),
    ],
)
def test_an_image_needs_a_tag_or_a_digest(tmp_path: Path, image: str, message: str) -> None:
    assert [said for _, said, _ in of_command(tmp_path, f"run: x, image: {image}")] == [message]


@pytest.mark.parametrize(
    "image",
    [
        "a:1",
        "a:latest",
        "r.example.com:5000/x/y-z__q:1.2_3",
        "localhost/a:b",
        "a@sha256:" + "0" * 64,
        "[::1]:5000/a:1",
    ],
)
def test_every_form_of_an_image_is_accepted(tmp_path: Path, image: str) -> None:
    assert of_command(tmp_path, f"run: x, image: '{image}'") == []


@pytest.mark.scenario("config-validation: Limits below the engine's are problems")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memory: 5m", '"5m" is below the engine\'s least, 6m'),
        ("memory: 512", "512 is below the engine's least, 6m"),
        ("memory: '0'", '"0" is no size that a machine can have'),
        ("cpus: 0.001", "0.001 is below the engine's least, 0.01"),
        ("cpus: 0", "expected a number of CPUs such as 2 or 1.5, or null; got 0"),
        ("pids_limit: 1", "expected a whole number from 2 to 4194304, or null; got 1"),
        ("shm_size: 64x", 'expected a size such as 512m or 2g, or a number of bytes; got "64x"'),
    ],
)
def test_limits_below_the_engines_are_problems(tmp_path: Path, text: str, message: str) -> None:
    found = of_command(tmp_path, f"run: x, image: 'a:1', {text}")

    assert [said for _, said, _ in found] == [message]


@pytest.mark.scenario("config-validation: Names are used once")
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[{name: a, run: x}, {name: a, run: y}]", "stop.commands[1].name"),
        ("[{name: 'stop[1]', run: x}, {run: y}]", "stop.commands[0].name"),
    ],
)
def test_names_are_used_once(tmp_path: Path, text: str, place: str) -> None:
    (found,) = problems(tmp_path, f"stop: {{commands: {text}}}")

    assert found.where == place
    assert found.message.endswith("is used twice: by commands[0] and commands[1]")


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("run: x, working_dir: gone", "working_dir", '"gone" does not exist'),
        (
            "run: x, working_dir: stophooks.yaml",
            "working_dir",
            '"stophooks.yaml" is not a directory',
        ),
        ("command: ['', a]", "command[0]", "the program's name is empty"),
        (
            "run: '" + "x" * (1 << 17) + "'",
            "run",
            "longer than 128 KiB; no program can be given it",
        ),
        (
            "run: x, env: {A: '" + "x" * (1 << 17) + "'}",
            "env.A",
            "the value of A is longer than 128 KiB; no program can be given it",
        ),
        ("run: x, env: {'A B': x}", 'env["A B"]', '"A B" cannot be a variable\'s name'),
        ("run: x, env: {'A=': x}", 'env["A="]', '"A=" cannot be a variable\'s name'),
        (
            "run: x, image: 'a:1', user: 4294967295:0",
            "user",
            "4294967295 is no user or group number",
        ),
        ("run: x, image: 'a:1', workdir: /a/../b", "workdir", '"/a/../b" contains ".."'),
        (
            "run: x, image: 'a:1', workdir: a",
            "workdir",
            'expected an absolute path in the container such as /workspace; got "a"',
        ),
        (
            "run: x, image: 'a:1', capabilities: {add: [NET_ADMN]}",
            "capabilities.add[0]",
            'unknown capability "NET_ADMN"; did you mean "NET_ADMIN"?',
        ),
        (
            "run: x, image: 'a:1', capabilities: {add: [FLY]}",
            "capabilities.add[0]",
            'unknown capability "FLY"',
        ),
        (
            "run: x, image: 'a:1', ulimits: {nofiles: 1}",
            "ulimits",
            'unknown limit "nofiles"; did you mean "nofile"?',
        ),
        (
            "run: x, image: 'a:1', ulimits: {nofile: {soft: 2, hard: 1}}",
            "ulimits.nofile",
            "the soft limit 2 exceeds the hard limit 1",
        ),
        (
            "run: x, image: 'a:1', tmpfs: ['/tmp:sise=1m']",
            "tmpfs[0]",
            'unknown tmpfs option "sise=1m"',
        ),
        (
            "run: x, image: 'a:1', tmpfs: ['/tmp:exec,suid']",
            "tmpfs[0]",
            'the tmpfs option "suid" is never allowed',
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: tmpfs, target: /a, options: [dev]}]",
            "mounts[0].options[0]",
            'the tmpfs option "dev" is never allowed',
        ),
        (
            "run: x, image: 'a:1', user: '0:root'",
            "user",
            'expected a user such as node, 1000 or 1000:1000; got "0:root"',
        ),
        ("run: x, image: 'a:1', tmpfs: {tmp: ''}", "tmpfs.tmp", '"tmp" is not an absolute path'),
        (
            "run: x, image: 'a:1', tmpfs: [/proc/x]",
            "tmpfs[0]",
            '"/proc/x" belongs to the kernel; nothing can be mounted there',
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: tmpfs, target: /}]",
            "mounts[0].target",
            "nothing can be mounted over the container's root",
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: tmpfs, target: /a, source: b}]",
            "mounts[0].source",
            "source has no meaning for a tmpfs",
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: bind, target: /a}]",
            "mounts[0]",
            '"source" is missing',
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: volume, source: ./a, target: /a}]",
            "mounts[0].source",
            '"./a" is not a volume\'s name',
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: bind, source: ~/a, target: /a}]",
            "mounts[0].source",
            '"~" is not filled in',
        ),
        (
            "run: x, image: 'a:1', mounts: [{type: bind, source: ., target: /a, options: [ro]}]",
            "mounts[0].options[0]",
            'unknown option "ro" of a bind mount',
        ),
        (
            "run: x, image: 'a:1', network: 'a b'",
            "network",
            'expected none, bridge, host, container:<name> or a network\'s name; got "a b"',
        ),
        (
            "run: x, image: 'a:1', platform: arm64",
            "platform",
            'expected a platform such as linux/amd64 or linux/arm64/v8; got "arm64"',
        ),
    ],
)
def test_a_wrong_value_is_explained(tmp_path: Path, text: str, where: str, message: str) -> None:
    assert [found[:2] for found in of_command(tmp_path, text)] == [(where, message)]


@pytest.mark.scenario("config-validation: Dangerous sources are refused")
@pytest.mark.parametrize("source", ["/", "/proc", "/sys/kernel", "/run", "/var/lib/docker", "link"])
def test_dangerous_sources_are_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "link").symlink_to("/run/docker.sock")

    found = of_command(
        tmp_path, f"run: x, image: 'a:1', mounts: [{{type: bind, source: {source}, target: /a}}]"
    )

    ((where, message, _),) = found
    assert where == "mounts[0].source"
    expected = (f'"{source}" is never mounted: it ', f'"{source}" lies in the project, and a link')
    assert message.startswith(expected) or "kernel" in message


def test_the_socket_that_the_caller_uses_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "engine.sock").touch()
    path = tmp_path / "stophooks.yaml"
    path.write_text(
        "stop: {commands: [{run: x, image: 'a:1', mounts: [{type: bind, source: ., target: /a}]}]}"
    )

    elsewhere = load(str(path), environ={"DOCKER_HOST": "tcp://engine:2375"})
    here = load(str(path), environ={"DOCKER_HOST": f"unix://{tmp_path}/engine.sock"})

    assert elsewhere.problems == ()
    assert "an engine's socket" in here.problems[0].message


@pytest.mark.scenario("config-validation: A missing source is a problem")
def test_a_missing_source_is_a_problem(tmp_path: Path) -> None:
    text = "run: x, image: 'a:1', mounts: [{type: bind, source: ./gone, target: /a}]"

    assert of_command(tmp_path, text) == [
        ("mounts[0].source", '"./gone" does not exist', f"looked for {tmp_path}/gone")
    ]


@pytest.mark.scenario("config-validation: A target is taken once")
@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("mounts: [{type: volume, target: /a}, {type: tmpfs, target: /a/}]", "mounts[1].target"),
        ("mounts: [{type: volume, target: /a}], tmpfs: [/b, /a]", "tmpfs[1]"),
        ("tmpfs: {/a: '', /a/: ''}", 'tmpfs["/a/"]'),
    ],
)
def test_a_target_is_taken_once(tmp_path: Path, text: str, where: str) -> None:
    found = of_command(tmp_path, f"run: x, image: 'a:1', {text}")

    assert [item[:2] for item in found] == [(where, "something else is mounted at /a already")]


@pytest.mark.scenario("config-validation: A seccomp profile must filter")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, '"p.json" cannot be used: it does not exist'),
        ("{\n,", '"p.json", line 2: not valid JSON'),
        ("[" * 100_000, '"p.json": not valid JSON'),
        ("{}", '"p.json" is no seccomp profile: it has no defaultAction SCMP_ACT_…'),
        ("[]", '"p.json" is no seccomp profile: it has no defaultAction SCMP_ACT_…'),
        (
            '{"defaultAction": "ALLOW"}',
            '"p.json" is no seccomp profile: it has no defaultAction SCMP_ACT_…',
        ),
        (
            '{"defaultAction": "SCMP_ACT_ERNO"}',
            (
                '"p.json" is no seccomp profile: defaultAction is "SCMP_ACT_ERNO", which is no '
                'action; did you mean "SCMP_ACT_ERRNO"?'
            ),
        ),
        (
            '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": {}}',
            '"p.json" is no seccomp profile: syscalls is an empty object, not a list',
        ),
        (
            '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": ["read"]}',
            '"p.json" is no seccomp profile: syscalls[0] is "read", not an object',
        ),
        (
            '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"action": "SCMP_ACT_ALLOW"}]}',
            '"p.json" is no seccomp profile: syscalls[0].names is not a list of system calls',
        ),
        (
            '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["a", 1]}]}',
            '"p.json" is no seccomp profile: syscalls[0].names has something else than names in it',
        ),
        (
            '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"]}]}',
            (
                '"p.json" is no seccomp profile: '
                "syscalls[0].action is nothing (null), which is no action"
            ),
        ),
    ],
)
def test_a_seccomp_profile_must_filter(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "p.json").write_text(content)

    ((where, said, _),) = of_command(tmp_path, "run: x, image: 'a:1', seccomp: p.json")

    assert (where, said) == ("seccomp", message)


@pytest.mark.parametrize(
    "rule",
    ['{"names": ["a"], "action": "SCMP_ACT_ALLOW"}', '{"name": "a", "action": "SCMP_ACT_LOG"}'],
)
def test_a_profile_that_filters_has_no_warning(tmp_path: Path, rule: str) -> None:
    profile = f'{{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{rule}]}}'
    (tmp_path / "p.json").write_text(profile)

    assert of_command(tmp_path, "run: x, image: 'a:1', seccomp: p.json") == []


@pytest.mark.scenario("config-validation: A profile that forbids little is warned of")
@pytest.mark.parametrize("action", ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"])
def test_a_profile_that_forbids_little_is_warned_of(tmp_path: Path, action: str) -> None:
    (tmp_path / "p.json").write_text(f'{{"defaultAction": "{action}", "syscalls": []}}')

    (found,) = problems(tmp_path, "stop: {commands: [{run: x, image: 'a:1', seccomp: p.json}]}")

    assert found.warning
    assert found.message == (
        "the profile allows every system call that it does not name; the engine's own forbids "
        "about 40"
    )


@pytest.mark.scenario("config-validation: Every way to write root is warned of")
@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("'00'", "0"),
        ("0x0", "0"),
        ("'000:5'", "0:5"),
        ("'0:0'", "0:0"),
        ("root", "root"),
        ("root:staff", "root:staff"),
        ("'root:7'", "root:7"),
    ],
)
def test_every_way_to_write_root_is_warned_of(tmp_path: Path, user: str, sent: str) -> None:
    path = tmp_path / "stophooks.yaml"
    path.write_text(f"stop: {{commands: [{{run: x, image: 'a:1', user: {user}}}]}}")

    loaded = load(str(path), environ={})

    assert [(item.where, item.warning) for item in loaded.problems] == [
        ("stop.commands[0].user", True)
    ]
    assert loaded.plan is not None
    container = loaded.plan.sections[0].commands[0].container
    assert container is not None
    assert container.user == sent


@pytest.mark.parametrize("user", ["node", "node:staff", "'node:50'", "1000", "'010:020'"])
def test_who_is_not_root_is_not_warned_of(tmp_path: Path, user: str) -> None:
    assert of_command(tmp_path, f"run: x, image: 'a:1', user: {user}") == []


@pytest.mark.scenario("config-validation: Each opening is warned of")
def test_each_opening_is_warned_of(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "other").mkdir()
    text = """\
stop:
  commands:
    - image: a:1
      run: x
      seccomp: unconfined
      apparmor: unconfined
      network: host
      capabilities:
        add: [net_admin, KILL]
        drop: [CHOWN]
      no_new_privileges: false
      user: 0:0
      pids_limit: null
      mounts:
        - {type: bind, source: ., target: /a}
        - {type: bind, source: ../other, target: /b}
        - {type: bind, source: ../other, target: /c, readonly: true}
        - {type: bind, source: ., target: /d, options: [rshared]}
        - {type: bind, source: ., target: /e, options: [slave]}
        - {type: bind, source: ., target: /f, options: [rprivate]}
    - {image: "a:1", run: x, network: "container:db"}
"""

    found = problems(project, text)

    assert all(item.warning for item in found)
    assert [(item.line, item.where.partition("].")[2], item.message) for item in found] == [
        (5, "seccomp", "every system call is open to the command, with every hole in it"),
        (6, "apparmor", "nothing keeps the command from the kernel's files and mounts"),
        (
            7,
            "network",
            "the command reaches every service of this machine, and listens on its ports",
        ),
        (9, "capabilities.add", "the command gets rights of root: NET_ADMIN, KILL"),
        (
            10,
            "capabilities.drop",
            "the command keeps the engine's usual capabilities, as ALL is not in the list",
        ),
        (11, "no_new_privileges", "set-uid programs such as sudo can make the command root"),
        (
            12,
            "user",
            (
                "root in the container: files it makes in the project belong to root, and a "
                "hole in the engine is a hole in this machine"
            ),
        ),
        (13, "pids_limit", "a runaway command can use up every process of this machine"),
        (
            16,
            "mounts[1].source",
            f"the command can read and change {tmp_path}/other, which is outside the project",
        ),
        (
            17,
            "mounts[2].source",
            f"the command can read {tmp_path}/other, which is outside the project",
        ),
        (
            18,
            "mounts[3].options[0]",
            "what the command mounts there appears on this machine, and the other way round",
        ),
        (
            19,
            "mounts[4].options[0]",
            "what this machine mounts there later appears in the container",
        ),
        (21, "network", 'the command shares all connections of the container "db"'),
    ]


@pytest.mark.scenario("config-validation: Defaults carry no warning")
def test_defaults_carry_no_warning(tmp_path: Path) -> None:
    assert of_command(tmp_path, "run: x, image: 'a:1'") == []


@pytest.mark.parametrize(
    "text",
    [
        f"run: x, image: {'a' * 500_000}",
        f"run: x, image: {'a-' * 250_000}",
        f"run: x, image: {'a.-' * 160}",
        f"run: x, timeout: {'1s ' * 150_000}x",
        f"run: x, timeout: {'9' * 500_000}s",
    ],
    ids=["word", "dashes", "dots", "durations", "digits"],
)
def test_hostile_texts_are_answered_at_once(tmp_path: Path, text: str) -> None:
    # Each of them once kept a regular expression busy for minutes, or would have.
    assert len(of_command(tmp_path, text)) == 1


def test_a_hundred_thousand_problems_are_still_an_error(tmp_path: Path) -> None:
    found = problems(tmp_path, "stop: {commands: [{run: x, env: {A: '" + "${$}" * 100_000 + "'}}]}")

    assert len(found) <= 100


@pytest.mark.scenario("config-validation: A long list says that it is cut")
@pytest.mark.parametrize(
    ("count", "last"),
    [
        (101, "only the first 100 of 101 are shown"),
        (500, "only the first 100 of 500 are shown"),
        (1500, "only the first 100 of at least 1000 are shown"),
    ],
)
def test_a_long_list_says_that_it_is_cut(tmp_path: Path, count: int, last: str) -> None:
    found = problems(tmp_path, "stop:\n  commands:\n" + "    - {}\n" * count)

    assert len(found) == 101
    assert found[99].line == 102
    assert (found[100].line, found[100].message) == (0, last)


def test_a_hundred_problems_are_not_cut(tmp_path: Path) -> None:
    found = problems(tmp_path, "stop:\n  commands:\n" + "    - {}\n" * 100)

    assert len(found) == 100
    assert found[-1].line == 102


def test_warnings_push_no_problem_out_of_the_list(tmp_path: Path) -> None:
    warned = "    - {run: x, image: 'a:1', network: host}\n" * 150

    found = problems(tmp_path, "stop:\n  commands:\n" + warned + "    - {run: 5}\n")

    assert [item.where for item in found if not item.warning] == ["stop.commands[150].run", ""]


@pytest.mark.parametrize("wrong", ["null", "[]", "[[]]", "{}", "{a: b}", "''", "-1", "true", "1.5"])
def test_no_message_says_none_for_nothing(tmp_path: Path, wrong: str) -> None:
    schema = json.loads(schema_text())["$defs"]
    mounts = [f"{{{key}: {wrong}, type: bind}}" for key in schema["Mount"]["properties"]]
    pairs = [f"{key}: {wrong}" for key in schema["StopCommand"]["properties"]]
    pairs += [f"{key}: {{soft: {wrong}}}" for key in ("ulimits", "capabilities")]
    pairs += [f"mounts: [{mount}]" for mount in mounts]
    texts = [f"stop: {{commands: [{{{pair}, image: 'a:1'}}]}}" for pair in pairs]
    texts += [f"stop: {{{key}: {wrong}}}" for key in schema["Section"]["properties"]]

    told = [
        words
        for text in texts
        for item in problems(tmp_path, text)
        for words in (item.message, item.hint or "")
    ]

    assert told
    assert [words for words in told if "None" in words] == []


@pytest.mark.scenario("config-validation: Every example is valid")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid(path: Path) -> None:
    loaded = load(str(path), environ={})

    assert loaded.problems == ()
    assert loaded.plan is not None


def test_there_are_examples_in_every_format() -> None:
    assert {path.suffix for path in EXAMPLES} == {".yaml", ".json", ".toml"}
    assert len(EXAMPLES) >= 4
