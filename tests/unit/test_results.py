"""Failing cases out of what tools write for machines: recorded answers, and hostile ones."""

# ruff: noqa: E501 -- answers as the tools write them

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Container
from stophooks.models import Case, Command, Outcome, ResultFile, Status, Tail
from stophooks.results import read
from stophooks.results.asked import asked
from stophooks.results.base import MAX_BYTES, MAX_CASES
from stophooks.results.read import FORMATS, Read

if TYPE_CHECKING:
    from pathlib import Path

JUNIT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" tests="4">
<testcase classname="tests.test_a" name="test_ok" time="0.001"/>
<testcase classname="tests.test_a" name="test_bad" file="tests/test_a.py" line="7" time="0.001">
<failure message="assert 1 == 2">def test_bad(): ...</failure></testcase>
<testcase name="test_left_out"><skipped message="later"/></testcase>
<testcase classname="tests.test_b" name="test_error"><error>fixture 'x'
not found</error></testcase>
</testsuite></testsuites>"""
GO = b"""{"Action":"run","Package":"m/a","Test":"TestX"}
{"Action":"output","Package":"m/a","Test":"TestX","Output":"=== RUN   TestX\\n"}
{"Action":"output","Package":"m/a","Test":"TestX/one","Output":"    x_test.go:9: got 1\\n"}
{"Action":"output","Package":"m/a","Test":"TestX/one","Output":"    --- FAIL: TestX/one (0.00s)\\n"}
{"Action":"fail","Package":"m/a","Test":"TestX/one","Elapsed":0}
{"Action":"fail","Package":"m/a","Test":"TestX","Elapsed":0}
{"Action":"pass","Package":"m/a","Test":"TestY","Elapsed":0}
{"Action":"fail","Package":"m/a","Elapsed":0.1}
{"Action":"build-output","ImportPath":"m/b","Output":"b.go:3:1: syntax error\\n"}
{"Action":"build-fail","ImportPath":"m/b"}
"""
CARGO = b"""{"reason":"compiler-artifact"}
{"reason":"compiler-message","message":{"level":"error","message":"mismatched types","code":{"code":"E0308"},"spans":[{"file_name":"src/other.rs","line_start":1,"is_primary":false},{"file_name":"src/main.rs","line_start":4,"is_primary":true}]}}
{"reason":"compiler-message","message":{"level":"warning","message":"unused","code":null,"spans":[]}}
{"reason":"compiler-message","message":{"level":"error","message":"aborting due to 1 previous error","code":null,"spans":[]}}
error: could not compile
"""
RUFF = (
    b"""[{"filename":"/p/a.py","location":{"row":3,"column":1},"code":"F401","message":"unused"}]"""
)
ESLINT = b"""[{"filePath":"/p/a.js","messages":[
{"ruleId":"no-undef","severity":2,"message":"x is not defined","line":2},
{"ruleId":"semi","severity":1,"message":"Missing semicolon","line":3}]}]"""
MYPY = b"""{"file": "a.py", "line": 2, "column": 4, "message": "bad type", "hint": null, "code": "assignment", "severity": "error"}
{"file": "a.py", "line": 2, "column": 4, "message": "see here", "hint": null, "code": null, "severity": "note"}
"""
JEST = b"""{"numFailedTests":1,"testResults":[
{"name":"/p/a.test.js","status":"failed","message":"all of it","assertionResults":[
{"status":"passed","fullName":"sum adds"},
{"status":"failed","fullName":"sum fails","failureMessages":["Error: expected 3\\n  at a"],"location":{"line":5,"column":1}}]},
{"name":"/p/b.test.js","status":"failed","message":"SyntaxError: x","assertionResults":[]}]}"""
TSC = b"""src/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.
  a further line
