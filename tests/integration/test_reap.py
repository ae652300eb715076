"""What killed runs leave in an engine goes, and nothing of anybody else's ever does.

Any other run that uses the engine may remove a dead run's container first, so what has to be still
there, or to be removed by one alone, is shown in `tests/integration/podman`.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.executors.docker import owner
from stophooks.executors.docker.lock import is_locked
from stophooks.process import table
from stophooks.values import replace
from tests.leavings import CONFIG, HOUR_S, IMAGE, Scene, kill, owner_of
from tests.running import paced, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from stophooks.executors.docker.owner import Owner
    from tests.program import Stophooks


@pytest.fixture
def scene(engine: docker.DockerClient, stophooks: Stophooks, tmp_path: Path) -> Iterator[Scene]:
    project = tmp_path / "project"
    project.mkdir()
    one = Scene(client=engine, stophooks=stophooks, project=project, run_id=uuid.uuid4().hex)
    yield one
    one.clear()


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with any run."""
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process
        process.kill()


@pytest.fixture
def dead() -> Owner:
    """A process of this machine that has ended."""
    with subprocess.Popen(["sleep", "300"]) as process:
        found = owner_of(process)
        process.kill()
    return found


@pytest.mark.scenario("reap: A container names its owner")
@pytest.mark.scenario("reap: The lock goes with the run")
def test_a_container_names_its_owner_and_the_lock_goes_with_the_run(scene: Scene) -> None:
    (scene.project / "stophooks.yaml").write_text(CONFIG + "sleep 300")
    process = scene.stophooks.start("run", cwd=scene.project)
    mine: list[tuple[Owner, dict[str, str]]] = []

    def is_there() -> bool:
        every = scene.client.api.containers(filters={"label": owner.RUN_LABEL})
        found = [(owner.parse_owner(one["Labels"]), one["Labels"]) for one in every]
        mine.extend((who, labels) for who, labels in found if who and who.pid == process.pid)
        return bool(mine)

    wait_until(is_there)
    who, labels = mine[0]
    entry = table.current(process.pid)
    was_locked = is_locked(who.lock)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert entry is not None
    assert who == replace(owner_of_entry(entry), lock=who.lock)
    assert who.lock == str(scene.locks / f"{labels['stophooks.run']}.lock")
    assert was_locked
    assert float(labels["stophooks.expires"]) == pytest.approx(time.time() + 540 + HOUR_S, abs=60)
    assert os.listdir(scene.locks) == []


def owner_of_entry(entry: table.Entry) -> Owner:
    return replace(owner.myself(None), pid=entry.pid, started=entry.started)


@pytest.mark.scenario("reap: The next run removes what a killed run left")
def test_the_next_run_removes_what_a_killed_run_left(scene: Scene) -> None:
    kill(scene.runner())

    scene.next_run()

    assert scene.names() == set()
    assert os.listdir(scene.locks) == []


@pytest.mark.scenario("reap: A living run's container stays")
def test_a_living_runs_container_stays(scene: Scene) -> None:
    process = scene.runner()

    scene.next_run()
    states = scene.states()
    kill(process)

    assert states == ["running"]


@pytest.mark.scenario("reap: A stopped run's container stays")
def test_a_stopped_runs_container_stays(scene: Scene) -> None:
    process = scene.runner()
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: bool((entry := table.current(process.pid)) and entry.stopped))

    scene.next_run()
    rows = scene.rows()
    states = scene.states()
    kill(process)

    assert states == ["running"]
    assert [row["why"] for row in rows.values()] == ["its run is stopped"]


@pytest.mark.scenario("reap: A lock that a child inherited keeps the container")
def test_a_lock_that_a_forked_child_holds_keeps_the_container(scene: Scene) -> None:
    process = scene.runner(child=True)
    children = [one for one in table.scan_proc().values() if one.parent == process.pid]
    kill(process)

    scene.next_run()
    kept = scene.names()
    for one in children:
        os.kill(one.pid, signal.SIGKILL)
    wait_until(lambda: not any(is_locked(str(path)) for path in scene.locks.iterdir()))
    scene.next_run()

    assert len(children) == 1
    assert len(kept) == 1
    assert scene.names() == set()


