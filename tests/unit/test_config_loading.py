"""From a file to its plan: formats, bounds, defaults, environments."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.config import load
from stophooks.containers import Container, Mount, Ulimit
from stophooks.models import Command, Severity
from stophooks.plan import Plan, from_json, to_json
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stophooks.models import Problem

CONTAINER = "stop: {commands: [{image: 'python:3.12', run: pytest"


def problems(
    directory: Path, text: str, *, name: str = "stophooks.yaml", environ: Mapping[str, str] = {}
) -> tuple[Problem, ...]:
    (directory / name).write_text(text, encoding="utf-8")
    return load(str(directory / name), environ=environ).problems


def plan(
    directory: Path, text: str, *, name: str = "stophooks.yaml", environ: Mapping[str, str] = {}
) -> Plan:
    (directory / name).write_text(text, encoding="utf-8")
    loaded = load(str(directory / name), environ=environ)
    assert loaded.plan is not None, loaded.problems
    return loaded.plan


def commands(directory: Path, text: str, **more: Any) -> tuple[Command, ...]:
    return plan(directory, text, **more).sections[0].commands


def container(directory: Path, text: str, **more: Any) -> Container:
    found = commands(directory, text, **more)[0].container
    assert found is not None
    return found


def said(found: tuple[Problem, ...]) -> list[str]:
    return [f"{item.line}:{item.column}: {item.where}: {item.message}" for item in found]


@pytest.mark.scenario("config-loading: The three formats make the same plan")
def test_the_three_formats_make_the_same_plan(tmp_path: Path) -> None:
    value = {
        "stop": {
            "default_env": {"A": "1"},
            "commands": [
                {"name": "a", "run": "x\ny\n", "timeout": "1.5h"},
                {"image": "a:1", "command": ["b", "c d"], "cpus": 1.5, "tmpfs": {"/tmp": "exec"}},
            ],
        }
    }
    toml = """
        [stop]
        default_env.A = "1"
        [[stop.commands]]
        name = "a"
        run = '''
x
y
'''
        timeout = "1.5h"
        [[stop.commands]]
        image = "a:1"
        command = ["b", "c d"]
        cpus = 1.5
        tmpfs = { "/tmp" = "exec" }
    """
    yaml = """
stop:
  default_env: {A: "1"}
  commands:
    - name: a
      run: |
        x
        y
      timeout: 1.5h
    - {image: "a:1", command: [b, c d], cpus: 1.5, tmpfs: {/tmp: exec}}
"""
    texts = {"c.json": json.dumps(value), "c.toml": toml, "c.yaml": yaml, "c.yml": yaml}

    plans = [plan(tmp_path, text, name=name) for name, text in texts.items()]

    found = [[replace(one, source=None) for one in made.sections[0].commands] for made in plans]
    assert found[0][0].run == "x\ny\n"
    assert all(one == found[0] for one in found)


@pytest.mark.scenario("config-loading: YAML merges and aliases work")
def test_yaml_merges_and_aliases_work(tmp_path: Path) -> None:
    text = """
stop:
  commands:
    - &base {name: a, run: x, env: &env {A: "1"}, timeout: 1m}
    - <<: *base
      name: b
      timeout: 2m
    - {<<: [{name: c, run: y}, *base], env: *env}
