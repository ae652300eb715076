"""A check of some files runs for those that changed, and gets their names and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from tests.repositories import commit, git, repository
from tests.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.program import Stophooks

# Keeps what it was given where no tree has it.
LIST = 'cat "$STOPHOOKS_FILES" > .git/list; xargs -0 -r ls -d < "$STOPHOOKS_FILES"'
# A program that keeps its arguments, a line of JSON for each time that it is started.
ARGUMENTS = (
    "import json, os, sys\n"
    "with open('.git/arguments', 'a') as file:\n"
    "    file.write(json.dumps([os.fsencode(one).hex() for one in sys.argv[1:]]) + '\\n')\n"
)


def config(*commands: Mapping[str, object]) -> str:
    return json.dumps({"stop": {"commands": list(commands)}})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository with a check for Python files, one of which is not as committed."""
    check = {"name": "lint", "run": LIST, "files": ["**/*.py"], "exclude": ["vendor"]}
    names = ("a.py", "src/b.py", "vendor/c.py", "words.txt")
    files = dict.fromkeys(names, "1\n") | {".gitignore": "*.log.py\n"}
    made = repository(tmp_path / "project", files | {"stophooks.json": config(check)})
    (made / "src/b.py").write_text("not committed\n")
    return made


def given(place: Path) -> list[str]:
    """The names in the list that the check got."""
    data = (place / ".git/list").read_bytes()
    assert not data or data.endswith(b"\0")
    return [os.fsdecode(name) for name in data.split(b"\0")[:-1]]


def arguments(place: Path) -> list[list[str]]:
    """What the program was started with, each time."""
    rows = (place / ".git/arguments").read_text().splitlines()
    return [[os.fsdecode(bytes.fromhex(one)) for one in json.loads(row)] for row in rows]


def result(stophooks: Stophooks, place: Path, *args: str) -> dict[str, object]:
    done = stophooks("run", "--format", "json", *args, cwd=place)
    return dict(json.loads(done.stdout)["results"][0])


def with_arguments(place: Path, code: str = ARGUMENTS, **more: object) -> None:
    """Have the check be a program that is given the files as arguments."""
    (place / ".git/program.py").write_text(code)
    argv = ["python3", ".git/program.py", "first", "{files}", "last"]
    check = {"name": "lint", "command": argv, "files": ["**/*.py"], **more}
    (place / "stophooks.json").write_text(config(check))


@pytest.mark.scenario("changed-files: A check runs for files that changed in the session")
@pytest.mark.scenario("changed-files: A check for other files is skipped")
def test_a_check_runs_for_files_that_changed_in_the_session(
    stophooks: Stophooks, place: Path
) -> None:
    session = Session(stophooks=stophooks, place=place)
    session.start()
    (place / "words.txt").write_text("2\n")

    session.stop()
    ran_for_words = (place / ".git/list").exists()
    why = stophooks("run", "--dry-run", "--why", cwd=place).stdout
    commit(place, {"a.py": "2\n", "vendor/c.py": "2\n"})
    answer = session.stop()

    assert not ran_for_words
    assert "1 file of its `files` changed: src/b.py" in why
    assert (answer.returncode, answer.stdout) == (0, "")
    assert given(place) == ["a.py"]


def test_a_file_that_is_made_as_it_was_has_not_changed(stophooks: Stophooks, place: Path) -> None:
    session = Session(stophooks=stophooks, place=place)
    session.start()
    (place / "a.py").write_text("2\n")
    (place / "a.py").write_text("1\n")
    (place / "words.txt").write_text("2\n")

    session.stop()

    assert not (place / ".git/list").exists()


def test_a_beginning_that_is_not_known_any_more_is_a_change_of_everything(
    stophooks: Stophooks, place: Path
) -> None:
    session = Session(stophooks=stophooks, place=place)
    session.start()
    for path in (stophooks.state / "stophooks").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (place / "words.txt").write_text("2\n")

    session.stop()

    assert given(place) == ["a.py", "src/b.py"]


@pytest.mark.scenario("changed-files: Another session is not spared")
def test_another_session_is_not_spared(stophooks: Stophooks, place: Path) -> None:
    check = {"name": "lint", "run": "! grep -rn bad --include=*.py .", "files": ["**/*.py"]}
    (place / "stophooks.json").write_text(config(check))
    (place / "a.py").write_text("bad\n")
    first = Session(stophooks=stophooks, place=place, name="first")
    first.start()
    (place / "words.txt").write_text("2\n")
    skipped = first.stop()
    (place / "a.py").write_text("good\n")
    second = Session(stophooks=stophooks, place=place, name="second")
    second.start()
    (place / "a.py").write_text("bad\n")

    reason = second.blocked()

    assert skipped.returncode == 0
    assert "lint: exit code 1" in reason


