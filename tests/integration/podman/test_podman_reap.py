"""What killed runs leave in Podman; alone with this engine, so that everything may go."""

from __future__ import annotations

import re
import signal
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from stophooks.executors.docker import owner
from stophooks.values import replace
from tests.integration.podman.conftest import address
from tests.leavings import CONFIG, HOUR_S, IMAGE, Scene, kill, owner_of
from tests.running import paced, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from stophooks.executors.docker.owner import Owner
    from tests.program import Stophooks


@pytest.fixture
def scene(podman: docker.DockerClient, stophooks: Stophooks, tmp_path: Path) -> Iterator[Scene]:
    project = tmp_path / "project"
    project.mkdir()
    one = Scene(
        client=podman,
        stophooks=stophooks,
        project=project,
        run_id=uuid.uuid4().hex,
        environ={"DOCKER_HOST": address(podman)},
    )
    yield one
    one.clear()
    assert podman.api.containers(all=True) == []


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


@pytest.mark.scenario("reap: Reap tells what it removes and keeps")
def test_reap_tells_what_it_removes_and_keeps(
    scene: Scene, dead: Owner, other: subprocess.Popen[bytes]
) -> None:
    gone, living = scene.left_by(dead), scene.left_by(owner_of(other))

    done = scene.reap()

    lines = {line.split(" ")[1]: line for line in done.stdout.splitlines()[:-1]}
    about = rf"\(localhost/{IMAGE}, [0-9.]+ s old, run {scene.run_id}, pid"
    assert done.returncode == 0
    assert done.stderr == ""
    assert re.fullmatch(
        rf"removed: {gone} {about} {dead.pid} on {dead.host}\): its run was killed", lines[gone]
    )
    assert re.fullmatch(
        rf"kept: {living} {about} {other.pid} on {dead.host}\): its run is alive", lines[living]
    )
    assert scene.names() == {living}


@pytest.mark.scenario("reap: A dry run removes nothing")
def test_a_dry_run_removes_nothing(scene: Scene, dead: Owner) -> None:
    name = scene.left_by(dead)

    done = scene.reap("--dry-run")

    assert done.returncode == 0
    assert f"would be removed: {name} (" in done.stdout
    assert scene.names() == {name}


@pytest.mark.scenario("reap: Reap for a program")
def test_reap_for_a_program_says_everything(scene: Scene, dead: Owner) -> None:
    name = scene.left_by(dead)

    row = scene.rows()[name]

    assert row["action"] == "removed"
    assert (row["verdict"], row["why"]) == ("dead", "its run was killed")
    assert row["problem"] is None
    assert row["owner"]["pid"] == dead.pid
    assert row["image"] == f"localhost/{IMAGE}"


@pytest.mark.scenario("reap: All spares the living")
def test_all_spares_the_living_and_nobody_else(scene: Scene) -> None:
    with subprocess.Popen(["sleep", "300"]) as other:
        living = owner_of(other)
        alive = scene.left_by(living)
        foreign = scene.left_by(replace(living, boot_id="another"), until=time.time() + HOUR_S)
        nonsense = scene.leave({owner.OWNER_LABEL: "{}"})

        plain = scene.reap()
        after_plain = scene.names()
        every = scene.reap("--all")
        other.kill()

    assert after_plain == {alive, foreign, nonsense}
    assert "`stophooks reap --all` removes also what no owner can be seen for" in plain.stdout
    assert (plain.returncode, every.returncode) == (0, 0)
    assert scene.names() == {alive}


@pytest.mark.scenario("podman: A killed run on Podman leaves nothing")
def test_the_next_run_removes_what_a_killed_run_left(scene: Scene) -> None:
    kill(scene.runner())
    assert len(scene.names()) == 1

    scene.next_run()

    assert scene.names() == set()


@pytest.mark.scenario("podman: A killed run on Podman leaves nothing")
def test_a_killed_run_is_cleaned_up_after_at_once(scene: Scene) -> None:
    (scene.project / "stophooks.yaml").write_text(CONFIG + "sleep 300")
    process = scene.stophooks.start("run", cwd=scene.project, env=scene.environ)
    api = scene.client.api
    wait_until(lambda: any(one["State"] == "running" for one in api.containers()))
    began = time.monotonic()

    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not api.containers(all=True))

    assert time.monotonic() - began < paced(5)
