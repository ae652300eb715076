"""What linters, type checkers and compilers write for machines."""

from __future__ import annotations

import re

from stophooks.results.base import Found, NotUnderstoodError, document, documents, objects, part

# TypeScript's lines without `--pretty`: formatDiagnostic of its compiler (5.9, read 2026-11-21).
_TSC = re.compile(r"(?:([^\n(]{1,400})\((\d{1,9}),\d{1,9}\): )?error (TS\d{1,6}): (.*)")


def ruff(data: bytes) -> Found:
    """`ruff check --output-format json`: a list of diagnostics."""
    found = Found()
    for item in _list(document(data)):
        found.add(
            file=item.get("filename"),
            line=part(item, "location", "row"),
            name=item.get("code"),
            message=item.get("message"),
        )
    return found


def eslint(data: bytes) -> Found:
    """`eslint -f json`: a list of files; warnings only where there is no error."""
    errors, warnings = Found(), Found()
    for file in _list(document(data)):
        for item in objects(file.get("messages")):
            (errors if item.get("severity") == 2 else warnings).add(  # noqa: PLR2004 -- ESLint's error
                file=file.get("filePath"),
                line=item.get("line"),
                name=item.get("ruleId"),
                message=item.get("message"),
            )
    return errors if errors.total else warnings


def mypy(data: bytes) -> Found:
    """`mypy --output json`: an object per line."""
    found = Found()
    for item in documents(data):
        if item.get("severity") == "error":
            found.add(
                file=item.get("file"),
                line=item.get("line"),
                name=item.get("code"),
                message=item.get("message"),
            )
    return found


def tsc(data: bytes) -> Found:
    """`tsc --pretty false`: a line per error."""
    found = Found()
    for row in data.decode("utf-8", "replace").splitlines():
        if match := _TSC.fullmatch(row.rstrip()):
            found.add(
                file=match[1],
                line=int(match[2]) if match[2] else None,
                name=match[3],
                message=match[4],
            )
    return found


def cargo(data: bytes) -> Found:
    """`cargo … --message-format=json`: an object per line; the compiler's errors."""
    found = Found()
    for item in documents(data):
        message = item.get("message")
        if item.get("reason") != "compiler-message" or part(message, "level") != "error":
            continue
        spans = objects(part(message, "spans"))
        place = next((span for span in spans if span.get("is_primary") is True), None)
        if place is None and str(part(message, "message")).startswith("aborting due to"):
            continue
        found.add(
            file=part(place, "file_name"),
            line=part(place, "line_start"),
            name=part(message, "code", "code"),
            message=part(message, "message"),
        )
    return found


def sarif(data: bytes) -> Found:
    """SARIF 2.1.0: the results of all runs but those that say that they are none."""
    found = Found()
    value = document(data)
    if not isinstance(part(value, "runs"), list):
        raise NotUnderstoodError("it has no runs")
    for item in (
        item for run in objects(part(value, "runs")) for item in objects(run.get("results"))
    ):
        if item.get("kind", "fail") != "fail" or item.get("suppressions"):
            continue
        places = objects(item.get("locations"))
        place = part(places[0], "physicalLocation") if places else None
        found.add(
            file=part(place, "artifactLocation", "uri"),
            line=part(place, "region", "startLine"),
            name=item.get("ruleId"),
            message=part(item, "message", "text"),
        )
    return found


def _list(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise NotUnderstoodError("it is not a list")
    return objects(value)
