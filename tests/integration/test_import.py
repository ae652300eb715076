"""`stophooks import`: what is written, what is left alone, and that the result does the same."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.importing import IMPORTERS, lines
from tests.importing import DIRECTORY, EXAMPLES, example
from tests.running import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.program import Finished, Stophooks

MAKE = "stop: {commands: [{run: 'true'}]}\n"
OURS = "stophooks.yaml"
# Where the programs are that the tests' environment brings along.
PROGRAMS = str(Path(sys.executable).parent)
PATH = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
GIT = ["git", "-c", "user.name=dev", "-c", "user.email=dev@example.org"]


def git(directory: Path, *args: str) -> None:
    subprocess.run([*GIT, *args], cwd=directory, check=True, capture_output=True)


def repository(directory: Path, files: dict[str, str]) -> None:
    """A repository with these files, all of them staged."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(directory, "init", "-q")
    git(directory, "add", "-A")


def run(stophooks: Stophooks, directory: Path, tool: str, name: str) -> Finished:
    """Import a file and run its stop section."""
    made = stophooks("import", tool, name, "-o", OURS, cwd=directory)
    assert made.returncode == 0, made.stderr
    return stophooks("run", "--format", "json", cwd=directory, env=PATH)


def outcomes(ran: Finished) -> dict[str, str]:
    """What became of each command, by its name."""
    return {one["name"]: one["status"] for one in json.loads(ran.stdout)["results"]}


@pytest.mark.scenario("import: Every tool's file becomes a valid configuration")
@pytest.mark.parametrize("tool", IMPORTERS)
def test_every_tools_file_becomes_a_valid_configuration(
    tool: str, stophooks: Stophooks, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    given = example(tool, project)
    name = str(given.relative_to(project))

    made = stophooks("import", tool, name, "-o", OURS, cwd=project)
    judged = stophooks("validate", "--strict", OURS, cwd=project)

    assert made.returncode == 0, made.stderr
    assert made.stdout == ""
    assert f"Wrote {OURS}." in made.stderr
    assert (project / OURS).read_text() == (DIRECTORY / f"{tool}.expected.yaml").read_text()
    assert judged.returncode == 0, judged.stderr
    assert not list(project.glob(".*new"))


@pytest.mark.scenario("import: The result goes to standard output")
def test_without_a_target_the_text_is_on_standard_output(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    given = example("conclaude", tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())

    made = stophooks("import", "conclaude", given.name, cwd=tmp_path)

    assert made.returncode == 0
    assert made.stdout == (DIRECTORY / "conclaude.expected.yaml").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.scenario("import: Every loss is a comment and is counted")
def test_every_loss_is_a_comment_and_is_counted(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / ".conclaude.yaml").write_text(
        "stop:\n  infinite: true\n  commands: [{run: x, notifyPerCommand: true}]\n"
        "notifications: {enabled: true}\nnobody: [knows, this]\n"
    )

    made = stophooks("import", "conclaude", ".conclaude.yaml", cwd=tmp_path)

    assert made.stdout.count("# no equal: ") == 4
    assert made.stderr == (
        ".conclaude.yaml: 1 command; 4 things have no equal and became a comment:\n"
        "  stop: infinite: true (an agent whose checks pass may stop)\n"
        "  stop.commands[0]: notifyPerCommand: true (there are no desktop notifications)\n"
        '  notifications: {"enabled": true} (there are no desktop notifications)\n'
        '  nobody: ["knows", "this"] (unknown here)\n'
    )


def test_a_file_without_losses_says_so(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / ".conclaude.yaml").write_text(MAKE)

    made = stophooks("import", "conclaude", ".conclaude.yaml", cwd=tmp_path)

    assert made.stderr == ".conclaude.yaml: 1 command, and nothing without an equal.\n"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.scenario("import: An existing file is kept")
@pytest.mark.scenario("import: Force replaces")
def test_an_existing_file_is_replaced_only_by_force(
    force: bool, stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / ".conclaude.yaml").write_text(MAKE)
    ours = tmp_path / OURS
    ours.write_text("# mine\n")
    ours.chmod(0o640)
    flags = ["--force"] if force else []

    made = stophooks("import", "conclaude", ".conclaude.yaml", "-o", OURS, *flags, cwd=tmp_path)

    assert made.returncode == (0 if force else 3)
    assert (ours.read_text() == "# mine\n") is not force
    assert stat.S_IMODE(ours.stat().st_mode) == 0o640
    assert force or "--force" in made.stderr


@pytest.mark.scenario("import: A place that cannot be ours is refused")
@pytest.mark.parametrize(
    "target", [".conclaude.yaml", "folder", "/dev/null", "x.json", "x.toml", ".stophooks.yml"]
)
def test_a_place_that_cannot_be_ours_is_refused(
    target: str, stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / ".conclaude.yaml").write_text(MAKE)
    (tmp_path / "folder").mkdir()
    (tmp_path / OURS).write_text(MAKE)

    made = stophooks(
        "import", "conclaude", ".conclaude.yaml", "-o", target, "--force", cwd=tmp_path
    )

    assert made.returncode == 3
    assert "Nothing was written." in made.stderr
    assert (tmp_path / ".conclaude.yaml").read_text() == MAKE
    assert (tmp_path / "folder").is_dir()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert not {"x.json", "x.toml", ".stophooks.yml"} & {one.name for one in tmp_path.iterdir()}


def test_a_link_is_followed_and_stays(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / ".conclaude.yaml").write_text(MAKE)
    (tmp_path / "real.yaml").write_text("old\n")
    (tmp_path / OURS).symlink_to("real.yaml")

    made = stophooks("import", "conclaude", ".conclaude.yaml", "-o", OURS, "--force", cwd=tmp_path)

    assert made.returncode == 0
    assert (tmp_path / OURS).is_symlink()
    assert "stop:" in (tmp_path / "real.yaml").read_text()


@pytest.mark.scenario("import: A dry run writes nothing")
def test_a_dry_run_writes_nothing(stophooks: Stophooks, tmp_path: Path) -> None:
    given = example("canopy", tmp_path)

    made = stophooks("import", "canopy", given.name, "-o", OURS, "--dry-run", cwd=tmp_path)

    assert made.returncode == 0
    assert made.stdout == (DIRECTORY / "canopy.expected.yaml").read_text()
    assert f"Would write {OURS}." in made.stderr
    assert not (tmp_path / OURS).exists()


@pytest.mark.scenario("import: A result that would not be valid is not written")
@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("kepler", "services: {a: {env_file: given.yml}}", ("env_file", "not KEY=VALUE")),
        ("kepler", "services: {a: {user: 'no such user?'}}", ("user",)),
    ],
)
def test_what_would_not_be_valid_is_not_written(
    tool: str, given: str, words: tuple[str, ...], stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / "given.yml").write_text(given)

    made = stophooks("import", tool, "given.yml", "-o", OURS, cwd=tmp_path)

    assert made.returncode == 3
    assert all(word in made.stderr for word in (*words, "Nothing was written.")), made.stderr
    assert not (tmp_path / OURS).exists()


