"""Every scenario of the specs is proven by a test, and every test that says so is right."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPECS = ROOT / "openspec/specs"
SCENARIO = re.compile(r"^#### Scenario: (.+?)\s*$", re.MULTILINE)


def scenarios() -> list[str]:
    """Each scenario as ``capability: name``, in the order of the specs."""
    return [
        f"{spec.parent.name}: {name}"
        for spec in sorted(SPECS.glob("*/spec.md"))
        for name in SCENARIO.findall(spec.read_text(encoding="utf-8"))
    ]


@functools.cache
def marked() -> dict[str, str]:
    """The scenario that each ``scenario`` marker names, and where the marker stands."""
    return {
        name: f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for name, line in markers(path.read_text(encoding="utf-8"))
    }


def markers(source: str) -> list[tuple[str, int]]:
    """The text and the line of each ``pytest.mark.scenario(...)`` in one file."""
    return [
        (str(ast.literal_eval(node.args[0])), node.lineno)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "scenario"
    ]


def test_there_are_scenarios() -> None:
    assert scenarios()


def test_a_scenario_has_its_name_to_itself() -> None:
    twice = [name for name, count in Counter(scenarios()).items() if count > 1]

    assert not twice


@pytest.mark.parametrize("scenario", scenarios())
def test_a_test_proves_the_scenario(scenario: str) -> None:
    assert scenario in marked(), f'no test is marked @pytest.mark.scenario("{scenario}")'


def test_every_marker_names_a_scenario() -> None:
    known = set(scenarios())
    unknown = {name: place for name, place in marked().items() if name not in known}

    assert not unknown


def test_markers_are_found_on_tests_classes_and_parameters() -> None:
    source = """
@pytest.mark.scenario("a: on a test")
def test_it(): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.scenario("a: on a parameter"))])
def test_each(x): ...
"""

    found = [name for name, _line in markers(source)]

    assert found == ["a: on a test", "a: on a parameter"]
