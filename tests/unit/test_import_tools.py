"""What each tool's file becomes, value by value, and what of it is said to be lost."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.importing import IMPORTERS, ForeignFileError, document
from tests.importing import DIRECTORY, EXAMPLES, example, imported, of_file

if TYPE_CHECKING:
    from pathlib import Path

NO_NAMES = "pass_filenames: false, language: system"
SECRET = "sk-example-0123456789abcdef"


def stop(tool: str, given: str, directory: Path) -> list[dict[str, Any]]:
    """The commands of the stop section that a text becomes."""
    found = imported(tool, given, directory)

    assert found.loaded.plan is not None, found.loaded.problems
    return list(found.value["stop"]["commands"])


def lost(tool: str, given: str, directory: Path) -> str:
    return "\n".join(document.lost(imported(tool, given, directory).tree))


@pytest.mark.parametrize("tool", IMPORTERS)
def test_the_example_becomes_what_somebody_looked_at(tool: str, tmp_path: Path) -> None:
    found = of_file(tool, example(tool, tmp_path), tmp_path)

    assert found.text == (DIRECTORY / f"{tool}.expected.yaml").read_text()
    assert found.loaded.problems == ()


@pytest.mark.parametrize("tool", EXAMPLES)
def test_each_example_is_no_other_tools_file(tool: str, tmp_path: Path) -> None:
    kept, name = EXAMPLES[tool]
    for other in IMPORTERS:
        if other != tool:
            with pytest.raises(ForeignFileError, match=r"it is n|expected|means nothing"):
                imported(other, (DIRECTORY / kept).read_text(), tmp_path, name)


@pytest.mark.scenario("import: conclaude's stop commands")
def test_conclaude_keys_become_ours(tmp_path: Path) -> None:
    given = """
stop:
  commands:
    - {run: a, message: m, showCommand: false, showStdout: true, showStderr: false,
       maxOutputLines: 7, timeout: 90}
    - {run: b, timeout: 3600}
    - {run: c, timeout: 0, maxOutputLines: 0}
"""
    found = imported("conclaude", given, tmp_path)

    assert found.value["stop"]["commands"] == [
        {
            "run": "a",
            "message": "m",
            "show_command": False,
            "show_stdout": True,
            "show_stderr": False,
            "max_output_lines": 7,
            "timeout": "90s",
        },
        {"run": "b", "timeout": "1h"},
        {"run": "c"},
    ]
    assert found.loaded.plan.section("stop").deadline_s >= 90 + 3600
    assert found.value["stop"]["fail_fast"] is True
    assert "timeout: 0 (out of range)" in found.text


@pytest.mark.scenario("import: Lines that belong together")
@pytest.mark.parametrize(
    "lines",
    [
        "for x in 1 2; do\n  echo $x\ndone",
        "if true\nthen\n  echo a\nfi",
        "echo 'a\nb'",
        "cat <<END\nhello\nEND",
        "echo a \\\n  b",
        "true &&\n  echo a",
        "(\n  echo a\n)",
        "f() {\n  echo a\n}\nf",
    ],
)
def test_a_command_over_several_lines_stays_one(lines: str, tmp_path: Path) -> None:
    given = json.dumps({"stop": {"commands": [{"run": lines}]}})

    found = imported("conclaude", given, tmp_path)

    assert found.value["stop"]["commands"] == [{"run": f"set -e\n{lines}\n"}]
    assert "belong" in found.text


@pytest.mark.scenario("import: Subagents by name")
def test_commands_for_some_subagents_do_not_run_for_all(tmp_path: Path) -> None:
    given = """
subagentStop:
  commands:
    "*": [{run: for all}]
    coder: [{run: for the coder, message: hi}]
"""
    found = imported("conclaude", given, tmp_path)

    assert found.value == {"subagent_stop": {"fail_fast": True, "commands": [{"run": "for all"}]}}
    assert re.search(
        r"# no equal: commands for subagents called coder.*\n(.*\n)*?.*#   - run: for the coder",
        found.text,
    )


@pytest.mark.scenario("import: Files that may not be edited")
def test_uneditable_files_are_protected(tmp_path: Path) -> None:
    given = """