@pytest.mark.scenario("import: What is named and not there is left out")
def test_what_is_named_and_not_there_is_left_out(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "kepler.yaml").write_text(
        "services:\n"
        "  env:\n"
        "    working_dir: nowhere\n"
        "    env_file: gone.env\n"
        "    environment: {working_dir: kept}\n"
        "    hooks: {pre_stop: [{run: x, working_dir: here}, {run: later, env_file: also-gone}]}\n"
        "  working_dir: {user: '1000'}\n"
    )

    made = stophooks("import", "kepler", "kepler.yaml", "-o", OURS, cwd=tmp_path)

    assert made.returncode == 0, made.stderr
    assert stophooks("validate", OURS, cwd=tmp_path).returncode == 0
    text = (tmp_path / OURS).read_text()
    assert text.count("# no equal: ") == 3
    for place in (
        "services.env: env_file: gone.env (there is no such file",
        "services.env: working_dir: nowhere (there is no such directory",
        "services.env.hooks.pre_stop.commands[1]: env_file: also-gone (",
    ):
        assert place in made.stderr
    for kept in ("working_dir: kept", "working_dir: here", "working_dir:\n    user:", "run: later"):
        assert kept in text


@pytest.mark.scenario("import: What is named and not there is left out")
def test_a_root_that_is_not_there_leaves_the_rest(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "lefthook.yml").write_text(
        "pre-commit: {jobs: [{run: touch a, root: gone/}, {run: touch b}]}\n"
    )

    ran = run(stophooks, tmp_path, "lefthook", "lefthook.yml")

    assert outcomes(ran) == {"touch a": "passed", "touch b": "passed"}
    assert "# no equal: working_dir: gone/ (" in (tmp_path / OURS).read_text()


