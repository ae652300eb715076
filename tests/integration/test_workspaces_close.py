"""`stophooks workspace close`: commands first, then the look, then the removal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.repositories import branches, commit, git, traces, worktrees
from tests.running import wait_until
from tests.workspaces import Yard, made

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

STASH = "workspace: {pre_close: {commands: [{run: git stash -u, for_each: repos}]}}"


@pytest.fixture
def yard(stophooks: Stophooks, tmp_path: Path) -> Yard:
    project = tmp_path / "project"
    project.mkdir()
    return Yard(stophooks=stophooks, project=project)


@pytest.mark.scenario("workspaces: A clean workspace is closed")
def test_a_clean_workspace_goes_and_its_branches_stay(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    made(yard.create(a, b))
    tip = commit(yard.place() / "a", {"work": "w\n"})

    done = made(yard.close())

    assert not yard.place().exists()
    assert worktrees(a) == [str(a)]
    assert worktrees(b) == [str(b)]
    assert git(a, "rev-parse", "feature") == tip
    assert done.stdout == "Closed workspace W.\nThe branch feature stays in a, b.\n"


@pytest.mark.scenario("workspaces: git stash before the look")
def test_git_stash_in_each_repository_lets_a_changed_workspace_close(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    yard.configure(STASH)
    made(yard.create(a, b))
    for name in ("a", "b"):
        (yard.place() / name / "README").write_text(f"changed {name}\n")
        (yard.place() / name / "new").write_text(f"new {name}\n")

    made(yard.close())

    assert not yard.place().exists()
    for name, repo in (("a", a), ("b", b)):
        assert git(repo, "show", "stash@{0}:README") == f"changed {name}"
        assert git(repo, "show", "stash@{0}^3:new") == f"new {name}"


@pytest.mark.scenario("workspaces: Changes are not lost")
@pytest.mark.parametrize("kind", ["changed", "staged", "untracked", "deleted"])
def test_a_workspace_with_changes_stays(yard: Yard, kind: str) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    made(yard.create(a, b))
    tree = yard.place() / "b"
    name = "new" if kind == "untracked" else "README"
    if kind == "deleted":
        (tree / name).unlink()
    else:
        (tree / name).write_text("mine\n")
    if kind == "staged":
        git(tree, "add", name)

    done = yard.close()

    assert done.returncode == 1
    rows = done.stderr.splitlines()
    assert rows[0] == f"Not closed: {yard.place()} has what is nowhere else."
    assert rows[1] == "  b:"
    assert rows[2].endswith(f" {name}")
    assert "stophooks workspace close W --force closes it anyway." in rows[-1]
    assert (yard.place() / "a/README").exists()
    assert (tree / name).exists() == (kind != "deleted")


@pytest.mark.scenario("workspaces: Commits on no branch are not lost")
def test_commits_on_no_branch_keep_the_workspace(yard: Yard) -> None:
    a = yard.repo("a")
    made(yard.create(a))
    git(yard.place() / "a", "checkout", "-q", "--detach")
    commit(yard.place() / "a", {"one": "1\n"})
    commit(yard.place() / "a", {"two": "2\n"})

    refused = yard.close()

    assert refused.returncode == 1
    assert "2 commits on no branch and no tag" in refused.stderr
    git(yard.place() / "a", "tag", "kept")
    made(yard.close())


@pytest.mark.scenario("workspaces: Files beside the repositories are not lost")
def test_a_file_beside_the_repositories_keeps_the_workspace(yard: Yard) -> None:
    a = yard.repo("a")
    made(yard.create(a))
    (yard.place() / "notes.md").write_text("n\n")

    refused = yard.close()

    assert refused.returncode == 1
    assert "  the workspace itself:\n    ?? notes.md\n" in refused.stderr
    assert (yard.place() / "a/README").exists()
    made(yard.close("--force"))
    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: Ignored files go")
def test_ignored_files_keep_nothing_open(yard: Yard) -> None:
    a = yard.repo("a")
    commit(a, {".gitignore": "built\n"})
    made(yard.create(a))
    (yard.place() / "a/built").write_text("b\n")

    made(yard.close())

    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: A command that fails keeps the workspace")
@pytest.mark.scenario("workspaces: A failure's report")
def test_a_failed_command_keeps_the_workspace_and_is_told(yard: Yard) -> None:
    a, backend = yard.repo("a"), yard.repo("backend")
    yard.configure("workspace: {pre_close: {commands: [{run: git stash, for_each: repos}]}}")
    made(yard.create(a, backend))
    (yard.place() / "backend/README").write_text("mine\n")
    (backend / ".git/refs/stash.lock").touch()

    done = yard.close()

    assert done.returncode == 1
    assert (yard.place() / "a/README").exists()
    assert (yard.place() / "backend/README").read_text() == "mine\n"
    report = done.stderr[done.stderr.index("Hook failed:") :].splitlines()
    assert report[0].startswith("Hook failed: workspace.pre_close[0] in backend: exit ")
    assert report[1] == "  $ git stash"
    assert any(row.startswith("  | Cannot ") for row in report)
    assert report[-1].startswith("workspace.pre_close[0] in backend: exit code ")
    assert "stophooks workspace close W --force closes it anyway." in report[-1]


@pytest.mark.scenario("workspaces: A signal keeps the workspace")
@pytest.mark.parametrize("flags", [(), ("--force",), ("--continue-on-hook-error",)])
def test_a_signal_during_the_commands_keeps_the_workspace(
    yard: Yard, flags: tuple[str, ...]
) -> None:
    a = yard.repo("a")
    reached = yard.project / "reached"
    yard.configure(
        f"workspace: {{pre_close: {{commands: [{{run: 'echo $$ > {reached}; sleep 300'}}]}}}}"
    )
    made(yard.create(a))

    with yard.stophooks.start("workspace", "close", "W", *flags, cwd=yard.project) as run:
        wait_until(lambda: reached.exists() and reached.read_text().strip() != "")
        assert run.poll() is None
        os.kill(run.pid, signal.SIGTERM)
        run.communicate(timeout=60)

    assert run.returncode == 128 + signal.SIGTERM
    assert (yard.place() / "a/README").exists()
    assert yard.list()[0]["state"] == "ready"


@pytest.mark.scenario("workspaces: From inside")
def test_a_workspace_is_not_closed_from_inside(yard: Yard) -> None:
    a = yard.repo("a")
    made(yard.create(a))

    done = yard("close", "W", "--force", cwd=yard.place() / "a")

    assert done.returncode == 3
    assert "Change to another one first." in done.stderr
    assert (yard.place() / "a/README").exists()


@pytest.mark.scenario("workspaces: No such workspace")
@pytest.mark.parametrize("flags", [(), ("--force",)])
def test_what_is_no_workspace_is_left_alone(yard: Yard, flags: tuple[str, ...]) -> None:
    made(yard.create(yard.repo("a"), id_="there"))
    (yard.place("mine") / "deep").mkdir(parents=True)
    (yard.place("mine") / "deep/file").write_text("m")

    missing = yard.close(*flags, id_="W")
    other = yard.close(*flags, id_="mine")

    assert missing.returncode == 3
    assert "There is no workspace W in" in missing.stderr
    assert missing.stderr.endswith("there is: there.\n")
    assert other.returncode == 3
    assert (yard.place("mine") / "deep/file").read_text() == "m"


@pytest.mark.scenario("workspaces: Force after a failed command, with changes")
def test_force_closes_in_spite_of_a_failed_command_and_changes(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure("workspace: {pre_close: {commands: [{run: echo no >&2; exit 9}]}}")
    made(yard.create(a))
    (yard.place() / "a/new").write_text("n\n")
    assert yard.close().returncode == 1

    done = made(yard.close("--force"))

    assert not yard.place().exists()
    assert "Hook failed: workspace.pre_close[0]" in done.stderr
    assert "exit code 9" in done.stderr
    assert "Lost with it:\n  a:\n    ?? new\nClosed workspace W.\n" in done.stdout


@pytest.mark.scenario("workspaces: Force over what git would not remove")
def test_force_removes_what_git_would_not(yard: Yard) -> None:
    repos = {name: yard.repo(name) for name in ("locked", "torn", "orphan", "shut")}
    made(yard.create(*repos.values()))
    git(repos["locked"], "worktree", "lock", "--reason", "mine", str(yard.place() / "locked"))
    (yard.place() / "torn/.git").unlink()
    subprocess.run(["rm", "-r", str(repos["orphan"])], check=True)
    (yard.place() / "shut/deep/er").mkdir(parents=True)
    (yard.place() / "shut/deep/er/file").write_text("f")
    (yard.place() / "shut/deep").chmod(0o500)
    assert yard.close().returncode == 1

    made(yard.close("--force"))

    assert not yard.place().exists()
    for name in ("locked", "torn", "shut"):
        assert worktrees(repos[name]) == [str(repos[name])]
        assert "feature" in branches(repos[name])


@pytest.mark.scenario("workspaces: Going on after a failed command")
def test_going_on_after_a_failed_command_still_loses_nothing(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure("workspace: {pre_close: {commands: [{run: exit 9}]}}")
    made(yard.create(a))
    (yard.place() / "a/new").write_text("n\n")

    with_changes = yard.close("--continue-on-hook-error")

    assert with_changes.returncode == 1
    assert "?? new" in with_changes.stderr
    (yard.place() / "a/new").unlink()
    done = made(yard.close("--continue-on-hook-error"))
    assert "exit code 9" in done.stderr
    assert not yard.place().exists()


def test_a_failure_that_is_only_a_warning_keeps_nothing_open(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure("workspace: {pre_close: {commands: [{run: exit 9, continue_on_error: true}]}}")
    made(yard.create(a))

    done = made(yard.close())

    assert "exit code 9" in done.stderr
    assert not yard.place().exists()


@pytest.mark.scenario("workspaces: Dry run")
def test_a_dry_run_shows_everything_and_does_nothing(yard: Yard) -> None:
    a, b = yard.repo("a"), yard.repo("b")
    yard.configure(
        "workspace:\n"
        "  post_create: {commands: [{name: install, run: touch ran, repos: [b, nowhere]}]}\n"
        "  pre_close: {commands: [{name: put away, run: touch ran, for_each: repos}]}\n"
    )
    before = traces(a, b), _files(yard.project)

    creation = made(yard.create(a, b, flags=("--dry-run",)))

    assert (traces(a, b), _files(yard.project)) == before
    assert creation.stdout.splitlines()[0] == f"Would make workspace W in {yard.place()}"
    assert "would run   install [b]" in creation.stdout
    made(yard.create(a, b, flags=("--no-hooks",)))
    (yard.place() / "b/new").write_text("n")
    before = traces(a, b), _files(yard.project)

    closing = made(yard.close("--dry-run"))
    for_a_program = json.loads(made(yard.close("--dry-run", "--format", "json")).stdout)

    assert (traces(a, b), _files(yard.project)) == before
    assert "would run   put away [a]" in closing.stdout
    assert "would run   put away [b]" in closing.stdout
    assert "?? new" in closing.stdout
    assert for_a_program["losses"] == [
        {"repo": "b", "submodule": None, "files": ["?? new"], "commits": 0, "stashes": 0}
    ]
    assert [one["runs"] for one in for_a_program["hooks"]["steps"]] == [True, True]
    assert not list(yard.project.rglob("ran"))


@pytest.mark.scenario("workspaces: Without hooks")
def test_without_hooks_a_broken_configuration_is_no_obstacle(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure("workspace: {post_create: {commands: [{run: touch ran, imagee: x}]}}")
    assert yard.create(a).returncode == 3
    assert not yard.place().exists()

    made(yard.create(a, flags=("--no-hooks",)))
    assert yard.close().returncode == 3
    made(yard.close("--no-hooks"))

    assert not yard.place().exists()
    assert not list(yard.project.rglob("ran"))


def test_force_closes_in_spite_of_a_broken_configuration_and_shows_it(yard: Yard) -> None:
    a = yard.repo("a")
    made(yard.create(a))
    yard.configure("workspace: {pre_close: {commands: [{run: touch ran, imagee: x}]}}")

    done = made(yard.close("--force"))

    assert "imagee" in done.stderr
    assert not yard.place().exists()
    assert not list(yard.project.rglob("ran"))


@pytest.mark.scenario("workspaces: An answer for a program")
def test_an_answer_for_a_program_has_the_workspace_and_its_commands(yard: Yard) -> None:
    a = yard.repo("a")
    yard.configure(
        "workspace:\n"
        "  post_create: {commands: [{run: exit 4, for_each: repos}]}\n"
        "  pre_close: {commands: [{run: 'true'}]}\n"
    )

    creation = yard.create(a, flags=("--format", "json"))
    closing = made(yard.close("--format", "json"))

    assert creation.returncode == 1
    creation_values, closing_values = json.loads(creation.stdout), json.loads(closing.stdout)
    assert creation_values["workspace"]["repos"][0]["name"] == "a"
    assert creation_values["hooks"]["results"][0]["exit_code"] == 4
    assert closing_values["closed"] is True
    assert closing_values["losses"] == []
    assert closing_values["hooks"]["results"][0]["status"] == "passed"


def _files(directory: Path) -> list[str]:
    """Every path below, with its time of change; what git refreshes for itself counts too."""
    return sorted(
        f"{path}: {path.lstat().st_mtime_ns}" for path in directory.rglob("*") if not path.is_dir()
    )
