"""The benchmark, run as a person runs it, and its parts with real programs."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import engine as client
from bench import leavings, pairs, tables, words
from bench.document import from_json
from bench.pairs import Contender
from bench.rows.door import BASH
from bench.running import BrokenError, Call, run
from bench.scratch import MARK
from bench.stand import HOOK
from stophooks import __version__ as version
from stophooks.process import table
from tests.running import wait_until

if TYPE_CHECKING:
    import docker

ROOT = Path(__file__).parents[2]
IMAGE = "stophooks-test/busybox:1"
MIB = 1024 * 1024


def bash(script: str, where: Path) -> Call:
    return Call(argv=("bash", "-c", script), cwd=str(where), env={"PATH": os.environ["PATH"]})


@pytest.mark.scenario("bench: A row is measured for real")
@pytest.mark.scenario("bench: Nothing of a benchmark stays")
def test_the_door_is_measured_and_nothing_stays(tmp_path: Path) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "door", "--json", tmp_path / "f.json"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = from_json((tmp_path / "f.json").read_text())
    ratio = found.rows[0].tables[0].figure(HOOK, f"ratio:{BASH}")
    assert ratio
    assert ratio.median > 1
    assert f"| {HOOK} ÷ {BASH} | {words.number(ratio.median, 'ratio')} |" in done.stdout
    assert found.machine.cpu in done.stdout
    assert found.machine.cores == os.cpu_count()
    assert found.machine.stophooks.startswith(version)
    assert [*scratch.iterdir()] == []
    assert not [
        pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_below(scratch, pid)
    ]


def is_below(place: Path, pid: int) -> bool:
    """Whether a process was given a home below ``place``."""
    try:
        return f"HOME={place}/".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


@pytest.mark.scenario("bench: Contenders take turns")
def test_contenders_run_in_turns(tmp_path: Path) -> None:
    contenders = [
        Contender(name=name, call=bash(f"echo {name} >> order", tmp_path)) for name in "ABC"
    ]

    turns = pairs.take(contenders, rounds=11, warm_up=1)

    order = "".join((tmp_path / "order").read_text().split())
    rounds = [order[at : at + 3] for at in range(0, len(order), 3)]
    assert [sorted(one) for one in rounds] == [["A", "B", "C"]] * 12
    assert len({*rounds}) > 3
    assert [len(runs) for runs in turns.runs.values()] == [11] * 3


@pytest.mark.scenario("bench: A program that fails has no figures")
def test_a_program_that_fails_is_out(tmp_path: Path) -> None:
    fails = Contender(name="fails", call=bash("echo so and so >&2; exit 3", tmp_path))
    works = Contender(name="works", call=bash("true", tmp_path))

    turns = pairs.take([fails, works], rounds=2)

    told = pairs.table(turns, key="k", title="T", names=["fails", "works"], references=["fails"])
    assert turns.broken
    assert len(turns.runs["works"]) == 2
    assert told.entries[0].figures == {}
    assert "ended with 3, not 0: so and so" in tables.table(told, floor_bytes=0)


@pytest.mark.scenario("bench: A program's memory is seen")
def test_a_large_program_is_seen_and_the_next_is_not_taken_for_it(tmp_path: Path) -> None:
    large = Call(
        argv=(sys.executable, "-I", "-S", "-c", f"x = b'x' * {64 * MIB}"), cwd=str(tmp_path), env={}
    )

    peaks = [run(call).peak_bytes for call in (large, bash("true", tmp_path))]

    assert peaks[0] >= 64 * MIB
    assert peaks[1] < 32 * MIB


def test_what_does_not_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(BrokenError, match="ended with -9"):
        run(bash("echo $$ > pid; exec sleep 60", tmp_path), patience_s=0.5)

    assert table.current(int((tmp_path / "pid").read_text())) is None


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenError, match="no-such-program: No such file"):
        run(Call(argv=("no-such-program",), cwd=str(tmp_path), env={}))


def test_a_run_gets_its_input_and_says_what_it_wrote_to_stderr(tmp_path: Path) -> None:
    ran = run(replace(bash("cat >&2", tmp_path), stdin=b"a payload"))

    assert ran.stderr == b"a payload"


def test_what_a_measured_program_has_left_is_ended(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    marked = subprocess.Popen(["sleep", "60"], env={MARK: mark}, start_new_session=True)
    beside = subprocess.Popen(["sleep", "60"], env={}, cwd=tmp_path, start_new_session=True)
    wait_until(lambda: len(leavings.called([marked.pid, beside.pid], "sleep", "60")) == 2)
    assert {*leavings.processes(mark, str(tmp_path))} == {marked.pid, beside.pid}

    leavings.end(mark, str(tmp_path), patience_s=0.1)

    assert [one.wait(timeout=5) for one in (marked, beside)] == [-9, -9]


@pytest.mark.engine
def test_a_container_of_a_project_is_found_and_removed(
    engine: docker.DockerClient, tmp_path: Path
) -> None:
    place = tmp_path / "project"
    place.mkdir()
    volume = {str(place): {"bind": "/workspace", "mode": "rw"}}
    container = engine.containers.create(IMAGE, ["sleep", "60"], volumes=volume, init=True)
    container.start()
    assert client.of(str(place)) == client.of(str(place), running=True) == [container.id[:12]]

    leavings.end("no mark", str(tmp_path), patience_s=0.1)

    assert client.of(str(place)) == []