preToolUse:
  uneditableFiles:
    - "*.lock"
    - ./config/**
    - {pattern: "src/{a,b}.py", message: why}
    - "[ab].txt"
    - /etc/passwd
rules:
  uneditableFiles: [old.txt]
"""
    found = imported("conclaude", given, tmp_path)

    assert found.loaded.plan.protect == (
        *("**/*.lock", "config/**", "src/a.py", "src/b.py", "**/old.txt"),
    )
    for word in ("[ab].txt", "/etc/passwd", "message: why"):
        assert word in lost("conclaude", given, tmp_path)


def test_conclaude_of_an_older_version_is_read_too(tmp_path: Path) -> None:
    given = "stop:\n  run: |\n    make\n    make test\n  rounds: 3\n"

    assert stop("conclaude", given, tmp_path) == [{"run": "set -e\nmake\nmake test\n"}]
    assert "rounds: 3" in lost("conclaude", given, tmp_path)


@pytest.mark.scenario("import: Local hooks")
def test_local_hooks_without_file_names_are_commands(tmp_path: Path) -> None:
    given = """
repos:
  - repo: local
    hooks:
      - {id: a, name: types, entry: "mypy 'a b'", args: [--strict], language: system,
         pass_filenames: false, always_run: true}
      - {id: b, entry: ./b.sh, language: script, pass_filenames: false, always_run: true, name: b}
      - {id: c, name: c, entry: --entrypoint /bin/sh busybox:1, args: [-c, "exit 0"],
         language: docker_image, pass_filenames: false, always_run: true}
"""
    assert stop("pre-commit", given, tmp_path) == [
        {"name": "types", "command": ["mypy", "a b", "--strict"]},
        {"name": "b", "command": ["./b.sh"]},
        {"name": "c", "command": ["/bin/sh", "-c", "exit 0"], "image": "busybox:1"},
    ]
    assert not lost("pre-commit", given, tmp_path)


@pytest.mark.scenario("import: Hooks that stay pre-commit's")
def test_other_hooks_are_calls_of_pre_commit(tmp_path: Path) -> None:
    given = """
repos:
  - repo: https://example.org/x
    rev: v1
    hooks: [{id: one}, {id: two, alias: two-b}, {id: one, args: [x]}, {id: late, stages: [push]}]
  - repo: local
    hooks:
      - {id: named, name: Named, entry: ruff check, language: system}
      - {id: env, name: env, entry: x, language: node, pass_filenames: false}
      - {id: image, name: image, entry: busybox:1, language: docker_image, pass_filenames: false}
"""
    run = ["pre-commit", "run"]
    found = imported("pre-commit", given, tmp_path, ".pre-commit-config.yaml")

    assert [one["command"] for one in found.value["stop"]["commands"]] == [
        [*run, "one", "--all-files"],
        [*run, "two-b", "--all-files"],
        [*run, "late", "--all-files", "--hook-stage", "pre-push"],
        [*run, "named", "--all-files"],
        [*run, "env", "--all-files"],
        [*run, "image", "--all-files"],
    ]


@pytest.mark.scenario("import: pre-commit's file under another name")
@pytest.mark.parametrize("name", ["hooks.yaml", "sub/.pre-commit-config.yaml"])
def test_pre_commit_is_told_of_a_file_under_another_name(name: str, tmp_path: Path) -> None:
    given = """
repos:
  - {repo: "https://example.org/x", rev: v1, hooks: [{id: one}, {id: one}]}
  - {repo: local, hooks: [{id: a, entry: a, language: system, pass_filenames: false}]}
"""
    found = imported("pre-commit", given, tmp_path, name)

    assert [one["command"] for one in found.value["stop"]["commands"]] == [
        ["pre-commit", "run", "-c", name, "one", "--all-files"],
        ["a"],
    ]


@pytest.mark.scenario("import: Hooks of other moments")
def test_hooks_of_other_stages_are_comments(tmp_path: Path) -> None:
    given = """
default_stages: [commit-msg]
repos:
  - repo: local
    hooks:
      - {id: by-default, name: d, entry: a, language: system, pass_filenames: false}
      - {id: by-hand, name: b, entry: b, language: system, stages: [manual]}
      - {id: here, name: here, entry: c, language: system, pass_filenames: false,
         stages: [manual, commit]}
"""
    assert [one["name"] for one in stop("pre-commit", given, tmp_path)] == ["here"]
    assert re.search("hook by-default.*\n.*hook by-hand", lost("pre-commit", given, tmp_path))