@pytest.mark.scenario("reap: A foreign owner's container stays until it expires")
@pytest.mark.parametrize("change", [{"boot_id": "another start"}, {"pid_namespace": 1}])
def test_a_foreign_owners_container_stays_until_it_expires(
    scene: Scene, dead: Owner, change: dict[str, Any]
) -> None:
    foreign = replace(dead, host="elsewhere", **change)
    fresh = scene.left_by(foreign, until=time.time() - HOUR_S + 60)
    expired = scene.left_by(foreign, until=time.time() - HOUR_S - 60)

    scene.next_run()

    assert scene.names() == {fresh}
    assert expired != fresh


@pytest.mark.scenario("reap: A pid that is used again proves nothing")
def test_a_pid_that_is_used_again_is_judged_by_the_lock(
    scene: Scene, other: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    entry = owner_of(other)
    free, held = tmp_path / "free.lock", tmp_path / "held.lock"
    free.touch()
    before = replace(entry, started=entry.started - 1)
    scene.left_by(replace(before, lock=str(free)))
    kept = scene.left_by(replace(before, lock=str(held)))

    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        scene.next_run()
        names = scene.names()

    assert names == {kept}
    assert other.poll() is None


@pytest.mark.scenario("reap: Labels that make no sense keep the container")
def test_labels_that_make_no_sense_keep_the_container(scene: Scene, dead: Owner) -> None:
    good = owner.labels(scene.run_id, dead, time.time())
    kept = {
        scene.leave({}),
        scene.leave(good | {owner.OWNER_LABEL: "{}"}),
        scene.leave(good | {owner.EXPIRES_LABEL: "soon"}),
    }

    scene.next_run()
    rows = scene.rows()

    assert scene.names() == kept
    assert {row["verdict"] for row in rows.values()} == {"unknown"}
    assert set(rows) == kept


@pytest.mark.scenario("reap: Containers of others are never touched")
def test_containers_of_others_are_never_touched(scene: Scene, dead: Owner) -> None:
    labels = owner.labels(scene.run_id, dead, 0)
    del labels[owner.RUN_LABEL]
    theirs = scene.client.containers.create(IMAGE, labels=labels, name=f"x-{scene.run_id}")

    scene.next_run()
    rows = scene.rows()
    theirs.reload()
    theirs.remove()

    assert theirs.status == "created"
    assert rows == {}


@pytest.mark.scenario("reap: Two sweeps at once")
def test_two_sweeps_at_once_are_quiet_and_leave_nothing(scene: Scene, dead: Owner) -> None:
    for _ in range(8):
        scene.left_by(dead)

    both = [scene.stophooks.start("reap", cwd=scene.project) for _ in range(2)]
    answers = [process.communicate(timeout=30) for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert [err for _, err in answers] == [b"", b""]
    assert scene.names() == set()


@pytest.mark.scenario("reap: Reap clears many leftovers")
def test_reap_clears_fifty_leftovers(scene: Scene, dead: Owner) -> None:
    for _ in range(50):
        scene.left_by(dead)
    began = time.monotonic()

    done = scene.reap()

    assert done.returncode == 0
    assert scene.names() == set()
    assert time.monotonic() - began < paced(30)


@pytest.mark.scenario("reap: Reap without an engine")
def test_reap_without_an_engine_says_so(scene: Scene, tmp_path: Path) -> None:
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}

    done = scene.stophooks("reap", cwd=scene.project, env=nowhere)

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith(f"stophooks: No engine answers at unix://{tmp_path}/no.sock")


@pytest.mark.scenario("reap: Old locks are cleared")
def test_old_locks_are_cleared_and_living_ones_are_not(scene: Scene) -> None:
    scene.locks.mkdir(parents=True)
    (scene.locks / "dead.lock").touch()

    with (scene.locks / "alive.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = scene.reap()

    assert done.returncode == 0
    assert os.listdir(scene.locks) == ["alive.lock"]
