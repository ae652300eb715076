from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.models import MIB
from stophooks.store.logs import RunLog
from tests import flood
from tests.integration.test_hook_answers import payload, reason
from tests.noise import KINDS, blocks
from tests.program import Finished

if TYPE_CHECKING:
    import docker

    from tests.program import Stophooks

# More than a log holds, and not a whole number of blocks.
TOTAL_BYTES = 100_000_001


@pytest.mark.scenario("bounds: Output of any kind is taken on the host")
@pytest.mark.parametrize("kind", KINDS)
def test_the_host_s_output_is_taken_in_bounded_memory(
    stophooks: Stophooks, tmp_path: Path, kind: str
) -> None:
    place = flood.project(tmp_path / "project", kind, TOTAL_BYTES, image=None)

    done = flood.flood(stophooks, place, "run", "--format", "json")

    flood.check(done, kind, TOTAL_BYTES)


@pytest.mark.scenario("bounds: Output of any kind is taken from a container")
@pytest.mark.parametrize("kind", ["one line", "utf-8", "ansi"])
def test_a_container_s_output_is_taken_in_bounded_memory(
    stophooks: Stophooks, tmp_path: Path, kind: str, engine: docker.DockerClient
) -> None:
    del engine
    place = flood.project(tmp_path / "project", kind, TOTAL_BYTES, image=flood.IMAGE)

    done = flood.flood(stophooks, place, "run", "--format", "json")

    flood.check(done, kind, TOTAL_BYTES)


@pytest.mark.scenario("bounds: An agent's call is bounded too")
def test_an_agent_s_call_is_bounded(stophooks: Stophooks, tmp_path: Path) -> None:
    place = flood.project(tmp_path / "project", "ansi", TOTAL_BYTES, image=None)

    done = flood.flood(stophooks, place, "hook", "--agent", "claude", stdin=payload())

    answer = Finished(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)
    assert len(reason(answer).encode()) <= 8192
    assert done.peak_bytes < flood.MOST_BYTES


@pytest.mark.scenario("bounds: Many commands are bounded too")
def test_many_commands_are_bounded(stophooks: Stophooks, tmp_path: Path) -> None:
    place = flood.project(tmp_path / "project", "random", 1, image=None)
    (place / "noise").write_bytes(b"".join(blocks("random", 600_000)))
    noisy = "cat noise; cat noise >&2; echo end; exit 1"
    (place / "stophooks.json").write_text(json.dumps({"stop": {"commands": [{"run": noisy}] * 60}}))

    done = flood.flood(stophooks, place, "run", "--format", "json")

    results = json.loads(done.stdout)["results"]
    assert all(one["stdout"]["text"].endswith("end") for one in results)
    assert {one["stdout"]["total_bytes"] for one in results} == {600004}
    assert done.peak_bytes < flood.MOST_BYTES


def test_output_that_is_shown_as_it_comes_is_bounded(stophooks: Stophooks, tmp_path: Path) -> None:
    place = flood.project(tmp_path / "project", "lines", TOTAL_BYTES, image=None)

    done = flood.flood(stophooks, place, "run", "--verbose")

    assert done.returncode == 1
    assert "a line" in done.stderr
    assert done.peak_bytes < flood.MOST_BYTES


@pytest.mark.scenario("bounds: Putting a log in order needs little memory")
def test_a_log_is_put_in_order_in_little_memory(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "log"))
    piece = bytes(range(256)) * 4096
    for _ in range(71):
        log.write(piece)
    log.write(b"end")
    # In a child: this process's peak lies far behind it.
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        before = _peak(forget=True)
        log.close()
        os.write(write, json.dumps(_peak() - before).encode())
        os._exit(0)
    os.close(write)

    with open(read, "rb") as answer:
        grown = json.load(answer)

    os.waitpid(child, 0)
    assert (tmp_path / "log").read_bytes()[-4:] == b"\xffend"
    assert grown < 4 * MIB


def _peak(*, forget: bool = False) -> int:
    if forget:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    rows = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("VmHWM"))
