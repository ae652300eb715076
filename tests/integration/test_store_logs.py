from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from stophooks.errors import StoreError
from stophooks.models import KIB
from stophooks.store.logs import (
    KEEP_RUNS,
    LONG_BYTES,
    PRUNE_S,
    SPARE_RUNS,
    RunLog,
    RunLogs,
    is_due,
    prune,
)

DAY_S = 24 * 3600


def old_run(state: Path, name: str, *, days: float, size: int = 10) -> Path:
    directory = state / "logs" / name
    directory.mkdir(parents=True)
    with (directory / "0-x.log").open("wb") as file:
        file.truncate(size)
    then = time.time() - days * DAY_S
    os.utime(directory, (then, then))
    return directory


def runs(state: Path) -> set[str]:
    return {path.name for path in (state / "logs").iterdir()}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("unit tests", "2-unit-tests.log"),
        ("../../etc/passwd", "2-etc-passwd.log"),
        ("..", "2-log.log"),
        ("ü/\0\n", "2-log.log"),
        ("x" * 500, f"2-{'x' * 60}.log"),
    ],
)
def test_a_command_s_name_makes_a_safe_file_name(tmp_path: Path, name: str, file: str) -> None:
    logs = RunLogs(str(tmp_path), "run")

    log = logs.open(2, name)

    log.close()
    logs.close()
    assert log.path == str(tmp_path / "logs/run" / file)
    assert Path(log.path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("pieces", [1, 3, 7, 1000])
@pytest.mark.parametrize("size", [65, 66, 70, 79, 80, 81, 95, 96, 97, 112, 435])
@pytest.mark.scenario("agent-claude: An overlong log keeps its beginning and its end")
def test_an_overlong_log_keeps_both_ends(tmp_path: Path, size: int, pieces: int) -> None:
    data = (bytes(range(33, 120)) * 5)[:size]
    log = RunLog(str(tmp_path / "log"), head_bytes=48, tail_bytes=16)

    for start in range(0, len(data), pieces):
        log.write(data[start : start + pieces])
    log.close()

    cut = f"\n[stophooks: {len(data) - 64} bytes left out here]\n".encode()
    assert (tmp_path / "log").read_bytes() == data[:48] + cut + data[-16:]


def test_the_end_of_an_overlong_log_of_single_bytes_takes_little_memory(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "log"), head_bytes=10, tail_bytes=256 * KIB)
    tracemalloc.start()
    try:
        for number in range(1024 * KIB):
            log.write(number.to_bytes(4, "big")[-1:])
        assert tracemalloc.get_traced_memory()[1] < 512 * KIB
    finally:
        tracemalloc.stop()
    log.close()

    assert (tmp_path / "log").read_bytes()[-256:] == bytes(range(256))


@pytest.mark.parametrize("size", [0, 47, 48, 49, 63, 64])
def test_a_log_that_fits_is_whole(tmp_path: Path, size: int) -> None:
    data = bytes(range(64))[:size]
    log = RunLog(str(tmp_path / "log"), head_bytes=48, tail_bytes=16)

    log.write(data)
    log.close()
    log.close()

    assert (tmp_path / "log").read_bytes() == data


def test_a_full_disk_does_not_end_the_command(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    log = RunLog("/dev/full")

    log.write(b"x")
    log.write(b"y")
    log.close()

    assert log.error == "No space left on device"


def test_a_log_that_cannot_be_made_is_an_error_that_names_its_directory(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    logs = RunLogs(str(tmp_path), "run")

    with pytest.raises(StoreError, match=f"cannot write a log in {tmp_path}/logs/run"):
        logs.open(0, "x")


@pytest.mark.scenario("agent-claude: Old logs are removed")
def test_old_logs_go_and_those_of_a_running_run_stay(tmp_path: Path) -> None:
    running = RunLogs(str(tmp_path), "running")
    running.open(0, "x").close()
    then = time.time() - 8 * DAY_S
    os.utime(running.directory, (then, then))
    old_run(tmp_path, "old", days=7.1)
    old_run(tmp_path, "young", days=6.9)

    prune(str(tmp_path))

    assert runs(tmp_path) == {"running", "young"}
    running.close()
    prune(str(tmp_path))
    assert runs(tmp_path) == {"young"}


def test_the_oldest_of_too_many_logs_go(tmp_path: Path) -> None:
    for index in range(KEEP_RUNS + 3):
        old_run(tmp_path, f"r{index}", days=index / 1000)

    prune(str(tmp_path))

    assert runs(tmp_path) == {f"r{index}" for index in range(KEEP_RUNS)}


def test_the_oldest_of_too_large_logs_go(tmp_path: Path) -> None:
    for index in range(4):
        old_run(tmp_path, f"r{index}", days=index, size=200 * 1024 * 1024)

    prune(str(tmp_path))

    assert runs(tmp_path) == {"r0", "r1"}


@pytest.mark.scenario("agent-claude: The logs that were just told about stay")
def test_the_run_that_was_just_told_about_stays_however_large(tmp_path: Path) -> None:
    old_run(tmp_path, "told", days=8, size=600 * 1024 * 1024)
    old_run(tmp_path, "newest", days=0.1, size=600 * 1024 * 1024)
    old_run(tmp_path, "other", days=0.2)

    prune(str(tmp_path), keep="told")

    assert runs(tmp_path) == {"newest", "told"}


def test_without_logs_there_is_nothing_to_remove(tmp_path: Path) -> None:
    prune(str(tmp_path / "none"))

    assert list(tmp_path.iterdir()) == []


def test_runs_are_looked_at_when_they_have_come_together_or_said_much_or_after_a_while(
    tmp_path: Path,
) -> None:
    first = RunLogs(str(tmp_path), "first")
    first.open(0, "x").close()
    first.close()
    assert is_due(first)
    prune(str(tmp_path))

    assert not is_due(first)
    loud = RunLogs(str(tmp_path), "loud")
    log = loud.open(0, "x")
    log.write(bytes(LONG_BYTES))
    assert is_due(loud)
    log.close()
    loud.close()
    for index in range(KEEP_RUNS + SPARE_RUNS - 2):
        old_run(tmp_path, f"r{index}", days=0)
    assert not is_due(first)
    old_run(tmp_path, "one more", days=0)
    assert is_due(first)
    prune(str(tmp_path))
    assert not is_due(first)
    then = time.time() - PRUNE_S - 1
    os.utime(tmp_path / "logs.pruned", (then, then))
    assert is_due(first)
