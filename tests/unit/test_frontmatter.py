"""What a task's file says of itself, and what people are told about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stophooks.config import load_task
from stophooks.config.frontmatter import FrontMatter, TaskFile
from stophooks.reports import problems as report

ROOT = Path(__file__).parents[2]


def read(directory: Path, text: str, name: str = "T-1.md") -> TaskFile:
    path = directory / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return load_task(str(path))


def matter(directory: Path, text: str) -> FrontMatter:
    found = read(directory, f"---\n{text}\n---\n")
    assert found.problems == ()
    assert found.matter is not None
    return found.matter


def told(directory: Path, text: str) -> list[tuple[str, str, str | None]]:
    found = read(directory, f"---\n{text}\n---\n")
    assert found.matter is None
    return [(one.where, one.message, one.hint) for one in found.problems]


@pytest.mark.scenario("tasks: The file's name is the id where it says none")
@pytest.mark.parametrize(
    "text",
    ["", "Only text.\n", "---\n---\n", "---\n# nothing\n\n---\ntext", "----\nid: no\n----\n"],
)
def test_the_files_name_is_the_id_where_it_says_none(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == TaskFile(matter=FrontMatter(id="T-1"))


def test_the_examples_are_valid() -> None:
    page = (ROOT / "docs/tasks.md").read_text()
    written = (ROOT / "examples/tasks/login.md").read_text()

    found = load_task(str(ROOT / "examples/tasks/login.md"))

    assert found.matter is not None
    assert found.matter.resources == ("browser", "database")
    assert written.split("---")[1] in page


def test_everything_is_read(tmp_path: Path) -> None:
    text = (
        "id: 007\ntitle: It's done\nresources: [browser, db-1]\n"
        "cleanup_required: no\ncleanup_timeout: 1.5m\nstatus: open\ntags: [a, {b: c}]"
    )

    assert matter(tmp_path, text) == FrontMatter(
        id="007",
        title="It's done",
        resources=("browser", "db-1"),
        cleanup_required=False,
        cleanup_timeout_s=90.0,
    )


@pytest.mark.scenario("tasks: Resources are a list or names with commas")
@pytest.mark.parametrize(
    "written",
    ["a, b", "'a,b,'", "[a, b]", "[b, a, b]", "\n  - a\n  - b", '"a , b"', "a,b,a"],
)
def test_resources_are_a_list_or_names_with_commas(tmp_path: Path, written: str) -> None:
    assert sorted(matter(tmp_path, f"resources: {written}").resources) == ["a", "b"]


@pytest.mark.parametrize("written", ["", "null", "[]", "''", "' , '"])
def test_no_resources_are_none(tmp_path: Path, written: str) -> None:
    assert matter(tmp_path, f"resources: {written}").resources == ()


def test_other_line_ends_and_a_byte_order_mark_are_no_matter(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufeff---\r\nid: x\r\n---\r\nresources: [no]\r\n")

    assert found.matter == FrontMatter(id="x")


@pytest.mark.scenario("tasks: Blank lines before the front matter are no matter")
@pytest.mark.parametrize("before", ["\ufeff", "\n", " \t\r\n\n", "\ufeff\n"])
def test_blank_lines_before_the_front_matter_are_no_matter(tmp_path: Path, before: str) -> None:
    found = read(tmp_path, f"{before}---\nid: x\n---\n")
    wrong = read(tmp_path, f"{before}---\nid: []\n---\n")
    endless = read(tmp_path, f"{before}---\nid: x\n")

    first = before.count("\n") + 1
    assert found.matter == FrontMatter(id="x")
    assert [one.line for one in wrong.problems] == [first + 1]
    assert [one.line for one in endless.problems] == [first]


@pytest.mark.scenario("tasks: A cleanup_timeout is at most a day")
def test_a_cleanup_timeout_is_at_most_a_day(tmp_path: Path) -> None:
    assert matter(tmp_path, "cleanup_timeout: 24h").cleanup_timeout_s == 24 * 3600
    assert told(tmp_path, "cleanup_timeout: 99h") == [
        ("cleanup_timeout", 'longer than 24h: "99h"', None)
    ]


@pytest.mark.scenario("tasks: Every mistake of a task's file is told at once")
def test_every_mistake_of_a_tasks_file_is_told_at_once(tmp_path: Path) -> None:
    text = """\
