"""What remedies and the troubleshooting page tell people to write is accepted."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from stophooks.config import load, schema_text
from stophooks.executors.host.executor import KEPT_VARIABLES

ROOT = Path(__file__).parents[2]
KEYS = json.loads(schema_text())["$defs"]["StopCommand"]["properties"]
# What the holes of a text are filled with, by the name of the variable in it.
FILLED = {"key": ("memory", "cpus", "pids_limit"), "has": ("linux/amd64",)}
FRAGMENT = re.compile(r"`(([a-z_]+): ?[^`]+)`")


def written(text: ast.JoinedStr) -> list[str]:
    """A text with holes in each form that the known holes give it."""
    forms = [""]
    for part in text.values:
        if isinstance(part, ast.Constant):
            options: tuple[str, ...] = (str(part.value),)
        else:
            options = FILLED.get(ast.unparse(part).strip("f'\"{}"), ("unknown",))
        forms = [form + option for form in forms for option in options]
    return forms


def texts() -> list[str]:
    found = [(ROOT / "docs/troubleshooting.md").read_text("utf-8")]
    for path in sorted((ROOT / "stophooks").rglob("*.py")):
        if path.is_relative_to(ROOT / "stophooks/config"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found += written(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


def fragments() -> list[str]:
    """What stands in backticks and begins with a command's key, complete and once."""
    matches = (match for text in texts() for match in FRAGMENT.finditer(text))
    kept = {match[1] for match in matches if match[2] in KEYS}
    return sorted(item for item in kept if "…" not in item and "<" not in item)


@pytest.mark.scenario("config-validation: What a remedy recommends is accepted")
@pytest.mark.parametrize("fragment", fragments())
def test_what_a_remedy_recommends_is_accepted(fragment: str, tmp_path: Path) -> None:
    path = tmp_path / "stophooks.yaml"
    base = {"image": "image: a:1", "run": "run: x"}
    key = fragment.partition(":")[0]
    base.pop("run" if key == "command" else key, None)
    if key in {"working_dir", "inherit_env"}:
        del base["image"]
    path.write_text("stop:\n  commands:\n  - " + "\n    ".join([*base.values(), fragment]) + "\n")

    loaded = load(str(path), environ={})

    assert [item for item in loaded.problems if not item.warning] == []


@pytest.mark.parametrize("key", ["memory", "cpus", "pids_limit"])
def test_the_remedies_for_limits_are_among_them(key: str) -> None:
    assert f"{key}: null" in fragments()


def test_the_description_of_inherit_env_names_what_is_kept() -> None:
    named = re.findall(r"`([A-Z_]{2,})`", KEYS["inherit_env"]["description"])

    assert named == [*KEPT_VARIABLES, "STOPHOOKS_COMMAND_ID", "STOPHOOKS_GUARDS", "PWD"]