@pytest.mark.scenario("import: Commands, scripts, jobs and groups")
def test_lefthook_keeps_its_order_and_its_groups(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    given = """
source_dir: hooks
pre-commit:
  setup: [{run: prepare}]
  commands:
    b10: {run: ten}
    b9: {run: nine}
    z: {run: z, priority: 2}
    y: {run: y, priority: 1, fail_text: why, env: {A: "$HOME/x", N: 5}}
  scripts:
    s.sh: {runner: bash -x, args: "1 '2 3'"}
  jobs:
    - name: group
      root: sub
      env: {G: g}
      group:
        jobs:
          - {run: in group, env: {H: h}}
          - {script: t.py, runner: python3}
    - {name: named, run: "{lefthook_job_name} {other}"}
templates: {other: "put in"}
"""
    made = stop("lefthook", given, tmp_path)

    assert [one["name"] for one in made] == [
        *("setup", "in group", "t.py", "named", "y", "z", "b9", "b10", "s.sh"),
    ]
    assert made[1] == {
        "name": "in group",
        "run": "in group",
        "env": {"G": "g", "H": "h"},
        "working_dir": "sub",
    }
    assert made[2]["command"] == ["python3", "../hooks/pre-commit/t.py"]
    assert made[3]["run"] == "named put in"
    assert made[4] == {
        "name": "y",
        "run": "y",
        "message": "why",
        "env": {"A": "${HOME:-}/x", "N": "5"},
    }
    assert made[-1]["run"] == "bash -x hooks/pre-commit/s.sh 1 '2 3'"


@pytest.mark.scenario("import: Files in commands")
@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("run: 'x {all_files}', glob: '*.js'", ()),
        ("run: 'x {files}', files: git ls-files", ()),
        ("run: 'x {staged_files}'", ("{staged_files}",)),
        ("run: 'x {files}'", ("{files}",)),
        ("run: 'x {all_files} {push_files}'", ("{push_files}",)),
        ("run: 'x {files} {all_files}', files: git ls-files", ("{all_files}",)),
    ],
)
def test_lefthook_templates_that_mean_the_same_are_not_counted(
    job: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    said = lost("lefthook", f"pre-commit: {{jobs: [{{{job}}}]}}", tmp_path)

    assert [line.split()[1] for line in said.splitlines()] == list(words)


@pytest.mark.scenario("import: What git alone can say")
def test_lefthook_words_of_git_are_comments(tmp_path: Path) -> None:
    given = """
extends: [other.yml]
pre-commit:
  skip: merge
  parallel: true
  commands:
    a: {run: "echo {1}", only: [{ref: main}], tags: [x]}
    b: {run: never, skip: true}
commit-msg:
  commands: {c: {run: also never}}
"""
    said = lost("lefthook", given, tmp_path)

    assert [one["name"] for one in stop("lefthook", given, tmp_path)] == ["a"]
    for word in (
        "extends",
        "skip: merge",
        "parallel",
        "{1}",
        "only",
        "tags",
        "b (",
        "commit-msg (",
    ):
        assert word in said
    assert "#   - name: b\n" in imported("lefthook", given, tmp_path).text


@pytest.mark.scenario("import: Lefthook at the same time")
@pytest.mark.parametrize(
    ("hook", "at_once"),
    [
        ("{parallel: true, commands: {a: {run: x}, b: {run: y}}}", True),
        ("{parallel: true, jobs: [{run: x}, {run: y}]}", True),
        ("{parallel: true, scripts: {a: {}, b: {}}}", True),
        ("{commands: {a: {run: x}, b: {run: y}}}", None),
        ("{parallel: false, commands: {a: {run: x}, b: {run: y}}}", None),
        ("{parallel: true, piped: true, commands: {a: {run: x}, b: {run: y}}}", False),
        ("{parallel: true, commands: {a: {run: x}}, scripts: {b: {}}}", False),
        ("{parallel: true, setup: [{run: z}], jobs: [{run: x}, {run: y}]}", False),
        ("{parallel: true, jobs: [{run: x}, {group: {jobs: [{run: y}]}}]}", False),
        ("{parallel: true, jobs: [{run: x}, {run: y}]}\npre-push: {jobs: [{run: z}]}", False),
    ],
)
def test_lefthook_runs_at_the_same_time_where_that_is_exact(
    hook: str, at_once: bool | None, tmp_path: Path
) -> None:
    found = imported("lefthook", f"pre-commit: {hook}", tmp_path)

    assert (found.value["stop"].get("jobs") == "auto") is bool(at_once)
    assert ("pre-commit.parallel" in found.text) is (at_once is False)


@pytest.mark.scenario("import: Lefthook's other formats")
def test_lefthook_in_four_formats_is_one_configuration(tmp_path: Path) -> None:
    value = {"pre-commit": {"commands": {"a": {"run": "x", "env": {"B": "//"}, "priority": 1}}}}
    as_json = json.dumps(value)
    texts = {
        "yml": "pre-commit: {commands: {a: {run: x, env: {B: //}, priority: 1}}}",
        "json": as_json,
        "jsonc": "// one\n" + as_json.replace("}}}}", "/* two\n */ },},},}"),
        "toml": "[pre-commit.commands.a]\nrun = 'x'\npriority = 1\nenv = {B = '//'}",
    }

    made = {
        imported("lefthook", text, tmp_path, f"lefthook.{ending}").text.partition("\n")[2]
        for ending, text in texts.items()
    }

    assert len(made) == 1
    assert "run: x" in made.pop()


@pytest.mark.scenario("import: canopy's hooks")
def test_canopy_hooks_become_a_workspace_section(tmp_path: Path) -> None:
    given = r"""
hooks:
  post_create:
    - {command: npm ci, description: d, repos: [a, b], shell: zsh, timeout: 60}
    - {command: "cd {{.WorkspacePath}} && make", continue_on_error: true}
    - {command: "for r in {{range .Repos}}{{.Name}}{{end}}; do :; done"}
  pre_close:
    - {command: git stash, continue_on_error: true}
"""
    found = imported("canopy", given, tmp_path)

    assert found.value == {
        "workspace": {
            "compat": "canopy",
            "post_create": {
                "fail_fast": True,
                "commands": [
                    {
                        "description": "d",
                        "run": "npm ci",
                        "shell": "zsh",
                        "timeout": "1m",
                        "repos": ["a", "b"],
                        "on_item_failure": "stop",
                    },
                    {"run": 'cd "${CANOPY_WORKSPACE_PATH}" && make', "on_failure": "ignore"},
                ],
            },
            "pre_close": {
                "fail_fast": True,
                "commands": [{"run": "git stash", "continue_on_error": True}],
            },
        }
    }
    assert found.loaded.problems == ()
    assert "range .Repos" in lost("canopy", given, tmp_path)


@pytest.mark.scenario("import: Templates that are no variable")
@pytest.mark.parametrize(
    ("command", "shell"),
    [
        ("echo {{.Foo}}", None),
        ("rm -rf {{.WorkspaceID | upper}}", None),
        ("echo {{.WorkspacePath}} {{range .Repos}}{{.Name}}{{end}}", None),
        ("echo a {{- .BranchName }}", None),
        ("cat <<END\nat {{.BranchName}}\nEND", None),
        ("cat <<-'END'\nat {{.BranchName}}\nEND", None),
        ("echo a # it's {{.BranchName}}", None),
        ('echo "$(echo {{.BranchName}})"', None),
        ("echo $'{{.BranchName}}'", None),
        ("echo \\{{.BranchName}}", None),
        ("echo {{.BranchName}}", "fish"),
        ("print('{{.BranchName}}')", "/usr/bin/python3"),
        ("echo {{.BranchName}}", " "),
    ],
)
def test_a_command_with_a_template_that_is_no_variable_does_not_run(
    command: str, shell: str | None, tmp_path: Path
) -> None:
    hooks = [{"command": "true"}, {"command": command, "shell": shell}]
    given = json.dumps({"hooks": {"post_create": hooks}})

    found = imported("canopy", given, tmp_path)

    assert found.loaded.problems == ()
    assert found.value["workspace"]["post_create"]["commands"] == [{"run": "true"}]
    assert len(list(document.lost(found.tree))) == 1
    assert "# no equal: the template in " in found.text


@pytest.mark.scenario("import: Go's templates are not ours")
def test_braces_of_another_program_stay(tmp_path: Path) -> None:
    given = """
hooks:
  post_create:
    - command: docker ps --format '{{.Names}}' | grep {{.WorkspaceID}}
"""
    made = imported("canopy", given, tmp_path).value["workspace"]["post_create"]["commands"]

    assert made == [{"run": "docker ps --format '{{.Names}}' | grep \"${CANOPY_WORKSPACE_ID}\""}]


@pytest.mark.scenario("import: kepler's services")
def test_kepler_services_keep_what_hooks_inherit(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web.env").write_text("A=b\n")
    given = """
services:
  web:
    command: [serve]
    user: "1000"
    working_dir: web
    env_file: web.env
    environment: ["A=1", "B=$5", "C=${{ x }}$"]
    hooks:
      pre_stop: {command: [drain, now], user: root, environment: {D: 4}}
"""
    found = imported("kepler", given, tmp_path)

    assert found.loaded.problems == ()
    assert found.value["services"]["web"] == {
        "user": "1000",
        "env_file": "web.env",
        "working_dir": "web",
        "env": {"A": "1", "B": "$$5"},
        "hooks": {
            "pre_stop": {
                "default_timeout": "5m",
                "commands": [{"command": ["drain", "now"], "env": {"D": "4"}, "user": "root"}],
            }
        },
    }
    for word in ("command: ", "environment: C="):
        assert word in lost("kepler", given, tmp_path)


@pytest.mark.scenario("import: kepler's conditions")
def test_kepler_conditions_are_ours_or_comments(tmp_path: Path) -> None:
    given = """
services:
  a:
    hooks:
      pre_start:
        - {run: once, if: "${{ not hook.initialized }}$"}
        - {run: one}
        - {run: two, if: "success()"}
        - {run: bad, if: "${{ failure() }}$"}
        - {run: always, if: true}
        - {run: lua, if: !lua "return always()"}
        - {run: never, if: false}
        - {run: computed, if: "${{ deps.b.status == 'x' }}$"}
        - run: "echo ${{ service.env.X }}$"
      post_start: [{run: one}, {run: two}]
"""
    hooks = imported("kepler", given, tmp_path).value["services"]["a"]["hooks"]

    assert [one["run"] for one in hooks["on_init"]["commands"]] == ["once"]
    assert hooks["pre_start"]["fail_fast"] is False
    assert [(one["run"], one.get("if")) for one in hooks["pre_start"]["commands"]] == [
        ("one", None),
        ("two", "success"),
        ("bad", "failure"),
        ("always", "always"),
        ("lua", "always"),
    ]
    assert hooks["post_start"]["fail_fast"] is True
    assert [one.get("if") for one in hooks["post_start"]["commands"]] == [None, None]
    said = imported("kepler", given, tmp_path).text
    for word in ("run: never", "run: computed", "service.env.X"):
        assert re.search(rf"#   - .*{word}", said)


@pytest.mark.scenario("import: kepler's hooks of the whole")
@pytest.mark.parametrize("form", ["kepler: {hooks: HOOKS}", "hooks: HOOKS"])
def test_kepler_global_hooks_are_service_hooks(form: str, tmp_path: Path) -> None:
    hooks = "{on_init: {run: a}, on_cleanup: {run: b}, on_start: {run: c}}"
    given = form.replace("HOOKS", hooks) + "\nservices: {}\n"

    service = imported("kepler", given, tmp_path).value["service"]

    assert {event: section["commands"] for event, section in service.items()} == {
        "on_init": [{"run": "a"}],
        "pre_cleanup": [{"run": "b"}],
    }
    assert "on_start" in lost("kepler", given, tmp_path)


@pytest.mark.scenario("import: clsecure's script")
def test_clsecure_script_is_the_cleanup_command(tmp_path: Path) -> None:
    script = tmp_path / ".clsecure/on-cleanup"
    imported("clsecure", "#!/bin/sh\nexit 0\n", tmp_path, ".clsecure/on-cleanup")
    script.chmod(0o755)
    alone = of_file("clsecure", script, tmp_path)
    settings = "cleanup_hook_timeout = 45\nskip_docker_autodetect=true\nmode=user\n"
    beside = imported("clsecure", settings, tmp_path, ".clsecure/config")

    command = {"name": "on-cleanup", "command": [".clsecure/on-cleanup"]}
    assert alone.value == {"cleanup": {"compat": "clsecure", "commands": [command]}}
    assert beside.value == {
        "cleanup": {
            "default_timeout": "45s",
            "compose": False,
            "compat": "clsecure",
            "commands": [command],
        }
    }
    assert "mode: user" in beside.text
    assert alone.loaded.problems == beside.loaded.problems == ()


@pytest.mark.scenario("import: clsecure's script that cannot be run")
@pytest.mark.parametrize("name", ["on-cleanup", "config"])
def test_a_script_that_cannot_be_run_stays_the_command(name: str, tmp_path: Path) -> None:
    imported("clsecure", "#!/bin/sh\nexit 0\n", tmp_path, ".clsecure/on-cleanup")
    (tmp_path / ".clsecure/config").write_text("cleanup_hook_timeout = 45\n")

    found = of_file("clsecure", tmp_path / ".clsecure" / name, tmp_path)

    command = {"name": "on-cleanup", "command": [".clsecure/on-cleanup"]}
    assert found.value["cleanup"]["commands"] == [command]
    assert found.text.count("# no equal: .clsecure/on-cleanup (it is no executable file") == 1


@pytest.mark.scenario("import: clsecure without a script")
def test_without_a_script_there_is_no_cleanup_command(tmp_path: Path) -> None:
    found = imported("clsecure", "cleanup_hook_timeout = 45\n", tmp_path, ".clsecure/config")

    assert found.value == {"cleanup": {"default_timeout": "45s", "compat": "clsecure"}}
    assert not list(document.lost(found.tree))


@pytest.mark.scenario("import: A key of a service stays a secret")
def test_an_api_key_is_not_repeated(tmp_path: Path) -> None:
    found = imported("clsecure", f"cleanup_hook_timeout=30\nKIMI_API_KEY={SECRET}\n", tmp_path)

    assert SECRET not in found.text + document.summary(found.tree, file="x")
    assert "kimi_api_key: is set" in found.text


@pytest.mark.parametrize(
    ("tool", "given", "message"),
    [
        ("conclaude", "stop: [1]", "stop: expected an object; got [1]"),
        ("conclaude", "stop: {commands: [{message: m}]}", "stop.commands[0]: run is missing"),
        ("conclaude", "stop: {commands: [{run: x, timeout: 5m}]}", "expected a whole number"),
        ("pre-commit", "repos: {a: b}", "repos: expected a list"),
        ("pre-commit", "repos: [{hooks: []}]", "repos[0]: repo is missing"),
        ("pre-commit", "repos: [{repo: local, hooks: [{id: [x]}]}]", "repos[0].hooks[0].id"),
        (
            "pre-commit",
            f"repos: [{{repo: local, hooks: [{{id: x, entry: a 'b, {NO_NAMES}}}]}}]",
            "entry: expected words as a shell has them",
        ),
        ("lefthook", "pre-commit: {commands: [a]}", "pre-commit.commands: expected an object"),
        ("lefthook", "pre-commit: {jobs: [{name: x}]}", "pre-commit.jobs[0]: neither run"),
        ("canopy", "hooks: {post_create: [{command: ' '}]}", "command is missing"),
        ("canopy", "hooks: {pre_close: [{command: x, timeout: soon}]}", "expected a whole number"),
        ("kepler", "services: {a: {hooks: {pre_start: [{if: true}]}}}", "neither run nor command"),
        ("clsecure", "echo hello\n", "its first line is no #! line"),
    ],
)
@pytest.mark.scenario("import: A value of the wrong form is named")
def test_what_the_tool_refuses_is_refused(
    tool: str, given: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ForeignFileError, match=re.escape(message)):
        imported(tool, given, tmp_path)
