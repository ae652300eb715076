"""Locks as a person sees and clears them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.tasks import Place, end, holding

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

FREE = "No resource is held.\n"


@pytest.fixture
def place(stophooks: Stophooks, tmp_path: Path) -> Place:
    return Place(tmp_path / "project", stophooks)


@pytest.mark.scenario("locks: A lock is shown with whom it belongs to")
def test_a_lock_is_shown_with_whom_it_belongs_to(place: Place) -> None:
    place.task("id: first\nresources: [b, a]")
    holder = holding(place)

    text = place.stophooks("locks", "list", cwd=place.directory).stdout
    found = json.loads(
        place.stophooks("locks", "list", "--format", "json", cwd=place.directory).stdout
    )["locks"]

    rows = text.splitlines()
    assert [row.partition(" ")[0] for row in rows] == ["a:", "b:"]
    assert rows[0].startswith(f'a: alive: task "first", pid {holder.pid} on ')
    assert rows[0].endswith(f", project {place.directory} (held)")
    assert [(one["resource"], one["state"], one["pid"]) for one in found] == [
        ("a", "alive", holder.pid),
        ("b", "alive", holder.pid),
    ]
    assert {one["task"] for one in found} == {"first"}
    assert {one["project"] for one in found} == {str(place.directory)}
    assert all(one["since"] <= one["beat"] for one in found)
    end(holder)
    assert place.stophooks("locks", "list", cwd=place.directory).stdout == FREE


@pytest.mark.scenario("locks: Only dead locks are cleared")
def test_only_dead_locks_are_cleared(place: Place) -> None:
    place.task("id: dead\nresources: a")
    dead = holding(place)
    dead.kill()
    dead.communicate()
    place.task("id: alive\nresources: b")
    alive = holding(place)

    dry = place.stophooks("locks", "clear", "--dry-run", cwd=place.directory)
    kept = place.stophooks("locks", "clear", "b", cwd=place.directory)
    cleared = place.stophooks("locks", "clear", cwd=place.directory)
    left = place.stophooks("locks", "list", cwd=place.directory).stdout

    assert dry.stdout.startswith('would be cleared: a: dead: task "dead"')
    assert kept.returncode == 1
    assert kept.stdout.startswith('kept: b: alive: task "alive"')
    assert cleared.returncode == 0
    assert cleared.stdout.startswith('cleared: a: dead: task "dead"')
    assert [row.partition(" ")[0] for row in left.splitlines()] == ["b:"]
    assert alive.poll() is None
    end(alive)


@pytest.mark.scenario("locks: Force clears a living lock and says whose")
def test_force_clears_a_living_lock_and_says_whose(place: Place) -> None:
    place.task("id: first\nresources: a")
    holder = holding(place)

    done = place.stophooks(
        "locks", "clear", "a", "--force", "--format", "json", cwd=place.directory
    )

    (told,) = json.loads(done.stdout)["locks"]
    assert done.returncode == 0
    assert (told["action"], told["state"], told["pid"]) == ("cleared", "alive", holder.pid)
    assert holder.poll() is None
    assert place.stophooks("locks", "list", cwd=place.directory).stdout == FREE
    end(holder)


@pytest.mark.scenario("locks: Other projects' locks are shown on demand")
def test_other_projects_locks_are_shown_on_demand(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", place.stophooks)
    other.task("id: other\nresources: a")
    third = Place(tmp_path / "third", place.stophooks)
    third.task("id: third\nresources: a")
    own, shared = holding(other), holding(third, "--shared")

    here = place.stophooks("locks", "list", cwd=place.directory).stdout
    everywhere = place.stophooks("locks", "list", "--all", cwd=place.directory).stdout

    assert f"pid {shared.pid} " in here
    assert f"pid {own.pid} " not in here
    assert everywhere.count(f"pid {own.pid} ") == 1
    assert everywhere.count(f"pid {shared.pid} ") == 1
    end(own)
    end(shared)


@pytest.mark.scenario("locks: A shared lock is cleared as one")
def test_a_shared_lock_is_cleared_as_one(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", place.stophooks)
    for one in (place, other):
        one.task("id: it\nresources: a")
    holder = holding(place, "--shared")
    listed = place.stophooks("locks", "list", cwd=place.directory).stdout

    cleared = place.stophooks("locks", "clear", "a", "--force", cwd=place.directory).stdout

    assert len(listed.splitlines()) == 1
    assert len(cleared.splitlines()) == 1
    assert cleared.startswith('cleared: a: alive: task "it"')
    assert holder.poll() is None
    assert (place.run().returncode, other.run("--shared").returncode) == (0, 0)
    end(holder)


@pytest.mark.scenario("locks: Nothing held is no error")
def test_nothing_held_is_no_error(place: Place) -> None:
    listed = place.stophooks("locks", "list", cwd=place.directory)
    cleared = place.stophooks("locks", "clear", "a", cwd=place.directory)

    assert (listed.returncode, listed.stdout) == (0, FREE)
    assert (cleared.returncode, cleared.stdout) == (0, "Nothing to clear.\n")
