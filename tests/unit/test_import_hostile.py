"""Whatever stands in a file: a valid configuration, or a refusal that is one of ours."""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stophooks.config.parse import parse
from stophooks.errors import StophooksError
from stophooks.importing import IMPORTERS
from tests.hostile import TOKENS
from tests.importing import DIRECTORY, EXAMPLES, imported

# What any answer may take, a busy machine included; seconds.
PATIENCE_S = 20.0
KEYS = sorted(
    {
        *("stop", "subagentStop", "commands", "run", "message", "timeout", "uneditableFiles"),
        *("preToolUse", "hooks", "post_create", "pre_close", "command", "repos", "shell"),
        *("services", "kepler", "pre_start", "on_init", "post_exit", "environment", "if", "user"),
        *("repo", "id", "entry", "args", "language", "stages", "pass_filenames", "alias", "name"),
        *("pre-commit", "pre-push", "jobs", "scripts", "script", "group", "glob", "exclude", "*"),
        *("files", "root", "env", "templates", "priority", "skip", "tags", "runner", "setup"),
    }
)
words = st.sampled_from(
    [
        *("", "x", "a b", "make test\nmake lint", "! x", "{staged_files}", "{files}", "{a,b}", "'"),
        *("local", "system", "script", "docker_image", "$A ${B} $", "{{.WorkspaceID}}", "always()"),
        *(
            "${{ x }}$",
            "!lua x",
            "\u2028",
            "\x7f",
            "é",
            "../..",
            "/",
            "#",
            ": ",
            "- ",
            "\n\n",
            "{{",
        ),
    ]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
scalars = st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats(-1e3, 1e3) | words
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | words, inner, max_size=5)
    ),
    max_leaves=25,
)
tools = st.sampled_from(sorted(IMPORTERS))


def answer(tool: str, data: bytes | str, directory: Path, name: str = "given.yaml") -> str:
    """How a file was answered; fails where that was by an error that is not ours, or too late."""
    began = time.monotonic()
    try:
        found = imported(tool, data, directory, name)
    except StophooksError:
        return "refused"
    finally:
        assert time.monotonic() - began < PATIENCE_S
    if not found.tree.pairs:
        return "nothing"
    if len(found.text) < 200_000 and all("\0" not in part for part in found.text):
        # What our own reader makes of the text is what was meant.
        try:
            read = parse("x.yaml", found.text).value
        except StophooksError:
            # A key that is too long for YAML, or more values than a file may have.
            assert found.loaded.plan is None
            return "not valid"
        assert read == found.value
    return "plan" if found.loaded.plan else "not valid"


@settings(max_examples=300, deadline=None)
@given(tools, values)
def test_any_value_is_answered(tool: str, value: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        answer(tool, json.dumps(value), Path(directory), "given.json")


@settings(max_examples=300, deadline=None)
@given(tools, st.dictionaries(st.sampled_from(KEYS), values, max_size=6))
def test_any_value_under_the_tools_own_keys_is_answered(tool: str, value: Any) -> None:
    given_ = {"hooks": value} if tool == "canopy" else {"stop": value, "pre-commit": value}
    given_ |= {"services": {"a": {"hooks": value}}, "repos": [{"repo": "local", "hooks": [value]}]}
    with tempfile.TemporaryDirectory() as directory:
        answer(tool, json.dumps(given_), Path(directory), "given.json")


@settings(max_examples=200, deadline=None)
@given(tools, st.integers(0, 2**32))
def test_any_damaged_file_is_answered(tool: str, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray((DIRECTORY / EXAMPLES[tool][0]).read_bytes())
    for _ in range(chance.choice((1, 2, 5, 20))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 1, 5, 50)))
        data[start:end] = chance.choice(TOKENS) * chance.choice((1, 1, 3))
    with tempfile.TemporaryDirectory() as directory:
        answer(tool, bytes(data), Path(directory))


LONG = 100_000
BOMBS = {
    "aliases": ("conclaude", "x: &a '" + "y" * LONG + "'\nstop: {commands: ["
                + "{run: *a}, " * 3000 + "]}"),
    "aliases of lines": ("conclaude", "x: &a |\n" + "  echo\n" * 12_000 + "stop: {commands: ["
                         + "{run: *a}, " * 3000 + "]}"),
    "braces": ("conclaude", "preToolUse: {uneditableFiles: ['" + "{a,b}" * 40_000 + "']}"),
    "deep braces": ("conclaude", "preToolUse: {uneditableFiles: ['" + "{a," * 80_000 + "']}"),
    "single braces": ("conclaude", "preToolUse: {uneditableFiles: ['" + "{a}" * 80_000 + "']}"),
    "globs": ("lefthook", "pre-commit: {jobs: [{glob: '" + "{a,b}" * 30 + "', group: {jobs: ["
              + "{run: 'x {all_files}'}," * 2000 + "]}}]}"),
    "long globs": ("lefthook", "pre-commit: {jobs: [{glob: '" + "a" * LONG + "', group: {jobs: ["
                   + "{run: 'x {all_files}'}," * 2000 + "]}}]}"),
    "templates": ("lefthook", "templates: {a: '" + "{b}" * 10_000 + "', b: '" + "{a}" * 10_000
                  + "'}\npre-commit: {jobs: [{run: '" + "{a}" * 40_000 + "'}]}"),
    "variables": ("lefthook", "pre-commit: {jobs: [{env: {"
                  + "".join(f"V{number}: x, " for number in range(3000))
                  + "}, group: {jobs: [" + "{run: x}," * 1500 + "]}}]}"),
    "jobs": ("lefthook", "pre-commit: {jobs: [" + "{run: x}," * 4000 + "]}"),
    "groups": ("lefthook", "pre-commit: {jobs: [" + "{group: {jobs: [" * 12 + "{run: x}"
               + "]}}" * 12 + "]}"),
    "one name": ("pre-commit", "repos: [{repo: local, hooks: ["
                 + "{id: a, name: n, entry: x, language: system, pass_filenames: false}," * 1500
                 + "]}]"),
    "digits": ("lefthook", "pre-commit: {commands: {" + "9" * 50_000 + "a: {run: x}, b:"
               " {run: y}}}"),
    "spaces": ("kepler", "services: {a: {hooks: {pre_start: {run: x, if: '${{" + " " * LONG
               + "x'}}}}"),
    "quotes": ("canopy", "hooks: {post_create: [{command: '{{.WorkspaceID}}"
               + "\"''" * 30_000 + "'}]}"),
    "lines": ("conclaude", "stop:\n  commands:\n    - run: |\n" + "        :;\n" * 20_000),
    "a long key": ("kepler", "services: {" + "k" * 5000 + ": {hooks: {pre_stop: {run: x}}}}"),
    "parentheses": ("conclaude", "stop: {commands: [{run: 'x\n\n  " + "(" * LONG + "'}]}"),
}  # fmt: skip


@pytest.mark.scenario("import: A small file cannot become a large one")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_answered_soon(bomb: str, tmp_path: Path) -> None:
    tool, data = BOMBS[bomb]

    assert answer(tool, data, tmp_path) in {"refused", "plan", "not valid", "nothing"}


@pytest.mark.parametrize("bomb", ["aliases", "braces", "globs", "templates", "variables", "jobs"])
def test_what_stands_for_too_much_is_refused(bomb: str, tmp_path: Path) -> None:
    tool, data = BOMBS[bomb]

    assert answer(tool, data, tmp_path) == "refused"
