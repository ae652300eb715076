"""A Compose file is brought down where it was started, and nowhere else; with the real Compose."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.values import dataclass
from tests.cleanups import Scene, lives, path_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import docker

    from tests.program import Finished, Stophooks

IMAGE = "stophooks-test/busybox:1"
NAMES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
PROJECT, DIRECTORY = "com.docker.compose.project", "com.docker.compose.project.working_dir"
SERVICE = f"""\
  %s:
    image: {IMAGE}
    command: sleep 300
    stop_grace_period: 0s
    network_mode: none
    volumes: [data:/data]
"""
VOLUMES = "volumes: {data: {}}\n"
# What stands in for a Compose: it writes down how it was called.
FAKE = '#!/bin/sh\n[ "$1" = version ] && exit 0\necho "$@" >> "$RECORD"\n'


def services(*names: str) -> str:
    return 'version: "3"\nservices:\n' + "".join(SERVICE % name for name in names) + VOLUMES


@dataclass(kw_only=True)
class Stacks(Scene):
    """A project with a Compose file, and what runs of it."""

    client: docker.DockerClient

    def up(self, *names: str, at: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Start services as a person does, in the directory."""
        (self.project / NAMES[0]).write_text(services(*names or ("web",)))
        self.compose("up", "-d", at=at, env=env)
        assert self.containers()

    def compose(
        self, *args: str, at: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        place = at or self.project
        subprocess.run(
            ["docker-compose", *args],
            cwd=place,
            env=self.stophooks.environment({"PWD": str(place), **(env or {})}),
            check=True,
            capture_output=True,
            timeout=120,
        )

    def containers(self, project: Path | None = None) -> list[str]:
        """The names of the containers that were started in a directory."""
        real = (project or self.project).resolve()
        rows = self.client.api.containers(all=True, filters={"label": PROJECT})
        return [
            row["Names"][0].removeprefix("/")
            for row in rows
            if Path(row["Labels"].get(DIRECTORY, "/nowhere")).resolve() == real
        ]

    def volumes(self, name: str | None = None) -> list[str]:
        label = f"{PROJECT}={name or self.project.name}"
        found = self.client.api.volumes(filters={"label": label})["Volumes"] or []
        return [one["Name"] for one in found]


@pytest.fixture
def stacks(engine: docker.DockerClient, stophooks: Stophooks, tmp_path: Path) -> Iterator[Stacks]:
    # A name that no other test's directory has.
    project = tmp_path / f"p{uuid.uuid4().hex[:10]}"
    project.mkdir()
    one = Stacks(stophooks=stophooks, project=project, client=engine)
    yield one
    one.clear()
    _clear(engine, tmp_path)


def _clear(engine: docker.DockerClient, tmp_path: Path) -> None:
    rows = engine.api.containers(all=True, filters={"label": PROJECT})
    names = set()
    for row in rows:
        if row["Labels"].get(DIRECTORY, "").startswith(str(tmp_path)):
            names.add(row["Labels"][PROJECT])
            engine.api.remove_container(row["Id"], force=True, v=True)
    names |= {path.name for path in tmp_path.rglob("p*") if path.is_dir()}
    for name in names:
        filters = {"label": f"{PROJECT}={name}"}
        for volume in engine.api.volumes(filters=filters)["Volumes"] or []:
            engine.api.remove_volume(volume["Name"], force=True)
        for network in engine.api.networks(filters=filters):
            engine.api.remove_network(network["Id"])


def fake(scene: Scene) -> tuple[dict[str, str], Path]:
    """An environment whose Compose writes down how it is called, and where."""
    place = scene.project.parent / "bin"
    path = path_with(directory=place)
    (place / "docker-compose").write_text(FAKE)
    (place / "docker-compose").chmod(0o755)
    record = scene.project.parent / "record"
    return {"PATH": path, "RECORD": str(record)}, record


@pytest.mark.scenario("cleanup: The four names in their order")
@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("alone", [True, False])
def test_the_four_names_have_an_order(stacks: Stacks, first: int, alone: bool) -> None:
    for name in [NAMES[first]] if alone else NAMES[first:]:
        (stacks.project / name).write_text(services("web"))
    env, record = fake(stacks)

    done = stacks("--level", "stop", env=env)

    assert done.returncode == 0, done
    expected = f"-f {stacks.project}/{NAMES[first]} -p {stacks.project.name} down\n"
    assert record.read_text() == expected


def test_purge_asks_for_volumes_and_orphans(stacks: Stacks) -> None:
    (stacks.project / "compose.yml").write_text(services("web"))
    (stacks.project / "compose.override.yml").write_text(services("web"))
    env, record = fake(stacks)

    done = stacks("--level", "purge", env=env)

    assert done.returncode == 0, done
    at = stacks.project
    assert record.read_text() == (
        f"-f {at}/compose.yml -f {at}/compose.override.yml -p {at.name} down -v --remove-orphans\n"
    )


@pytest.mark.scenario("cleanup: Level stop keeps volumes")
def test_level_stop_keeps_volumes(stacks: Stacks) -> None:
    stacks.up("web", "db")

    done = stacks.document()

    assert done["passed"], done
    assert done["own"]["by"] == "compose"
    assert stacks.containers() == []
    assert stacks.volumes() == [f"{stacks.project.name}_data"]


@pytest.mark.scenario("cleanup: Level purge removes volumes and orphans")
def test_level_purge_removes_volumes_and_orphans(stacks: Stacks) -> None:
    stacks.up("web", "db")
    (stacks.project / NAMES[0]).write_text(services("web"))

    done = stacks.document("--level", "purge")

    assert done["passed"], done
    assert stacks.containers() == []
    assert stacks.volumes() == []


def test_what_level_stop_does_not_bring_down_is_told(stacks: Stacks) -> None:
    stacks.up("web", "db")
    (stacks.project / NAMES[0]).write_text(services("web"))

    done = stacks.of_session()

    assert done.returncode == 1
    assert "LEFT: containers of Compose: " in done.stdout
    assert f"{stacks.project.name}_db_1" in done.stdout


@pytest.mark.scenario("cleanup: A script without its execute bit destroys nothing")
@pytest.mark.parametrize("level", ["stop", "purge"])
def test_a_script_without_its_execute_bit_destroys_nothing(stacks: Stacks, level: str) -> None:
    stacks.up("web")
    stacks.script("exit 0", mode=0o644)
    process = stacks.process()

    done = stacks.of_session("--level", level)

    assert done.returncode == 1
    remedy = f"Make it so: chmod +x {stacks.project}/.stophooks/on-cleanup. Nothing else"
    assert f"it is not executable. {remedy}" in done.stdout
    assert len(stacks.containers()) == 1
    assert len(stacks.volumes()) == 1
    assert not lives(process)


@pytest.mark.scenario("cleanup: The name of the project is found")
@pytest.mark.parametrize("where", ["environment", ".env", "link"])
def test_the_name_of_the_project_is_found(stacks: Stacks, where: str) -> None:
    name, env, at = f"p{uuid.uuid4().hex[:10]}", {}, stacks.project
    if where == "environment":
        env = {"COMPOSE_PROJECT_NAME": name}
    elif where == ".env":
        (stacks.project / ".env").write_text(f"A=b\nexport COMPOSE_PROJECT_NAME='{name}'\n")
    else:
        at = stacks.project.parent / f"plink{name}"
        at.symlink_to(stacks.project)
    stacks.up("web", at=at, env=env)
    assert where == "link" or stacks.containers()[0].startswith(name)

    done = stacks.stophooks("cleanup", cwd=at, env={"PWD": str(at), **env})

    assert done.returncode == 0, done
    assert stacks.containers() == []


def test_a_name_of_a_directory_is_written_as_compose_does(stacks: Stacks) -> None:
    stacks.project = stacks.project.parent / f"My App.{uuid.uuid4().hex[:6]}"
    stacks.project.mkdir()
    stacks.up("web")

    done = stacks()

    assert done.returncode == 0, done
    assert stacks.containers() == []


@pytest.mark.scenario("cleanup: Two directories of the same name do not collide")
@pytest.mark.parametrize("level", ["stop", "purge"])
def test_two_directories_of_the_same_name_do_not_collide(stacks: Stacks, level: str) -> None:
    stacks.up("web")
    other = stacks.project.parent / "elsewhere" / stacks.project.name
    shutil.copytree(stacks.project, other)

    done = stacks.stophooks("cleanup", "--level", level, cwd=other)

    assert done.returncode == 1
    assert f"has containers that were started in {stacks.project}, and not in" in done.stdout
    assert len(stacks.containers()) == 1
    assert len(stacks.volumes()) == 1


@pytest.mark.scenario("cleanup: Volumes of nobody known are not removed")
def test_volumes_of_nobody_known_are_not_removed(stacks: Stacks) -> None:
    stacks.up("web")
    stacks.compose("down", "-t", "0")

    refused = stacks("--level", "purge")
    kept = stacks.volumes()
    stacks.compose("up", "-d")
    stopped = stacks("--level", "stop")
    purged = stacks("--level", "purge")

    assert refused.returncode == 1
    assert f"has volumes ({stacks.project.name}_data), and no container that shows" in (
        refused.stdout
    )
    assert len(kept) == 1
    assert stopped.returncode == 0, stopped
    assert purged.returncode == 0, purged
    assert stacks.volumes() == []


@pytest.mark.scenario("cleanup: A dry run tells that Compose would be refused")
def test_a_dry_run_tells_that_compose_would_be_refused(stacks: Stacks) -> None:
    stacks.up("web")
    other = stacks.project.parent / "elsewhere" / stacks.project.name
    shutil.copytree(stacks.project, other)
    sound = stacks("--dry-run")

    refused = stacks.stophooks("cleanup", "--dry-run", cwd=other)
    (stacks.project / NAMES[0]).write_text("services: [nothing]\n")
    broken = stacks("--dry-run")

    assert sound.returncode == 0, sound
    assert "\n  would run   compose (host, 30 s)\n" in sound.stdout
    assert refused.returncode == broken.returncode == 1
    assert "PROBLEM: Nothing would be brought down: the Compose project" in refused.stdout
    assert f"were started in {stacks.project}, and not in {other}" in refused.stdout
    assert f"Compose refuses {stacks.project}/{NAMES[0]}: " in broken.stdout
    assert "would run" not in refused.stdout + broken.stdout
    assert len(stacks.containers()) == 1
    assert "cleanup" not in stacks.stophooks("status", cwd=stacks.project).stdout


def test_a_remedy_names_the_compose_that_is_there(stacks: Stacks) -> None:
    stacks.up("web")
    stacks.compose("down", "-t", "0")
    env, _ = fake(stacks)

    done = stacks("--level", "purge", env=env)

    assert f"Where they are: docker-compose -p {stacks.project.name} down -v" in done.stdout


def test_another_name_in_the_same_directory_is_let_be_and_told(stacks: Stacks) -> None:
    name = f"p{uuid.uuid4().hex[:10]}"
    stacks.up("web")
    stacks.compose("-p", name, "up", "-d")

    done = stacks()

    assert done.returncode == 0, done
    assert f"the Compose project {name}, which was started here too, was let be" in done.stdout
    assert [one.startswith(name) for one in stacks.containers()] == [True]


@pytest.mark.scenario("cleanup: Compose can be turned off")
def test_compose_can_be_turned_off(stacks: Stacks) -> None:
    stacks.up("web")
    stacks.config("cleanup: {compose: false}\n")

    done = stacks("--level", "purge")

    assert done.returncode == 0, done
    assert len(stacks.containers()) == 1


@pytest.mark.scenario("cleanup: Without Compose the rest is done")
def test_without_compose_the_rest_is_done(stacks: Stacks) -> None:
    (stacks.project / "compose.yaml").write_text(services("web"))
    process = stacks.process()
    path = path_with(directory=stacks.project.parent / "bin")

    done = stacks.of_session(env={"PATH": path})

    assert done.returncode == 3
    assert "neither `docker compose` nor `docker-compose`" in done.stdout
    assert "Install Docker Compose" in done.stdout
    assert not lives(process)


def test_the_plugin_comes_first_and_says_the_name(stacks: Stacks) -> None:
    (stacks.project / "compose.yaml").write_text(services("web"))
    env, record = fake(stacks)
    docker = Path(env["PATH"]) / "docker"
    docker.write_text(
        '#!/bin/sh\n[ "$1" = compose ] || exit 1\nshift\n[ "$1" = version ] && exit 0\n'
        'case "$*" in *config*) echo \'{"name": "told"}\'; exit 0;; esac\n'
        'echo "compose $@" >> "$RECORD"\n'
    )
    docker.chmod(0o755)

    done = stacks(env=env)

    assert done.returncode == 0, done
    assert record.read_text() == f"compose -f {stacks.project}/compose.yaml -p told down\n"


def test_compose_that_takes_too_long_is_ended(stacks: Stacks) -> None:
    (stacks.project / "compose.yaml").write_text(services("web"))
    env, _ = fake(stacks)
    program = Path(env["PATH"]) / "docker-compose"
    program.write_text('#!/bin/sh\n[ "$1" = version ] && exit 0\ntrap "" TERM\nsleep 100\n')

    done = stacks.document("--timeout", "5s", env=env)

    assert done["own"]["results"][0]["reason"] == "timed out after 5 s"


def test_a_whole_cleanup_is_one_documented_line(stacks: Stacks) -> None:
    stacks.up("web")
    stacks.config("cleanup:\n  commands: [{run: docker-compose down}]\n")

    done: Finished = stacks()

    assert done.returncode == 0, done
    assert stacks.containers() == []