"""

    found = commands(tmp_path, text)

    assert [(one.name, one.run, one.timeout_s) for one in found] == [
        ("a", "x", 60.0),
        ("b", "x", 120.0),
        ("c", "y", 60.0),
    ]
    assert all(one.env == (("A", "1"),) for one in found)


@pytest.mark.scenario("config-loading: A file that cannot be read is a problem")
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "stophooks.yaml cannot be used: it does not exist"),
        ("link", "stophooks.yaml cannot be used: it is a link to nothing"),
        ("directory", "stophooks.yaml cannot be used: it is a directory, not a regular file"),
        ("fifo", "stophooks.yaml cannot be used: it is a FIFO, not a regular file"),
        ("large", "stophooks.yaml cannot be used: it is larger than 256 KiB"),
        ("latin", "stophooks.yaml cannot be used: it is not UTF-8 text: byte 0xe9 in line 2"),
        ("binary", "stophooks.yaml cannot be used: it is not a text file: it contains NUL bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "stophooks.yaml"
    contents = {
        "large": b"#" * (1 << 20) + b"\n",
        "latin": b"stop:\n# caf\xe9\n",
        "binary": "stop: 1".encode("utf-16"),
    }
    if kind == "link":
        path.symlink_to("gone")
    elif kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind in contents:
        path.write_bytes(contents[kind])

    loaded = load(str(path), environ={})

    assert loaded.plan is None
    assert [(item.line, item.message) for item in loaded.problems] == [(0, message)]


def test_a_byte_order_mark_and_windows_lines_are_tolerated(tmp_path: Path) -> None:
    text = "\ufeffstop:\r\n  commands:\r\n    - run: x\r\n      timeout: 5x\r\n"

    found = problems(tmp_path, text)

    assert [(item.line, item.column, item.source) for item in found] == [
        (4, 16, "      timeout: 5x")
    ]


@pytest.mark.scenario("config-loading: Broken syntax is shown where it is")
@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("c.yaml", "", "1:1: : the file is empty"),
        ("c.yaml", "# only words\n", "1:1: : the file is empty"),
        ("c.json", " \n", "1:1: : the file is empty"),
        ("c.toml", "", "1:1: : the file is empty"),
        ("c.yaml", "stop:\n\tcommands: []\n", "2:1: : not valid YAML: a tab cannot indent YAML"),
        ("c.yaml", "a: b: c\n", "1:5: : not valid YAML: this colon cannot stand here"),
        (
            "c.yaml",
            "a:\n  - b\n c: d\n",
            "3:2: : not valid YAML: the indentation fits nothing above",
        ),
        ("c.yaml", "a: 'b\n", "1:4: : not valid YAML: a quote that is never closed"),
        ("c.yaml", "a: *b\n", "1:4: : an alias without its anchor"),
        ("c.yaml", "a: 1\n---\nb: 2\n", "2:1: : a second document; only one is read"),
        ("c.yaml", "a: !env X\n", '1:4: : the tag "!env" means nothing here'),
        ("c.yaml", "1: x\n", "1:1: : the key 1 is not a text"),
        ("c.yaml", "? [a]\n: x\n", "1:3: : a key that is not a text"),
        ("c.yaml", "a: .inf\n", "1:4: : not a number with an end"),
        ("c.yaml", 'a: "\\0"\n', "1:4: a: a NUL character, which no program can be given"),
        ("c.json", '{"a": "\\ud800"}', "1:7: a: half of a character (a lone surrogate)"),
        ("c.json", '{"a": 1e999}', "1:7: a: not a number with an end"),
        ("c.toml", "a = 2024-01-01\n", "1:5: a: a date or time; no key takes one"),
        ("c.toml", "a = 1\nb = \n", "2:5: : not valid TOML: invalid value"),
        ("c.toml", "a = inf\n", "1:5: a: not a number with an end"),
    ],
)
def test_broken_syntax_is_shown_where_it_is(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    assert said(problems(tmp_path, text, name=name)) == [expected]


@pytest.mark.parametrize(
    "text", ['{"a": 1,}', "{'a': 1}", "{a: 1}", '{"a": 1} x', '{"a": 1', "// no\n{}"]
)
def test_broken_json_is_a_problem_with_a_place(tmp_path: Path, text: str) -> None:
    (found,) = problems(tmp_path, text, name="c.json")

    assert found.message.startswith("not valid JSON: ")
    assert 1 <= found.column <= len(text) + 1


@pytest.mark.scenario("config-loading: A key given twice is a problem")
@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("c.yaml", "stop: {}\nstop: {}\n", (2, 1)),
        ("c.json", '{"stop": {},\n "stop": {}}', (2, 2)),
        ("c.toml", "[stop]\na = 1\n[stop]\n", (3, 6)),
    ],
)
def test_a_key_given_twice_is_a_problem(
    tmp_path: Path, name: str, text: str, place: tuple[int, int]
) -> None:
    (found,) = problems(tmp_path, text, name=name)

    assert (found.line, found.column) == place


def chain(first: str, link: str, length: int) -> str:
    """Anchors that each refer to the one before."""
    links = (link.replace("OLD", f"*a{i - 1}") for i in range(1, length))
    return f"a0: &a0 {first}\n" + "".join(f"a{i}: &a{i} {one}\n" for i, one in enumerate(links, 1))


@pytest.mark.scenario("config-loading: Aliases cannot multiply without bound")
@pytest.mark.parametrize(
    "text",
    [
        chain("[x]", "[" + ", ".join(["OLD"] * 9) + "]", 30),
        chain("{x: 1}", "{<<: [" + ", ".join(["OLD"] * 9) + "]}", 30),
        chain("{x: 1}", "{<<: OLD}", 9000),
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
    ],
    ids=["lists", "merges", "long chain", "list in itself", "object in itself"],
)
def test_aliases_cannot_multiply_without_bound(tmp_path: Path, text: str) -> None:
    assert len(problems(tmp_path, text)) == 1


@pytest.mark.scenario("config-loading: Deep nesting is a problem")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "[" * 100_000),
        ("c.yaml", "a:\n" + "".join("  " * i + "- \n" for i in range(1, 400))),
        ("c.json", "[" * 100_000),
        ("c.toml", "a = " + "[" * 100_000),
        ("c.toml", "a = " + "[" * 90 + "]" * 90),
        ("c.toml", ".".join("a" * 200_000) + " = 1"),
    ],
    ids=["yaml brackets", "yaml blocks", "json", "toml open", "toml closed", "toml dots"],
)
def test_deep_nesting_is_a_problem(tmp_path: Path, name: str, text: str) -> None:
    assert len(problems(tmp_path, text, name=name)) == 1


@pytest.mark.scenario("config-loading: Defaults are filled in")
def test_defaults_are_filled_in(tmp_path: Path) -> None:
    made = plan(tmp_path, "subagent_stop: {commands: [{run: x}]}")

    assert made.config_path == str(tmp_path / "stophooks.yaml")
    assert made.section("stop") is None
    section = made.section("subagent_stop")
    assert section is not None
    assert (section.deadline_s, section.max_blocks, section.fail_fast) == (540.0, 3, False)
    assert section.commands == (
        Command(
            name="subagent_stop[0]",
            project_dir=str(tmp_path),
            run="x",
            timeout_s=300.0,
            severity=Severity.BLOCK,
            source=str(tmp_path / "stophooks.yaml"),
        ),
    )


@pytest.mark.scenario("config-loading: A section's defaults reach its commands")
def test_a_sections_defaults_reach_its_commands(tmp_path: Path) -> None:
    text = """
