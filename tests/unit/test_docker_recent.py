"""What an engine has just said of an image."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from stophooks.containers import Container, Pull
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import images, recent

if TYPE_CHECKING:
    from stophooks.executors.docker.engine import Engine


def test_what_was_said_is_known_for_a_moment_and_until_it_may_be_another() -> None:
    said = {"Id": "sha256:1"}
    recent.note("unix:///a", "one", said, at=time.monotonic())
    recent.note("unix:///a", "old", said, at=time.monotonic() - recent.FRESH_S)

    assert recent.known("unix:///a", "one") == recent.known("unix:///a", "one") == said
    assert recent.known("unix:///b", "one") is None
    assert recent.known("unix:///a", "old") is None
    recent.forget("unix:///a", "one")
    assert recent.known("unix:///a", "one") is None


class Asked:
    """An engine that has no such image, and counts how often it is asked."""

    class endpoint:  # noqa: N801 -- an attribute of an engine
        """Where it is."""

        url = "unix:///pulled"

    count = 0
    info = None

    def ask(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Tell of another image than before."""
        self.count += 1
        return {"Id": "sha256:new", "Os": "plan9", "Architecture": "amd64"}


def test_an_image_that_was_pulled_is_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Asked()
    pulls = images.Pulls({})
    monkeypatch.setattr(pulls, "get", lambda *_, **__: None)
    old = {"Id": "sha256:old", "Os": "linux", "Architecture": "arm64"}
    recent.note("unix:///pulled", "one", old, at=time.monotonic())
    wanted = Container(image="one", platform="linux/amd64", pull=Pull.MISSING)

    with pytest.raises(ExecutorUnavailableError, match="is for plan9/amd64"):
        images.obtain(
            cast("Engine", engine), wanted, pulls, note=lambda _: None, cancel=Cancellation()
        )

    assert engine.count == 1