@pytest.mark.scenario("import: Another tool's file is refused")
@pytest.mark.parametrize("tool", IMPORTERS)
def test_another_tools_file_is_refused(tool: str, stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "shop", "scripts": {"test": "jest"}}')

    made = stophooks("import", tool, "package.json", "-o", OURS, cwd=tmp_path)

    assert made.returncode == 3
    assert f"package.json cannot be imported as {tool}'s: it is n" in made.stderr
    assert not (tmp_path / OURS).exists()


@pytest.mark.scenario("import: A file in no format is shown")
@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.yml", "pre-commit:\n\tjobs: []\n", "a.yml:2:1"),
        ("a.json", '{"pre-commit": }', "a.json:1:16"),
        ("a.jsonc", '{// x\n"pre-commit": }', "a.jsonc:2:15"),
        ("a.toml", "[pre-commit\n", "a.toml:1:"),
    ],
)
def test_a_file_in_no_format_is_shown(
    name: str, text: str, place: str, stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)

    made = stophooks("import", "lefthook", name, cwd=tmp_path)

    assert made.returncode == 3
    assert made.stdout == ""
    assert place in made.stderr
    assert "^" in made.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("husky", "x"), 'no tool "husky"'),
        (("conclaude", "gone.yaml"), "it does not exist"),
        (("conclaude", "."), "a directory"),
        (("conclaude", "empty.yaml"), "the file is empty"),
        (("conclaude", "nothing.yaml"), "nothing in it has an equal here"),
        (("conclaude", "fifo"), "a FIFO"),
        (("clsecure", "binary"), "it is not a text file"),
    ],
)
def test_what_cannot_be_imported_is_said(
    args: tuple[str, str], words: str, stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "nothing.yaml").write_text("stop: {infinite: true, commands: []}")
    (tmp_path / "binary").write_bytes(b"#!\x00")
    os.mkfifo(tmp_path / "fifo")

    made = stophooks("import", *args, "-o", OURS, cwd=tmp_path)

    assert made.returncode == 3
    assert words in made.stderr
    assert "Traceback" not in made.stderr
    assert not (tmp_path / OURS).exists()


@pytest.mark.scenario("import: Any input is answered")
@pytest.mark.parametrize("tool", IMPORTERS)
def test_any_bytes_are_answered(tool: str, stophooks: Stophooks, tmp_path: Path) -> None:
    whole = (DIRECTORY / EXAMPLES[tool][0]).read_bytes()
    inputs = (
        b"",
        b"\xff\xfe\x00",
        b"[" * 10_000,
        b"&a [*a]",
        whole[:-20],
        whole * 2,
        b"x" * 300_000,
    )
    for index, data in enumerate(inputs):
        (tmp_path / "given").write_bytes(data)
        out = f"out-{index}.yaml"

        made = stophooks("import", tool, "given", "-o", out, cwd=tmp_path)

        assert made.returncode in {0, 3}, made.stderr
        assert "Traceback" not in made.stderr
        assert "this is a bug" not in made.stderr
        assert (tmp_path / out).exists() is (made.returncode == 0)
        if made.returncode == 0:
            assert stophooks("validate", out, cwd=tmp_path).returncode == 0


SCRIPTS = [
    "echo a\nfalse\necho b",
    "echo a\necho b",
    "! true\necho after",
    "! false\necho after",
    "true && false\necho after",
    "false && true\necho after",
    "false || true\necho after",
    "false; echo hidden\necho after",
    "false & wait\necho after",
    "false | cat\necho after",
    "true | false\necho after",
    "cd /\npwd",
    'X=1\necho "<$X>"',
    'export Y=2\necho "<$Y>"',
    "set +e\nfalse\necho after",
    "set -u; echo $NOTHING_HERE\necho after",
    "exit 0\necho after",
    "exit 7\necho after",
    "(exit 5)\necho after",
    "if false; then :; fi\necho after",
    "for x in 1 2; do echo $x; false; done\necho after",
    "echo 'a; b && c'\necho \"! x\"",
    "echo a # a comment (with a bracket\nfalse # why\necho after",
    "false || exit 3 # three\necho after",
    "false || exit 0\necho after",
    "# only\necho a\n\n   echo b\n",
    "test -e /nowhere && echo there\necho after",
    "grep -q root /etc/passwd\ngrep -q nobody-at-all /etc/passwd\necho after",
    "exec true\necho after",
    "trap 'echo trapped' EXIT\necho after",
    "f() { false; }; f\necho after",
    "source /nowhere\necho after",
    "no-such-program\necho after",
    'echo "$(false)"\nA=$(false)\necho after',
]  # fmt: skip


