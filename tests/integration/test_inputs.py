"""The content of a project has one name."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from stophooks.inputs import look

from .inputs import ENVIRON, git, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Content = Callable[..., str]


@pytest.fixture
def content(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """The word for a place's content: with all that is remembered, with nothing, and with no place.

    All of them must be the same.
    """
    kept = tmp_path / "kept"
    unusable = tmp_path / "unusable"
    unusable.touch()

    def content(place: Path, **environ: str) -> str:
        environ = {"TMPDIR": "/nonexistent"} | environ
        found = tree_of(place, kept, **environ).id
        fresh = tree_of(place, tmp_path_factory.mktemp("fresh"), **environ).id
        assert found == fresh
        assert found == tree_of(place, unusable, **environ).id
        return found

    return content


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
    "bytes in a name": lambda place: (place / os.fsdecode(b"\xff\xfe")).touch(),
}


@pytest.mark.scenario("inputs: Every change of a file is another content")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_is_another_content(
    place: Path, content: Content, change: Callable[[Path], None]
) -> None:
    before = content(place)
    change(place)
    after = content(place)

    git(place, "checkout", "-q", ".")
    for name in ("name with\nnewline", "link", os.fsdecode(b"\xff\xfe")):
        (place / name).unlink(missing_ok=True)
    (place / "untracked").write_text("new")
    assert after != before
    assert content(place) == before


@pytest.mark.scenario("inputs: Every change of a file is another content")
def test_a_commit_is_another_content(place: Path, content: Content) -> None:
    before = content(place)

    git(place, "commit", "-q", "--allow-empty", "-m", "second")
    after = content(place)

    git(place, "reset", "-q", "HEAD~")
    assert after != before
    assert content(place) == before


def test_the_commit_is_found_wherever_git_keeps_it(place: Path, content: Content) -> None:
    before = content(place)

    git(place, "pack-refs", "--all")
    packed = content(place)
    git(place, "checkout", "-q", "--detach")

    assert packed == before
    assert content(place) == before
    git(place, "commit", "-q", "--allow-empty", "-m", "second")
    assert content(place) != before


def test_what_is_staged_is_no_other_content(place: Path, content: Content) -> None:
    (place / "tracked").write_text("two")
    before = content(place)

    git(place, "add", "--all")

    assert content(place) == before


def ignoring_nothing(place: Path) -> dict[str, str]:
    del place
    return {}


def exclude(place: Path) -> dict[str, str]:
    (place / ".git/info/exclude").write_text("other\n")
    return {}


def ignoring_setting(place: Path) -> dict[str, str]:
    (place.parent / "patterns").write_text("other\n")
    git(place, "config", "core.excludesFile", str(place.parent / "patterns"))
    return {}


def ignoring_user(place: Path) -> dict[str, str]:
    home = place.parent / "home"
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/ignore").write_text("other\n")
    return {"HOME": str(home)}


IGNORED: dict[str, Callable[[Path], dict[str, str]]] = {
    "file in the tree": ignoring_nothing,
    "file of the repository": exclude,
    "setting of the repository": ignoring_setting,
    "setting of the user": ignoring_user,
}


@pytest.mark.scenario("inputs: Ignored files are no content")
@pytest.mark.parametrize("ignoring", IGNORED.values(), ids=IGNORED)
def test_ignored_files_are_no_content(
    place: Path, content: Content, ignoring: Callable[[Path], dict[str, str]]
) -> None:
    environ = ignoring(place)
    name = "ignored" if ignoring is ignoring_nothing else "other"
    (place / name).touch()
    before = content(place, **environ)

    (place / name).write_text("another")
    after = content(place, **environ)
    (place / "seen").touch()

    assert after == before
    assert content(place, **environ) != before


def test_a_file_that_becomes_ignored_is_content_no_more(place: Path, content: Content) -> None:
    (place / "build").mkdir()
    (place / "build/out").write_text("one")
    content(place)

    # Itself ignored, so that no content says anything of it.
    (place / "build/.gitignore").write_text("*\n")
    before = content(place)
    (place / "build/out").write_text("two")

    assert content(place) == before


@pytest.mark.scenario("inputs: A tracked file is content although it is ignored")
def test_a_tracked_file_is_content_although_it_is_ignored(place: Path, content: Content) -> None:
    git(place, "add", "--force", "ignored")
    before = content(place)

    (place / "ignored").write_text("other")

    assert content(place) != before


@pytest.mark.scenario("inputs: Files that git is told not to look at are content")
@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_files_that_git_does_not_look_at_are_content(
    place: Path, content: Content, mark: str
) -> None:
    before = content(place)

    git(place, "update-index", mark, "tracked")
    (place / "tracked").write_text("two")

    assert content(place) != before


@pytest.mark.scenario("inputs: What filters do to a file does not hide a change")
def test_what_filters_do_does_not_hide_a_change(place: Path, content: Content) -> None:
    (place / ".gitattributes").write_text("* text=auto eol=lf filter=same\n")
    git(place, "config", "filter.same.clean", f"touch {place.parent / 'ran'}; echo same")
    git(place, "config", "core.autocrlf", "input")
    (place / "tracked").write_bytes(b"line\n")
    before = content(place)

    (place / "tracked").write_bytes(b"line\r\n")

    assert content(place) != before
    assert not (place.parent / "ran").exists()


@pytest.mark.scenario("inputs: A change in a submodule is another content")
def test_a_change_in_a_submodule_is_another_content(
    place: Path, content: Content, tmp_path: Path
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "add", "-q", str(place), "inner")
    words = [content(outer)]

    (outer / "inner/tracked").write_text("two")
    words.append(content(outer))
    git(outer / "inner", "commit", "-qam", "second")
    words.append(content(outer))
    (outer / ".gitignore").write_text("inner\n")
    words.append(content(outer))
    (outer / "inner/tracked").write_text("three")
    words.append(content(outer))

    assert len(set(words)) == len(words)


@pytest.mark.scenario("inputs: A change in a submodule is another content")
def test_a_change_in_a_repository_within_is_another_content(place: Path, content: Content) -> None:
    inner = place / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "file").write_text("one")
    before = content(place)

    (inner / "file").write_text("two")

    assert content(place) != before


@pytest.mark.scenario("inputs: What a link leads to is content")
def test_what_a_link_leads_to_is_content(place: Path, content: Content, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("one")
    (place / "link").symlink_to(tmp_path / "outside")
    before = content(place)

    (tmp_path / "outside").write_text("two")
    after = content(place)
    (tmp_path / "outside").unlink()

    assert len({before, after, content(place)}) == 3


def test_what_is_no_file_is_never_opened(place: Path, content: Content, tmp_path: Path) -> None:
    before = content(place)
    (place / "tracked").unlink()

    os.mkfifo(place / "tracked")
    fifo = content(place)
    (place / "tracked").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place / "tracked"))
        plug = content(place)
    (tmp_path / "bare").mkdir()
    os.mkfifo(tmp_path / "bare/fifo")

    assert len({before, fifo, plug}) == 3
    assert content(tmp_path / "bare")


def test_a_directory_of_a_repository_stands_for_all_of_it(place: Path, content: Content) -> None:
    (place / "part").mkdir()

    assert content(place / "part") == content(place)


def test_variables_of_git_lead_nowhere_else(place: Path, content: Content, tmp_path: Path) -> None:
    git(place, "add", "--force", "ignored")
    before = content(place)

    assert content(place, GIT_DIR=str(tmp_path), GIT_INDEX_FILE=str(tmp_path / "x")) == before


def test_a_linked_working_tree_is_a_repository(
    place: Path, content: Content, tmp_path: Path
) -> None:
    git(place, "worktree", "add", "-q", str(tmp_path / "linked"))
    (place / ".git/info/exclude").write_text("also\n")
    before = content(tmp_path / "linked")

    (tmp_path / "linked/also").touch()
    ignored = content(tmp_path / "linked")
    git(tmp_path / "linked", "commit", "-q", "--allow-empty", "-m", "second")
    committed = content(tmp_path / "linked")

    assert ignored == before
    assert committed != before


@pytest.mark.parametrize("form", ["sha256", "sha1"])
def test_a_repository_of_either_kind_is_read(tmp_path: Path, content: Content, form: str) -> None:
    place = tmp_path / "repository"
    place.mkdir()
    git(place, "init", "-q", f"--object-format={form}")
    (place / "file").touch()
    git(place, "add", ".")
    before = content(place)

    git(place, "commit", "-qm", "first")

    assert content(place) != before


def test_a_conflict_is_content(place: Path, content: Content) -> None:
    git(place, "checkout", "-qb", "other")
    (place / "tracked").write_text("two")
    git(place, "commit", "-qam", "two")
    git(place, "checkout", "-q", "-")
    (place / "tracked").write_text("three")
    git(place, "commit", "-qam", "three")
    before = content(place)

    with pytest.raises(Exception, match="merge"):
        git(place, "merge", "-q", "other")

    assert content(place) != before


@pytest.mark.scenario("inputs: The repository is not touched")
def test_the_repository_is_not_touched(place: Path, content: Content) -> None:
    (place / "tracked").write_text("two")
    before = everything(place)

    content(place)

    assert everything(place) == before


def everything(place: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file of a directory with its times and its content."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for path in place.rglob("*")
        if path.is_file()
    }


@pytest.mark.scenario("inputs: Without git all files are content")
@pytest.mark.parametrize("has_git", [False, True])
def test_without_git_all_files_are_content(
    tmp_path: Path, place: Path, content: Content, *, has_git: bool
) -> None:
    bare = tmp_path / "no-repository"
    bare.mkdir()
    target, path = (bare, ENVIRON["PATH"]) if has_git else (place, "/nonexistent")
    before = content(target, PATH=path)

    (target / "ignored").write_text("other")

    assert content(target, PATH=path) != before


@pytest.mark.scenario("inputs: Without git all files are content")
def test_a_repository_that_git_refuses_is_a_directory(place: Path, content: Content) -> None:
    (place / ".git/config").write_text("[core]\n\trepositoryFormatVersion = 99\n")
    before = content(place)

    (place / "ignored").write_text("other")

    assert content(place) != before


@pytest.mark.scenario("inputs: What takes too long is not known")
def test_what_takes_too_long_is_not_known(place: Path, tmp_path: Path) -> None:
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (slow / "git").chmod(0o755)

    found = look(
        str(place),
        environ=ENVIRON | {"PATH": f"{slow}:{ENVIRON['PATH']}"},
        state_dir=str(tmp_path / "state"),
        deadline_s=0.3,
    )

    assert found is None