@pytest.mark.scenario("changed-files: By hand the last commit counts")
def test_by_hand_the_last_commit_counts(stophooks: Stophooks, place: Path) -> None:
    (place / "new.py").touch()
    (place / "noise.log.py").touch()
    git(place, "update-index", "--assume-unchanged", "a.py")
    (place / "a.py").chmod(0o755)
    git(place, "add", "src/b.py")

    done = stophooks("run", cwd=place)
    changed = given(place)
    git(place, "add", "-A")
    git(place, "update-index", "--no-assume-unchanged", "a.py")
    commit(place, {"words.txt": "3\n"})
    git(place, "checkout", "-q", "--", ".")
    found = result(stophooks, place)

    assert done.returncode == 0
    assert changed == ["a.py", "new.py", "src/b.py"]
    assert found["status"] == "skipped"
    assert found["reason"] == "no file that fits its `files` changed since the last commit"


@pytest.mark.scenario("changed-files: Without git every file counts")
def test_without_git_every_file_counts(stophooks: Stophooks, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    (bare / "sub").mkdir(parents=True)
    (bare / ".git.not").mkdir()
    run = 'tr "\\0" " " < "$STOPHOOKS_FILES"; false'
    (bare / "stophooks.json").write_text(config({"name": "lint", "run": run, "files": ["**/*.py"]}))
    (bare / "a.py").touch()
    (bare / "sub/b.py").touch()

    found = result(stophooks, bare)

    assert dict(found["stdout"])["text"] == "a.py sub/b.py "  # type: ignore[call-overload]


@pytest.mark.scenario("changed-files: All files on request")
def test_all_files_on_request(stophooks: Stophooks, place: Path) -> None:
    commit(place, {"x.log.py": "1\n"})

    stophooks("run", "--all-files", cwd=place)

    assert given(place) == ["a.py", "src/b.py"]


STRANGE = [b"a b.py", b"new\nline.py", b"-dash.py", b"'quote\".py", b"\xff\xfe.py", b"$(x);*.py"]


@pytest.mark.scenario("changed-files: The list has any name")
@pytest.mark.scenario("changed-files: An argument of its own stands for the files")
def test_any_name_reaches_a_program(stophooks: Stophooks, place: Path) -> None:
    git(place, "checkout", "-q", "--", ".")
    for name in STRANGE:
        (place / os.fsdecode(name)).touch()
    wanted = sorted(os.fsdecode(name) for name in STRANGE)
    told = ["./-dash.py" if name == "-dash.py" else name for name in wanted]

    listed = stophooks("run", cwd=place)
    with_arguments(place)
    passed = stophooks("run", cwd=place)

    assert (listed.returncode, passed.returncode) == (0, 0)
    assert given(place) == told
    assert arguments(place) == [["first", *told, "last"]]


def test_names_are_as_they_are_found_from_the_working_directory(
    stophooks: Stophooks, place: Path
) -> None:
    (place / "a.py").write_text("2\n")
    run = 'cat "$STOPHOOKS_FILES" > ../.git/list; xargs -0 ls < "$STOPHOOKS_FILES"'
    check = {"name": "lint", "run": run, "files": ["**/*.py"], "working_dir": "src"}
    (place / "stophooks.json").write_text(config(check))

    done = stophooks("run", cwd=place)

    assert done.returncode == 0, done.stdout
    assert given(place) == ["../a.py", "b.py"]


@pytest.mark.parametrize("place_of_git", ["..", "../.."])
def test_a_project_below_its_repository_has_names_of_its_own(
    stophooks: Stophooks, tmp_path: Path, place_of_git: str
) -> None:
    above = repository(tmp_path / "r", {"x.py": "1\n"})
    project = above / ("p" if place_of_git == ".." else "q/p")
    (project / "src").mkdir(parents=True)
    (above / "y.py").touch()
    (project / "src/a.py").touch()
    run = f'cat "$STOPHOOKS_FILES" > {place_of_git}/.git/list'
    check = {"name": "lint", "run": run, "files": ["src/*.py", "*.py"]}
    (project / "stophooks.json").write_text(config(check))

    done = stophooks("run", cwd=project)

    assert done.returncode == 0
    assert given(above) == ["src/a.py"]


@pytest.mark.scenario("changed-files: Ten thousand files are split")
def test_ten_thousand_files_are_split(stophooks: Stophooks, place: Path) -> None:
    folder = place / ("d" * 120)
    folder.mkdir()
    names = [f"{folder.name}/{number:05}-{'x' * 60}.py" for number in range(10_000)]
    for name in names:
        (place / name).touch()
    with_arguments(place)

    done = stophooks("run", cwd=place, timeout=120)

    parts = arguments(place)
    assert done.returncode == 0, done.stdout
    assert len(parts) > 1
    assert all(part[0] == "first" and part[-1] == "last" for part in parts)
    assert [name for part in parts for name in part[1:-1]] == [*names, "src/b.py"]
    assert "1 passed" in done.stdout


def many(place: Path) -> None:
    """So many files that a program has to be started several times for them."""
    folder = place / ("d" * 200)
    folder.mkdir()
    for number in range(6_000):
        (folder / f"{number:05}-{'x' * 40}.py").touch()


@pytest.mark.scenario("changed-files: All parts run and the first failure decides")
def test_all_parts_run_and_the_first_failure_decides(stophooks: Stophooks, place: Path) -> None:
    many(place)
    code = ARGUMENTS + (
        "count = len(open('.git/arguments').readlines())\n"
        "print('part', count)\n"
        "sys.exit({1: 0, 2: 4}.get(count, 5))\n"
    )
    with_arguments(place, code, severity="warn")

    found = result(stophooks, place)

    parts = len(arguments(place))
    said = "".join(f"part {number}\n" for number in range(1, parts + 1))
    assert parts >= 3
    assert (found["status"], found["exit_code"]) == ("failed", 4)
    assert dict(found["stdout"])["text"] == said.rstrip("\n")  # type: ignore[call-overload]


@pytest.mark.scenario("changed-files: One time limit is for all parts")
def test_one_time_limit_is_for_all_parts(stophooks: Stophooks, place: Path) -> None:
    many(place)
    with_arguments(place, ARGUMENTS + "import time; time.sleep(2)\n", timeout="3s")

    began = time.monotonic()
    found = result(stophooks, place)
    took_s = time.monotonic() - began

    assert (found["status"], found["reason"]) == ("timed_out", "timed out after 3 s")
    assert 0 < len(arguments(place)) <= 2  # of three or more
    assert took_s < 20


@pytest.mark.scenario("changed-files: Only deleted files")
def test_only_deleted_files(stophooks: Stophooks, place: Path) -> None:
    git(place, "checkout", "-q", "--", ".")
    (place / "a.py").unlink()

    listed = result(stophooks, place)
    with_arguments(place)
    skipped = result(stophooks, place)

    assert (listed["status"], given(place)) == ("passed", [])
    assert skipped["status"] == "skipped"
    assert skipped["reason"] == (
        "the files that fit its `files` were deleted, and {files} would be empty"
    )


@pytest.mark.scenario("changed-files: Another user reads the list")
@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_another_user_reads_the_list(stophooks: Stophooks, place: Path) -> None:
    run = 'tr "\\0" " " < "$STOPHOOKS_FILES"; id -un; test ! -w "$STOPHOOKS_FILES"; false'
    check = {"name": "lint", "run": run, "files": ["**/*.py"], "user": "nobody"}
    (place / "stophooks.json").write_text(config({**check, "working_dir": "/"}))

    found = result(stophooks, place)

    text = dict(found["stdout"])["text"]  # type: ignore[call-overload]
    assert text == f"{os.path.relpath(place / 'src/b.py', '/')} nobody"


def test_a_list_that_cannot_be_made_is_a_fault_of_the_machine(
    stophooks: Stophooks, place: Path, tmp_path: Path
) -> None:
    stophooks.state.rmdir()
    stophooks.state.write_text("in the way")
    check = {"name": "lint", "run": LIST, "files": ["**/*.py"]}
    (place / "stophooks.json").write_text(config(check))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / f"stophooks-{place.stat().st_uid}").write_text("in the way too")

    done = stophooks("run", "--format", "json", cwd=place, env={"TMPDIR": str(tmp_path / "tmp")})

    found = json.loads(done.stdout)["results"][0]
    assert (found["status"], found["fault"]) == ("unavailable", "files-list")
    assert done.returncode == 3


