"""Who a container belongs to: written, read back, and judged dead only with proof."""

from __future__ import annotations

import fcntl
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from stophooks.executors.docker import clock, owner
from stophooks.executors.docker.lock import Lock, clear_locks, is_locked
from stophooks.executors.docker.owner import Facts, Kind, Owner
from stophooks.process.table import Entry
from stophooks.values import replace

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
LATER = NOW + 600
LONG_AGO = NOW - 3601
OWNER = Owner(
    boot_id="b-1", pid_namespace=4026531836, pid=4711, started=1000, host="box", lock="/s/r.lock"
)
PROCESS = Entry(pid=4711, parent=1, group=4711, session=4711, started=1000, state="S")
GONE = Facts(
    boot_id="b-1",
    pid_namespace=4026531836,
    process=None,
    sees_processes=True,
    is_locked=False,
    now=NOW,
)
ELSEWHERE = (
    replace(GONE, boot_id="b-2"),
    replace(GONE, boot_id=""),
    replace(GONE, pid_namespace=1),
    replace(GONE, sees_processes=False),
)


def test_an_owner_that_is_gone_and_holds_no_lock_is_dead() -> None:
    assert owner.verdict(OWNER, LATER, GONE).kind is Kind.DEAD


@pytest.mark.parametrize("state", ["R", "S", "D", "T", "t"])
def test_an_owner_that_is_there_is_alive_even_without_its_lock(state: str) -> None:
    facts = replace(GONE, process=replace(PROCESS, state=state))

    assert owner.verdict(OWNER, LONG_AGO, facts).kind is Kind.ALIVE


@pytest.mark.parametrize("state", ["Z", "X"])
def test_a_zombie_is_dead(state: str) -> None:
    facts = replace(GONE, process=replace(PROCESS, state=state))

    assert owner.verdict(OWNER, LATER, facts).kind is Kind.DEAD


def test_another_process_with_the_same_pid_is_not_the_owner() -> None:
    facts = replace(GONE, process=replace(PROCESS, started=1001))

    assert owner.verdict(OWNER, LATER, facts).kind is Kind.DEAD


@pytest.mark.parametrize("process", [None, replace(PROCESS, started=1001)])
def test_a_lock_that_is_held_keeps_the_owner_alive(process: Entry | None) -> None:
    facts = replace(GONE, process=process, is_locked=True)

    assert owner.verdict(OWNER, LONG_AGO, facts).kind is Kind.ALIVE


def test_a_lock_that_cannot_be_looked_at_proves_nothing() -> None:
    facts = replace(GONE, is_locked=None)

    assert owner.verdict(OWNER, LATER, facts).kind is Kind.FOREIGN


@pytest.mark.parametrize("facts", ELSEWHERE)
def test_an_owner_elsewhere_is_foreign_until_an_hour_after_it_expires(facts: Facts) -> None:
    just_before = owner.verdict(OWNER, NOW - 3600, facts)
    just_after = owner.verdict(OWNER, NOW - 3601, facts)

    assert (just_before.kind, just_after.kind) == (Kind.FOREIGN, Kind.EXPIRED)
    assert (just_before.is_over, just_after.is_over) == (False, True)


def test_without_an_owner_or_an_end_nothing_is_over() -> None:
    assert owner.verdict(None, LONG_AGO, GONE).kind is Kind.UNKNOWN
    assert owner.verdict(OWNER, None, GONE).kind is Kind.UNKNOWN
    assert not owner.verdict(OWNER, None, GONE).is_over


def test_labels_come_back_as_they_were() -> None:
    labels = owner.labels("run-1", OWNER, LATER)

    assert labels["stophooks.run"] == "run-1"
    assert owner.parse_owner(labels) == OWNER
    assert owner.parse_expires(labels) == LATER


GOOD = owner.labels("run-1", OWNER, LATER)["stophooks.owner"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "null",
        "[]",
        "{}",
        "[" * 5000,
        GOOD.replace("4711", '"4711"'),
        GOOD.replace("4711", "true"),
        GOOD.replace("4711", "-1"),
        GOOD.replace("4711", "0"),
        GOOD.replace("4711", "9" * 20),
        GOOD.replace("4711", "1e3"),
        GOOD.replace("1000", "null"),
        GOOD.replace('"box"', "7"),
        GOOD.replace('"/s/r.lock"', '"r.lock"'),
        GOOD.replace('"/s/r.lock"', "3"),
        GOOD.replace('"/s/r.lock"', '"/s/\\u0000"'),
        GOOD.replace('"host"', '"hosts"'),
        " " * 9000 + GOOD,
    ],
)
def test_an_owner_that_makes_no_sense_is_none(text: str) -> None:
    assert owner.parse_owner({"stophooks.owner": text}) is None


@pytest.mark.parametrize("text", ["", "soon", "-1", "1e9", "1 ", "9" * 13, "\u0661"])
def test_an_end_that_makes_no_sense_is_none(text: str) -> None:
    assert owner.parse_expires({"stophooks.expires": text}) is None


def test_a_run_expires_an_hour_after_its_deadline_or_after_a_day() -> None:
    assert owner.expires(NOW, 540) == NOW + 540 + 3600
    assert owner.expires(NOW, None) == NOW + 24 * 3600


def test_this_very_process_is_alive() -> None:
    me = owner.myself(None)

    found = owner.verdict(me, LATER, owner.look(me, NOW))

    assert found.kind is Kind.ALIVE
    assert me.pid == os.getpid()


def test_a_lock_is_held_until_it_is_closed(tmp_path: Path) -> None:
    lock = Lock(str(tmp_path / "locks"), "../run 1")
    path = lock.path

    held = is_locked(path)
    lock.close()

    assert path == str(tmp_path / "locks/run-1.lock")
    assert held
    assert not os.path.lexists(path)
    assert is_locked(path) is False


def test_looking_at_a_lock_does_not_disturb_another_who_looks(tmp_path: Path) -> None:
    path = tmp_path / "r.lock"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)

    found = is_locked(str(path))
    os.close(descriptor)

    assert found is False


@pytest.mark.parametrize("name", ["r.lock/below", "link"])
def test_a_lock_that_is_no_plain_file_cannot_be_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "r.lock").touch()
    (tmp_path / "link").symlink_to("r.lock")

    assert is_locked(str(tmp_path / name)) is None


def test_no_lock_at_all_is_free() -> None:
    assert is_locked(None) is False


def test_a_directory_that_cannot_be_made_means_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    lock = Lock(str(tmp_path / "file/locks"), "run-1")
    lock.close()

    assert lock.path is None


def test_clearing_spares_locks_that_are_held(tmp_path: Path) -> None:
    held = Lock(str(tmp_path), "alive")
    (tmp_path / "dead.lock").touch()
    (tmp_path / "other.txt").touch()

    cleared = clear_locks(str(tmp_path))
    left = sorted(os.listdir(tmp_path))
    held.close()

    assert (cleared, left) == (1, ["alive.lock", "other.txt"])


def test_clearing_where_there_is_nothing_is_quiet(tmp_path: Path) -> None:
    assert clear_locks(str(tmp_path / "locks")) == 0


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S.123456789Z", "%Y-%m-%dT%H:%M:%S+00:00"])
def test_the_engines_clock_is_compared_with_ours(form: str) -> None:
    told = datetime.fromtimestamp(time.time() + 7200, UTC).strftime(form)

    assert abs(clock.ahead_s(told) - 7200) < 5


@pytest.mark.parametrize("told", [None, "", "yesterday", 5])
def test_an_engine_that_does_not_tell_its_time_has_ours(told: object) -> None:
    assert clock.ahead_s(told) == 0.0