@pytest.mark.scenario("import: Lines stop at the first failure")
@pytest.mark.parametrize("script", SCRIPTS)
def test_lines_have_the_outcome_of_shells_of_their_own(script: str, tmp_path: Path) -> None:
    made = lines.script(script)
    expected, code = b"", 0
    for line in script.splitlines():
        if line.strip() and not line.lstrip().startswith("#") and not code:
            ran = _bash(line, tmp_path)
            expected, code = expected + ran.stdout, ran.returncode

    assert made is not None
    got = _bash(made.run, tmp_path)
    assert (got.stdout, bool(got.returncode)) == (expected, bool(code)), made.run


def _bash(script: str, directory: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", "--", script],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.scenario("import: conclaude's checks run")
@pytest.mark.parametrize("fixme", [False, True])
def test_conclaude_checks_run(fixme: bool, stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("# FIXME\n" if fixme else "\n")
    (tmp_path / ".conclaude.yaml").write_text(
        "stop:\n"
        "  commands:\n"
        "    - run: touch first\n"
        "    - run: |\n"
        "        touch second\n"
        "        ! grep -rn FIXME src\n"
        "        touch third\n"
        "      message: There is unfinished work\n"
        "    - run: touch last\n"
    )

    ran = run(stophooks, tmp_path, "conclaude", ".conclaude.yaml")

    assert ran.returncode == (1 if fixme else 0)
    assert {
        name for name in ("first", "second", "third", "last") if (tmp_path / name).exists()
    } == ({"first", "second"} if fixme else {"first", "second", "third", "last"})


@pytest.mark.scenario("import: pre-commit's checks run")
@pytest.mark.parametrize("broken", [False, True])
def test_pre_commit_checks_run(broken: bool, stophooks: Stophooks, tmp_path: Path) -> None:
    repository(
        tmp_path,
        {
            ".pre-commit-config.yaml": """
repos:
  - repo: local
    hooks:
      - {id: words, name: words, entry: grep -L good, language: system, files: '\\.txt$',
         args: ["--"], verbose: true}
      - {id: names, name: names, entry: ./names.sh, language: script, files: '\\.txt$'}
      - {id: alone, name: alone, entry: test -e a.txt, language: system, pass_filenames: false}
""",
            "names.sh": '#!/bin/sh\nfor f; do grep -q good "$f" || exit 1; done\n',
            "a.txt": "good\n",
            "b c.txt": "bad\n" if broken else "good\n",
        },
    )
    (tmp_path / "names.sh").chmod(0o755)
    git(tmp_path, "add", "-A")

    ran = run(stophooks, tmp_path, "pre-commit", ".pre-commit-config.yaml")

    assert ran.returncode == (1 if broken else 0), ran.stdout
    found = outcomes(ran)
    assert found["alone"] == "passed"
    assert found["names"] == ("failed" if broken else "passed")


@pytest.mark.scenario("import: pre-commit's file under another name")
@pytest.mark.parametrize("broken", [False, True])
def test_pre_commit_reads_a_file_under_another_name(
    broken: bool, stophooks: Stophooks, tmp_path: Path
) -> None:
    hook = "{id: words, name: words, entry: grep -l good, language: system, files: '\\.txt$'}"
    files = {"a.txt": "bad\n" if broken else "good\n"}
    files["ci/hooks.yaml"] = f"repos: [{{repo: local, hooks: [{hook}]}}]\n"
    repository(tmp_path, files)

    ran = run(stophooks, tmp_path, "pre-commit", "ci/hooks.yaml")

    assert outcomes(ran) == {"words": "failed" if broken else "passed"}, ran.stdout


LEFTHOOK = {
    "lefthook.yml": """
templates: {say: echo said}
pre-commit:
  commands:
    10_ten: {run: echo ten >> log}
    2_js: {glob: "*.{js,ts}", exclude: ["vendor/*"], run: "printf '<%s>' {staged_files} >> log"}
    3_all: {glob: "*.js", run: "printf '<%s>' \\"{all_files}\\" >> log"}
    first: {run: "{say} {lefthook_job_name} >> log", priority: 1}
    none: {glob: "*.rb", run: "echo none {staged_files} >> log; false"}
    rooted: {root: client/, glob: "*.js", run: "printf '<%s>' {staged_files} | tr -d ./ >> ../log"}
    deep: {glob: "client/**/*.ts", run: "printf '<%s>' {staged_files} >> log"}
    skipped: {run: "echo skipped >> log", skip: true}
    named: {files: echo z.py, run: "cat {files} >> log", env: {LC_ALL: C}}
  scripts:
    s.sh: {runner: sh}
  jobs:
    - {name: judged, run: "test ! -e broken", fail_text: It is broken}
    - {name: after, run: "echo after >> log"}
    - {name: group, root: client/, group: {jobs: [{script: s.sh, args: x}]}}
""",
    ".lefthook/pre-commit/s.sh": 'echo "script $1 $(basename "$PWD")" >> "$LOG"\n',
    "a b.js": "1\n",
    "client/src/x.ts": "2\n",
    "client/y.js": "3\n",
    "vendor/v.js": "4\n",
    "z.py": "5\n",
}


@pytest.mark.scenario("import: lefthook's checks run")
@pytest.mark.scenario("import: Files in commands")
@pytest.mark.parametrize("broken", [False, True])
def test_lefthook_checks_do_what_lefthook_does(
    broken: bool, stophooks: Stophooks, tmp_path: Path
) -> None:
    repository(tmp_path, LEFTHOOK | ({"broken": ""} if broken else {}))
    log = tmp_path / "log"
    env = {**os.environ, **PATH, "LOG": str(log), "HOME": str(tmp_path)}
    theirs = subprocess.run(
        [f"{PROGRAMS}/lefthook", "run", "pre-commit", "--no-auto-install"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        timeout=60,
        check=False,
    )
    expected = log.read_text()
    log.unlink()

    made = stophooks("import", "lefthook", "lefthook.yml", "-o", OURS, cwd=tmp_path)
    (tmp_path / ".gitignore").write_text("stophooks.yaml\nlog\n.gitignore\nhome\nstate\n")
    ran = stophooks("run", "--format", "json", cwd=tmp_path, env={**PATH, "LOG": str(log)})

    assert made.returncode == 0
    assert ran.returncode == theirs.returncode == (1 if broken else 0), theirs.stdout
    assert log.read_text() == expected
    assert outcomes(ran)["judged"] == ("failed" if broken else "passed")
    assert "skipped" not in outcomes(ran)


def test_files_are_those_that_are_there_and_not_ignored(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    run_it = "printf '%s ' {staged_files} > ../seen"
    config = f'pre-commit: {{jobs: [{{root: sub, glob: "*.txt", run: "{run_it}"}}]}}'
    files = {"lefthook.yml": config, "sub/known.txt": "", "sub/gone.txt": "", "top.txt": ""}
    repository(tmp_path, {**files, ".gitignore": "ignored.txt\n"})
    (tmp_path / "sub/gone.txt").unlink()
    (tmp_path / "sub/new one.txt").write_text("")
    (tmp_path / "sub/ignored.txt").write_text("")

    assert run(stophooks, tmp_path, "lefthook", "lefthook.yml").returncode == 0
    assert sorted((tmp_path / "seen").read_text().split()) == ["known.txt", "new", "one.txt"]


def test_a_check_of_files_outside_of_git_does_not_pass(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / "lefthook.yml").write_text("pre-commit: {jobs: [{run: 'cat {staged_files}'}]}")

    assert run(stophooks, tmp_path, "lefthook", "lefthook.yml").returncode == 1


def test_canopy_hooks_run_where_and_as_they_did(stophooks: Stophooks, tmp_path: Path) -> None:
    shop = tmp_path / "it's a shop"
    for repo in ("backend", "frontend"):
        (shop / repo).mkdir(parents=True)
    (tmp_path / "config.yaml").write_text(
        "hooks:\n"
        "  post_create:\n"
        "    - command: \"echo 'at {{.WorkspacePath}}' > {{.WorkspacePath}}/made\"\n"
        "    - command: touch done\n"
        "      repos: [frontend]\n"
        '    - command: "false"\n'
        "      continue_on_error: true\n"
        '    - command: touch "{{.WorkspaceID}} {{.BranchName}}"\n'
        '    - command: "false"\n'
        "    - command: touch never\n"
    )
    assert stophooks("import", "canopy", "config.yaml", "-o", OURS, cwd=tmp_path).returncode == 0

    ran = stophooks(
        *("fire", "workspace.post_create", "--subject", f"workspace:W-1:{shop}"),
        *("--item", f"repo:backend:{shop}/backend", "--item", f"repo:frontend:{shop}/frontend"),
        *("--data", "-", "--format", "json"),
        cwd=tmp_path,
        stdin=b'{"branch": "topic"}',
    )

    assert ran.returncode == 1, ran.stderr
    assert [path.name for path in sorted(shop.rglob("done"))] == ["done"]
    assert (shop / "frontend/done").exists()
    assert not list(tmp_path.rglob("never"))


@pytest.mark.scenario("import: canopy's hooks")
@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("printf '%s|' {{.BranchName}} a", "it's  two|a|"),
        ("printf '%s|' \"{{.BranchName}}\" a", "it's  two|a|"),
        ("printf '%s|' 'on {{.BranchName}}' a", "on it's  two|a|"),
        ('printf "%s|" "it\'s {{.BranchName}}" a', "it's it's  two|a|"),
        ("printf '%s|' \\\"{{ .BranchName }} a", "\"it's  two|a|"),
        ("cat <<< {{.BranchName}} | tr '\\n' '|'", "it's  two|"),
    ],
)
def test_a_shell_makes_of_a_variable_what_canopy_puts_there(
    command: str, printed: str, stophooks: Stophooks, tmp_path: Path
) -> None:
    hook = {"command": f"{command} > printed", "shell": "bash"}
    (tmp_path / "config.yaml").write_text(json.dumps({"hooks": {"post_create": [hook]}}))
    assert stophooks("import", "canopy", "config.yaml", "-o", OURS, cwd=tmp_path).returncode == 0

    ran = stophooks(
        *("fire", "workspace.post_create", "--subject", f"workspace:W-1:{tmp_path}"),
        cwd=tmp_path,
        # `stophooks workspace` gives it.
        env={"CANOPY_BRANCH": "it's  two"},
    )

    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "printed").read_text() == printed


def _not_executable(hook: Path) -> None:
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o644)