stop:
  default_timeout: 10s
  default_env: [A=1, B=2]
  commands: [{run: x}, {run: y, timeout: 1m, env: {B: "3"}}]
"""

    first, second = commands(tmp_path, text)

    assert (first.timeout_s, first.env) == (10.0, (("A", "1"), ("B", "2")))
    assert (second.timeout_s, second.env) == (60.0, (("A", "1"), ("B", "3")))


@pytest.mark.scenario("config-loading: A null timeout is no limit")
def test_a_null_timeout_is_no_limit(tmp_path: Path) -> None:
    text = "stop: {default_timeout: 1m, commands: [{run: x, timeout: null}, {run: y}]}"

    assert [one.timeout_s for one in commands(tmp_path, text)] == [None, 60.0]


@pytest.mark.scenario("config-loading: Containers get the least by default")
def test_containers_get_the_least_by_default(tmp_path: Path) -> None:
    assert container(tmp_path, CONTAINER + "}]}") == Container(
        image="python:3.12",
        workdir="/workspace",
        workspace="rw",
        network="bridge",
        pids_limit=4096,
        cap_add=(),
        cap_drop=("ALL",),
        init=True,
        no_new_privileges=True,
    )


def test_every_container_option_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    text = """
stop:
  commands:
    - run: x
      image: localhost:5000/team/app:1.2@sha256:%s
      pull: always
      workdir: /workspace//src/
      workspace: ro
      network: none
      memory: 1.5g
      cpus: "0.5"
      pids_limit: 99
      shm_size: 1048576
      user: 1000:0
      apparmor: docker-default
      capabilities: {drop: [all], add: [cap_net_admin, KILL, net_admin]}
      read_only: true
      init: false
      platform: linux/arm64/v8
      tmpfs: ["/tmp:size=64m,exec", /run]
      ulimits: {nofile: 1024, core: {soft: 0, hard: -1}}
      mounts:
        - {type: bind, source: data, target: /data/, readonly: true, options: [rslave]}
        - {type: volume, target: /v}
