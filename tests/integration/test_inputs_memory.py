"""What one look at a project leaves to the next."""

from __future__ import annotations

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stophooks.inputs import index, listing, look, prints, untouched

from .inputs import ENVIRON, git, plain_content, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# As in `prints`, but for the second that git compares and this machine's ticks only.
SETTLED_S = 1.05
MANY = 3
FILES = 30


@pytest.fixture(autouse=True)
def _small_projects_are_large() -> Iterator[None]:
    """A few files are enough for an index of ours, and settle as soon as git allows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "MANY", MANY)
        patch.setattr(index, "SETTLED_NS", int(SETTLED_S * 1e9))
        patch.setattr(prints, "SETTLED_NS", int(SETTLED_S * 1e9))
        yield


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return repository(tmp_path / "repository")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def repository(place: Path) -> Path:
    (place / "part").mkdir(parents=True)
    git(place, "init", "-q")
    for number in range(FILES):
        (place / "part" / f"file{number}").write_text(f"one {number}")
    (place / "top").write_text("top")
    (place / ".gitignore").write_text("*.ignored\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "first")
    return place


def settle() -> None:
    """Let what was written grow old: the system's clock alone makes it so, and sets no sign."""
    time.sleep(SETTLED_S + 0.05)


def edit(path: Path, text: str) -> None:
    """Change a file's content and set its times back."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def read_by(place: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that a look opens."""
    opened: list[str] = []
    real = os.open

    def watching(path: str, *args: int) -> int:
        if str(path).startswith(str(place)) and "/.git/" not in f"{path}/":
            opened.append(os.path.basename(path))
        return real(path, *args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", watching)
        tree_of(place, state)
    return sorted(opened)


@pytest.mark.scenario("inputs: A file that was not written is not read")
def test_a_file_that_was_not_written_is_not_read(
    place: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "untracked").write_text("new")
    settle()
    first = read_by(place, state, monkeypatch)
    second = read_by(place, state, monkeypatch)

    (place / "part/file7").write_text("two")
    (place / "part/file8").touch()
    settle()

    assert len(first) == FILES + 3
    assert second == []
    assert read_by(place, state, monkeypatch) == ["file7", "file8"]
    assert read_by(place, state, monkeypatch) == []


@pytest.mark.scenario("inputs: A file that was not written is not read")
def test_without_git_a_file_that_was_not_written_is_not_read(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/one").touch()
    (tmp_path / "bare/two").touch()
    settle()
    first = read_by(tmp_path / "bare", state, monkeypatch)

    (tmp_path / "bare/two").write_text("two")

    assert first == ["one", "two"]
    assert read_by(tmp_path / "bare", state, monkeypatch) == ["two"]


@pytest.mark.scenario("inputs: A write in the same moment is seen")
def test_a_write_in_the_same_moment_is_seen(place: Path, state: Path) -> None:
    names = ["top", *(f"part/file{number}" for number in range(2 * MANY))]
    texts = [f"{number:05}" for number in range(6)]
    for name in names:
        (place / name).write_text("first")
    settle()
    words = {tree_of(place, state).id}

    for text in texts:
        for name in names:
            edit(place / name, text)
        words.add(tree_of(place, state).id)
    settle()
    words.add(tree_of(place, state).id)
    edit(place / "part/file3", "other")
    words.add(tree_of(place, state).id)

    assert len(words) == 1 + len(texts) + 1


@pytest.mark.scenario("inputs: A write in the same moment is seen")
def test_a_clock_that_was_set_back_makes_times_worthless(
    place: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle()
    tree_of(place, state)
    later = time.time() + 3600
    (memory,) = state.glob("trees/*/memory")

    os.utime(memory, (later, later))

    assert len(read_by(place, state, monkeypatch)) == FILES + 2


@pytest.mark.scenario("inputs: What was written and set back is told")
@pytest.mark.parametrize("name", ["part/file3", "untracked", "inner/file"])
@pytest.mark.parametrize("waits", [False, True])
def test_what_was_written_and_set_back_is_told(
    place: Path, state: Path, name: str, *, waits: bool
) -> None:
    (place / "inner").mkdir()
    git(place / "inner", "init", "-q")
    for path in ("untracked", "inner/file"):
        (place / path).write_text("new")
    if waits:
        settle()
    looks = [tree_of(place, state), tree_of(place, state)]
    text = (place / name).read_text()
    edit(place / name, "two")
    edit(place / name, text)
    looks.append(tree_of(place, state))

    assert len({one.id for one in looks}) == 1
    assert untouched(looks[0], looks[1])
    assert not untouched(looks[1], looks[2])


@pytest.mark.scenario("inputs: A look that ran out of time helps the next")
def test_a_look_that_ran_out_of_time_helps_the_next(
    place: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle()
    real, seen = prints.look_at, []

    def slow(path: str, known: prints.Print) -> prints.Print:
        seen.append(path)
        if len(seen) == 10:
            # Longer than the look may take: its time is then over in the middle.
            time.sleep(1)
        return real(path, known)

    with monkeypatch.context() as patch:
        patch.setattr(prints, "look_at", slow)
        found = look(str(place), environ=ENVIRON, state_dir=str(state), deadline_s=0.9)

    assert found is None
    assert len(read_by(place, state, monkeypatch)) == FILES + 2 - 10
    assert read_by(place, state, monkeypatch) == []


def overwrite(path: Path) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.scenario("inputs: What is remembered may be lost or damaged")
@pytest.mark.parametrize("damage", [overwrite, cut, remove])
@pytest.mark.parametrize(
    "name", ["memory", "index-*", "records.db", "git/config", "git/HEAD", "git/info/exclude"]
)
def test_what_is_remembered_may_be_damaged(
    place: Path, state: Path, name: str, damage: Callable[[Path], None]
) -> None:
    (place / ".git/info/exclude").write_text("excluded\n")
    (place / "excluded").touch()
    settle()
    before = tree_of(place, state).id
    tree_of(place, state)
    (path,) = state.glob(f"trees/*/{name}")
    if path.is_symlink() and damage is not remove:
        path.unlink()
        path.write_text("part\n")
    else:
        damage(path)

    after = tree_of(place, state)
    edit(place / "part/file3", "two")

    assert after.id == before
    changed = tree_of(place, state)
    assert changed.id == tree_of(place, state.with_name("fresh")).id != before


def test_what_is_remembered_may_be_gone_altogether(place: Path, state: Path) -> None:
    settle()
    before = tree_of(place, state).id

    shutil.rmtree(state)

    assert tree_of(place, state).id == before


@pytest.mark.scenario("inputs: A state directory that cannot be used costs time only")
def test_a_state_directory_that_cannot_be_used_costs_time_only(
    place: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    (tmp_path / "nowhere").touch()
    before = tree_of(place, state).id
    (tmp_path / "file").touch()

    unusable = tree_of(place, tmp_path / "file").id
    for directory in state.glob("trees/*"):
        shutil.rmtree(directory)
        directory.touch()

    assert unusable == before
    assert tree_of(place, state).id == before


LOOK_OFTEN = """
import os, sys
from stophooks.inputs import index, look
index.MANY = 3
for _ in range(8):
    print(look(sys.argv[1], environ=os.environ, state_dir=sys.argv[2], deadline_s=60).id)
"""


@pytest.mark.scenario("inputs: Looks at the same time agree")
def test_looks_at_the_same_time_agree(place: Path, state: Path) -> None:
    settle()
    right = tree_of(place, state.with_name("fresh")).id
    argv = [sys.executable, "-c", LOOK_OFTEN, str(place), str(state)]

    looking = [subprocess.Popen(argv, env=ENVIRON, stdout=subprocess.PIPE) for _ in range(4)]
    told = [one.communicate(timeout=60)[0].decode().split() for one in looking]

    assert told == [[right] * 8] * 4


@pytest.mark.scenario("inputs: Looks at the same time agree")
@pytest.mark.parametrize("also", ["memory", "index-*"])
def test_an_index_that_goes_while_git_looks_is_not_an_empty_one(
    place: Path, state: Path, monkeypatch: pytest.MonkeyPatch, also: str
) -> None:
    # No list of files that are not in the index would name it.
    (place / ".git/info/exclude").write_text("file3\n")
    settle()
    before = tree_of(place, state).id
    edit(place / "part/file3", "two")
    real = listing.seen

    def late(*args: Any) -> listing.Seen:
        for pattern in ("index-*", also):
            for path in state.glob(f"trees/*/{pattern}"):
                path.unlink()
        return real(*args)

    monkeypatch.setattr(listing, "seen", late)
    found = tree_of(place, state).id

    assert found == tree_of(place, state.with_name("fresh")).id != before


@pytest.mark.scenario("inputs: Looks at the same time agree")
def test_a_look_that_was_killed_spoils_nothing(place: Path, state: Path) -> None:
    settle()
    chance = random.Random(6)
    for round_ in range(12):
        edit(place / "part/file3", f"{round_:05}")
        child = os.fork()
        if child == 0:
            tree_of(place, state)
            os._exit(0)
        # Anywhere in the look, which says nothing about where it is.
        time.sleep(chance.uniform(0, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

        fresh = tree_of(place, state.with_name(f"fresh{round_}")).id
        assert tree_of(place, state).id == fresh


@pytest.mark.scenario("inputs: What is remembered is private")
def test_what_is_remembered_is_private(place: Path, state: Path) -> None:
    os.umask(0o000)
    try:
        settle()
        tree_of(place, state)
    finally:
        os.umask(0o022)

    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in state.rglob("*")}
    assert len(list(state.glob("trees/*/index-*"))) == 1
    assert not [path for path, mode in modes.items() if mode & 0o077 and not path.is_symlink()]


@pytest.mark.scenario("inputs: A project of long ago is forgotten")
def test_a_project_of_long_ago_is_forgotten(place: Path, state: Path, tmp_path: Path) -> None:
    tree_of(place, state)
    (old,) = state.glob("trees/*")
    for day in (29, 31):
        then = time.time() - day * 24 * 3600
        os.utime(old / "memory", (then, then))
        (tmp_path / f"other{day}").mkdir()
        tree_of(tmp_path / f"other{day}", state)
        assert old.exists() == (day == 29)


def test_a_file_that_is_tracked_no_more_may_be_ignored(place: Path, state: Path) -> None:
    settle()
    words = [tree_of(place, state).id]

    git(place, "rm", "-r", "--quiet", "--cached", "part")
    words.append(tree_of(place, state).id)
    (place / ".git/info/exclude").write_text("part\n")
    words.append(tree_of(place, state).id)
    edit(place / "part/file3", "two")
    words.append(tree_of(place, state).id)
    git(place, "add", "--force", "part/file3")
    words.append(tree_of(place, state).id)

    assert words[0] == words[1] != words[2] == words[3] != words[4]
    assert words[4] == tree_of(place, state.with_name("fresh")).id


def test_what_was_replaced_is_removed_some_time_after(place: Path, state: Path) -> None:
    for _ in range(3):
        settle()
        tree_of(place, state)
        for index_file in state.glob("trees/*/index-*"):
            then = time.time() - 3600
            os.utime(index_file, (then, then))
        for number in range(5):
            (place / f"part/file{number}").touch()
    (place_of,) = state.glob("trees/*")
    (place_of / "memory.0123").touch()
    os.utime(place_of / "memory.0123", (0, 0))
    settle()
    tree_of(place, state)

    assert len(list(place_of.glob("index-*"))) == 2
    assert not (place_of / "memory.0123").exists()


def test_what_is_remembered_is_no_content(place: Path, tmp_path: Path) -> None:
    for where in (place, tmp_path / "bare"):
        where.mkdir(exist_ok=True)
        (where / "file").touch()
        first = tree_of(where, where / "state").id

        assert tree_of(where, where / "state").id == first
        (where / "stated").touch()
        assert tree_of(where, where / "state").id != first


MUTATIONS: dict[str, Callable[[Path, random.Random], None]] = {}


def mutation(change: Callable[[Path, random.Random], None]) -> None:
    MUTATIONS[change.__name__] = change


def some_file(place: Path, chance: random.Random) -> Path | None:
    files = [
        path
        for path in place.rglob("*")
        if ".git" not in path.relative_to(place).parts and not path.is_dir()
    ]
    return chance.choice(sorted(files)) if files else None


@mutation
def create(place: Path, chance: random.Random) -> None:
    path = place / chance.choice(["", "part", "new/deep"]) / f"n{chance.randrange(6)}"
    path = path.with_suffix(chance.choice(["", ".ignored", ".txt"]))
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(chance.randrange(3)))


@mutation
def edit_in_place(place: Path, chance: random.Random) -> None:
    path = some_file(place, chance)
    if path is not None and path.is_file():
        data = path.read_bytes() or b"x"
        before = path.stat()
        path.write_bytes(bytes([chance.choice(b"abc")]) + data[1:])
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@mutation
def chmod(place: Path, chance: random.Random) -> None:
    path = some_file(place, chance)
    if path is not None and path.is_file():
        path.chmod(path.stat().st_mode ^ 0o100)


@mutation
def delete(place: Path, chance: random.Random) -> None:
    path = some_file(place, chance)
    if path is not None:
        path.unlink()


@mutation
def rename(place: Path, chance: random.Random) -> None:
    path = some_file(place, chance)
    to = place / f"renamed{chance.randrange(3)}"
    if path is not None and not to.is_dir():
        path.rename(to)


@mutation
def link(place: Path, chance: random.Random) -> None:
    path = place / f"link{chance.randrange(2)}"
    path.unlink(missing_ok=True)
    path.symlink_to(chance.choice(["top", "part/file1", "nowhere", "part"]))


@mutation
def directory_for_file(place: Path, chance: random.Random) -> None:
    path = place / f"n{chance.randrange(6)}"
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("file")
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
        (path / "file").write_text("within")


@mutation
def touch(place: Path, chance: random.Random) -> None:
    path = some_file(place, chance)
    if path is not None and path.is_file():
        path.touch()


@mutation
def ignore(place: Path, chance: random.Random) -> None:
    where = place / chance.choice([".gitignore", "part/.gitignore", ".git/info/exclude"])
    where.parent.mkdir(exist_ok=True)
    where.write_text(chance.choice(["*.ignored\n", "*.txt\n", "*\n", "!n*\n", "new/\n", ""]))


@mutation
def use_git(place: Path, chance: random.Random) -> None:
    commands = [
        ["add", "--all"],
        ["add", "--all", "--force"],
        ["commit", "--quiet", "--all", "--allow-empty", "-m", "more"],
        ["stash", "--quiet"],
        ["stash", "pop", "--quiet"],
        ["checkout", "--quiet", "--force", "HEAD~1"],
        ["checkout", "--quiet", "--", "."],
        ["reset", "--quiet", "HEAD~1"],
        ["rm", "--cached", "--quiet", "-r", "part"],
        ["update-index", "--assume-unchanged", "top"],
        ["update-index", "--skip-worktree", "part/file2"],
        ["update-index", "--refresh"],
    ]
    try:
        git(place, *chance.choice(commands))
    except Exception:  # noqa: BLE001 - git may refuse; what it did so far is a change as well
        return


@mutation
def wait(place: Path, chance: random.Random) -> None:
    del place, chance
    settle()


@pytest.mark.scenario("inputs: Random changes never make a stale word")
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(
        st.lists(st.sampled_from(sorted(MUTATIONS)), min_size=1, max_size=3), max_size=8
    ),
)
def test_random_changes_never_make_a_stale_word(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: list[list[str]]
) -> None:
    base = tmp_path_factory.mktemp("random")
    place, state, chance = repository(base / "repository"), base / "state", random.Random(seed)
    settle()
    words: dict[tuple[object, ...], str] = {}
    contents: dict[str, tuple[object, ...]] = {}

    for step in [[], ["wait"], *steps]:
        for name in step:
            MUTATIONS[name](place, chance)
        word, content = tree_of(place, state).id, plain_content(place)
        fresh = tree_of(place, base / f"fresh{len(contents)}").id

        assert word == fresh
        assert words.setdefault(content, word) == word
        assert contents.setdefault(word, content) == content
    shutil.rmtree(base)
