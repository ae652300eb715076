"""Which files a session is held to, and how a person is shown what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks import config
from stophooks.config.scripts import scripts
from stophooks.containers import Container
from stophooks.errors import StoreError
from stophooks.models import Command
from stophooks.plan import Plan, Section
from stophooks.reports import trust
from stophooks.secrets.mask import Mask
from stophooks.store import contents
from stophooks.store.contents import matches, print_of, protected
from stophooks.values import replace

if TYPE_CHECKING:
    from pathlib import Path


def plan(*commands: Command) -> Plan:
    return Plan(
        config_path="/p/stophooks.yaml",
        project_dir="/p",
        sections=(Section(event="stop", commands=commands),),
    )


def started(place: Path, **fields: object) -> list[str]:
    """The files in the place that a command starts, by their names in it."""
    for name in ("a.sh", "b.py", "sub/a.sh"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("")
    command = Command(name="c", project_dir=str(place), **fields)  # type: ignore[arg-type]
    return [name.removeprefix(f"{place}/") for name in scripts(plan(command))]


@pytest.mark.scenario("sessions: Scripts are found by their place in a command")
@pytest.mark.parametrize(
    ("run", "names"),
    [
        ("./a.sh", ["a.sh"]),
        ("./a.sh --fast b.py && python3 -u b.py x", ["a.sh", "b.py"]),
        ("set -e\n# ./a.sh\nsub/a.sh | tee log", ["sub/a.sh"]),
        ("bash -eu a.sh; . ./a.sh", ["a.sh"]),
        ("if ! FOO=1 ./a.sh; then exit 1; fi", ["a.sh"]),
        ("x=$(./a.sh); timeout 5m ./sub/a.sh", ["a.sh", "sub/a.sh"]),
        ("./a.sh \\\n  && uv run b.py", ["a.sh"]),
        ("uv run python b.py", ["b.py"]),
        ("echo 'it\nis'; ./a.sh", ["a.sh"]),
        ("pytest b.py", []),
        ("python -m pytest b.py", []),
        ("bash -c './a.sh'", []),
        ("cat ./a.sh", []),
        ("./missing.sh", []),
        ("/bin/sh -c true", []),
    ],
)
def test_scripts_are_found_by_their_place(tmp_path: Path, run: str, names: list[str]) -> None:
    assert started(tmp_path, run=run) == names


def test_scripts_are_found_where_a_command_runs(tmp_path: Path) -> None:
    inside = Container(image="a:1")

    assert started(tmp_path, argv=("./a.sh",), working_dir=str(tmp_path / "sub")) == ["sub/a.sh"]
    assert started(tmp_path, argv=("sh", "/workspace/a.sh"), container=inside) == ["a.sh"]
    assert started(tmp_path, run="./a.sh", container=replace(inside, workdir="/other")) == []
    assert started(tmp_path, run="./a.sh", container=replace(inside, workspace="none")) == []
    assert started(tmp_path, run="./a.sh", pin=False) == []


@pytest.mark.scenario("sessions: Patterns name files as shells do")
@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("*.toml", ["a.toml", ".toml"], ["x/a.toml", "a.tom"]),
        ("tests", ["tests", "tests/a", "tests/x/a"], ["test", "x/tests"]),
        ("tests/**", ["tests/a", "tests/x/a"], ["a", "x/tests/a"]),
        ("**/conf?.py", ["conf1.py", "x/y/conf1.py"], ["conf.py", "x/conf/.py"]),
        ("a/**/b", ["a/b", "a/x/y/b", "a/x/b/c"], ["a/c", "x/a/b"]),
        ("src/*/t", ["src/x/t"], ["src/t", "src/x/y/t"]),
    ],
)
def test_patterns_name_files_as_shells_do(
    pattern: str, names: list[str], others: list[str]
) -> None:
    parts = tuple(pattern.split("/"))

    assert [name for name in names if not matches(parts, tuple(name.split("/")))] == []
    assert [name for name in others if matches(parts, tuple(name.split("/")))] == []


def test_protected_files_are_found_where_patterns_can_lead(tmp_path: Path) -> None:
    for name in ("tests/a.py", "tests/deep/b.py", "src/a.py", ".git/config", "x.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "tests/link").symlink_to("..")

    found = protected(str(tmp_path), ["tests/", "**/*.toml", "**/config"])

    assert sorted(found) == ["tests/a.py", "tests/deep/b.py", "tests/link", "x.toml"]
    assert list(protected(str(tmp_path), [".git/config"])) == [".git/config"]


def test_a_print_tells_content_kind_and_mode_apart(tmp_path: Path) -> None:
    path = tmp_path / "file"
    prints = [print_of(str(path))]
    for text in ("a", "b"):
        path.write_text(text)
        prints.append(print_of(str(path)))
    path.chmod(0o755)
    prints.append(print_of(str(path)))
    path.rename(tmp_path / "other")
    path.symlink_to("other")
    prints.append(print_of(str(path)))
    (tmp_path / "other").write_text("c")
    prints.append(print_of(str(path)))
    path.unlink()
    path.mkdir()
    prints.append(print_of(str(path)))

    assert prints[0] == contents.GONE
    assert len(set(prints)) == len(prints)


def test_too_many_protected_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MAX_FILES", 2)
    for number in range(3):
        (tmp_path / f"{number}").write_text("")

    with pytest.raises(StoreError, match="Name fewer of them"):
        protected(str(tmp_path), ["*"])


@pytest.mark.parametrize("pattern", ["../x", "a/../b", "./a", "/etc/passwd", ""])
def test_a_pattern_stays_in_the_project(tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "stophooks.yaml"
    path.write_text(f"protect: ['{pattern}']\n")

    assert config.load(str(path), environ={}).plan is None


def test_a_late_line_and_a_changed_variable_are_in_the_difference() -> None:
    lines = [f"echo {number}" for number in range(50)]
    before = Command(
        name="c", project_dir="/p", run="\n".join(lines), env=(("A", "1"), ("MY_TOKEN", "one"))
    )
    after = replace(
        before, run="\n".join([*lines[:49], "true"]), env=(("A", "2"), ("MY_TOKEN", "two"))
    )

    rows = [
        row[0] + row[1:].strip() for row in trust.difference(plan(before), plan(after)).split("\n")
    ]

    assert [row for row in rows if row[0] in "-+"][2:] == [
        '-"echo 49"',
        '+"true"',
        '-"A=1",',
        '-"MY_TOKEN=(sha256 7692c3ad3540)"',
        '+"A=2",',
        '+"MY_TOKEN=(sha256 3fc4ccfe7458)"',
    ]


def test_a_change_of_a_secret_is_a_change() -> None:
    before = Command(name="c", project_dir="/p", run="curl -H hunter2xyz")
    after = replace(before, run="curl -H hunter3xyz")
    mask = Mask([b"hunter2xyz", b"hunter3xyz"])

    shown = trust.difference(plan(before), plan(after), mask)

    assert "hunter" not in shown
    assert shown.count('"curl -H ***"') == 2


def test_a_difference_cannot_move_a_terminal() -> None:
    command = Command(name="c", project_dir="/p", run="\x1b[2J\u202e; x" * 100)

    shown = trust.difference(None, plan(command)) + trust.files("F", {"\x1b[2J": "new"})

    assert shown.isascii()
    assert "\x1b" not in shown
    assert all(len(row) < 500 for row in shown.split("\n"))


def test_the_same_plan_makes_no_difference() -> None:
    one = plan(Command(name="c", project_dir="/p", run="x"))

    assert trust.difference(one, one) == ""
