"""Host paths that no container may see."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from stophooks.mounts import refusal, user_sockets

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "source", ["/", "//", "/proc", "/sys", "/sys/kernel", "/run", "/var/lib/docker", "/var"]
)
def test_what_controls_the_machine_is_refused(source: str) -> None:
    assert refusal(source)


def test_an_ordinary_folder_is_not_refused(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)) is None


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/")

    assert refusal(str(tmp_path / "link")) == "it is the whole file system of this machine"


def test_a_hard_link_to_a_socket_is_refused(tmp_path: Path) -> None:
    here = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(here))
        os.link(here, tmp_path / "other")

        why = refusal(str(tmp_path / "other"), sockets=(str(here),))

    assert why is not None
    assert "engine's socket" in why


def test_an_engines_own_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "engine/volumes").mkdir(parents=True)
    engine = str(tmp_path / "engine")

    refused = [
        refusal(path, engine_dirs=(engine,))
        for path in (engine, f"{engine}/volumes", str(tmp_path))
    ]

    assert all(refused)
    assert refusal(str(tmp_path), engine_dirs=("/elsewhere",)) is None


def test_a_users_own_sockets_are_those_of_rootless_engines_and_desktop(tmp_path: Path) -> None:
    desktop = tmp_path / ".docker/run/docker.sock"
    desktop.parent.mkdir(parents=True)
    desktop.touch()

    assert user_sockets(7, str(tmp_path)) == (
        "/run/user/7/docker.sock",
        "/run/user/7/podman/podman.sock",
        str(desktop),
    )
    assert user_sockets(7, None) == (
        "/run/user/7/docker.sock",
        "/run/user/7/podman/podman.sock",
    )
