"""`stophooks workspace close` and what git does not tell: of submodules, and of hidden changes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.repositories import commit, git, worktrees
from tests.workspaces import Yard, made

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

NOWHERE = "on no remote-tracking branch, and on no branch or tag of the repository's own copy"
ANYWAY = "stophooks workspace close W --force closes it anyway."
ALLOW = ("-c", "protocol.file.allow=always")


@pytest.fixture
def yard(stophooks: Stophooks, tmp_path: Path) -> Yard:
    project = tmp_path / "a project: 1"
    project.mkdir()
    return Yard(stophooks=stophooks, project=project)


@pytest.fixture
def app(yard: Yard) -> Path:
    """A repository with the submodule ``part``."""
    return with_part(yard.repo("app"), yard.repo("lib"), "part")


def with_part(repo: Path, source: Path, name: str) -> Path:
    git(repo, *ALLOW, "submodule", "--quiet", "add", str(source), name)
    git(repo, "commit", "-q", "-m", name)
    return repo


def checked_out(yard: Yard, app: Path) -> Path:
    """The submodule in a new workspace, with an identity of its own."""
    made(yard.create(app))
    tree = yard.place() / "app"
    git(tree, *ALLOW, "submodule", "--quiet", "update", "--init", "--recursive")
    name_author(tree / "part")
    return tree / "part"


def name_author(repo: Path) -> None:
    git(repo, "config", "user.name", "T")
    git(repo, "config", "user.email", "t@example.invalid")


def bump(part: Path) -> None:
    """Commit in the submodule on a branch, and the new commit in the repository around it."""
    git(part, "checkout", "-q", "-b", "work")
    commit(part, {"work": "w\n"})
    git(part.parent, "commit", "-q", "-a", "-m", "bump")


@pytest.mark.scenario("workspaces: A clean submodule keeps nothing open")
@pytest.mark.parametrize("is_checked_out", [True, False])
def test_a_workspace_with_a_clean_submodule_is_closed(
    yard: Yard, app: Path, is_checked_out: bool
) -> None:
    if is_checked_out:
        checked_out(yard, app)
    else:
        made(yard.create(app))

    done = made(yard.close())

    assert done.stdout == "Closed workspace W.\nThe branch feature stays in app.\n"
    assert not yard.place().exists()
    assert worktrees(app) == [str(app)]


@pytest.mark.scenario("workspaces: A clean submodule keeps nothing open")
def test_a_pinned_commit_on_no_branch_was_there_before(yard: Yard) -> None:
    lib, app = yard.repo("lib"), yard.repo("app")
    git(lib, "checkout", "-q", "--detach")
    commit(lib, {"release": "1\n"})
    git(lib, "tag", "v1")
    with_part(app, lib, "part")
    git(lib, "checkout", "-q", "main")
    shutil.rmtree(app / "part")
    shutil.rmtree(app / ".git/modules/part")
    checked_out(yard, app)

    made(yard.close())

    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: A submodule's commits are not lost")
def test_commits_of_a_submodule_keep_the_workspace_until_they_are_elsewhere(
    yard: Yard, app: Path
) -> None:
    part = checked_out(yard, app)
    bump(part)

    refused = yard.close()

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"Not closed: {yard.place()} has what is nowhere else.",
        "  app, submodule part:",
        f"    1 commit {NOWHERE}",
        f"Commit it, push it from the submodule, or remove it. {ANYWAY}",
    ]
    assert yard.list()[0]["state"] == "ready"
    assert (part / "work").exists()
    git(part, "push", "-q", "origin", "work")
    made(yard.close())
    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: A submodule's commits are not lost")
def test_commits_in_the_repositorys_own_copy_are_elsewhere(yard: Yard, app: Path) -> None:
    part = checked_out(yard, app)
    bump(part)
    git(app / "part", *ALLOW, "fetch", "-q", str(part), "work:work")

    made(yard.close())

    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: A submodule's commits are not lost")
@pytest.mark.parametrize("how", ["detached", "another branch", "tag", "stash", "deinit"])
def test_commits_of_a_submodule_are_found_wherever_they_are(
    yard: Yard, app: Path, how: str
) -> None:
    part = checked_out(yard, app)
    first = git(part, "rev-parse", "HEAD")
    if how == "stash":
        (part / "README").write_text("mine\n")
        git(part, "stash")
    else:
        commit(part, {"work": "w\n"})
    if how == "another branch":
        git(part, "branch", "work")
    if how == "tag":
        git(part, "tag", "mine")
    if how in {"another branch", "tag"}:
        git(part, "checkout", "-q", "--detach", first)
    if how == "deinit":
        git(part.parent, "submodule", "--quiet", "deinit", "--force", "part")
        part.rmdir()

    loss = json.loads(yard.close("--format", "json").stdout)["losses"][-1]

    assert loss["submodule"] == "part"
    assert (loss["commits"], loss["stashes"]) == ((0, 1) if how == "stash" else (1, 0))
    assert yard.place().exists()


@pytest.mark.scenario("workspaces: A submodule's changes are not lost")
def test_changes_in_a_submodule_of_a_submodule_keep_the_workspace(yard: Yard) -> None:
    lib = with_part(yard.repo("lib"), yard.repo("inner"), "in")
    part = checked_out(yard, with_part(yard.repo("app"), lib, "part"))
    (part / "in/new").write_text("n\n")
    git(part / "in", "update-index", "--assume-unchanged", "README")
    (part / "in/README").write_text("mine\n")

    done = yard.close()

    assert done.returncode == 1
    assert "  app, submodule part/in:\n    ?? new\n    M README\n" in done.stderr
    (part / "in/new").unlink()
    git(part / "in", "checkout", "-q", "README")
    made(yard.close())


@pytest.mark.scenario("workspaces: A submodule's changes are not lost")
def test_files_where_a_submodule_is_not_checked_out_keep_the_workspace(
    yard: Yard, app: Path
) -> None:
    made(yard.create(app))
    (yard.place() / "app/part/notes").write_text("n\n")

    done = yard.close()

    assert done.returncode == 1
    assert "  app:\n    ?? part/\n" in done.stderr


@pytest.mark.scenario("workspaces: Force names what a submodule loses")
def test_force_names_the_commits_and_files_of_a_submodule(yard: Yard, app: Path) -> None:
    part = checked_out(yard, app)
    bump(part)
    (part / "new").write_text("n\n")

    done = made(yard.close("--force"))

    assert "Lost with it:\n" in done.stdout
    assert "  app, submodule part:\n    ?? new\n    1 commit on no remote-" in done.stdout
    assert not yard.place().exists()
    assert worktrees(app) == [str(app)]


def test_a_submodule_that_git_cannot_read_keeps_the_workspace(yard: Yard, app: Path) -> None:
    part = checked_out(yard, app)
    (part / ".git").write_text("gitdir: /nowhere\n")

    done = yard.close()

    assert done.returncode == 1
    assert yard.list()[0]["state"] == "ready"
    assert (part / "README").exists()


@pytest.mark.scenario("workspaces: Changes that git does not look for are not lost")
@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_changed_file_that_git_looks_away_from_keeps_the_workspace(
    yard: Yard, mark: str, kind: str
) -> None:
    a = yard.repo("a")
    (a / "link").symlink_to("README")
    commit(a, {"with space": "1\n"})
    made(yard.create(a))
    tree = yard.place() / "a"
    git(tree, "update-index", mark, "with space", "link")
    index = git(tree, "ls-files", "-v", "-s", "--debug")
    if kind == "file":
        (tree / "with space").write_text("mine\n")
    else:
        (tree / "link").unlink()
        (tree / "link").symlink_to("elsewhere")

    done = yard.close()

    assert done.returncode == 1
    changed = "M with space" if kind == "file" else "M link"
    assert done.stderr.splitlines()[1:3] == ["  a:", f"    {changed}"]
    assert git(tree, "ls-files", "-v", "-s", "--debug") == index
    (tree / "with space").write_text("1\n")
    (tree / "link").unlink()
    (tree / "link").symlink_to("README")
    made(yard.close())


@pytest.mark.scenario("workspaces: A sparse checkout keeps nothing open")
def test_files_that_a_sparse_checkout_leaves_out_are_no_changes(yard: Yard) -> None:
    a = yard.repo("a")
    commit(a, {"deep/file": "f\n", "other/file": "o\n"})
    made(yard.create(a))
    git(yard.place() / "a", "sparse-checkout", "set", "deep")
    assert not (yard.place() / "a/other").exists()

    made(yard.close())

    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: Branches that are not there do not stay")
def test_a_branch_that_is_gone_is_not_said_to_stay(yard: Yard) -> None:
    a, b, c = yard.repo("a"), yard.repo("b"), yard.repo("c")
    made(yard.create(a, b, c))
    git(yard.place() / "b", "checkout", "-q", "--detach")
    git(b, "branch", "-q", "-D", "feature")
    shutil.rmtree(c)

    done = made(yard.close("--force"))

    assert done.stdout.endswith(
        "Closed workspace W.\nThe branch feature stays in a.\n"
        "The branch feature is no longer in b, c.\n"
    )


@pytest.mark.scenario("workspaces: Remedies can be pasted")
def test_a_remedy_for_a_path_with_spaces_can_be_pasted(yard: Yard) -> None:
    a = yard.repo("a")
    git(a, "worktree", "add", "-q", str(yard.project / "tree"), "-b", "feature")
    shutil.rmtree(yard.project / "tree")

    pruned = yard.create(a)

    assert pruned.returncode == 3
    assert pruned.stderr.endswith(f": git -C '{a}' worktree prune\n")
    git(a, "worktree", "prune")
    yard.configure("workspace: {post_create: {commands: [{run: 'true'}]}}")
    config = yard.project / "stophooks.yaml"
    config.chmod(0o666)

    shut = yard.create(a)

    assert shut.returncode == 3
    assert shut.stderr.endswith(f": chmod o-w '{config}'\n")
