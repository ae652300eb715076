"""What is refused before the engine sees it, and an engine that is away."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Mount
from stophooks.models import MIB, Outcome, Status
from tests.integration.docker.conftest import Case
from tests.running import paced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def bind(source: Path | str, *, readonly: bool = False) -> Mount:
    """A mount of a host path at a harmless place."""
    return Mount(type="bind", source=str(source), target="/odd", readonly=readonly)


def assert_refused(case: Case, outcome: Outcome, before: int, *words: str) -> None:
    """The command did not run, no container was made, and the words explain it."""
    assert outcome.status is Status.UNAVAILABLE
    assert case.containers() == before
    assert outcome.remedy
    for word in words:
        assert word in (outcome.reason or "")


@pytest.mark.scenario("docker-executor: The engine's socket is never mounted")
@pytest.mark.parametrize("source", ["/var/run/docker.sock", "/run/docker.sock", "/run", "/var/run"])
@pytest.mark.parametrize("readonly", [False, True])
def test_the_engines_socket_is_refused(case: Case, source: str, readonly: bool) -> None:
    before = case.containers()

    outcome = case.run("true", mounts=(bind(source, readonly=readonly),))

    assert_refused(case, outcome, before, source, "engine's socket")


@pytest.mark.scenario("docker-executor: The engine's socket is never mounted")
def test_a_link_to_the_engines_socket_is_refused(case: Case, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/var/run")
    before = case.containers()

    outcome = case.run("true", mounts=(bind(tmp_path / "link/docker.sock"),))

    assert_refused(case, outcome, before, "engine's socket")


@pytest.mark.scenario("docker-executor: The engine's socket is never mounted")
def test_the_socket_that_docker_host_names_is_refused(case: Case, tmp_path: Path) -> None:
    link = tmp_path / "sockets"
    link.mkdir()
    real = case.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    (link / "engine.sock").symlink_to(real)
    environ = {"DOCKER_HOST": f"unix://{link}/engine.sock"}
    before = case.containers()

    outcome = case.run("true", mounts=(bind(link),), executor=case.executor(environ=environ))

    assert_refused(case, outcome, before, "engine's socket")


@pytest.mark.scenario("docker-executor: The host's root and kernel directories are never mounted")
@pytest.mark.parametrize(
    "source",
    ["/", "/proc", "/proc/self", "/sys", "/sys/fs", "/var/lib/docker", "/var/lib", "/proc/1/root"],
)
def test_root_and_kernel_directories_are_refused(case: Case, source: str) -> None:
    before = case.containers()

    outcome = case.run("true", mounts=(bind(source),))

    assert_refused(case, outcome, before, source)


def test_a_project_that_is_the_whole_machine_is_refused(case: Case) -> None:
    outside = Case(
        project=case.project.__class__("/"),
        home=case.home,
        client=case.client,
        environ=case.environ,
    )
    before = case.containers()

    outcome = outside.run("true")

    assert_refused(case, outcome, before, "whole file system")


@pytest.mark.scenario("docker-executor: A missing source is not created")
def test_a_missing_source_is_refused_and_not_created(case: Case, tmp_path: Path) -> None:
    before = case.containers()

    outcome = case.run("true", mounts=(bind(tmp_path / "missing"),))

    assert_refused(case, outcome, before, "does not exist")
    assert not (tmp_path / "missing").exists()


@pytest.mark.scenario("docker-executor: AppArmor is refused where the engine has none")
def test_apparmor_without_apparmor_is_refused(case: Case) -> None:
    options = case.client.info()["SecurityOptions"]
    before = case.containers()

    outcome = case.run("true", apparmor="docker-default")

    if any("apparmor" in option for option in options):
        assert outcome.status is Status.PASSED
    else:
        assert_refused(case, outcome, before, "AppArmor")


@pytest.mark.scenario("docker-executor: Limits beyond the machine are refused")
def test_limits_beyond_the_machine_are_refused(case: Case) -> None:
    before = case.containers()

    memory = case.run("true", memory_bytes=1024 * 1024 * 1024 * MIB)
    cpus = case.run("true", nano_cpus=10_000 * 10**9)

    assert_refused(case, memory, before, "`memory`", "the engine's machine has")
    assert_refused(case, cpus, before, "`cpus`", "the engine's machine has")


@pytest.mark.scenario("docker-executor: An oversized script is refused in words")
def test_an_oversized_script_is_refused(case: Case) -> None:
    before = case.containers()

    outcome = case.run("#" * 200_000)

    assert_refused(case, outcome, before, "200", "131072")
    assert "file of the project" in (outcome.remedy or "")


@pytest.mark.parametrize("value", ["a\0b", "a\udcffb"])
def test_a_value_that_no_engine_passes_on_is_refused(case: Case, value: str) -> None:
    before = case.containers()

    outcome = case.run("true", env=(("ODD", value),))

    assert_refused(case, outcome, before, "not UTF-8")


@pytest.mark.scenario("docker-executor: No socket is explained")
def test_no_socket_is_explained(case: Case, tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    began = time.monotonic()

    outcome = case.run("true", executor=case.executor(environ=environ))

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.fault == "daemon-unreachable"
    assert f"{tmp_path}/none.sock (from DOCKER_HOST): No such file" in (outcome.reason or "")
    assert time.monotonic() - began < paced(2)


@pytest.mark.scenario("docker-executor: A socket without permission is explained")
def test_a_socket_without_permission_is_explained(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "closed.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0)
        environ = {"DOCKER_HOST": f"unix://{path}"}
        box: list[Outcome] = []
        # Permissions do not bind root, and a user id belongs to a thread on Linux.
        thread = threading.Thread(target=lambda: box.append(_as_nobody(case, environ)), daemon=True)
        thread.start()
        thread.join(20)

    assert box[0].fault == "daemon-unreachable"
    assert "usermod -aG docker" in (box[0].remedy or "")


def _as_nobody(case: Case, environ: dict[str, str]) -> Outcome:
    executor = case.executor(environ=environ)
    with _fs_user(65534):
        return case.run("true", executor=executor)


class _fs_user:  # noqa: N801 -- reads as a block
    """Opens files as another user, in this thread and those it starts (setfsuid(2))."""

    def __init__(self, uid: int) -> None:
        import ctypes  # noqa: PLC0415 -- only this test needs it

        self._set = ctypes.CDLL(None).setfsuid
        self._uid = uid

    def __enter__(self) -> None:
        self._set(self._uid)

    def __exit__(self, *_: object) -> None:
        self._set(os.geteuid())


@pytest.fixture
def mute_engine(tmp_path: Path) -> Iterator[str]:
    """Something that accepts connections and never answers."""
    path = tmp_path / "mute.sock"
    kept: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def accept() -> None:
            try:
                while True:
                    kept.append(server.accept()[0])
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield f"unix://{path}"
        server.shutdown(socket.SHUT_RDWR)
    for one in kept:
        one.close()


@pytest.mark.scenario("docker-executor: An engine that never answers is given up")
def test_a_mute_engine_is_given_up_once(case: Case, mute_engine: str) -> None:
    executor = case.executor(environ={"DOCKER_HOST": mute_engine})
    began = time.monotonic()

    first = case.run("true", executor=executor)
    second = case.run("true", executor=executor)

    assert first.fault == second.fault == "daemon-timeout"
    assert time.monotonic() - began < paced(15)


@pytest.mark.scenario("docker-executor: A context that does not exist is an error")
@pytest.mark.parametrize("source", ["DOCKER_CONTEXT", "config.json"])
def test_a_missing_context_is_an_error(case: Case, tmp_path: Path, source: str) -> None:
    config = tmp_path / "docker"
    config.mkdir()
    environ = {"DOCKER_CONFIG": str(config)}
    if source == "DOCKER_CONTEXT":
        environ["DOCKER_CONTEXT"] = "gone"
    else:
        (config / "config.json").write_text(json.dumps({"currentContext": "gone"}))

    outcome = case.run("true", executor=case.executor(environ=environ))

    assert outcome.status is Status.UNAVAILABLE
    assert '"gone"' in (outcome.reason or "")
    assert source in (outcome.reason or "")


def test_a_context_that_exists_is_used(case: Case, tmp_path: Path) -> None:
    # sha256("mine"), as Docker names a context's folder.
    folder = tmp_path / "contexts/meta/6d2e17d3c86c2f94a2b3a0f2ad6d6ea2"
    import hashlib  # noqa: PLC0415 -- only here

    folder = tmp_path / "contexts/meta" / hashlib.sha256(b"mine").hexdigest()
    folder.mkdir(parents=True)
    host = case.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    meta = {"Name": "mine", "Endpoints": {"docker": {"Host": host}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    environ = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "mine"}

    outcome = case.run("true", executor=case.executor(environ=environ))

    assert outcome.status is Status.PASSED


@pytest.mark.parametrize("url", ["ssh://somewhere", "npipe:////./pipe/docker", "docker.sock"])
def test_an_address_that_cannot_be_used_is_explained(case: Case, url: str) -> None:
    outcome = case.run("true", executor=case.executor(environ={"DOCKER_HOST": url}))

    assert outcome.status is Status.UNAVAILABLE
    assert f"{url}, from DOCKER_HOST" in (outcome.reason or "")
