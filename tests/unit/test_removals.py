"""Removals beside a run: what others wait for comes first."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from stophooks.executors.docker import removal
from stophooks.executors.docker.removal import Removals

if TYPE_CHECKING:
    from stophooks.executors.docker.engine import Engine

ENGINE = cast("Engine", None)


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the containers that are removed."""
    names: list[str] = []

    def remove(_engine: Engine, name: str, **_: Any) -> None:
        names.append(name)

    monkeypatch.setattr(removal, "remove", remove)
    return names


def test_a_removal_is_begun_at_once_where_nothing_is_at_work(removed: list[str]) -> None:
    removals = Removals()
    with removals.before_them():
        pass

    removals.begin(ENGINE, "a")

    assert removals.wait() == ()
    assert removed == ["a"]


@pytest.mark.scenario("watchdog: A removal lets other containers go first")
def test_a_removal_waits_for_all_that_are_at_work(
    removed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "YIELD_S", 60.0)
    removals = Removals()

    with removals.before_them():
        with removals.before_them():
            removals.begin(ENGINE, "a")
            removals.begin(ENGINE, "b")
        # By nothing can it be seen that they wait; removed would they be within a millisecond.
        time.sleep(0.1)
        assert removed == []

    assert removals.wait() == ()
    assert sorted(removed) == ["a", "b"]


@pytest.mark.scenario("watchdog: A removal lets other containers go first")
def test_a_removal_does_not_wait_for_long(
    removed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "YIELD_S", 0.05)
    removals = Removals()

    with removals.before_them():
        removals.begin(ENGINE, "a")

        assert removals.wait() == ()
        assert removed == ["a"]
