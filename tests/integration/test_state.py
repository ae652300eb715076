"""A store, a disk and a home in every bad condition; checks that fail and checks that pass."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.errors import StoreError
from stophooks.store import database, open_store
from stophooks.store.tables import VERSION
from tests.integration.test_hook_answers import (
    PASSES,
    message,
    payload,
    project,
    reason,
    silent,
    stop,
)
from tests.program import Finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.program import Stophooks

# It fails until there is a file `mended`.
FAILS = PASSES.replace('"true"', "echo broken; test -e mended || exit 3").replace(
    "- run", "- name: tests\n      run"
)
ONCE = FAILS.replace("stop:\n", "stop:\n  max_blocks: 1\n")
TWICE = FAILS.replace("stop:\n", "stop:\n  max_blocks: 2\n")
UNCHANGED = "stophooks: nothing was checked: nothing changed since everything passed at "
FULL = "mount -t tmpfs -o size=64k none {state} && (head -c 1M /dev/zero > {state}/fill || true)"
FULL_WITH_STORE = (
    "mount -t tmpfs -o size=64k none {state} && mkdir {state}/stophooks "
    "&& : > {state}/stophooks/state.db && (head -c 1M /dev/zero > {state}/fill || true)"
)
READ_ONLY = (
    "for it in {home} {state}; do mount --bind $it $it && mount -o remount,bind,ro $it; done"
)
NOTHING = (
    READ_ONLY.replace("{home}", "/tmp /var/tmp {tmp} {home}") + " && mount -o remount,bind,ro /"
)


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    """A directory for temporary files of the program's own."""
    made = tmp_path / "tmp"
    made.mkdir()
    return made


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return project(tmp_path / "project", FAILS)


def mend(place: Path) -> None:
    (place / "mended").touch()


