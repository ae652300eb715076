"""What an engine has just said of an image."""

from __future__ import annotations

import time

from stophooks.executors.docker import recent


def test_what_was_said_is_known_for_a_moment_and_until_it_may_be_another() -> None:
    said = {"Id": "sha256:1"}
    recent.note("unix:///a", "one", said, at=time.monotonic())
    recent.note("unix:///a", "old", said, at=time.monotonic() - recent.FRESH_S)

    assert recent.known("unix:///a", "one") == recent.known("unix:///a", "one") == said
    assert recent.known("unix:///b", "one") is None
    assert recent.known("unix:///a", "old") is None
    recent.forget("unix:///a", "one")
    assert recent.known("unix:///a", "one") is None