""" % ("a" * 64)

    assert container(tmp_path, text) == Container(
        image="localhost:5000/team/app:1.2@sha256:" + "a" * 64,
        pull="always",  # type: ignore[arg-type]
        workdir="/workspace/src",
        workspace="ro",
        network="none",
        memory_bytes=1536 * 1024 * 1024,
        nano_cpus=500_000_000,
        pids_limit=99,
        shm_size_bytes=1048576,
        user="1000:0",
        apparmor="docker-default",
        cap_drop=("ALL",),
        cap_add=("NET_ADMIN", "KILL"),
        read_only=True,
        init=False,
        platform="linux/arm64/v8",
        tmpfs=(("/tmp", "size=64m,exec"), ("/run", "")),
        ulimits=(Ulimit(name="nofile", soft=1024, hard=1024), Ulimit(name="core", soft=0, hard=-1)),
        mounts=(
            Mount(
                type="bind",
                source=str(tmp_path / "data"),
                target="/data",
                readonly=True,
                options=("rslave",),
            ),
            Mount(type="volume", source=None, target="/v"),
        ),
    )


@pytest.mark.parametrize(
    "more",
    [
        "mounts: [{type: bind, source: ., target: /workspace/, readonly: true}]",
        "mounts: [{type: tmpfs, target: /workspace}]",
        "tmpfs: [/workspace]",
    ],
)
def test_a_mount_at_the_workspace_takes_the_projects_place(tmp_path: Path, more: str) -> None:
    made = container(tmp_path, CONTAINER + f", {more}}}]}}")

    assert made.workspace == "none"


@pytest.mark.scenario("config-loading: Relative paths are relative to the file")
def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "sub").mkdir(parents=True)
    (project / "link").symlink_to("sub")
    (project / "vars").write_text("A=1\n")
    (project / "profile.json").write_text('{"defaultAction": "SCMP_ACT_ERRNO",\n "x": 1}')
    text = """
stop:
  commands:
    - {run: x, working_dir: sub/../sub, env_file: vars}
    - image: a:1
      run: x
      seccomp: profile.json
      mounts: [{type: bind, source: link, target: /a}]
"""

    host, contained = commands(project, text)

    assert host.working_dir == str(project / "sub")
    assert host.env == (("A", "1"),)
    assert contained.container is not None
    assert contained.container.seccomp == '{"defaultAction":"SCMP_ACT_ERRNO","x":1}'
    assert contained.container.mounts[0].source == str(project / "sub")


@pytest.mark.scenario("config-loading: Variables are filled in")
def test_variables_are_filled_in(tmp_path: Path) -> None:
    text = """
stop:
  commands:
    - run: x
      env:
        A: "<${SET}> ${EMPTY}|${EMPTY:-e} ${NONE:-d: ${}"
        B: ${NONE:-} $$ $$${SET} $SET $
"""
    text = text.replace("${NONE:-d: ${}", "${NONE:-d: $}")

    (made,) = commands(tmp_path, text, environ={"SET": "v", "EMPTY": ""})

    assert made.env == (("A", "<v> |e d: $"), ("B", " $ $v $SET $"))


@pytest.mark.scenario("config-loading: A variable that is not set is named")
def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    text = (
        "stop:\n  default_env: {T: '${TOKEN}'}\n  commands:\n    - run: x\n      env: ['A=${B}']\n"
    )

    found = problems(tmp_path, text)

    assert said(found) == [
        "2:20: stop.default_env.T: the variable TOKEN is not set on this machine",
        "5:13: stop.commands[0].env[0]: the variable B is not set on this machine",
    ]
    assert found[0].hint == "set it, or write ${TOKEN:-default}"


@pytest.mark.parametrize("value", ["${", "${A", "${}", "${1A}", "${A-x}", "${A:?x}", "${A:-${B}}"])
def test_a_reference_of_another_form_is_a_problem(tmp_path: Path, value: str) -> None:
    found = problems(tmp_path, f"stop: {{commands: [{{run: x, env: {{X: '{value}'}}}}]}}")

    assert len(found) == 1
    assert found[0].message.endswith("cannot be filled in")


@pytest.mark.scenario("config-loading: Later sources win")
def test_later_sources_win(tmp_path: Path) -> None:
    (tmp_path / "vars").write_text("B=file\nC=file\n")
    text = """
