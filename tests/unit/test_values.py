"""What `stophooks.values` makes is what `dataclasses` would make."""

from __future__ import annotations

import dataclasses
import json
import pickle
from functools import cached_property
from typing import Any

import pytest

from stophooks import models, values


def made(by: Any) -> dict[str, type]:
    """The same classes, made by the standard library or by ours."""

    @by.dataclass(frozen=True, slots=True, kw_only=True)
    class Point:
        x: int
        y: int = 2
        seen: list[int] = by.field(default_factory=list, compare=False, repr=False)

        @property
        def total(self) -> int:
            return self.x + self.y

    @by.dataclass(frozen=True, slots=True, kw_only=True)
    class Deep(Point):
        z: int = 3

    @by.dataclass(slots=True)
    class Open:
        name: str
        kinds: tuple[str, ...] = ()

    @by.dataclass(frozen=True, kw_only=True)
    class Lazy:
        name: str

        @cached_property
        def loud(self) -> str:
            return self.name.upper()

    return {one.__name__: one for one in (Point, Deep, Open, Lazy)}


OURS, THEIRS = made(values), made(dataclasses)

GIVEN: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...] = (
    ("Point", (), {"x": 1}),
    ("Point", (), {"x": 1, "y": 5, "seen": [1]}),
    ("Deep", (), {"x": 1, "z": 9}),
    ("Open", ("a",), {}),
    ("Open", ("a", ("b",)), {}),
    ("Open", ("a",), {"kinds": ("b",)}),
    ("Lazy", (), {"name": "a"}),
)
REFUSED: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...] = (
    ("Point", (), {}),
    ("Point", (1,), {}),
    ("Point", (), {"x": 1, "w": 2}),
    ("Open", ("a", (), 1), {}),
    ("Open", ("a",), {"name": "b"}),
)


@pytest.mark.parametrize(("name", "placed", "named"), GIVEN)
def test_a_value_shows_compares_and_converts_as_a_dataclass_does(
    name: str, placed: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = OURS[name](*placed, **named), THEIRS[name](*placed, **named)

    assert repr(ours) == repr(theirs)
    assert values.asdict(ours) == dataclasses.asdict(theirs)
    assert ours == OURS[name](*placed, **named)
    assert ours != theirs


@pytest.mark.parametrize(("name", "placed", "named"), REFUSED)
def test_what_a_dataclass_refuses_a_value_refuses(
    name: str, placed: tuple[Any, ...], named: dict[str, Any]
) -> None:
    for kind in (OURS[name], THEIRS[name]):
        with pytest.raises(TypeError):
            kind(*placed, **named)


def test_a_frozen_value_cannot_be_changed_and_can_be_a_key() -> None:
    point = OURS["Point"](x=1, seen=[1])

    with pytest.raises(AttributeError, match="'x' of a Point cannot change"):
        point.x = 2
    with pytest.raises(AttributeError):
        del point.x
    assert {point: 1}[OURS["Point"](x=1)] == 1


def test_a_value_with_slots_takes_no_other_name() -> None:
    thing = OURS["Open"]("a")
    thing.kinds = ("b",)

    assert thing == OURS["Open"]("a", ("b",))
    with pytest.raises(AttributeError):
        thing.other = 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(thing)


def test_a_replaced_field_makes_another_value() -> None:
    deep = OURS["Deep"](x=1)
    other = values.replace(deep, z=5)

    assert (deep.z, other.z, other.total) == (3, 5, 3)
    with pytest.raises(TypeError):
        values.replace(deep, w=5)


def test_what_is_worked_out_once_is_kept() -> None:
    worked: list[str] = []

    @values.dataclass(frozen=True, kw_only=True)
    class Slow:
        name: str

        @values.cached_property
        def loud(self) -> str:
            """The name, cried."""
            worked.append(self.name)
            return self.name.upper()

    one, other = Slow(name="a"), Slow(name="b")

    assert (one.loud, one.loud, other.loud) == ("A", "A", "B")
    assert worked == ["a", "b"]
    assert Slow.loud.__doc__ == "The name, cried."
    assert one == Slow(name="a")


def test_a_method_of_a_value_without_slots_may_call_that_of_its_base() -> None:
    @values.dataclass(kw_only=True)
    class Base:
        name: str = "a"

        def told(self) -> str:
            return self.name

    @values.dataclass(kw_only=True)
    class Inner(Base):
        more: list[str] = values.field(default_factory=list)

        def told(self) -> str:
            return super().told() + "b"

    assert Inner().told() == "ab"


def test_values_inside_collections_are_converted_too() -> None:
    inner = OURS["Open"]("a")
    outer = OURS["Open"]("b", (inner, [inner], {"k": inner}))

    found = values.asdict(outer)

    plain = {"name": "a", "kinds": ()}
    assert found == {"name": "b", "kinds": (plain, [plain], {"k": plain})}


def test_a_word_is_a_text_and_a_member_of_its_kind() -> None:
    status = models.Status.PASSED

    assert status == "passed"
    assert (str(status), f"{status:>8}", repr(status)) == (
        "passed",
        "  passed",
        "<Status.PASSED: 'passed'>",
    )
    assert (status.name, status.value) == ("PASSED", "passed")
    assert models.Status("passed") is models.Status["PASSED"] is status
    assert isinstance(status, models.Status)
    assert hash(status) == hash("passed")
    assert pickle.loads(pickle.dumps(status)) is status
    assert json.dumps([status]) == '["passed"]'


def test_the_members_of_a_kind_are_told_in_order() -> None:
    assert [*models.Severity] == ["block", "warn", "ignore"]
    assert len(models.Severity) == 3
    with pytest.raises(ValueError, match="'warm' is not a valid Severity"):
        models.Severity("warm")