INVALID: dict[str, Callable[[Path], None]] = {
    "not executable": _not_executable,
    "a directory": Path.mkdir,
    "a link to nothing": lambda hook: hook.symlink_to("gone"),
}


@pytest.mark.scenario("import: clsecure's script that cannot be run")
@pytest.mark.scenario("import: clsecure without a script")
@pytest.mark.parametrize("hook", [*INVALID, "none"])
def test_compose_is_asked_only_where_clsecure_has_no_script(
    hook: str, stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / ".clsecure").mkdir()
    (tmp_path / ".clsecure/config").write_text("cleanup_hook_timeout=7\n")
    (tmp_path / "compose.yaml").write_text("services: {web: {image: busybox:1}}\n")
    if hook != "none":
        INVALID[hook](tmp_path / ".clsecure/on-cleanup")
    name = ".clsecure/config"
    assert stophooks("import", "clsecure", name, "-o", OURS, cwd=tmp_path).returncode == 0

    planned = stophooks("cleanup", "--level", "purge", "--dry-run", cwd=tmp_path)
    fired = stophooks("fire", "cleanup", "--subject", "session:one", cwd=tmp_path)

    assert ("Compose would be asked" in planned.stdout) is (hook == "none"), planned.stdout
    assert (fired.returncode == 0) is (hook == "none"), fired.stderr


