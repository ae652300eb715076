"""Who runs in a container, for each way to write it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from stophooks.containers import Container
from stophooks.executors.docker import images
from stophooks.executors.docker.identity import HOME, Identities, Identity
from stophooks.executors.docker.images import Image, User
from stophooks.models import Command

if TYPE_CHECKING:
    from stophooks.executors.docker.engine import Engine

IMAGE = Image(id="sha256:1", os="linux", architecture="amd64")
USERS = (User(name="root", uid=0, gid=0), User(name="node", uid=1000, gid=1001))


@pytest.fixture(autouse=True)
def _known_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "users", lambda *_: USERS)


def identity(user: str | None, *, rootless: bool = False, env: tuple[Any, ...] = ()) -> Identity:
    """Who runs as ``user``, for a caller 7:8."""
    engine = cast("Engine", SimpleNamespace(info=SimpleNamespace(is_rootless=rootless)))
    container = Container(image="x:1", user=user)
    command = Command(name="c", project_dir="/p", run="true", env=env, container=container)
    return Identities(7, 8, {}).find(engine, command, container, IMAGE)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (None, Identity(user="7:8", uid=7, gid=8, home=HOME)),
        ("0", Identity(user="0", uid=0, gid=0)),
        ("0:0", Identity(user="0:0", uid=0, gid=0)),
        ("0:daemon", Identity(user="0:daemon", uid=0, gid=0)),
        ("00", Identity(user="00", uid=0, gid=0)),
        ("1000", Identity(user="1000", uid=1000, gid=1001)),
        ("1000:5", Identity(user="1000:5", uid=1000, gid=5)),
        ("9", Identity(user="9", uid=9, gid=0, home=HOME)),
        ("9:5", Identity(user="9:5", uid=9, gid=5, home=HOME)),
        ("9:staff", Identity(user="9:staff", uid=9, gid=0, home=HOME)),
        ("node", Identity(user="node", uid=1000, gid=1001)),
        ("node:staff", Identity(user="node:staff", uid=1000, gid=1001)),
        ("nobody", Identity(user="nobody", uid=None, gid=0)),
    ],
)
def test_every_way_to_write_a_user(user: str | None, expected: Identity) -> None:
    assert identity(user) == expected


def test_in_a_rootless_engine_root_is_the_caller() -> None:
    assert identity(None, rootless=True) == Identity(user="0:0", uid=0, gid=0)


def test_a_configured_home_is_kept() -> None:
    assert identity(None, env=(("HOME", "/x"),)).home is None
