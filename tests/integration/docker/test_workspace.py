"""The project in the container: its files, their owner, its mounts and its repository."""

from __future__ import annotations

import os
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Mount
from stophooks.models import Status
from tests.integration.docker.conftest import PYTHON, STRANGER, Case, text

if TYPE_CHECKING:
    from pathlib import Path

# From the test image's user table.
KNOWN = 1234


@pytest.mark.scenario("docker-executor: A command works on the project's files")
def test_a_command_reads_and_writes_the_project(case: Case) -> None:
    (case.project / "in.txt").write_text("from the host\n")

    outcome = case.run("pwd; cat in.txt; echo from inside > out.txt")

    assert text(outcome) == "/workspace\nfrom the host\n"
    assert (case.project / "out.txt").read_text() == "from inside\n"


@pytest.mark.scenario("docker-executor: A read-only workspace cannot be changed")
def test_a_read_only_workspace_stays_unchanged(case: Case) -> None:
    outcome = case.run("touch made", workspace="ro")

    assert outcome.status is Status.FAILED
    assert list(case.project.iterdir()) == []


@pytest.mark.scenario("docker-executor: A command without the workspace does not see the project")
def test_without_the_workspace_the_project_is_not_there(case: Case) -> None:
    (case.project / "secret").write_text("x")

    outcome = case.run("ls -A /workspace", workspace="none")

    assert text(outcome) == ""