def inside(stophooks: Stophooks, place: Path, tmp: Path, mounts: str) -> Finished:
    """A stop in a mount namespace of its own, where these mounts were made before."""
    places = {"home": stophooks.home, "state": stophooks.state, "tmp": tmp}
    script = (
        mounts.format(**{name: shlex.quote(str(path)) for name, path in places.items()})
        + " 2>/dev/null && exec "
        + shlex.join([stophooks.python, "-m", "stophooks", "hook", "--agent", "claude"])
    )
    root = [] if os.getuid() == 0 else ["--map-root-user"]
    done = subprocess.run(
        ["unshare", "--mount", *root, "sh", "-c", script],
        cwd=place,
        env=stophooks.environment({"TMPDIR": str(tmp)}),
        input=payload(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Finished(
        returncode=done.returncode, stdout=done.stdout.decode(), stderr=done.stderr.decode()
    )


def state_file(stophooks: Stophooks) -> Path:
    (stophooks.state / "stophooks").mkdir(exist_ok=True)
    return stophooks.state / "stophooks/state.db"


def aside(stophooks: Stophooks) -> list[Path]:
    found = state_file(stophooks).parent.glob("state.db.corrupt-*")
    return [path for path in found if not path.name.endswith("-journal")]


def cut(path: Path) -> None:
    with open_store(str(path.parent)) as store:
        store.record_block("x")
    os.truncate(path, 4000)


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE blocks (other TEXT)")
        made.execute(f"PRAGMA user_version = {VERSION}")
    made.close()


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough" * 99)


ODD: dict[str, Callable[[Path], object]] = {
    "garbage": garbage,
    "cut": cut,
    "empty": Path.touch,
    "foreign": foreign,
    "directory": Path.mkdir,
    "FIFO": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/full"),
    "loop": lambda path: path.symlink_to(path.name),
}


@pytest.mark.scenario("state: A full disk does not change the answer")
@pytest.mark.parametrize("mounts", [FULL, FULL_WITH_STORE], ids=["new", "with a store"])
def test_a_full_disk_does_not_change_the_answer(
    stophooks: Stophooks, place: Path, tmp: Path, mounts: str
) -> None:
    blocked = inside(stophooks, place, tmp, mounts)
    mend(place)
    passed = inside(stophooks, place, tmp, mounts)

    assert "tests: exit code 3" in reason(blocked)
    assert passed.returncode == 0


@pytest.mark.scenario("state: Blocks end on a full disk too")
def test_blocks_end_on_a_full_disk_too(stophooks: Stophooks, place: Path, tmp: Path) -> None:
    project(place, TWICE)

    answers = [inside(stophooks, place, tmp, FULL_WITH_STORE) for _ in range(3)]

    assert [answer.returncode for answer in answers] == [2, 2, 0]
    assert "did NOT pass" in message(answers[2])


@pytest.mark.scenario("state: A read-only home does not change the answer")
def test_a_read_only_home_does_not_change_the_answer(
    stophooks: Stophooks, place: Path, tmp: Path
) -> None:
    blocked = inside(stophooks, place, tmp, READ_ONLY)
    mend(place)
    passed = inside(stophooks, place, tmp, READ_ONLY)

    assert "tests: exit code 3" in reason(blocked)
    assert silent(passed)


@pytest.mark.scenario("state: Where no lock can be made runs go on")
def test_nothing_that_can_be_written_does_not_change_the_answer(
    stophooks: Stophooks, place: Path, tmp: Path
) -> None:
    blocked = inside(stophooks, place, tmp, NOTHING)
    mend(place)
    passed = inside(stophooks, place, tmp, NOTHING)

    text = reason(blocked)
    assert "tests: exit code 3" in text
    assert "Blocks cannot be counted: " in text
    assert passed.returncode == 0


@pytest.mark.scenario("state: A pass forgets counts in both places")
def test_a_pass_forgets_counts_in_both_places(stophooks: Stophooks, place: Path, tmp: Path) -> None:
    project(place, ONCE)
    spent = [inside(stophooks, place, tmp, READ_ONLY).returncode for _ in range(2)]

    mend(place)
    passed = stop(stophooks, place, TMPDIR=str(tmp))

    (place / "mended").unlink()
    again = [inside(stophooks, place, tmp, READ_ONLY).returncode for _ in range(2)]
    assert (spent, again) == ([2, 0], [2, 0])
    assert silent(passed)


@pytest.mark.scenario("state: Anything in place of the file does not change the answer")
@pytest.mark.parametrize("kind", ODD)
def test_anything_in_place_of_the_file_does_not_change_the_answer(
    stophooks: Stophooks, place: Path, kind: str
) -> None:
    ODD[kind](state_file(stophooks))
    project(place, ONCE)

    codes = [stop(stophooks, place).returncode for _ in range(2)]

    assert codes == [2, 0]
    assert len(aside(stophooks)) == (kind != "empty")


@pytest.mark.parametrize("kind", ["foreign", "directory", "device"])
def test_anything_in_place_of_the_file_does_not_fail_a_pass(
    stophooks: Stophooks, place: Path, kind: str
) -> None:
    ODD[kind](state_file(stophooks))
    project(place, PASSES)

    answers = [stop(stophooks, place) for _ in range(2)]

    assert [answer.returncode for answer in answers] == [0, 0]
    assert message(answers[1]).startswith(UNCHANGED)


@pytest.mark.scenario("state: A damaged file is set aside")
def test_a_damaged_file_is_set_aside_and_told_once(stophooks: Stophooks, place: Path) -> None:
    path = state_file(stophooks)
    garbage(path)
    before = path.read_bytes()

    texts = [reason(stop(stophooks, place)) for _ in range(2)]

    (found,) = aside(stophooks)
    assert found.read_bytes() == before
    assert f"the counts of blocks in {path} were damaged (file is not a database)" in texts[0]
    assert f"the file is now {found}, and a new one was begun." in texts[0]
    assert "were damaged" not in texts[1]


@pytest.mark.scenario("state: A damaged file is reported at a pass")
def test_a_damaged_file_is_reported_at_a_pass(stophooks: Stophooks, place: Path) -> None:
    garbage(state_file(stophooks))
    project(place, PASSES)

    text = message(stop(stophooks, place))

    (found,) = aside(stophooks)
    assert f"the file is now {found}, and a new one was begun." in text
    assert message(stop(stophooks, place)).startswith(UNCHANGED)


@pytest.mark.scenario("state: Damage is set aside once")
def test_damage_is_set_aside_once(tmp_path: Path) -> None:
    garbage(tmp_path / "state.db")
    count = (
        "import json, sys\nfrom stophooks.store import open_store\n"
        "with open_store(sys.argv[1]) as store:\n"
        "    print(json.dumps([store.record_block('s'), len(store.notes)]))\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", count, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(8)
    ]

    answers = [json.loads(process.communicate()[0]) for process in started]

    assert sorted(number for number, _ in answers) == list(range(1, 9))
    assert sum(notes for _, notes in answers) == 1
    assert len(list(tmp_path.glob("state.db.corrupt-*"))) == 1


def test_a_journal_goes_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for text in ("first", "second"):
        path.write_text(text)
        (tmp_path / "state.db-journal").write_text(f"{text} journal")

        moved = Path(database._set_aside(str(path)))  # noqa: SLF001 -- not to be provoked from outside

        assert moved.read_text() == text
        assert Path(f"{moved}-journal").read_text() == f"{text} journal"

    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.scenario("state: A changed byte is never a larger count")
def test_a_changed_byte_is_never_a_larger_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(tmp_path / "state"))
    state = tmp_path / "state"
    path = state / "state.db"
    with open_store(str(state)) as store:
        # SQLite has no byte for a 1.
        assert [store.record_block("s") for _ in range(2)] == [1, 2]
    sound = path.read_bytes()
    chance = random.Random(3)
    written = [at for at, byte in enumerate(sound) if byte]
    places = [*written, *chance.sample(range(len(sound)), 40)]

    for at in places:
        shutil.rmtree(state)
        state.mkdir()
        changed = bytearray(sound)
        changed[at] = chance.choice([value for value in range(256) if value != sound[at]])
        path.write_bytes(changed)
        with open_store(str(state)) as store:
            assert store.record_block("s") in {1, 2, 3}, f"byte {at} is {changed[at]}"


@pytest.mark.scenario("state: A newer version's file is left alone")
def test_a_newer_version_s_file_is_left_alone(stophooks: Stophooks, place: Path) -> None:
    path = state_file(stophooks)
    newer(path)
    before = path.read_bytes()
    project(place, TWICE)

    codes = [stop(stophooks, place).returncode for _ in range(3)]

    assert codes == [2, 2, 0]
    assert path.read_bytes() == before
    assert (path.parent / f"state.v{VERSION}.db").exists()
    assert aside(stophooks) == []


@pytest.mark.scenario("state: Two versions count at the same time")
def test_an_update_between_two_stops_lets_nothing_pass(stophooks: Stophooks, place: Path) -> None:
    first = stop(stophooks, place)
    newer(state_file(stophooks))

    second = stop(stophooks, place)

    assert (first.returncode, second.returncode) == (2, 2)


def newer(path: Path) -> None:
    """Make of the file what a newer version might."""
    with sqlite3.connect(path) as made:
        made.execute("DROP TABLE IF EXISTS blocks")
        made.execute("CREATE TABLE blocks_2 (who TEXT)")
        made.execute(f"PRAGMA user_version = {VERSION + 1}")
    made.close()


def test_a_pass_with_a_newer_version_s_file_is_silent(stophooks: Stophooks, place: Path) -> None:
    newer(state_file(stophooks))
    project(place, PASSES)

    assert silent(stop(stophooks, place))


def test_a_store_that_can_be_kept_nowhere_is_an_error_that_names_both_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / f"stophooks-{os.getuid()}").touch()
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(tmp_path))

    with pytest.raises(StoreError, match=f"neither in {tmp_path}/file/below .* nor in {tmp_path}/"):
        open_store(str(tmp_path / "file/below"))
