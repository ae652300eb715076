"""What changed in a project, and the content of a part of it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from stophooks.inputs import Changes, changed, changed_since_head, digest, files
from stophooks.inputs.records import Records

from .inputs import ENVIRON, git, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "repository"
    (place / "src/deep").mkdir(parents=True)
    (place / "docs").mkdir()
    git(place, "init", "-q")
    for name in ("src/a.py", "src/deep/b.py", "src/deep/c.txt", "docs/[x].md", "top"):
        (place / name).write_text("one")
    git(place, "add", ".")
    git(place, "commit", "-qm", "first")
    return place


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def repository_within(place: Path) -> Path:
    (place / "inner").mkdir()
    git(place / "inner", "init", "-q")
    (place / "inner/file").write_text("one")
    git(place / "inner", "add", ".")
    git(place / "inner", "commit", "-qm", "first")
    return place / "inner"


@pytest.mark.scenario("inputs: What changed since an earlier tree is told")
@pytest.mark.parametrize("commits", [False, True])
def test_what_changed_since_an_earlier_tree_is_told(
    place: Path, state: Path, *, commits: bool
) -> None:
    inner = repository_within(place)
    before = tree_of(place, state)

    (place / "src/a.py").write_text("two")
    (place / "src/deep/b.py").unlink()
    (place / "top").chmod(0o755)
    (place / "docs/new\nline").touch()
    (inner / "file").write_text("two")
    if commits:
        git(inner, "commit", "-qam", "second")
        git(place, "add", "src", "docs", "top")
        git(place, "commit", "-qm", "second")
    after = tree_of(place, state)

    assert changed(before.id, after) == Changes(
        present=("docs/new\nline", "inner/file", "src/a.py", "top"), deleted=("src/deep/b.py",)
    )
    assert changed(after.id, after) == Changes()


def test_a_commit_alone_changes_no_file(place: Path, state: Path) -> None:
    before = tree_of(place, state)
    git(place, "commit", "-q", "--allow-empty", "-m", "second")
    after = tree_of(place, state)

    assert after.id != before.id
    assert changed(before.id, after) == Changes()


def test_a_directory_in_a_files_place_is_told(place: Path, state: Path) -> None:
    before = tree_of(place, state)
    (place / "top").unlink()
    (place / "top").mkdir()
    (place / "top/file").touch()

    assert changed(before.id, tree_of(place, state)) == Changes(
        present=("top/file",), deleted=("top",)
    )


def test_a_repository_within_that_goes_is_told(place: Path, state: Path) -> None:
    inner = repository_within(place)
    before = tree_of(place, state)

    inner.rename(place.parent / "away")

    assert changed(before.id, tree_of(place, state)) == Changes(deleted=("inner/file",))


@pytest.mark.scenario("inputs: An earlier tree that is not known is not guessed")
def test_an_earlier_tree_that_is_not_known_is_not_guessed(place: Path, state: Path) -> None:
    tree = tree_of(place, state)

    assert changed("0" * 64, tree) is None
    assert changed("unknown", tree) is None


def test_a_file_that_is_too_large_is_begun_anew_with_the_newest_tree(
    place: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tree_of(place, state)
    monkeypatch.setattr("stophooks.inputs.records.MAX_BYTES", 0)
    (place / "top").write_text("two")
    new = tree_of(place, state)

    assert changed(old.id, new) is None
    assert set(files(new)) == {"src/a.py", "src/deep/b.py", "src/deep/c.txt", "docs/[x].md", "top"}


def test_files_are_listed_with_their_content(place: Path, state: Path) -> None:
    repository_within(place)
    (place / "copy").write_text("one")
    (place / "other").write_text("two")
    (place / "runs").write_text("one")
    (place / "runs").chmod(0o755)

    found = files(tree_of(place, state))

    assert found["copy"] == found["top"] == found["inner/file"]
    assert len({found[name] for name in ("copy", "other", "runs")}) == 3
    assert ".git/HEAD" not in found


UNCOMMITTED: dict[str, Callable[[Path], object]] = {
    "plain": lambda _: None,
    "staged": lambda place: git(place, "add", "--all"),
    "assume-unchanged": lambda place: git(place, "update-index", "--assume-unchanged", "src/a.py"),
    "skip-worktree": lambda place: git(place, "update-index", "--skip-worktree", "src/a.py"),
}


@pytest.mark.scenario("inputs: What is not committed is told")
@pytest.mark.parametrize("how", UNCOMMITTED.values(), ids=UNCOMMITTED)
def test_what_is_not_committed_is_told(
    place: Path, state: Path, how: Callable[[Path], object]
) -> None:
    (place / ".gitignore").write_text("*.ignored\n")
    (place / "seen.ignored").touch()
    git(place, "add", ".gitignore")
    git(place, "add", "--force", "seen.ignored")
    (place / "out.ignored").touch()
    (place / "src/a.py").write_text("two")
    (place / "docs/new").touch()
    (place / "top").unlink()

    how(place)

    tree = tree_of(place, state)
    assert changed_since_head(tree, environ=ENVIRON) == Changes(
        present=(".gitignore", "docs/new", "seen.ignored", "src/a.py"), deleted=("top",)
    )


@pytest.mark.scenario("inputs: What is not committed is told")
def test_without_git_nothing_is_known_of_commits(place: Path, state: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()

    bare = tree_of(tmp_path / "bare", state)

    assert changed_since_head(bare, environ=ENVIRON) is None
    tree = tree_of(place, state)
    assert changed_since_head(tree, environ=ENVIRON | {"PATH": "/nonexistent"}) is None
    assert changed_since_head(tree, environ=ENVIRON) == Changes()


def test_files_of_a_repository_within_may_be_uncommitted(place: Path, state: Path) -> None:
    repository_within(place)

    told = changed_since_head(tree_of(place, state), environ=ENVIRON)

    assert told == Changes(present=("inner/file",))


def test_before_the_first_commit_all_files_are_uncommitted(tmp_path: Path, state: Path) -> None:
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    (tmp_path / "new/file").touch()
    git(tmp_path / "new", "add", ".")

    told = changed_since_head(tree_of(tmp_path / "new", state), environ=ENVIRON)

    assert told == Changes(present=("file",))


PATTERNS: list[tuple[list[str], list[str], set[str]]] = [
    (["**"], [], {"src/a.py", "src/deep/b.py", "src/deep/c.txt", "docs/[x].md", "top"}),
    (["**/*.py"], [], {"src/a.py", "src/deep/b.py"}),
    (["src"], [], {"src/a.py", "src/deep/b.py", "src/deep/c.txt"}),
    (["src/**"], ["**/*.txt"], {"src/a.py", "src/deep/b.py"}),
    (["src/"], ["src/deep"], {"src/a.py"}),
    (["./top", "docs/*.md"], [], {"top", "docs/[x].md"}),
    (["nothing"], [], set()),
    (["../top"], [], set()),
]


@pytest.mark.scenario("inputs: Patterns choose content")
@pytest.mark.parametrize(("patterns", "exclude", "chosen"), PATTERNS)
def test_patterns_choose_content(
    place: Path, state: Path, patterns: list[str], exclude: list[str], chosen: set[str]
) -> None:
    first = digest(tree_of(place, state), patterns, exclude, base=str(place))
    found = set()

    for name in sorted(files(tree_of(place, state))):
        (place / name).write_text("two")
        if digest(tree_of(place, state), patterns, exclude, base=str(place)) != first:
            found.add(name)
        (place / name).write_text("one")

    assert found == chosen
    assert digest(tree_of(place, state), patterns, exclude, base=str(place)) == first


@pytest.mark.scenario("inputs: Patterns choose content")
def test_patterns_are_relative_to_a_directory(place: Path, state: Path) -> None:
    def told(*patterns: str) -> str:
        return digest(tree_of(place, state), patterns, (), base=str(place / "src"))

    before = [told("*.py"), told("../top"), told("deep")]
    (place / "top").write_text("two")

    assert [told("*.py"), told("../top"), told("deep")] == [before[0], told("../top"), before[2]]
    assert told("../top") != before[1]


def test_a_commit_is_not_what_patterns_name(place: Path, state: Path) -> None:
    before = digest(tree_of(place, state), ["**"], [], base=str(place))

    git(place, "commit", "-q", "--allow-empty", "-m", "second")

    assert digest(tree_of(place, state), ["**"], [], base=str(place)) == before


def test_git_agrees_on_what_changed(place: Path, state: Path) -> None:
    before = tree_of(place, state)
    (place / "src/a.py").write_text("two")
    os.remove(place / "top")

    found = changed(before.id, tree_of(place, state))

    told = subprocess.run(
        ["git", "diff", "--name-only"], cwd=place, env=ENVIRON, check=True, capture_output=True
    )
    assert found is not None
    assert told.stdout.decode().split() == sorted([*found.present, *found.deleted])


def test_listings_in_memory_alone_can_be_compared() -> None:
    records = Records(None)
    one = records.change("", {"a/b": "f1", "a/c": "f2"})
    two = records.change(one, {"a/b": "f3", "a/c": "", "d": "f4"})

    assert dict(records.differences(one, two)) == {"a/b": True, "a/c": False, "d": True}
    assert records.change(two, {"a/b": "f1", "a/c": "f2", "d": ""}) == one
    assert not records.keep(two)
