"""What is kept of sessions, where several calls and versions keep it."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Container, Mount
from stophooks.models import Command
from stophooks.plan import Plan, Section
from stophooks.store import pins
from stophooks.store.pin import Pin, checksum
from stophooks.store.pins import Pins
from stophooks.values import replace

if TYPE_CHECKING:
    from pathlib import Path

PLAN = Plan(
    config_path="/p/stophooks.yaml",
    project_dir="/p",
    sections=(
        Section(
            event="stop",
            commands=(
                Command(name="a", project_dir="/p", run="x", env=(("A", "1"),)),
                Command(
                    name="b",
                    project_dir="/p",
                    argv=("y",),
                    container=Container(
                        image="i:1", mounts=(Mount(type="tmpfs", source=None, target="/t"),)
                    ),
                ),
            ),
        ),
    ),
    user_path="/home/u/.config/stophooks/stophooks.yaml",
    protect=("tests/**",),
    must_trust=True,
)
PIN = Pin(
    session="s1",
    project_dir="/p\udcff",
    plan=PLAN,
    files={"/p/stophooks.yaml": "- 1", "/home/u/.config/stophooks/stophooks.yaml": "- 2"},
    scripts={"/p/a.sh": "x 1"},
    warns=("/p/a.sh",),
    protected={"tests/a": "- 1"},
    tree="t",
)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory, and a place of its own for what cannot be kept in it."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("stophooks.store.place.temporary_dir", lambda: str(tmp_path / "tmp"))
    return tmp_path / "state"


def database(state: Path) -> sqlite3.Connection:
    return sqlite3.connect(state / "state.db", isolation_level=None)


def test_a_pin_comes_back_as_it_was(state: Path) -> None:
    with Pins(str(state)) as kept:
        kept.add(PIN)

    with Pins(str(state)) as kept:
        assert kept.get("s1") == PIN
        assert kept.of_project("/p\udcff") == [PIN]
        assert kept.get("s2") is None


def test_the_first_pin_of_a_session_counts(state: Path) -> None:
    with Pins(str(state)) as one, Pins(str(state)) as other:
        one.add(PIN)
        found = other.add(replace(PIN, plan=None))

    assert found == PIN


def test_a_replaced_pin_is_replaced_everywhere(state: Path) -> None:
    # The first was kept in the private place, while the state directory could not be made.
    state.write_text("in the way")
    with Pins(str(state)) as kept:
        kept.add(PIN)
    state.unlink()
    fresh = replace(PIN, plan=None)

    with Pins(str(state)) as kept:
        assert kept.get("s1") == PIN
        kept.replace(fresh)

    with Pins(str(state)) as kept:
        assert kept.get("s1") == fresh
        assert kept.of_project(PIN.project_dir) == [fresh]


def test_a_pin_of_another_version_is_made_anew(state: Path) -> None:
    with Pins(str(state)) as kept:
        kept.add(PIN)
    plan = json.dumps({"unknown": 1})
    text = json.dumps({"future": True, "sum": checksum("s1", plan, {"future": True})})
    with database(state) as connection:
        connection.execute("UPDATE pins SET plan = ?, files = ?", (plan, text))
    connection.close()

    with Pins(str(state)) as kept:
        assert kept.get("s1") is None
        assert kept.add(PIN) == PIN
        assert kept.get("s1") == PIN
        assert kept.notes == []


def test_old_pins_are_forgotten(state: Path) -> None:
    with Pins(str(state)) as kept:
        kept.add(PIN)
        with database(state) as connection:
            connection.execute("UPDATE pins SET made = ?", (time.time() - pins.KEEP_S - 60,))
        connection.close()

        kept.add(replace(PIN, session="s2"))

        assert kept.get("s1") is None


def test_what_cannot_be_read_is_told(state: Path) -> None:
    with Pins(str(state)) as kept:
        kept.add(PIN)
    (state / "state.db-journal").mkdir()

    with Pins(str(state)) as kept:
        assert kept.get("s1") is None
        (note,) = kept.notes

    assert note.startswith("stophooks: what this session was held to is not known")


def test_trust_is_for_one_configuration_of_a_project(state: Path) -> None:
    with Pins(str(state)) as kept:
        kept.trust("/p", "one")
        kept.trust("/q", "one")
        kept.trust("/p", "two")

        assert (kept.trusted("/p"), kept.trusted("/q")) == ({"two"}, {"one"})


def test_what_a_user_changes_in_their_own_configuration_needs_no_new_trust() -> None:
    own = "/home/u/.config/stophooks/stophooks.yaml"

    assert PIN.digest == replace(PIN, files={**PIN.files, own: "- 3"}).digest
    assert PIN.digest != replace(PIN, files={**PIN.files, "/p/stophooks.yaml": "- 3"}).digest
    assert replace(PIN, files={own: "- 2"}).digest == ""