def test_no_list_is_left(stophooks: Stophooks, place: Path) -> None:
    stophooks("run", cwd=place)

    assert given(place) == ["src/b.py"]
    assert not list((stophooks.state / "stophooks/logs").rglob("files-*"))


def test_the_list_is_part_of_what_a_pass_depends_on(stophooks: Stophooks, place: Path) -> None:
    check = {"name": "lint", "run": LIST, "files": ["**/*.py"], "inputs": ["src/**"]}
    (place / "stophooks.json").write_text(config({**check, "skip_unchanged": True}))

    statuses = [result(stophooks, place)["status"] for _ in range(2)]
    (place / "a.py").write_text("2\n")
    statuses += [result(stophooks, place)["status"] for _ in range(2)]

    assert statuses == ["passed", "skipped", "passed", "skipped"]
    assert given(place) == ["a.py", "src/b.py"]


@pytest.mark.scenario("changed-files: A pattern that fits nothing is told")
def test_a_pattern_that_fits_nothing_is_told(stophooks: Stophooks, tmp_path: Path) -> None:
    check = {"name": "lint", "run": "true", "inputs": ["src", "scr/**"], "files": ["**/*.rs"]}
    place = repository(
        tmp_path / "project",
        {"stophooks.json": json.dumps({"stop": {"commands": [check]}}), "src/a.py": ""},
    )

    done = stophooks("validate", cwd=place)

    assert done.returncode == 0
    assert done.stdout == (
        "stophooks.json: ok, 1 command\n"
        'stophooks.json: stop: lint: inputs: "scr/**" fits no file now\n'
        'stophooks.json: stop: lint: files: "**/*.rs" fits no file now\n'
    )
