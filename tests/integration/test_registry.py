"""The registry that the pull tests rely on does what a registry does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import docker
import pytest

if TYPE_CHECKING:
    from tests.registry import Registry

IMAGE = "stophooks-test/busybox:1"


def test_what_was_pushed_is_only_in_the_registry(
    engine: docker.DockerClient, registry: Registry
) -> None:
    reference = registry.push(IMAGE, "pushed")

    for name in (reference, f"{registry.address}/pushed:1"):
        with pytest.raises(docker.errors.ImageNotFound):
            engine.images.get(name)


def test_what_was_pushed_can_be_pulled(engine: docker.DockerClient, registry: Registry) -> None:
    registry.push(IMAGE, "pulled", tag="2")

    pulled = engine.images.pull(f"{registry.address}/pulled", tag="2")
    registry.forget(f"{registry.address}/pulled:2")

    assert pulled.id == engine.images.get(IMAGE).id


def test_a_registry_with_users_refuses_a_stranger(
    engine: docker.DockerClient, auth_registry: Registry
) -> None:
    auth_registry.push(IMAGE, "private")

    with pytest.raises(docker.errors.APIError, match="no basic auth credentials"):
        engine.images.pull(f"{auth_registry.address}/private", tag="1", auth_config={})
