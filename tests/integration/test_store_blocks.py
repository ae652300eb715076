from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.errors import StoreError
from stophooks.store import open_store, state_dir

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES, TIMES = 8, 25

RECORD = f"""
import sys
from stophooks.store import open_store
with open_store(sys.argv[1]) as store:
    for _ in range({TIMES}):
        print(store.record_block("s"))
"""


@pytest.mark.scenario("agent-claude: Calls at the same time are all counted")
def test_no_block_is_lost_between_processes(tmp_path: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", RECORD, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(PROCESSES)
    ]

    counts = [int(line) for process in started for line in process.communicate()[0].split()]

    assert sorted(counts) == list(range(1, PROCESSES * TIMES + 1))


def test_a_reset_forgets_one_session_only(tmp_path: Path) -> None:
    with open_store(str(tmp_path)) as store:
        counts = [store.record_block(key) for key in ("a", "a", "b")]
        store.reset("a")

    with open_store(str(tmp_path)) as store:
        assert counts == [1, 2, 1]
        assert (store.blocks("a"), store.blocks("b"), store.blocks("c")) == (0, 1, 0)


def test_nothing_is_written_before_the_first_block(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "new")) as store:
        store.reset("a")
        assert store.blocks("a") == 0

    assert list((tmp_path / "new").iterdir()) == []


def test_the_file_and_its_directory_are_private(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "new")) as store:
        store.record_block("a")

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new/state.db").stat().st_mode & 0o777 == 0o600


def test_counts_of_long_ago_are_removed(tmp_path: Path) -> None:
    month_s = 30 * 24 * 3600
    with open_store(str(tmp_path)) as store:
        for key in ("old", "young"):
            store.record_block(key)
        with sqlite3.connect(store.path) as direct:
            for key, age in (("old", month_s + 60), ("young", month_s - 60)):
                direct.execute(
                    "UPDATE blocks SET updated = ? WHERE session = ?", (time.time() - age, key)
                )
        direct.close()

        store.record_block("new")

        assert [store.blocks(key) for key in ("old", "young", "new")] == [0, 1, 1]


def test_where_a_file_stays_locked_counting_goes_on_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stophooks.store.database.LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(tmp_path))
    state = tmp_path / "state"
    with open_store(str(state)) as store:
        store.record_block("a")
        other = sqlite3.connect(store.path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")

        with open_store(str(state)) as late:
            counts = [late.record_block("a") for _ in range(2)]
            with pytest.raises(StoreError, match="is locked"):
                late.reset("a")

        other.close()
        assert counts == [1, 2]
        assert store.record_block("a") == 2


def test_a_link_in_place_of_the_private_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"stophooks-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").touch()
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(tmp_path))

    with pytest.raises(StoreError, match="not a directory that only you can open"):
        open_store(str(tmp_path / "file/below"))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/stophooks"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/stophooks"),
        ({"HOME": "/h"}, "/h/.local/state/stophooks"),
        ({"XDG_STATE_HOME": "", "HOME": "relative"}, "/tmp/stophooks-"),
    ],
)
def test_state_belongs_below_the_home(
    environ: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: "/tmp")

    assert state_dir(environ).removesuffix(str(os.getuid())) == expected


@pytest.mark.scenario("agent-claude: A directory that somebody else made is not trusted")
def test_a_fallback_that_others_can_open_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(tmp_path))
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    (tmp_path / f"stophooks-{os.getuid()}").mkdir(mode=0o777)
    (tmp_path / f"stophooks-{os.getuid()}").chmod(0o777)

    with pytest.raises(StoreError, match="only you can open"):
        open_store(state_dir({}))