def test_clsecure_script_runs(stophooks: Stophooks, tmp_path: Path) -> None:
    script = tmp_path / ".clsecure/on-cleanup"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho run > ran\n")
    script.chmod(0o755)
    (tmp_path / ".clsecure/config").write_text("cleanup_hook_timeout=7\n")
    name = ".clsecure/config"
    assert stophooks("import", "clsecure", name, "-o", OURS, cwd=tmp_path).returncode == 0

    ran = stophooks("fire", "cleanup", "--subject", "session:one", cwd=tmp_path)

    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "ran").exists()


def test_kepler_hooks_run_with_what_they_inherit(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "kepler.yaml").write_text(
        "services:\n"
        "  web:\n"
        "    command: [serve]\n"
        "    hooks:\n"
        "      post_start:\n"
        "        - {run: 'echo \"$A\" > a', environment: [A=1$]}\n"
        "        - {run: exit 3}\n"
        "        - {run: touch b, if: '${{ failure() }}$'}\n"
        "        - {run: touch c}\n"
        "        - {run: touch d, if: '${{ always() }}$'}\n"
    )
    assert stophooks("import", "kepler", "kepler.yaml", "-o", OURS, cwd=tmp_path).returncode == 0

    ran = stophooks("fire", "service.post_start", "--subject", "service:web", cwd=tmp_path)

    assert ran.returncode in {0, 1}, ran.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if len(path.name) == 1) == [
        "a",
        "b",
        "d",
    ]
    assert (tmp_path / "a").read_text() == "1$\n"
