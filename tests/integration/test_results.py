"""Failing cases as real tools tell them, to a person, and out of a container."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

PYTHON = sys.executable
TESTS = "def test_good():\n    pass\n\n\ndef test_bad():\n    assert 1 == 2\n"


def shown(stophooks: Stophooks, directory: Path, command: str, more: str = "") -> str:
    (directory / "stophooks.yaml").write_text(
        f"stop:\n  commands:\n    - name: check\n      run: |\n        {command}\n{more}"
    )
    return stophooks("run", cwd=directory).stdout


@pytest.mark.scenario("output: Cases first")
def test_pytest_tells_its_cases_in_junit_xml(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(TESTS)
    command = f"{PYTHON} -m pytest -q -p no:cacheprovider --rootdir . --junitxml=r.xml test_a.py"

    text = shown(stophooks, tmp_path, command)

    assert "1 failing case (junit):\n          | test_a::test_bad: assert 1 == 2\n" in text
    assert text.index("failing case") < text.index("stdout:")


@pytest.mark.scenario("output: The command line asks")
def test_linters_tell_their_cases_on_standard_output(stophooks: Stophooks, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")

    text = shown(stophooks, tmp_path, f"{PYTHON} -m ruff check --isolated --output-format json .")

    assert "1 failing case (ruff-json):\n" in text
    assert "a.py:1: F401: `os` imported but unused\n" in text


@pytest.mark.scenario("output: A report of an earlier run")
def test_a_report_that_the_command_did_not_write_is_not_believed(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    (tmp_path / "r.xml").write_text(
        "<testsuites><testcase name='old'><failure/></testcase></testsuites>"
    )
    wait = "      report: {format: junit, path: r.xml}\n"

    text = shown(stophooks, tmp_path, "sleep 0.1; exit 1", wait)

    assert "failing case" not in text
    assert "its junit results are not shown apart: r.xml is older than this run" in text


@pytest.mark.scenario("output: A report out of a container")
@pytest.mark.usefixtures("engine")
def test_a_container_s_report_is_read_from_the_project(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    more = (
        "      image: stophooks-test/busybox:1\n      network: none\n"
        "      report: {format: tsc, path: out.txt}\n"
    )
    command = 'echo "a.ts(1,2): error TS1: bad" > out.txt; exit 2'

    text = shown(stophooks, tmp_path, command, more)

    assert "1 failing case (tsc):\n          | a.ts:1: TS1: bad\n" in text