stop:
  default_env: {A: default, B: default, C: default}
  commands: [{run: x, env_file: vars, env: [C=env]}]
"""

    (made,) = commands(tmp_path, text)

    assert dict(made.env) == {"A": "default", "B": "file", "C": "env"}


def test_an_environment_file_is_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "vars").write_text(
        "# words\n\nA=1\nexport B = two words  # words\nC='#${X} \"'  # words\n"
        'D="a\\n\\"b\\" # c"\nE=\nF=a#b\nG=x=y\nH="a\\qb"\n'
    )

    (made,) = commands(tmp_path, "stop: {commands: [{run: x, env_file: vars}]}")

    assert dict(made.env) == {
        "A": "1",
        "B": "two words",
        "C": '#${X} "',
        "D": 'a\n"b" # c',
        "E": "",
        "F": "a#b",
        "G": "x=y",
        "H": "a\\qb",
    }


def test_a_broken_environment_file_is_a_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "vars").write_text("A=1\nwords\nB='open\nC='x'y\n")

    found = problems(
        tmp_path, "stop: {commands: [{run: x, env_file: vars}, {run: y, env_file: gone}]}"
    )

    assert [item.message for item in found] == [
        '"vars", line 2: not KEY=VALUE',
        '"vars", line 3: not KEY=VALUE',
        '"vars", line 4: not KEY=VALUE',
        '"gone" cannot be used: it does not exist',
    ]


@pytest.mark.scenario("config-loading: Numbers keep their form")
@pytest.mark.parametrize("written", ["1.10", "010", "1e3", "on", "No", "0x1F", "12:30", "true"])
def test_numbers_keep_their_form(tmp_path: Path, written: str) -> None:
    (made,) = commands(tmp_path, f"stop: {{commands: [{{run: x, env: {{A: {written}}}}}]}}")

    assert made.env == (("A", written),)


def test_numbers_keep_their_form_in_json_and_toml_and_behind_a_tag(tmp_path: Path) -> None:
    json_text = '{"stop": {"commands": [{"run": "x", "env": {"A": 1.10, "B": true}}]}}'
    toml_text = '[[stop.commands]]\nrun = "x"\nenv.A = 1.10 # words\nenv.B = true\n'
    yaml_text = "stop: {commands: [{run: x, env: {A: &a !!float 1.10, B: !!bool true, C: *a}}]}"
    expected = (("A", "1.10"), ("B", "true"))

    assert commands(tmp_path, json_text, name="c.json")[0].env == expected
    assert commands(tmp_path, toml_text, name="c.toml")[0].env == expected
    assert commands(tmp_path, yaml_text)[0].env == (*expected, ("C", "1.10"))


@pytest.mark.parametrize(
    ("user", "expected"),
    [("010", "10"), ("1000", "1000"), ("'1000:50'", "1000:50"), ("1:30", "1:30"), ("node", "node")],
)
def test_a_user_is_never_read_as_octal_or_base_sixty(
    tmp_path: Path, user: str, expected: str
) -> None:
    assert container(tmp_path, CONTAINER + f", user: {user}}}]}}").user == expected


def test_a_plan_survives_json(tmp_path: Path) -> None:
    made = plan(tmp_path, CONTAINER + ", tmpfs: [/tmp], ulimits: {core: 0}}]}")

    assert from_json(json.loads(json.dumps(to_json(made)))) == made


def test_a_key_of_endless_parts_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "stophooks.toml"
    path.write_text('"a".' * 20_000 + '"a" = 1\n')

    loaded = load(str(path), environ={})

    assert loaded.plan is None
    assert len(loaded.problems) == 1
