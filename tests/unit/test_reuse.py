"""What can be decided about a reuse without running anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks import config
from stophooks.executors.capture import HEAD_BYTES, TAIL_BYTES, Capture
from stophooks.memo.giving import _parts
from stophooks.memo.joining import joined, together
from stophooks.models import Command, Outcome, Status, Tail

if TYPE_CHECKING:
    from pathlib import Path

STATUSES = [Status.PASSED, Status.FAILED, Status.TIMED_OUT, Status.CANCELLED]


def problems(tmp_path: Path, value: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    path = tmp_path / "stophooks.json"
    path.write_text(json.dumps(value))
    loaded = config.load(str(path), environ={})
    return [(one.where, one.message, one.hint) for one in loaded.problems]


def stop(**command: Any) -> dict[str, Any]:
    return {"stop": {"commands": [command]}}


@pytest.mark.scenario("reuse: What else runs has to be done")
@pytest.mark.parametrize("key", ["skip_unchanged", "inputs", "files", "exclude"])
def test_what_else_runs_has_to_be_done(tmp_path: Path, key: str) -> None:
    command = {"run": "x", key: True if key == "skip_unchanged" else ["*"]}

    found = problems(tmp_path, {"cleanup": {"commands": [command]}})

    assert found == [
        (
            f"cleanup.commands[0].{key}",
            "only for checks of an agent (stop, subagent_stop): what else runs has to be done",
            None,
        )
    ]


def test_a_command_that_leaves_something_running_is_run(tmp_path: Path) -> None:
    both = problems(tmp_path, stop(run="x", skip_unchanged=True, keep_children=True))
    section = {"skip_unchanged": True, "commands": [{"run": "x", "keep_children": True}]}
    loaded = problems(tmp_path, {"stop": section})

    assert [message for _, message, _ in both] == [
        "a command with keep_children is run for what it leaves running"
    ]
    assert loaded == []


@pytest.mark.scenario("changed-files: Names never become part of a script")
@pytest.mark.parametrize(
    ("command", "where", "message"),
    [
        ({"run": "lint {files}", "files": ["*"]}, "run", "is not filled in here"),
        ({"run": "lint {files}"}, "run", "is not filled in here"),
        ({"run": "lint '{files}'", "exclude": ["a"]}, "run", "is not filled in here"),
        (
            {"command": ["x", "--in={files}"], "files": ["*"]},
            "command[1]",
            "an argument of its own",
        ),
        ({"command": ["{files}"], "files": ["*"]}, "command[0]", "cannot be the program"),
        ({"command": ["x", "{files}"]}, "command[1]", "files is missing"),
    ],
)
def test_names_never_become_part_of_a_text(
    tmp_path: Path, command: dict[str, Any], where: str, message: str
) -> None:
    found = problems(tmp_path, stop(**command))

    assert [place for place, _, _ in found] == [f"stop.commands[0].{where}"]
    assert message in found[0][1]


@pytest.mark.parametrize("run", ['ls "${files}"', "f = f'{files}'", "a{files}b", "${files[@]}"])
def test_what_only_looks_like_it_is_no_problem(tmp_path: Path, run: str) -> None:
    assert problems(tmp_path, stop(run=run)) == []


def test_patterns_stay_in_the_project(tmp_path: Path) -> None:
    found = problems(tmp_path, stop(run="x", files=["../*"], inputs=["a/./b"]))

    assert {message for _, message, _ in found} == {"a pattern has no . or .. in it"}


@pytest.mark.scenario("changed-files: A pattern of another language is a problem")
@pytest.mark.parametrize(
    ("key", "pattern", "message", "hint"),
    [
        ("files", "src/*.{js,ts}", "a pattern has no {a,b} in it", "write a pattern for each"),
        ("inputs", "!a", "a pattern has no ! before it", "name those that are meant"),
        ("files", "!a", "a pattern has no ! before it", "write it, without the !, into exclude"),
        ("exclude", "!a", "a pattern has no ! before it", "write into files what is meant"),
        ("files", "./src", "a pattern has no . or .. in it", "without ./"),
    ],
)
def test_a_pattern_of_another_language_is_a_problem(
    tmp_path: Path, key: str, pattern: str, message: str, hint: str
) -> None:
    found = problems(tmp_path, stop(run="x", **{key: [pattern]}))

    assert found == [(f"stop.commands[0].{key}[0]", message, hint)]


def test_braces_and_marks_within_a_name_are_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, stop(run="x", files=["{a}", "a!", "[!a]*"])) == []


chunks = st.lists(st.binary(max_size=40).map(lambda data: data * 4000), max_size=6)


@given(chunks, chunks)
def test_streams_one_behind_the_other_are_kept_as_one_would_be(
    first: list[bytes], second: list[bytes]
) -> None:
    def captured(pieces: list[bytes]) -> Tail:
        capture = Capture()
        for piece in pieces:
            capture.add(piece)
        return capture.result()

    found = together(captured(first), captured(second))

    whole = b"".join((*first, *second))
    assert found.total_bytes == len(whole)
    assert whole.startswith(found.head)
    assert whole.endswith(found.tail)
    assert len(found.head) <= HEAD_BYTES
    assert len(found.tail) <= TAIL_BYTES
    assert found.cut_bytes >= 0
    if len(whole) <= HEAD_BYTES + TAIL_BYTES:
        assert found.head + found.tail == whole


@pytest.mark.parametrize("first", [Status.PASSED, Status.FAILED])
@pytest.mark.parametrize("second", STATUSES)
def test_the_first_that_did_not_pass_decides_unless_all_is_over(
    first: Status, second: Status
) -> None:
    one = Outcome(status=first, exit_code=1, duration_s=1.0)
    other = Outcome(status=second, exit_code=2, duration_s=2.0)

    found = joined(one, other)

    over = second in {Status.TIMED_OUT, Status.CANCELLED}
    assert found.status is (second if over or first is Status.PASSED else first)
    assert found.duration_s == 3.0


@given(
    st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=50),
    st.integers(1, 400),
)
def test_every_path_is_in_one_part_and_in_order(paths: list[str], room: int) -> None:
    command = Command(name="c", project_dir="/p", argv=("x", "{files}", "y"))

    parts = [part.argv or () for part in _parts(command, paths, room)]

    assert [path for part in parts for path in part[1:-1]] == paths
    assert all(len(part) > 2 for part in parts)
