"""Workspaces as values: what is remembered of them, and what is told about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stophooks.cli import workspace_view as view
from stophooks.errors import UsageError
from stophooks.lifecycles.workspaces import record
from stophooks.lifecycles.workspaces.close import Closed
from stophooks.lifecycles.workspaces.events import POST_CREATE, occasion
from stophooks.lifecycles.workspaces.git import without_git
from stophooks.lifecycles.workspaces.given import place
from stophooks.lifecycles.workspaces.lost import Loss
from stophooks.lifecycles.workspaces.record import RecordError, Repo, State, Workspace
from stophooks.models import Command, Item, Outcome, Report, Result, Severity, Status, Tail
from stophooks.plan import Section
from stophooks.reports import hooks

if TYPE_CHECKING:
    from pathlib import Path

BASE = "a" * 40
REPOS = (Repo(name="a", git_dir="/r/a/.git", base=BASE), Repo(name="b", git_dir="/r/b.git"))


def workspace(path: str) -> Workspace:
    return record.new("W", path, "feature", REPOS)


@pytest.mark.parametrize(
    "id_", ["../x", "a/b", "..", ".", "-x", ".x", "", "a\nb", "a\n", "a b", "a:b", "é" * 150]
)
def test_what_is_no_single_word_is_no_id(id_: str) -> None:
    with pytest.raises(UsageError, match="cannot be a workspace's ID"):
        place("/root", id_)


@pytest.mark.parametrize("id_", ["PROJ-123", "a", "_", "1.2", "größe", "x" * 200])
def test_a_word_is_an_id(id_: str) -> None:
    assert place("/root", id_) == f"/root/{id_}"


def test_a_workspace_is_remembered_as_it_was(tmp_path: Path) -> None:
    meant = workspace(str(tmp_path))

    written = record.put(meant, State.READY)

    assert record.get(str(tmp_path)) == written
    assert written.state is State.READY
    assert [path.name for path in tmp_path.iterdir()] == [record.NAME]


def test_a_workspace_that_was_moved_is_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    record.put(workspace(str(tmp_path / "old")), State.READY)
    (tmp_path / "old").rename(tmp_path / "new")

    found = record.get(str(tmp_path / "new"))

    assert found.place(found.repos[0]) == str(tmp_path / "new/a")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ".."),
        ("name", "../up"),
        ("name", ""),
        ("name", "a\0b"),
        ("git_dir", "relative"),
        ("git_dir", 7),
        ("base", "--force"),
        ("base", ""),
    ],
)
def test_a_record_that_could_lead_elsewhere_is_refused(
    tmp_path: Path, key: str, value: object
) -> None:
    record.put(workspace(str(tmp_path)), State.READY)
    values = json.loads((tmp_path / record.NAME).read_text())
    values["repos"][0][key] = value
    (tmp_path / record.NAME).write_text(json.dumps(values))

    with pytest.raises(RecordError, match="cannot be read"):
        record.get(str(tmp_path))


@given(
    some.recursive(
        some.none() | some.text() | some.integers(),
        lambda inner: (
            some.lists(inner)
            | some.dictionaries(
                some.sampled_from(["version", "id", "branch", "repos", "created", "state", "name"]),
                inner,
            )
        ),
    )
)
def test_whatever_a_record_holds_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, values: Any
) -> None:
    directory = tmp_path_factory.mktemp("workspace")
    (directory / record.NAME).write_text(json.dumps(values))

    with pytest.raises(RecordError):
        record.get(str(directory))


def test_an_event_of_a_workspace_names_its_repositories_in_order() -> None:
    event = occasion(POST_CREATE, workspace("/w/W"), planned=True)

    assert event.items == (
        Item(kind="repo", name="a", path="/w/W/a"),
        Item(kind="repo", name="b", path="/w/W/b"),
    )
    assert (event.root, event.branch) == ("/w/W", "feature")
    assert occasion(POST_CREATE, workspace("/w/W")).items == ()


def test_git_hears_nothing_of_another_repository() -> None:
    environ = {"PATH": "/bin", "GIT_DIR": "/x", "GIT_INDEX_FILE": "/y", "GITHUB_TOKEN": "t"}

    assert without_git(environ) == {"PATH": "/bin", "GITHUB_TOKEN": "t"}


INSTALL = Command(name="install", project_dir="/p", run="npm install", timeout_s=30.0)
PLAIN = Command(
    name="workspace.pre_close[1]", project_dir="/p", run="exit 9", severity=Severity.WARN
)
SECTION = Section(event="workspace.pre_close", commands=(INSTALL, PLAIN))


def report(*results: Result) -> Report:
    return Report(event=SECTION.event, results=results, duration_s=1.0, project_dir="/p")


def result(
    command: Command, item: Item | None = None, *, code: int = 0, stderr: bytes = b""
) -> Result:
    outcome = Outcome(
        status=Status.FAILED if code else Status.PASSED,
        exit_code=code,
        stderr=Tail(head=stderr, total_bytes=len(stderr)),
        log_path="/logs/1",
    )
    return Result(command=command, outcome=outcome, item=item)


def test_a_failure_is_told_by_event_index_repository_command_and_end() -> None:
    item = Item(kind="repo", name="frontend", path="/w/W/frontend")
    failed = report(result(INSTALL, item, code=1, stderr=b"npm ERR!\n"), result(PLAIN, code=9))

    assert hooks.failures(failed, SECTION).splitlines() == [
        "Hook failed: workspace.pre_close[0] (install) in frontend: exit code 1",
        "  $ npm install",
        "  stderr:",
        "  | npm ERR!",
        "  Full output: /logs/1",
        "Hook failed: workspace.pre_close[1]: exit code 9",
        "  $ exit 9",
        "  It wrote nothing.",
    ]
    assert hooks.first(failed, SECTION) == (
        "workspace.pre_close[0] (install) in frontend: exit code 1, and 1 more"
    )


def test_standard_error_of_what_passed_is_a_warning_and_of_what_failed_is_none() -> None:
    seen = report(
        result(INSTALL, stderr=b"1\n2\n3\n4\n5\n6\x1b[2J\n"), result(PLAIN, code=9, stderr=b"x\n")
    )

    assert hooks.warnings(seen, SECTION).splitlines() == [
        "Warning: workspace.pre_close[0] (install) passed and wrote to standard error:",
        *(f"  {number}" for number in range(2, 7)),
    ]


def test_a_repository_that_is_not_there_is_a_warning() -> None:
    outcome = Outcome(status=Status.SKIPPED, reason="no such repo", started=False)
    skipped = Result(command=INSTALL, outcome=outcome, item=Item(kind="repo", name="nowhere"))

    assert hooks.warnings(report(skipped), SECTION) == (
        "Warning: workspace.pre_close[0] (install) in nowhere was not run: no such repo"
    )


def test_of_what_would_be_lost_the_first_files_and_a_number_are_shown() -> None:
    losses = (
        Loss(repo="a", files=tuple(f"?? {number}" for number in range(12)), commits=1),
        Loss(repo=None, files=("?? notes",)),
    )

    rows = view.lost(losses, "Lost:")

    assert rows[:2] == ["Lost:", "  a:"]
    assert rows[11:] == [
        "    ?? 9",
        "    ... and 2 more",
        "    1 commit on no branch and no tag",
        "  the workspace itself:",
        "    ?? notes",
    ]


def test_what_was_taken_back_has_no_branch_that_stays() -> None:
    whole = Closed(workspace=workspace("/w/W"), is_gone=True, branch_in=("a", "b"))
    cut_short = Closed(workspace=workspace("/w/W"), is_gone=True, was_whole=False, notes=("why",))

    assert view.closed(whole).splitlines() == [
        "Closed workspace W.",
        "The branch feature stays in a, b.",
    ]
    assert view.closed(cut_short).splitlines() == ["why", "Closed workspace W."]


@pytest.mark.parametrize(
    ("branch_in", "rows"),
    [
        (("a",), ["The branch feature stays in a.", "The branch feature is no longer in b."]),
        ((), ["The branch feature is no longer in a, b."]),
    ],
)
def test_a_branch_stays_where_it_is_only(branch_in: tuple[str, ...], rows: list[str]) -> None:
    done = Closed(workspace=workspace("/w/W"), is_gone=True, branch_in=branch_in)

    assert view.closed(done).splitlines()[1:] == rows
