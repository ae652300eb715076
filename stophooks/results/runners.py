"""What test runners write for machines, besides JUnit XML."""

from __future__ import annotations

from stophooks.results.base import (
    MESSAGE_WIDTH,
    Found,
    NotUnderstoodError,
    document,
    documents,
    objects,
    part,
)

# Lines of `go test` about its own progress.
_GO_PROGRESS = ("=== ", "--- ", "FAIL", "ok ", "PASS", "exit status")
# A test that says much is kept to so many characters until it is known to have failed.
_GO_KEPT = 2 * MESSAGE_WIDTH
_GO_TESTS = 20_000


def jest(data: bytes) -> Found:
    """`jest --json` and `vitest --reporter=json`: failed assertions, and files that did not run."""
    value = document(data)
    if not isinstance(part(value, "testResults"), list):
        raise NotUnderstoodError("it has no testResults")
    found = Found()
    for file in objects(part(value, "testResults")):
        cases = objects(file.get("assertionResults"))
        failed = [case for case in cases if case.get("status") == "failed"]
        for case in failed:
            messages = case.get("failureMessages")
            said = messages[0] if isinstance(messages, list) and messages else ""
            found.add(
                file=file.get("name"),
                line=part(case, "location", "line"),
                name=case.get("fullName") or case.get("title"),
                message=said,
            )
        if file.get("status") == "failed" and not failed:
            found.add(file=file.get("name"), message=file.get("message"))
    return found


def go(data: bytes) -> Found:
    """`go test -json`: an event per line; tests without failed subtests, packages without tests."""
    said: dict[tuple[str, str], str] = {}
    failed: list[tuple[str, str]] = []
    for event in documents(data):
        action = event.get("Action")
        key = (
            str(event.get("Package") or event.get("ImportPath") or ""),
            str(event.get("Test") or ""),
        )
        if action in {"output", "build-output"} and isinstance(event.get("Output"), str):
            row = event["Output"]
            is_kept = key in said or len(said) < _GO_TESTS
            if is_kept and not row.lstrip().startswith(_GO_PROGRESS):
                said[key] = (said.get(key, "") + row)[:_GO_KEPT]
        elif action in {"fail", "build-fail"}:
            failed.append(key)
    found = Found()
    # A package has the empty name, and is a parent of all its tests.
    parents = {(package, _up(test)) for package, test in failed if test}
    for key in dict.fromkeys(failed):
        if key not in parents:
            found.add(name=".".join(filter(None, key)), message=said.get(key, "").strip())
    return found


def _up(test: str) -> str:
    return test.rpartition("/")[0]
