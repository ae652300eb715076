from __future__ import annotations

import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import stophooks
from stophooks.store import open_store, tables
from stophooks.store.facts import Facts

# As version 1 of the tables was.
FIRST = (
    "CREATE TABLE blocks (session TEXT PRIMARY KEY, count INTEGER NOT NULL, "
    "updated REAL NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID"
)


@pytest.fixture(autouse=True)
def _no_other_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()


def first_version(path: Path) -> None:
    """Make a file of version 1 in which session ``s`` was blocked twice."""
    with open_store(str(path.parent)) as store:
        store.record_block("s")
        store.record_block("s")
    with sqlite3.connect(path) as made:
        rows = made.execute("SELECT * FROM blocks").fetchall()
        for name in tables.TABLES:
            made.execute(f"DROP TABLE {name}")
        made.execute(FIRST)
        made.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?)", rows)
        made.execute("PRAGMA user_version = 1")
    made.close()


@pytest.mark.scenario("state: An older version's counts are taken over")
def test_an_older_version_s_counts_are_taken_over(tmp_path: Path) -> None:
    first_version(tmp_path / "state.db")

    with open_store(str(tmp_path)) as store, Facts(str(tmp_path)) as facts:
        facts.put("pass", "p", {"tree": "t"})

        assert store.blocks("s") == 2
        assert store.record_block("s") == 3
        assert facts.get("pass", "p") == {"tree": "t"}
        assert (store.notes, facts.notes) == ([], [])
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["state.db"]


@pytest.mark.scenario("state: A newer version's file is left alone")
def test_the_version_before_leaves_a_file_of_this_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(str(tmp_path)) as store:
        store.record_block("s")
    before = (tmp_path / "state.db").read_bytes()
    monkeypatch.setattr(tables, "VERSION", 1)
    monkeypatch.setattr(tables, "TABLES", {"blocks": tables.TABLES["blocks"]})

    with open_store(str(tmp_path)) as older:
        counts = [older.record_block("s") for _ in range(2)]

    assert counts == [1, 2]
    assert (tmp_path / "state.db").read_bytes() == before
    assert (tmp_path / "state.v1.db").exists()


def test_a_fact_is_known_until_it_is_forgotten(tmp_path: Path) -> None:
    with Facts(str(tmp_path)) as facts:
        before = facts.get("pass", "p")
        facts.put("pass", "p", [1])
        facts.put("pass", "q", [2])
        facts.put("pass", "p", [3])
        facts.forget("pass", "q")

        found = [facts.get("pass", key) for key in ("p", "q")]

    assert before is None
    assert found == [[3], None]


def test_a_fact_is_not_known_when_the_file_is_not_there(tmp_path: Path) -> None:
    with Facts(str(tmp_path)) as facts:
        assert facts.get("pass", "p") is None
        facts.forget("pass", "p")

    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


@pytest.mark.scenario("state: A fact that was changed is not known")
def test_a_fact_that_was_changed_is_not_known(tmp_path: Path) -> None:
    with Facts(str(tmp_path)) as facts:
        facts.put("pass", "p", {"tree": "t"})
    with sqlite3.connect(tmp_path / "state.db") as direct:
        direct.execute("UPDATE facts SET value = ?", ('{"tree": "u"}',))
    direct.close()

    with Facts(str(tmp_path)) as facts:
        assert facts.get("pass", "p") is None
        assert "were damaged" in facts.notes[0]


def test_a_file_without_a_table_is_set_aside(tmp_path: Path) -> None:
    with Facts(str(tmp_path)) as facts:
        facts.put("pass", "p", 1)
    with sqlite3.connect(tmp_path / "state.db") as direct:
        direct.execute("DROP TABLE facts")
    direct.close()

    with Facts(str(tmp_path)) as facts:
        facts.put("pass", "p", 2)

        assert facts.get("pass", "p") == 2
    assert len(list(tmp_path.glob("state.db.corrupt-*"))) == 1


def test_facts_of_long_ago_are_removed(tmp_path: Path) -> None:
    with Facts(str(tmp_path)) as facts:
        facts.put("pass", "old", 1)
        with sqlite3.connect(tmp_path / "state.db") as direct:
            direct.execute("UPDATE facts SET at = at - ?", (30 * 24 * 3600 + 60,))
        direct.close()

        facts.put("pass", "new", 2)

        assert [facts.get("pass", key) for key in ("old", "new")] == [None, 2]


def test_sqlite_is_whole_without_functools_and_leaves_that_whole() -> None:
    code = """
import sys
import zlib
from stophooks.store import database

assert "functools" not in sys.modules, "started with it"
sqlite = database.sqlite()
assert "functools" not in sys.modules
import functools
assert functools.partial and functools.lru_cache(3)(len)("ab") == 2
connection = sqlite.connect(":memory:", cached_statements=5)
connection.execute("CREATE TABLE t (n)")
for number in range(20):
    connection.execute(f"INSERT INTO t VALUES ({number})")
    connection.execute("INSERT INTO t VALUES (?)", (number,))
print(connection.execute("SELECT count(*), sum(n) FROM t").fetchone())
import sqlite3
assert database.sqlite() is sys.modules["_sqlite3"]
print(sqlite3.connect(":memory:").execute("SELECT 1").fetchone())
"""
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path.append({str(Path(stophooks.__file__).parents[1])!r})\n{code}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("(40, 380)\n(1,)\n", "")


def test_what_an_earlier_version_has_checked_otherwise_is_known_still(tmp_path: Path) -> None:
    with Facts(str(tmp_path)) as facts:
        facts.put("state", "k", {"a": 1})
    text, summed = '{"a": 1}', zlib.crc32(b'state\0k\0{"a": 1}')
    with sqlite3.connect(tmp_path / "state.db") as made:
        assert made.execute("SELECT value FROM facts").fetchall() == [(text,)]
        made.execute("UPDATE facts SET sum = ?", (summed,))
    made.close()

    with Facts(str(tmp_path)) as facts:
        assert facts.get("state", "k") == {"a": 1}
        assert facts.notes == []
