"""Images from a real registry: pulled, or explained."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import socket
import tarfile
import threading
import time
from typing import TYPE_CHECKING, Any

import docker.errors
import pytest

from stophooks.containers import Pull
from stophooks.executors.base import Cancellation
from stophooks.models import Outcome, Status
from tests.integration.docker.conftest import BUSYBOX, Case, text
from tests.running import paced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry import Registry


def changed(case: Case, word: str) -> str:
    """A local image that is busybox with one file more; its id."""
    container = case.client.api.create_container(BUSYBOX, ["true"])
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("word")
        entry.size = len(word)
        tar.addfile(entry, io.BytesIO(word.encode()))
    case.client.api.put_archive(container, "/", buffer.getvalue())
    image: dict[str, Any] = case.client.api.commit(container)
    case.client.api.remove_container(container)
    return str(image["Id"])


@pytest.fixture(autouse=True)
def _no_image_is_left(case: Case) -> Iterator[None]:
    """Take away every name and every image that a test brings to the engine."""
    before = _references(case)
    yield
    for reference in sorted(
        _references(case) - before, key=lambda name: name.startswith("sha256:")
    ):
        with contextlib.suppress(docker.errors.ImageNotFound):
            case.client.api.remove_image(reference, force=True)


def _references(case: Case) -> set[str]:
    images = case.client.api.images(all=False)
    names = {
        name for one in images for key in ("RepoTags", "RepoDigests") for name in one[key] or ()
    }
    return {one["Id"] for one in images} | {name for name in names if "<none>" not in name}


@pytest.mark.scenario("docker-executor: A missing image is pulled from its registry")
def test_a_missing_image_is_pulled(case: Case, registry: Registry) -> None:
    registry.push(BUSYBOX, "tools/busybox")
    name = f"{registry.address}/tools/busybox:1"

    outcome = case.run("echo ran", image=name)

    assert text(outcome) == "ran\n"
    assert case.recorder.notes[0] == f"pulling {name}"


def test_an_image_that_is_there_is_not_pulled(case: Case) -> None:
    outcome = case.run("true", image=BUSYBOX)

    assert outcome.status is Status.PASSED
    assert case.recorder.notes == []


@pytest.mark.scenario("docker-executor: An image by digest is pulled and runs")
def test_an_image_by_digest_is_pulled(case: Case, registry: Registry) -> None:
    reference = registry.push(BUSYBOX, "digest")

    outcome = case.run("echo ran", image=reference)

    assert "@sha256:" in reference
    assert text(outcome) == "ran\n"


@pytest.mark.scenario("docker-executor: Pull always fetches the newer image")
def test_pull_always_fetches_the_newer_image(case: Case, registry: Registry) -> None:
    name = f"{registry.address}/moving:1"
    first, second = changed(case, "old"), changed(case, "new")
    registry.push(first, "moving")
    before = case.run("cat /word", image=name)
    registry.push(second, "moving")
    # Pushing needs the tag locally and takes it away again.
    case.client.api.tag(first, f"{registry.address}/moving", "1")

    stale = case.run("cat /word", image=name)
    fresh = case.run("cat /word", image=name, pull=Pull.ALWAYS)

    assert [text(one) for one in (before, stale, fresh)] == ["old", "old", "new"]


@pytest.mark.scenario("docker-executor: Pull never does not ask the registry")
def test_pull_never_does_not_pull(case: Case, registry: Registry) -> None:
    registry.push(BUSYBOX, "never")

    outcome = case.run("true", image=f"{registry.address}/never:1", pull=Pull.NEVER)

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "image-missing")
    assert "docker pull" in (outcome.remedy or "")
    assert case.recorder.notes == []


@pytest.mark.scenario("docker-executor: An unknown tag is a missing image")
def test_an_unknown_tag_is_a_missing_image(case: Case, registry: Registry) -> None:
    registry.push(BUSYBOX, "known")

    outcome = case.run("true", image=f"{registry.address}/known:2")

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "image-missing")
    assert "Check the name and tag" in (outcome.remedy or "")


@pytest.mark.scenario("docker-executor: Missing credentials are told apart")
def test_missing_credentials_name_the_login(case: Case, auth_registry: Registry) -> None:
    outcome = case.run("true", image=f"{auth_registry.address}/private:1")

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "auth")
    assert f"docker login {auth_registry.address}" in (outcome.remedy or "")


def test_credentials_of_the_client_are_used(case: Case, auth_registry: Registry) -> None:
    auth_registry.push(BUSYBOX, "private")
    auth_registry.log_in(case.home)
    name = f"{auth_registry.address}/private:1"

    outcome = case.run("echo ran", image=name)

    assert text(outcome) == "ran\n"


def test_wrong_credentials_are_told_apart(case: Case, auth_registry: Registry) -> None:
    auth_registry.log_in(case.home, password="wrong")

    outcome = case.run("true", image=f"{auth_registry.address}/private:1")

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "auth")


@pytest.mark.scenario("docker-executor: A registry that is down is told apart")
def test_a_registry_that_is_down_is_told_apart(case: Case) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    outcome = case.run("true", image=f"127.0.0.1:{port}/x:1")

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "registry-down")


@pytest.mark.scenario("docker-executor: A pull ends with the run")
def test_a_pull_from_a_mute_registry_ends_with_the_run(case: Case) -> None:
    cancel = Cancellation()
    box: list[Outcome] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"127.0.0.1:{server.getsockname()[1]}/x:1"
        thread = threading.Thread(
            target=lambda: box.append(case.run("true", image=name, cancel=cancel))
        )
        thread.start()
        connection, _ = server.accept()
        began = time.monotonic()
        cancel.request("the deadline")
        thread.join(10)
        took = time.monotonic() - began
        connection.close()

    assert box[0].status is Status.UNAVAILABLE
    assert "the deadline" in (box[0].reason or "")
    assert took < paced(2)


@pytest.mark.scenario("docker-executor: A wrong platform is told apart")
def test_an_image_for_another_platform_is_told_apart(case: Case) -> None:
    name = "stophooks-test/foreign:1"
    case.client.api.load_image(_archive(name, architecture="s390x"))

    outcome = case.run("true", image=name)
    emulated = case.run("true", image=name, platform="linux/s390x", pull=Pull.NEVER)

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "platform")
    assert "linux/s390x" in (outcome.reason or "")
    assert "`platform: linux/s390x`" in (outcome.remedy or "")
    assert emulated.status is Status.UNAVAILABLE
    assert emulated.fault != "platform"


def test_the_variant_for_another_platform_is_looked_for(case: Case, registry: Registry) -> None:
    registry.push(BUSYBOX, "variants")
    name = f"{registry.address}/variants:1"
    case.run("true", image=name)

    outcome = case.run("true", image=name, platform="linux/s390x")

    assert (outcome.status, outcome.fault) == (Status.UNAVAILABLE, "platform")
    assert case.recorder.notes == [f"pulling {name}"] * 2


def _archive(name: str, *, architecture: str) -> bytes:
    """An image as ``docker save`` writes it, with one empty layer."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    diff_id = f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": "2026-01-01T00:00:00Z"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    files = {
        "layer.tar": layer.getvalue(),
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()