@pytest.mark.scenario("docker-executor: A mount can take the workspace's place")
@pytest.mark.parametrize("target", ["/workspace", "/workspace/"])
def test_a_mount_at_the_workspace_replaces_the_project(
    case: Case, tmp_path: Path, target: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine").touch()

    outcome = case.run("ls", mounts=(Mount(type="bind", source=str(other), target=target),))

    assert text(outcome) == "mine\n"


@pytest.mark.scenario("docker-executor: A path with special characters is mounted exactly")
@pytest.mark.parametrize("name", ["a b", "a:b", "a,b", "a'b\"c", "a\\b", "ä\u2028ö", "-v", "a\nb"])
def test_any_path_is_mounted_exactly(case: Case, tmp_path: Path, name: str) -> None:
    odd = tmp_path / name
    odd.mkdir()
    (odd / "here").touch()

    outcome = case.run("ls /odd", mounts=(Mount(type="bind", source=str(odd), target="/odd"),))

    assert text(outcome) == "here\n"


@pytest.mark.scenario("docker-executor: A link made since the configuration was read is refused")
def test_a_source_that_has_become_a_link_is_refused(case: Case, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private/key").write_text("secret")
    (tmp_path / "link").symlink_to("private")

    outcome = case.run(
        "cat /odd/key",
        mounts=(Mount(type="bind", source=str(tmp_path / "link"), target="/odd"),),
    )

    assert outcome.status is Status.UNAVAILABLE
    assert f"has become a link to {tmp_path}/private" in (outcome.reason or "")


@pytest.mark.parametrize("target", ["//odd", "/odd/", "/./odd"])
def test_a_target_has_one_form(case: Case, tmp_path: Path, target: str) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/here").touch()
    mount = Mount(type="bind", source=str(tmp_path / "source"), target=target, readonly=True)

    outcome = case.run("ls /odd/here; touch /odd/x", mounts=(mount,))

    assert text(outcome) == "/odd/here\n"
    assert outcome.status is Status.FAILED


@pytest.mark.scenario("docker-executor: A working directory that is not there is not made")
def test_a_missing_working_directory_is_not_made_in_the_project(case: Case) -> None:
    outcome = case.run("true", workdir="/workspace/sub/dir")

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "working-directory")
    assert list(case.project.iterdir()) == []


def test_a_working_directory_outside_the_project_is_the_images(case: Case) -> None:
    outcome = case.run("pwd", workdir="/made/here")

    assert text(outcome) == "/made/here\n"


@pytest.mark.scenario("docker-executor: A volume that is a host folder is refused")
def test_a_volume_that_is_a_host_folder_is_refused(case: Case) -> None:
    name = f"stophooks-test-{uuid.uuid4().hex}"
    options = {"type": "none", "o": "bind", "device": "/etc"}
    case.client.api.create_volume(name, driver="local", driver_opts=options)
    mount = Mount(type="volume", source=name, target="/odd")
    try:
        outcomes = [
            case.run("cat /odd/shadow", mounts=(mount,), executor=case.executor(uid=uid))
            for uid in (0, STRANGER)
        ]
    finally:
        case.client.api.remove_volume(name, force=True)

    assert {outcome.status for outcome in outcomes} == {Status.UNAVAILABLE}
    assert all("/etc of this machine" in (outcome.reason or "") for outcome in outcomes)


@pytest.mark.scenario("docker-executor: Files made in the project belong to the caller")
@pytest.mark.parametrize("uid", [0, 1000, STRANGER, 100_000])
def test_files_belong_to_the_caller(case: Case, uid: int) -> None:
    os.chown(case.project, uid, uid)

    outcome = case.run("touch made", executor=case.executor(uid=uid, gid=uid))

    made = (case.project / "made").stat()
    assert outcome.status is Status.PASSED
    assert (made.st_uid, made.st_gid) == (uid, uid)


@pytest.mark.scenario("docker-executor: An unknown user has a writable home")
def test_a_stranger_has_a_home_that_executes(case: Case) -> None:
    script = """
        test "$(stat -c %u "$HOME")" = "$(id -u)"
        printf '#!/bin/sh\\necho ran' > "$HOME/tool" && chmod +x "$HOME/tool" && "$HOME/tool"
    """

    outcome = case.run(script, image=PYTHON)

    assert text(outcome) == "ran\n"


@pytest.mark.scenario("docker-executor: An unknown user has a writable home")
def test_a_stranger_has_a_place_for_caches(case: Case) -> None:
    script = """
        python3 -c 'import pathlib, os; p = pathlib.Path.home() / ".cache" / "pip"; \
            p.mkdir(parents=True); (p / "x").write_text("x"); print(os.path.expanduser("~"))'
    """

    outcome = case.run(script, image=PYTHON)

    assert outcome.status is Status.PASSED
    assert text(outcome).strip() == "/home/stophooks"


def test_a_configured_home_is_kept(case: Case) -> None:
    outcome = case.run('echo "$HOME"', env=(("HOME", "/tmp"),))

    assert text(outcome) == "/tmp\n"


@pytest.mark.scenario("docker-executor: A known user keeps the image's home")
@pytest.mark.parametrize("user", ["known", str(KNOWN), f"{KNOWN}:{KNOWN}"])
def test_a_known_user_keeps_its_home(case: Case, user: str) -> None:
    outcome = case.run('id -u; echo "$HOME"', image=PYTHON, user=user)

    assert text(outcome) == f"{KNOWN}\n/home/known\n"


@pytest.mark.scenario("docker-executor: A fresh named volume is writable by its user")
@pytest.mark.parametrize("user", [None, "known"])
def test_a_named_volume_is_writable_and_kept(case: Case, user: str | None) -> None:
    name = f"stophooks-test-{uuid.uuid4().hex}"
    mount = Mount(type="volume", source=name, target="/cache")
    try:
        first = case.run("echo kept > /cache/x", mounts=(mount,), image=PYTHON, user=user)
        second = case.run("cat /cache/x", mounts=(mount,), image=PYTHON, user=user)
    finally:
        case.client.api.remove_volume(name, force=True)

    assert first.status is Status.PASSED
    assert text(second) == "kept\n"


def test_a_volume_below_the_workspace_leaves_the_callers_folder(case: Case) -> None:
    name = f"stophooks-test-{uuid.uuid4().hex}"
    mount = Mount(type="volume", source=name, target="/workspace/node_modules")
    try:
        outcome = case.run("touch node_modules/x && ls node_modules", mounts=(mount,))
    finally:
        case.client.api.remove_volume(name, force=True)

    point = case.project / "node_modules"
    assert text(outcome) == "x\n"
    assert (point.stat().st_uid, list(point.iterdir())) == (STRANGER, [])


@pytest.mark.scenario("docker-executor: An unknown user name is a start failure")
def test_an_unknown_user_name_is_explained(case: Case) -> None:
    outcome = case.run("true", user="nobody-here")

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.fault == "user"
    assert "nobody-here" in (outcome.reason or "")
    assert "1000:1000" in (outcome.remedy or "")


def git(directory: Path, *args: str) -> str:
    """Run git on the host, as root, in a repository of anybody."""
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "safe.directory=*")
    done = subprocess.run(["git", *who, *args], cwd=directory, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "-q")
    (path / "file").write_text("x\n")
    git(path, "add", ".")
    git(path, "commit", "-qm", "the first")
    return path