---
id: ""
resouces: [a]
resources: [browser, ../../evil, 8080]
cleanup_required: "true"
cleanup_timeout: 300
---
"""

    found = read(tmp_path, text)

    path = tmp_path / "T-1.md"
    assert found.matter is None
    assert report.text(found.problems) == (
        f'{path}:2:5: id: expected one line of text, at most 200 characters; got ""\n'
        '   2 | id: ""\n'
        "     |     ^^\n"
        f'{path}:3:1: resouces: unknown key "resouces"; did you mean "resources"?\n'
        "   3 | resouces: [a]\n"
        "     | ^^^^^^^^\n"
        f'{path}:4:22: resources[1]: "../../evil" cannot be a resource\'s name\n'
        "   4 | resources: [browser, ../../evil, 8080]\n"
        "     |                      ^^^^^^^^^^\n"
        "     = hint: letters, digits, dots, dashes and underscores, at most 100, not first a dot\n"
        f"{path}:4:34: resources[2]: expected a resource's name; got 8080\n"
        "   4 | resources: [browser, ../../evil, 8080]\n"
        "     |                                  ^^^^\n"
        '     = hint: quote it: "8080"\n'
        f'{path}:5:19: cleanup_required: expected true or false; got "true"\n'
        '   5 | cleanup_required: "true"\n'
        "     |                   ^^^^^^\n"
        "     = hint: write true without quotes\n"
        f"{path}:6:18: cleanup_timeout: expected a duration such as 30s, 5m or 2h; got 300\n"
        "   6 | cleanup_timeout: 300\n"
        "     |                  ^^^\n"
        '     = hint: write "300s"\n'
        f"6 problems in {path}. Nothing was run."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id: [a]", "expected a text; got a list"),
        ("id: true", "expected a text; got true"),
        ("id:", "expected a text; got nothing (null)"),
        ('id: "a\\nb"', 'expected one line of text, at most 200 characters; got "a\\nb"'),
        ("resources: {a: b}", "expected a list of names, or names with commas; got an object"),
        ("resources: [a, '']", '"" cannot be a resource\'s name'),
        ("resources: a b", '"a b" cannot be a resource\'s name'),
        (f"resources: [{', '.join(f'r{n}' for n in range(101))}]", "more than 100 resources"),
        ("cleanup_timeout: 0s", 'expected a duration such as 30s, 5m or 2h; got "0s"'),
        ("cleanup_timeout: soon", 'expected a duration such as 30s, 5m or 2h; got "soon"'),
        (
            "cleanupRequired: true",
            'unknown key "cleanupRequired"; did you mean "cleanup_required"?',
        ),
        ("resource: a", 'unknown key "resource"; did you mean "resources"?'),
        ("- a", "expected keys and their values; got a list"),
        ("id: a\nid: b", 'the key "id" is given twice'),
        ("a: &a [*a]", "an alias inside of what it stands for"),
        ("a: b: c", "not valid YAML: this colon cannot stand here"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, message: str) -> None:
    assert message in [said for _, said, _ in told(tmp_path, text)]


def test_a_key_of_another_program_is_its_own(tmp_path: Path) -> None:
    assert matter(tmp_path, "sources: [x]\nitem: 1\nstatus: open\ndone: no").id == "T-1"


def test_front_matter_that_never_ends_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "---\nid: x\n")

    assert [one.message for one in found.problems] == ["front matter that never ends"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.md", "gone.md cannot be used: it does not exist"),
        (".", "cannot be used: it is a directory, not a regular file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, message: str) -> None:
    found = load_task(f"{tmp_path}/{name}")

    assert found.matter is None
    assert message in found.problems[0].message


def test_a_file_that_is_too_large_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, "---\nid: x\n---\n" + "x" * (256 * 1024))

    assert "larger than 256 KiB" in found.problems[0].message


def test_not_more_than_a_hundred_problems_are_told(tmp_path: Path) -> None:
    assert len(told(tmp_path, f"resources: [{'../x, ' * 5000}]")) == 100


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="-:[]{}&*!|>'\"#%@\n\t ,.abidresoucs0\x00\x85", max_size=80))
def test_no_front_matter_is_a_bug(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    directory = tmp_path_factory.getbasetemp()

    found = read(directory, f"---\n{text}\n---\n", "hypothesis.md")

    assert (found.matter is None) == bool(found.problems)
