"""`stophooks workspace create` and `list`: worktrees of real repositories."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.repositories import branches, commit, git, repository, traces, worktrees
from tests.running import wait_until
from tests.workspaces import Yard, made

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks


@pytest.fixture
def yard(stophooks: Stophooks, tmp_path: Path) -> Yard:
    project = tmp_path / "project"
    project.mkdir()
    return Yard(stophooks=stophooks, project=project)


@pytest.mark.scenario("workspaces: Worktrees side by side")
@pytest.mark.scenario("workspaces: Without a configuration")
def test_a_workspace_has_a_worktree_of_each_repository_on_the_new_branch(yard: Yard) -> None:
    front, back = yard.repo("frontend"), yard.repo("backend")
    git(back, "checkout", "-q", "-b", "next")
    tip = commit(back, {"new": "n\n"})

    done = made(yard.create(front, back))

    place = yard.place()
    assert (place / "frontend/README").read_text() == "frontend\n"
    assert git(place / "frontend", "branch", "--show-current") == "feature"
    assert git(place / "backend", "rev-parse", "HEAD") == tip
    assert str(place / "backend") in worktrees(back)
    assert done.stdout.splitlines()[0] == f"Made workspace W in {place}"
    made(yard.close())
    assert yard.list() == []


@pytest.mark.scenario("workspaces: A branch that is there is checked out")
def test_a_branch_that_is_there_is_checked_out_and_made_where_it_is_not(yard: Yard) -> None:
    has, has_not = yard.repo("has"), yard.repo("has_not")
    git(has, "checkout", "-q", "-b", "feature")
    tip = commit(has, {"there": "before\n"})
    git(has, "checkout", "-q", "main")

    made(yard.create(has, has_not))

    assert git(yard.place() / "has", "rev-parse", "HEAD") == tip
    assert branches(has_not) == ["feature", "main"]
    assert git(has_not, "rev-parse", "feature") == git(has_not, "rev-parse", "main")


@pytest.mark.scenario("workspaces: A name of one's own")
@pytest.mark.scenario("workspaces: Two repositories of one name")
def test_two_repositories_of_one_name_need_another_name_for_one(yard: Yard) -> None:
    one, other = yard.repo("one/app"), yard.repo("other/app")

    refused = yard.create(one, other)

    assert refused.returncode == 3
    assert "--repo NAME=PATH" in refused.stderr
    assert not yard.place().exists()

    made(yard.create(one, f"second={other}"))

    assert git(yard.place() / "second", "rev-parse", "HEAD") == git(other, "rev-parse", "HEAD")


def test_a_relative_path_and_one_with_a_sign_in_it_are_paths(yard: Yard) -> None:
    repository(yard.project / "a=b")
    repository(yard.project / "plain")

    made(yard.create("./a=b", "plain"))

    assert sorted(path.name for path in yard.place().iterdir() if path.is_dir()) == ["a=b", "plain"]


@pytest.mark.scenario("workspaces: A bare repository")
def test_a_bare_repository_is_named_without_its_ending(yard: Yard) -> None:
    source = yard.repo("source")
    git(yard.project, "clone", "-q", "--bare", str(source), "tool.git")

    made(yard.create("tool.git"))

    assert (yard.place() / "tool/README").read_text() == "source\n"
    made(yard.close())
    assert branches(yard.project / "tool.git") == ["feature", "main"]


@pytest.mark.scenario("workspaces: A repository that fails half-way takes everything back")
@pytest.mark.parametrize("branch_is_there", [False, True])
def test_nothing_is_left_of_a_workspace_whose_second_repository_fails(
    yard: Yard, branch_is_there: bool
) -> None:
    repos = [yard.repo(name) for name in ("a", "b", "c")]
    if branch_is_there:
        git(repos[0], "branch", "feature")
    hook = repos[1] / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\necho no such luck >&2\nexit 1\n")
    hook.chmod(0o755)
    before = traces(*repos)

    done = yard.create(*repos)

    assert done.returncode == 1
    assert traces(*repos) == before
    assert not yard.place().exists()
    assert "no such luck" in done.stderr
    assert "Everything that was made for the workspace was taken back." in done.stderr


@pytest.mark.scenario("workspaces: A signal takes everything back")
def test_a_signal_takes_back_what_was_made(yard: Yard) -> None:
    repos = [yard.repo(name) for name in ("a", "b")]
    reached = yard.project / "reached"
    hook = repos[1] / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\necho $$ > {reached}\nexec sleep 300\n")
    hook.chmod(0o755)
    before = traces(*repos)
    args = [word for repo in repos for word in ("--repo", str(repo))]

    with yard.stophooks.start(
        "workspace", "create", "W", "--branch", "feature", *args, cwd=yard.project
    ) as run:
        wait_until(lambda: reached.exists() and reached.read_text().strip() != "")
        assert (yard.place() / "a/README").exists()
        os.kill(run.pid, signal.SIGTERM)
        run.communicate(timeout=60)

    assert run.returncode == 128 + signal.SIGTERM
    assert traces(*repos) == before
    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: The root is not part of a repository")
def test_the_root_is_invisible_to_a_repository_around_it(yard: Yard) -> None:
    git(yard.project, "init", "-q", "-b", "main")
    commit(yard.project, {"README": "whole\n"})

    made(yard.create(yard.project))

    assert git(yard.project, "status", "--porcelain") == ""
    assert (yard.place() / "project/README").exists()


@pytest.mark.scenario("workspaces: IDs that are refused")
@pytest.mark.parametrize(
    "id_", ["../x", "a/b", "..", ".", "-x", ".x", "", "a\nb", "a b", "é" * 150]
)
def test_an_id_that_is_no_single_word_is_refused(yard: Yard, id_: str) -> None:
    repo = yard.repo("a")

    done = yard.create(repo, id_=id_)

    assert done.returncode == 3
    assert "cannot be a workspace's ID" in done.stderr
    assert branches(repo) == ["main"]
    assert sorted(path.name for path in yard.project.iterdir()) == ["repos"]


@pytest.mark.scenario("workspaces: Branch names that are refused")
@pytest.mark.parametrize("branch", ["-f", "a..b", "@{-1}", "$(touch x)", ""])
def test_a_branch_that_git_does_not_take_is_refused(yard: Yard, branch: str) -> None:
    repo = yard.repo("a")
    git(repo, "checkout", "-q", "-b", "second")
    git(repo, "checkout", "-q", "main")

    done = yard("create", "W", f"--branch={branch}", "--repo", str(repo))

    assert done.returncode == 3
    assert "for no branch's name" in done.stderr
    assert branches(repo) == ["main", "second"]
    assert not (yard.project / ".workspaces").exists()
    assert not (yard.project / "x").exists()


@pytest.mark.scenario("workspaces: A branch that is checked out elsewhere")
def test_a_branch_that_is_in_use_is_refused_before_anything_is_made(yard: Yard) -> None:
    first, second = yard.repo("first"), yard.repo("second")
    git(second, "worktree", "add", "-q", "-b", "feature", str(yard.project / "elsewhere"))

    done = yard.create(first, second)

    assert done.returncode == 3
    assert f"feature is checked out in {yard.project / 'elsewhere'}" in done.stderr
    assert branches(first) == ["main"]
    assert not (yard.project / ".workspaces").exists()


@pytest.mark.scenario("workspaces: A branch in a worktree that is gone")
def test_a_branch_in_a_deleted_worktree_is_refused_with_what_to_do(yard: Yard) -> None:
    repo = yard.repo("a")
    git(repo, "worktree", "add", "-q", "-b", "feature", str(yard.project / "elsewhere"))
    subprocess.run(["rm", "-r", str(yard.project / "elsewhere")], check=True)

    refused = yard.create(repo)

    assert refused.returncode == 3
    remedy = refused.stderr.strip().rpartition("Tell git so: ")[2]
    assert remedy == f"git -C {repo} worktree prune"
    subprocess.run(remedy.split(), check=True)
    made(yard.create(repo))


@pytest.mark.scenario("workspaces: A repository named twice")
def test_a_repository_is_in_a_workspace_once(yard: Yard) -> None:
    repo = yard.repo("a")
    git(repo, "worktree", "add", "-q", "-b", "other", str(yard.project / "tree"))

    done = yard.create(repo, f"again={yard.project / 'tree'}")

    assert done.returncode == 3
    assert "named twice" in done.stderr
    assert branches(repo) == ["main", "other"]


@pytest.mark.scenario("workspaces: What is no repository")
def test_what_is_no_repository_is_refused_by_its_path(yard: Yard) -> None:
    empty = yard.project / "empty"
    empty.mkdir()
    inside = yard.repo("a") / "inside"
    inside.mkdir()
    unborn = yard.project / "unborn"
    unborn.mkdir()
    git(unborn, "init", "-q")

    for path in (yard.project / "nowhere", empty, inside, unborn):
        done = yard.create(path)

        assert done.returncode == 3
        assert f"--repo {path}: " in done.stderr
    assert not (yard.project / ".workspaces").exists()


@pytest.mark.parametrize("name", ["..", ".git", "-x", ".stophooks-workspace.json", "a\nb"])
def test_a_name_that_is_no_directory_of_the_workspace_is_refused(yard: Yard, name: str) -> None:
    repo = yard.repo("a")

    done = yard.create(f"{name}={repo}")

    assert done.returncode == 3
    assert "cannot be a directory" in done.stderr


def test_two_at_once_for_one_branch_make_one_workspace_and_leave_nothing_of_the_other(
    yard: Yard,
) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    call = ("--branch", "feature", "--repo", str(a), "--repo", str(b))

    runs = [
        yard.stophooks.start("workspace", "create", id_, *call, cwd=yard.project)
        for id_ in ("one", "other")
    ]
    for run in runs:
        run.communicate(timeout=60)

    codes = sorted(run.returncode for run in runs)
    assert codes[0] == 0
    assert codes[1] in {1, 3}
    (left,) = yard.list()
    assert left["state"] == "ready"
    assert len(worktrees(a)) == len(worktrees(b)) == 2


@pytest.mark.scenario("workspaces: An ID that is taken")
def test_an_id_that_is_taken_is_refused_and_its_place_untouched(yard: Yard) -> None:
    repo = yard.repo("a")
    yard.place().mkdir(parents=True)
    (yard.place() / "mine").write_text("m")

    done = yard.create(repo)

    assert done.returncode == 3
    assert f"{yard.place()} is there already" in done.stderr
    assert [path.name for path in yard.place().iterdir()] == ["mine"]
    assert branches(repo) == ["main"]


@pytest.mark.scenario("workspaces: The repositories' own hooks")
def test_a_repositorys_own_hook_runs_in_the_new_worktree(yard: Yard) -> None:
    repo = yard.repo("a")
    hook = repo / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\npwd > own-hook\n")
    hook.chmod(0o755)

    made(yard.create(repo))

    assert (yard.place() / "a/own-hook").read_text().strip() == str(yard.place() / "a")


@pytest.mark.scenario("workspaces: Called by a hook of git")
def test_another_repository_in_the_environment_has_no_part_in_it(yard: Yard) -> None:
    repo, other = yard.repo("a"), yard.repo("other")
    yard.configure(
        "workspace:\n"
        "  post_create: {commands: [{run: git rev-parse HEAD > head, for_each: repos}]}\n"
        "  pre_close: {commands: [{run: git stash -u, for_each: repos}]}\n"
    )
    (other / "README").write_text("changed\n")
    before = traces(other)
    env = {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / ".git/index"),
    }

    made(yard.create(repo, env=env))

    assert (yard.place() / "a/head").read_text().strip() == git(repo, "rev-parse", "HEAD")
    made(yard.close(env=env))
    assert "feature" in git(repo, "stash", "list")
    assert traces(other) == before


@pytest.mark.scenario("workspaces: A branch that looks like a command")
def test_nothing_of_a_branchs_name_is_run(yard: Yard) -> None:
    branch = "$(touch${IFS}ran)`touch${IFS}ran`;touch${IFS}ran"
    repo = yard.repo("a")
    yard.configure(
        "workspace:\n"
        "  compat: canopy\n"
        "  post_create:\n"
        "    commands:\n"
        '      - run: printf "%s\\n" "$STOPHOOKS_BRANCH" $CANOPY_BRANCH > told\n'
        "        for_each: repos\n"
    )

    made(yard.create(repo, branch=branch))

    told = (yard.place() / "a/told").read_text().splitlines()
    assert told[0] == branch
    assert told[1] == branch
    assert git(yard.place() / "a", "branch", "--show-current") == branch
    made(yard.close("--force"))
    assert not list(yard.project.rglob("ran"))


@pytest.mark.scenario("workspaces: List for a person")
def test_the_list_tells_a_broken_workspace_from_a_whole_one(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    made(yard.create(a, b, id_="whole", branch="one"))
    made(yard.create(a, b, id_="torn", branch="two"))
    subprocess.run(["rm", "-r", str(yard.place("torn") / "b")], check=True)

    rows = made(yard("list")).stdout.splitlines()

    assert rows[0].split()[:5] == ["torn", "broken", "two", "a,", "b"]
    assert rows[1].strip() == "b is gone"
    assert rows[2].split()[:5] == ["whole", "ready", "one", "a,", "b"]


@pytest.mark.scenario("workspaces: List for a program")
def test_the_list_for_a_program_has_all_there_is(yard: Yard) -> None:
    a = yard.repo("a")
    made(yard.create(a))

    document = json.loads(made(yard("list", "--format", "json")).stdout)

    (one,) = document["workspaces"]
    assert document["root"] == str(yard.project / ".workspaces")
    assert one.pop("created").endswith("Z")
    assert one == {
        "id": "W",
        "path": str(yard.place()),
        "branch": "feature",
        "state": "ready",
        "problems": [],
        "repos": [
            {
                "name": "a",
                "path": str(yard.place() / "a"),
                "repository": str(a / ".git"),
                "base": git(a, "rev-parse", "HEAD"),
            }
        ],
    }


@pytest.mark.scenario("workspaces: Nothing to list")
def test_a_list_without_workspaces_says_so(yard: Yard) -> None:
    done = made(yard("list"))

    assert done.stdout == f"There is no workspace in {yard.project / '.workspaces'}.\n"


def test_a_workspace_finds_its_root_from_inside_and_takes_a_named_one(
    yard: Yard, tmp_path: Path
) -> None:
    a = yard.repo("a")
    root = tmp_path / "elsewhere"
    made(yard.create(a, id_="one", branch="one", flags=("--root", str(root))))

    inside = made(yard("list", cwd=root / "one/a"))

    assert inside.stdout.split()[:3] == ["one", "ready", "one"]
    made(yard("create", "two", "--branch", "two", "--repo", str(a), cwd=root / "one/a"))
    assert (root / "two/a/README").exists()
    made(yard("close", "two", "--root", str(root)))
    assert not (root / "two").exists()
