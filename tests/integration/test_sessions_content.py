"""The content of a project has one name."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from stophooks.store.snapshots import identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@localhost",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@localhost",
}


def git(place: Path, *args: str) -> None:
    options = ("-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false")
    subprocess.run(
        ["git", *options, *args], cwd=place, env=ENVIRON, check=True, capture_output=True
    )


def content(place: Path, **environ: str) -> str:
    found = identity(str(place), environ=ENVIRON | environ)
    assert found is not None
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository with a tracked, an untracked and an ignored file."""
    place = tmp_path / "repository"
    place.mkdir()
    git(place, "init", "-q")
    (place / "tracked").write_text("one")
    (place / ".gitignore").write_text("ignored\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "first")
    (place / "untracked").write_text("new")
    (place / "ignored").write_text("cache")
    return place


def in_place(place: Path) -> None:
    """Other content with the same size and times: what a look at times alone misses."""
    path = place / "tracked"
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], None]] = {
    "in place": in_place,
    "untracked": lambda place: (place / "untracked").unlink(),
    "added": lambda place: (place / "name with\nnewline").touch(),
    "removed": lambda place: (place / "tracked").unlink(),
    "executable": lambda place: (place / "tracked").chmod(0o755),
    "link": lambda place: (place / "link").symlink_to("nowhere"),
}


@pytest.mark.scenario("sessions: Every change of a file is another content")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_another_content(place: Path, change: Callable[[Path], None]) -> None:
    before = content(place)
    change(place)
    after = content(place)

    git(place, "checkout", "-q", ".")
    for name in ("name with\nnewline", "link"):
        (place / name).unlink(missing_ok=True)
    (place / "untracked").write_text("new")
    assert after != before
    assert content(place) == before


@pytest.mark.scenario("sessions: Every change of a file is another content")
def test_a_commit_is_another_content(place: Path) -> None:
    before = content(place)

    git(place, "commit", "-q", "--allow-empty", "-m", "second")
    after = content(place)

    git(place, "reset", "-q", "HEAD~")
    assert after != before
    assert content(place) == before


@pytest.mark.scenario("sessions: Ignored files are no content")
def test_ignored_files_are_no_content(place: Path) -> None:
    before = content(place)

    (place / "ignored").write_text("other")

    assert content(place) == before


@pytest.mark.scenario("sessions: Files that git is told not to look at are content")
@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_does_not_look_at_are_content(place: Path, mark: str) -> None:
    before = content(place)

    git(place, "update-index", mark, "tracked")
    (place / "tracked").write_text("two")

    assert content(place) != before


@pytest.mark.scenario("sessions: A change in a submodule is another content")
def test_a_change_in_a_submodule_is_another_content(place: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "add", "-q", str(place), "inner")
    before = content(outer)

    (outer / "inner/tracked").write_text("two")

    assert content(outer) != before


def test_a_directory_of_a_repository_stands_for_all_of_it(place: Path) -> None:
    (place / "part").mkdir()

    assert content(place / "part") == content(place)


def test_variables_of_git_lead_nowhere_else(place: Path, tmp_path: Path) -> None:
    before = content(place)

    assert content(place, GIT_DIR=str(tmp_path), GIT_INDEX_FILE=str(tmp_path / "x")) == before


@pytest.mark.scenario("sessions: The repository is not touched")
def test_the_repository_is_not_touched(place: Path) -> None:
    (place / "tracked").write_text("two")
    before = look(place)

    content(place)

    assert look(place) == before


def look(place: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file of a directory with its times and its content."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for path in place.rglob("*")
        if path.is_file()
    }


@pytest.mark.scenario("sessions: Without git all files are content")
@pytest.mark.parametrize("has_git", [False, True])
def test_without_git_all_files_are_content(tmp_path: Path, place: Path, *, has_git: bool) -> None:
    bare = tmp_path / "no-repository"
    bare.mkdir()
    target, path = (bare, ENVIRON["PATH"]) if has_git else (place, "/nonexistent")
    before = content(target, PATH=path)

    (target / "ignored").write_text("other")

    assert content(target, PATH=path) != before


@pytest.mark.scenario("sessions: What takes too long is not known")
def test_what_takes_too_long_is_not_known(place: Path, tmp_path: Path) -> None:
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (slow / "git").chmod(0o755)

    found = identity(
        str(place), environ=ENVIRON | {"PATH": f"{slow}:{ENVIRON['PATH']}"}, deadline_s=0.3
    )

    assert found is None