def own(path: Path) -> None:
    """Give a tree to the tests' caller."""
    subprocess.run(["chown", "-R", f"{STRANGER}:{STRANGER}", path], check=True)


@pytest.mark.scenario("docker-executor: A worktree's history is readable and safe")
@pytest.mark.parametrize("is_relative", [False, True])
def test_git_works_in_a_worktree(case: Case, repository: Path, is_relative: bool) -> None:
    case.project.rmdir()
    git(repository, "worktree", "add", "-q", str(case.project))
    if is_relative:
        pointer = case.project / ".git"
        target = pointer.read_text().removeprefix("gitdir: ").strip()
        pointer.write_text(f"gitdir: {os.path.relpath(target, case.project)}\n")
    own(case.project)
    own(repository)
    (case.project / "new").touch()

    outcome = case.run("git log --format=%s && git status --porcelain", image=PYTHON)
    writing = case.run("git update-ref -d HEAD", image=PYTHON)

    assert text(outcome) == "the first\n?? new\n"
    assert writing.status is Status.FAILED
    assert git(case.project, "log", "--format=%s") == "the first\n"


@pytest.mark.scenario("docker-executor: A pointer cannot bring in another folder")
def test_a_forged_worktree_brings_in_no_other_folder(case: Case, tmp_path: Path) -> None:
    private = tmp_path / "private"
    (private / "objects").mkdir(parents=True)
    (private / "HEAD").touch()
    (private / "key").write_text("secret")
    forged = case.project / "forged/worktrees/x"
    forged.mkdir(parents=True)
    (forged / "commondir").write_text(str(private))
    (case.project / ".git").write_text("gitdir: forged/worktrees/x\n")

    outcome = case.run(f"cat {private}/key /workspace/forged/key")

    assert text(outcome) == ""
    assert any("git does not work" in note for note in outcome.notes)


@pytest.mark.scenario("docker-executor: A pointer cannot bring in another folder")
def test_another_repositorys_worktree_brings_in_nothing(
    case: Case, repository: Path, tmp_path: Path
) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"))
    (case.project / ".git").write_text((tmp_path / "other/.git").read_text())
    own(repository)

    outcome = case.run("git -c safe.directory='*' log", image=PYTHON)

    assert text(outcome) == ""
    assert any("git does not work" in note for note in outcome.notes)


@pytest.mark.parametrize("kind", ["pipe", "device", "directory", "huge"])
def test_a_pointer_that_is_no_small_file_ends_at_once(case: Case, kind: str) -> None:
    (case.project / "g").mkdir()
    pointer = case.project / "g/commondir"
    (case.project / ".git").write_text("gitdir: g\n")
    if kind == "pipe":
        os.mkfifo(pointer)
    elif kind == "device":
        pointer.symlink_to("/dev/zero")
    elif kind == "directory":
        pointer.mkdir()
    else:
        pointer.write_bytes(b"x" * 50_000_000)

    outcome = case.run("true")

    assert outcome.status is Status.PASSED
    assert any("git does not work" in note for note in outcome.notes)


@pytest.mark.scenario("docker-executor: A project without its repository says so")
def test_a_folder_of_a_repository_says_that_git_does_not_work(case: Case) -> None:
    git(case.project.parent, "init", "-q")

    outcome = case.run("true")

    assert any("git does not work" in note for note in outcome.notes)


def test_a_submodule_says_that_git_does_not_work(case: Case) -> None:
    modules = case.project.parent / "modules"
    modules.mkdir()
    (case.project / ".git").write_text("gitdir: ../modules\n")

    outcome = case.run("true")

    assert any("git does not work" in note for note in outcome.notes)


def test_an_ordinary_repository_has_no_note(case: Case) -> None:
    git(case.project, "init", "-q")

    outcome = case.run("true")

    assert outcome.notes == ()