error TS18003: No inputs were found.
"""
SARIF = b"""{"version":"2.1.0","runs":[{"results":[
{"ruleId":"R1","kind":"pass","message":{"text":"fine"}},
{"ruleId":"R2","level":"error","message":{"text":"bad"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/a.c"},"region":{"startLine":8}}}]}]}]}"""
EXPECTED: dict[str, tuple[bytes, *tuple[Case, ...]]] = {
    "junit": (
        JUNIT,
        Case(
            file="tests/test_a.py", line=7, name="tests.test_a::test_bad", message="assert 1 == 2"
        ),
        Case(name="tests.test_b::test_error", message="fixture 'x'\nnot found"),
    ),
    "go-test-json": (
        GO,
        Case(name="m/a.TestX/one", message="x_test.go:9: got 1"),
        Case(name="m/b", message="b.go:3:1: syntax error"),
    ),
    "cargo-json": (
        CARGO,
        Case(file="src/main.rs", line=4, name="E0308", message="mismatched types"),
    ),
    "ruff-json": (RUFF, Case(file="/p/a.py", line=3, name="F401", message="unused")),
    "eslint-json": (
        ESLINT,
        Case(file="/p/a.js", line=2, name="no-undef", message="x is not defined"),
    ),
    "mypy-json": (MYPY, Case(file="a.py", line=2, name="assignment", message="bad type")),
    "jest-json": (
        JEST,
        Case(file="/p/a.test.js", line=5, name="sum fails", message="Error: expected 3\n  at a"),
        Case(file="/p/b.test.js", message="SyntaxError: x"),
    ),
    "tsc": (
        TSC,
        Case(
            file="src/a.ts",
            line=3,
            name="TS2322",
            message="Type 'string' is not assignable to type 'number'.",
        ),
        Case(name="TS18003", message="No inputs were found."),
    ),
    "sarif": (SARIF, Case(file="src/a.c", line=8, name="R2", message="bad")),
}


def told(data: bytes, format_: str, *, cut_bytes: int = 0) -> Read:
    command = Command(name="c", project_dir="/p", run="x", report=ResultFile(format=format_))
    outcome = Outcome(
        status=Status.FAILED, stdout=Tail(head=data, total_bytes=len(data) + cut_bytes)
    )
    return read(command, outcome, began_ns=0)


@pytest.mark.scenario("output: Every format")
@pytest.mark.parametrize("format_", FORMATS)
def test_failing_cases_are_read_as_the_tool_tells_them(format_: str) -> None:
    data, *cases = EXPECTED[format_]

    found = told(data, format_)

    assert found.note is None
    assert found.cases is not None
    assert (found.cases.format, found.cases.total) == (format_, len(cases))
    assert list(found.cases.first) == cases


@pytest.mark.parametrize("format_", FORMATS)
def test_results_without_a_failure_are_no_cases(format_: str) -> None:
    empty = {"junit": b"<testsuites/>", "jest-json": b'{"testResults":[]}', "sarif": b'{"runs":[]}'}
    lists = b"[]" if format_ in {"ruff-json", "eslint-json"} else b""

    assert told(empty.get(format_, lists), format_) == Read()


HOSTILE = (
    b"",
    b"\0\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"runs":[{"results":[{"locations":[5],"message":7,"ruleId":[]}]}],"testResults":[{"name":{}}]}',
    b'[{"filename":5,"location":[],"messages":[{"severity":2,"line":"x","message":{}}]}]',
    b'{"severity":"error","line":1e400,"file":null}\n{"Action":"fail","Test":{},"Package":[]}',
    b'{"reason":"compiler-message","message":{"level":"error","spans":[{"is_primary":true}]}}',
    b"1" * 10_000,
    b"<testsuites>" + b"<a>" * 5_000,
    b"<testsuite><testcase line='99999999999999' name='x'><failure/></testcase></testsuite>",
    b"<html></html>",
)


@pytest.mark.scenario("output: Results that make no sense")
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_results_are_an_answer_and_never_an_error(data: bytes, format_: str) -> None:
    found = told(data, format_)

    assert found.note is None or found.note.startswith(
        f"its {format_} results are not shown apart:"
    )


@pytest.mark.scenario("output: XML that would grow or fetch")
@pytest.mark.parametrize(
    "inside",
    [
        '<!DOCTYPE a [<!ENTITY x "1"><!ENTITY y "&x;&x;&x;">]>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE testsuites>",
    ],
)
def test_a_document_type_is_refused(inside: str) -> None:
    data = f"{inside}<testsuites><testcase name='&y;'/></testsuites>".encode()

    found = told(data, "junit")

    assert found.cases is None
    assert found.note == (
        "its junit results are not shown apart: it has a document type, which no JUnit XML has"
    )


def test_many_cases_are_counted_and_the_first_are_kept_cut() -> None:
    data = json.dumps([{"filename": "f" * 5000, "message": "m" * 5000}] * 1000).encode()

    cases = told(data, "ruff-json").cases

    assert cases is not None
    assert (cases.total, len(cases.first)) == (1000, MAX_CASES)
    assert max(len(case.message) for case in cases.first) < 1000


def test_a_document_that_was_cut_says_so_and_lines_that_were_cut_are_read() -> None:
    assert told(RUFF, "ruff-json", cut_bytes=9).note == (
        f"its ruff-json results are not shown apart: they have {len(RUFF) + 9} bytes, and of "
        f"standard output only {len(RUFF)} are kept; let them be written to a file"
    )
    assert told(MYPY, "mypy-json", cut_bytes=9).cases is not None


def of_file(path: Path, began_ns: int = 0, **options: object) -> Read:
    command = Command(
        name="c",
        project_dir=str(path.parent),
        run="x",
        report=ResultFile(format="junit", path=str(path)),
        **options,  # type: ignore[arg-type]
    )
    return read(command, Outcome(status=Status.FAILED), began_ns=began_ns)


@pytest.mark.scenario("output: A report of an earlier run")
def test_a_file_that_is_older_than_the_command_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_bytes(JUNIT)
    os.utime(path, ns=(10**18, 10**18))

    assert of_file(path, 10**18).cases is not None
    assert of_file(path, 10**18 + 10**9).note == (
        "its junit results are not shown apart: report.xml is older than this run"
    )


@pytest.mark.scenario("output: Results that make no sense")
def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    said = "its junit results are not shown apart: report.xml "

    assert of_file(path).note == f"{said}cannot be read (No such file or directory)"
    os.mkfifo(path)
    assert of_file(path).note == f"{said}is no regular file"
    path.unlink()
    path.mkdir()
    assert of_file(path).note == f"{said}is no regular file"
    path.rmdir()
    path.write_bytes(b" " * (MAX_BYTES + 1))
    assert of_file(path).note == f"{said}is larger than 4 MiB"
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert of_file(path).note == f"{said}leads out of the project"


@pytest.mark.scenario("output: A report out of a container")
def test_a_path_of_a_container_is_the_project_s_own(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/r.xml").write_bytes(JUNIT)

    def found(path: str, **container: str) -> Read:
        command = Command(
            name="c",
            project_dir=str(tmp_path),
            run="x",
            container=Container(image="a:1", **container),  # type: ignore[arg-type]
            report=ResultFile(format="junit", path=path),
        )
        return read(command, Outcome(status=Status.FAILED), began_ns=0)

    assert found("/workspace/out/r.xml").cases is not None
    assert found("/tmp/r.xml").note == (
        "its junit results are not shown apart: /tmp/r.xml is not in the project, and is gone "
        "with the container"
    )
    assert found("/workspace/out/r.xml", workspace="none").cases is None


@pytest.mark.scenario("output: The command line asks")
@pytest.mark.parametrize(
    ("line", "format_", "path"),
    [
        ("ruff check --output-format json", "ruff-json", None),
        ("ruff check . --output-format=json -o out.json", "ruff-json", "/p/out.json"),
        ("pytest -q --junitxml=r.xml tests", "junit", "/p/r.xml"),
        ("CI=1 python3 -m pytest --junit-xml /tmp/r.xml", "junit", "/tmp/r.xml"),
        ("uv run mypy --output json .", "mypy-json", None),
        ("mypy -O json .", "mypy-json", None),
        ("npx eslint -f json .", "eslint-json", None),
        ("jest --json --outputFile=r.json", "jest-json", "/p/r.json"),
        ("vitest run --reporter=json", "jest-json", None),
        ("go test -json ./...", "go-test-json", None),
        ("cargo clippy --message-format=json", "cargo-json", None),
        ("tsc --noEmit --pretty false", "tsc", None),
    ],
)
def test_a_command_line_that_asks_for_machine_output_is_believed(
    line: str, format_: str, path: str | None
) -> None:
    expected = ResultFile(format=format_, path=path)

    if "..." not in line:
        assert asked(Command(name="c", project_dir="/p", run=line)) == expected
    assert asked(Command(name="c", project_dir="/p", argv=tuple(line.split()))) == expected


@pytest.mark.scenario("output: The command line does not ask")
@pytest.mark.parametrize(
    "line",
    [
        "pytest",
        "ruff check",
        "ruff format --output-format json",
        "ruff check --output-format github",
        "ruff check --output-format json | tee log",
        "ruff check --output-format json && true",
        "echo ruff check --output-format json",
        "mypy --output $FORMAT",
        "go build -json",
        "pytest -- --junitxml=r.xml",
        "eslint -f 'json",
        "",
    ],
)
def test_nothing_is_guessed_of_a_command_line(line: str) -> None:
    assert asked(Command(name="c", project_dir="/p", run=line)) is None


def test_a_path_in_a_container_is_relative_to_its_own_directory() -> None:
    command = Command(
        name="c",
        project_dir="/p",
        run="pytest --junitxml=r.xml",
        container=Container(image="a:1", workdir="/workspace/sub"),
    )

    assert asked(command) == ResultFile(format="junit", path="/workspace/sub/r.xml")
