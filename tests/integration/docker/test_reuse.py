"""Checks in containers: the files that they are given, and the image that a pass depends on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker.conftest import BUSYBOX
from tests.repositories import repository
from tests.sessions import Session

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.program import Stophooks

OURS = "stophooks-test/reuse:1"
STRANGE = ("a b.py", "new\nline.py", "-dash.py", "src/deep.py")


def project(tmp_path: Path, **command: object) -> Path:
    check = {"name": "box", "image": BUSYBOX, "network": "none", **command}
    return repository(
        tmp_path / "project",
        {"stophooks.json": json.dumps({"stop": {"commands": [check]}}), "src/x": ""},
    )


def result(stophooks: Stophooks, place: Path, **env: str) -> dict[str, object]:
    done = stophooks("run", "--format", "json", cwd=place, env=env)
    return dict(json.loads(done.stdout)["results"][0])


@pytest.mark.engine
@pytest.mark.scenario("changed-files: A container sees its files")
@pytest.mark.parametrize("user", [None, "4321:4321"])
def test_a_container_sees_its_files(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path, user: str | None
) -> None:
    del engine
    run = (
        'tr "\\0" "|" < "$STOPHOOKS_FILES"; '
        'xargs -0 ls < "$STOPHOOKS_FILES" > /dev/null || exit 3; '
        'echo x 2> /dev/null >> "$STOPHOOKS_FILES" && exit 4; exit 1'
    )
    more = {} if user is None else {"user": user}
    place = project(tmp_path, run=run, files=["**/*.py"], workdir="/workspace/src", **more)
    for name in STRANGE:
        (place / name).touch()

    found = result(stophooks, place)

    text = dict(found["stdout"])["text"]  # type: ignore[call-overload]
    assert text == "../-dash.py|../a b.py|../new\nline.py|deep.py|"
    assert found["exit_code"] == 1


@pytest.mark.engine
def test_a_program_in_a_container_gets_its_files(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    del engine
    place = project(tmp_path, command=["ls", "{files}", "/nowhere"], files=["**/*.py"])
    (place / "-dash.py").touch()

    found = result(stophooks, place)

    assert dict(found["stdout"])["text"] == "./-dash.py"  # type: ignore[call-overload]


@pytest.mark.engine
def test_a_container_that_does_not_see_the_project_has_no_files(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    del engine
    place = project(tmp_path, run="false", files=["**/*.py"], workspace="none", workdir="/")
    (place / "a.py").touch()

    found = result(stophooks, place)

    assert found["status"] == "skipped"
    assert found["reason"] == "its container sees none of the files that changed"


@pytest.mark.engine
@pytest.mark.scenario("reuse: Another image under the same name")
def test_another_image_under_the_same_name(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    place = project(tmp_path, run="true", image=OURS, skip_unchanged=True)
    statuses = []
    try:
        for label in ("1", "2"):
            made = engine.containers.create(BUSYBOX, "true")
            try:
                made.commit("stophooks-test/reuse", "1", changes=f"LABEL made={label}")
            finally:
                made.remove()
            statuses += [result(stophooks, place)["status"] for _ in range(2)]
            why = stophooks("run", "--dry-run", "--why", cwd=place).stdout
            assert "would skip  box: unchanged since" in why
    finally:
        engine.images.remove(OURS, force=True)

    assert statuses == ["passed", "skipped", "passed", "skipped"]


@pytest.mark.engine
@pytest.mark.scenario("reuse: An image that is not known")
def test_an_image_that_is_not_known(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    del engine
    place = project(tmp_path, run="true", skip_unchanged=True)
    known = [result(stophooks, place)["status"] for _ in range(2)]
    nowhere = f"unix://{tmp_path}/none.sock"

    asked = result(stophooks, place, DOCKER_HOST=nowhere)["status"]
    why = stophooks("run", "--dry-run", "--why", cwd=place, env={"DOCKER_HOST": nowhere}).stdout

    assert known == ["passed", "skipped"]
    assert asked == "unavailable"
    assert "the engine does not tell which image it has" in why


@pytest.mark.engine
def test_what_lies_outside_of_the_project_and_is_mounted_makes_it_run(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    del engine
    (tmp_path / "data").mkdir()
    mount = {"type": "bind", "source": "../data", "target": "/data", "readonly": True}
    place = project(tmp_path, run="true", skip_unchanged=True, mounts=[mount])

    statuses = [result(stophooks, place)["status"] for _ in range(2)]
    why = stophooks("run", "--dry-run", "--why", cwd=place).stdout

    assert statuses == ["passed", "passed"]
    assert "what it sees at /data lies outside of the project" in why


@pytest.mark.engine
@pytest.mark.scenario("budget: Another image of a section that passed")
def test_a_stop_is_checked_in_another_image_of_the_same_name(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    place = project(tmp_path, run="test ! -e /bad", image=OURS)
    told = []
    try:
        for name in ("/good", "/bad"):
            made = engine.containers.create(BUSYBOX, f"touch {name}", network_mode="none")
            try:
                made.start()
                made.wait()
                made.commit("stophooks-test/reuse", "1")
            finally:
                made.remove()
            session = Session(stophooks=stophooks, place=place)
            told += [session.stop() for _ in range(2)]
            session = Session(stophooks=stophooks, place=place, name="next")
            session.start()
        told.append(session.stop())
    finally:
        engine.images.remove(OURS, force=True)

    assert [answer.returncode for answer in told] == [0, 0, 2, 2, 2]
    assert told[0].stdout == ""
    assert "nothing changed since everything passed" in told[1].stdout


@pytest.mark.engine
@pytest.mark.scenario("budget: What runs every time is checked every time")
@pytest.mark.parametrize("kind", ["mount", "pull"])
def test_what_a_container_sees_every_time_anew_is_checked(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path, kind: str
) -> None:
    del engine
    (tmp_path / "data").mkdir()
    mount = {"type": "bind", "source": "../data", "target": "/data", "readonly": True}
    more = {"mounts": [mount]} if kind == "mount" else {"pull": "always"}
    place = project(tmp_path, run="test ! -e /data/bad", **more)
    session = Session(stophooks=stophooks, place=place)
    first = session.stop()
    (tmp_path / "data/bad").touch()

    second = session.stop()

    if kind == "mount":
        assert (first.returncode, second.returncode) == (0, 2)
    else:
        # No registry has it: that it was asked for again is what counts.
        assert "nothing was checked" not in second.stdout
