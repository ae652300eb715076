"""Workspaces whose making or closing was cut short, or whose record is damaged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.lifecycles.workspaces import record
from stophooks.lifecycles.workspaces import worktrees as ours
from stophooks.process import table
from tests.repositories import branches, commit, git, traces, worktrees
from tests.running import gone, wait_until
from tests.workspaces import Yard, made

if TYPE_CHECKING:
    from tests.program import Stophooks


@pytest.fixture
def yard(stophooks: Stophooks, tmp_path: Path) -> Yard:
    project = tmp_path / "project"
    project.mkdir()
    return Yard(stophooks=stophooks, project=project)


def cut_short(yard: Yard, first: Path, second: Path) -> None:
    """Kill a `create` when the first worktree is there and git is busy with the second."""
    reached = yard.project / "reached"
    hook = second / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\necho $$ > {reached}\nexec sleep 300\n")
    hook.chmod(0o755)
    args = ("--branch", "feature", "--repo", str(first), "--repo", str(second))
    with yard.stophooks.start("workspace", "create", "W", *args, cwd=yard.project) as run:
        wait_until(lambda: reached.exists() and reached.read_text().strip() != "")
        sleeping = int(reached.read_text())
        git_ = table.current(sleeping)
        assert run.poll() is None
        assert git_ is not None
        assert (yard.place() / "a/README").exists()
        os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)
    for pid in (git_.parent, sleeping):  # SIGKILL leaves nobody who would end them
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: gone(git_.parent) and gone(sleeping))
    hook.unlink()


@pytest.mark.scenario("workspaces: Killed while it was made")
def test_what_a_killed_create_leaves_is_shown_and_taken_back(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    before = traces(a, b)
    cut_short(yard, a, b)
    assert "feature" in branches(a)

    (listed,) = yard.list()
    refused = yard.close()
    done = made(yard.close("--force"))

    assert listed["state"] == "broken"
    assert listed["problems"] == ["its making was cut short"]
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert "Closed workspace W." in done.stdout
    assert not yard.place().exists()
    assert traces(a, b) == before
    made(yard.create(a, b))


@pytest.mark.scenario("workspaces: A branch with commits stays")
def test_a_branch_with_commits_is_not_taken_back(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    cut_short(yard, a, b)
    tip = commit(yard.place() / "a", {"work": "w\n"})

    done = yard.close("--force")

    assert git(a, "rev-parse", "feature") == tip
    assert branches(b) == ["main"]
    assert "a: the branch feature has commits and stays" in done.stdout + done.stderr
    assert not yard.place().exists()
    assert done.returncode == 0


@pytest.mark.scenario("workspaces: Killed while it was closed")
def test_a_close_that_was_cut_short_is_repeated(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    made(yard.create(a, b))
    record.put(record.get(str(yard.place())), record.State.CLOSING)
    git(a, "worktree", "remove", str(yard.place() / "a"))

    (listed,) = yard.list()
    made(yard.close())

    assert listed["state"] == "broken"
    assert listed["problems"] == ["its closing was cut short", "a is gone"]
    assert not yard.place().exists()
    assert worktrees(b) == [str(b)]


def test_a_close_in_which_git_fails_half_way_is_repeated(yard: Yard) -> None:
    a, b, c = yard.repo("a"), yard.repo("b"), yard.repo("c")
    made(yard.create(a, b, c))
    git(b, "worktree", "lock", "--reason", "in use", str(yard.place() / "b"))

    failed = yard.close()

    assert failed.returncode == 1
    assert "in use" in failed.stderr
    assert not (yard.place() / "a").exists()
    assert (yard.place() / "b/README").exists()
    assert (yard.place() / "c/README").exists()
    git(b, "worktree", "unlock", str(yard.place() / "b"))
    made(yard.close())
    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: A record that cannot be read")
@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "id": 1}'])
def test_a_workspace_with_a_damaged_record_is_closed_with_force_only(yard: Yard, text: str) -> None:
    a = yard.repo("a")
    made(yard.create(a))
    (yard.place() / record.NAME).write_text(text)

    (listed,) = yard.list()
    refused = yard.close()
    made(yard.close("--force"))

    assert listed["state"] == "broken"
    assert record.NAME in listed["problems"][0]
    assert refused.returncode == 3
    assert not yard.place().exists()
    assert worktrees(a) == [str(a)]
    assert branches(a) == ["feature", "main"]


@pytest.mark.parametrize("name", ["..", "../../keep", "/", ""])
def test_a_record_cannot_name_what_is_outside_of_its_workspace(yard: Yard, name: str) -> None:
    a = yard.repo("a")
    made(yard.create(a))
    keep = yard.project / "keep"
    keep.mkdir()
    values = json.loads((yard.place() / record.NAME).read_text())
    values["repos"][0]["name"] = name
    (yard.place() / record.NAME).write_text(json.dumps(values))

    refused = yard.close()
    made(yard.close("--force"))

    assert refused.returncode == 3
    assert keep.exists()
    assert (a / "README").exists()


def test_an_empty_directory_of_a_killed_create_is_shown_and_removed(yard: Yard) -> None:
    yard.place().mkdir(parents=True)
    (yard.place() / record.HALF).write_text("{")

    (listed,) = yard.list()
    refused = yard.close()
    made(yard.close("--force"))

    assert listed["state"] == "broken"
    assert refused.returncode == 3
    assert not yard.place().exists()


def test_a_directory_that_may_not_be_written_is_removed_by_its_owner() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as above:
        tree = Path(above) / "tree"
        (tree / "deep/er").mkdir(parents=True)
        (tree / "deep/er/file").write_text("f")
        (tree / "deep/er/link").symlink_to("/")
        (tree / "deep/er").chmod(0o500)
        (tree / "deep").chmod(0o100)
        if os.geteuid() == 0:  # root may write everywhere: be somebody else
            for path in (Path(above), tree, tree / "deep", tree / "deep/er"):
                os.chown(path, 65534, -1)
        subprocess.run(
            [sys.executable, "-c", _DELETE, str(tree)], check=True, cwd=Path(__file__).parents[2]
        )

        assert not tree.exists()


_DELETE = f"""\
import os, sys
from {ours.__name__} import delete
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
delete(sys.argv[1])
"""
