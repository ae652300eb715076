"""A real registry in a container, for everything that has to do with pulling."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import time
from typing import TYPE_CHECKING, Any, cast

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

IMAGE = "stophooks-test/registry:1"
# The one user in the image's /etc/docker/registry/htpasswd (see scripts/images).
PASSWORD = "open-sesame"
PORT = 5000
START_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A running registry; ``address`` is host:port as it stands before an image's name."""

    address: str
    client: docker.DockerClient
    user: str | None
    password: str | None

    def push(self, image: str, name: str, *, tag: str = "1") -> str:
        """Put a local image into the registry; returns its reference by digest.

        Locally nothing of it is kept under the registry's name, so that the next use pulls.
        ``<address>/<name>:<tag>`` names it by tag.
        """
        repository = f"{self.address}/{name}"
        self.client.api.tag(image, repository, tag)
        auth = {"username": self.user, "password": self.password} if self.user else None
        try:
            lines = list(
                self.client.api.push(repository, tag, auth_config=auth, stream=True, decode=True)
            )
        finally:
            self.client.api.remove_image(f"{repository}:{tag}", noprune=True)
        errors = [line["error"] for line in lines if "error" in line]
        if errors:
            raise AssertionError(errors)
        digest = next(line["aux"]["Digest"] for line in lines if "Digest" in line.get("aux", {}))
        with contextlib.suppress(Exception):
            self.client.api.remove_image(f"{repository}@{digest}", noprune=True)
        return f"{repository}@{digest}"

    def forget(self, reference: str) -> None:
        """Remove what a pull left locally under the registry's name."""
        self.client.api.remove_image(reference, force=True, noprune=True)

    def log_in(self, home: Path, *, password: str | None = None) -> None:
        """Write what ``docker login`` writes, for a program whose HOME is ``home``."""
        secret = f"{self.user}:{password or self.password}".encode()
        config = {"auths": {self.address: {"auth": base64.b64encode(secret).decode()}}}
        (home / ".docker").mkdir(exist_ok=True)
        (home / ".docker/config.json").write_text(json.dumps(config))


@contextlib.contextmanager
def serve(client: docker.DockerClient, *, user: str | None) -> Iterator[Registry]:
    """Run a registry on 127.0.0.1 as long as the block lasts; with ``user``, it asks for one."""
    # Its image would come from a registry; the block's end does what it is for.
    testcontainers_config.ryuk_disabled = True
    container = DockerContainer(IMAGE)
    # Its own methods can only open a port to everybody.
    cast("dict[Any, Any]", container.ports)[PORT] = ("127.0.0.1",)
    if user:
        container.with_env("REGISTRY_AUTH", "htpasswd")
        container.with_env("REGISTRY_AUTH_HTPASSWD_REALM", "test")
        container.with_env("REGISTRY_AUTH_HTPASSWD_PATH", "/etc/docker/registry/htpasswd")
    with container:
        address = f"127.0.0.1:{container.get_exposed_port(PORT)}"
        _wait(address)
        yield Registry(
            address=address, client=client, user=user, password=PASSWORD if user else None
        )


def _wait(address: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        connection = http.client.HTTPConnection(address, timeout=1)
        try:
            connection.request("GET", "/v2/")
            if connection.getresponse().status in {200, 401}:
                return
        except (OSError, http.client.HTTPException):
            if time.monotonic() > deadline:
                raise
        finally:
            connection.close()
        time.sleep(0.05)
