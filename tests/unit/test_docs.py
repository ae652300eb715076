"""README and docs say what is true: their examples load, their links lead, their messages exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from stophooks import config
from stophooks.cli import COMMANDS
from stophooks.events import EVENTS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TROUBLESHOOTING = ROOT / "docs/troubleshooting.md"
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)]+)\)")
CALL = re.compile(r"^stophooks ([a-z]+)|`stophooks ([a-z]+)", re.MULTILINE)
SECTION = re.compile(rf"^({'|'.join(EVENTS)}):", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def yaml_examples() -> list[tuple[str, str]]:
    return [
        (f"{page.name}-{index}", text)
        for page in PAGES
        for index, text in enumerate(YAML.findall(page.read_text()))
        if SECTION.search(text)
    ]


@cache
def texts() -> tuple[str, ...]:
    """Every string constant of the package, neighbours in one expression joined."""
    found = []
    for path in sorted((ROOT / "stophooks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = (part for part in node.values if isinstance(part, ast.Constant))
                found.append("\0".join(str(part.value) for part in parts))
    return tuple(found)


def faults() -> set[str]:
    """The name of every fault that an executor can give as its reason."""
    found: set[str] = set()
    for path in (ROOT / "stophooks/executors").rglob("*.py"):
        tree = ast.parse(path.read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            keys = {"fault"} | ({"name"} if ast.unparse(call.func) == "Fault" else set())
            values = [item.value for item in call.keywords if item.arg in keys]
            if ast.unparse(call.func) in {"_unavailable", "refuse", "spec.refuse"}:
                values += call.args[2:3]
            if ast.unparse(call.func) == "_classified":
                values += call.args[2:3]
            found |= {
                value.value
                for value in values
                if isinstance(value, ast.Constant) and isinstance(value.value, str)
            }
    return found


def anchors(page: Path) -> set[str]:
    headings = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_readme_shows_a_log_as_it_is_named() -> None:
    named = re.search(r"Full output: (\S+)", (ROOT / "README.md").read_text())

    assert named
    assert re.search(r"/stophooks/logs/\d{8}T\d{6}Z-[0-9a-f]{8}/\d+-test\.log$", named[1])


def test_there_are_examples() -> None:
    assert len(yaml_examples()) >= 2


@pytest.mark.parametrize(
    "text", [text for _, text in yaml_examples()], ids=[name for name, _ in yaml_examples()]
)
def test_every_yaml_example_is_a_valid_configuration(text: str, tmp_path: Path) -> None:
    path = tmp_path / "stophooks.yaml"
    path.write_text(text)

    loaded = config.load(str(path), environ={})

    assert loaded.problems == ()


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_sub_command_that_is_named_exists(page: Path) -> None:
    named = {first or second for first, second in CALL.findall(page.read_text())}

    assert named <= set(COMMANDS)


def test_the_readme_names_every_sub_command() -> None:
    readme = (ROOT / "README.md").read_text()

    assert [
        name for name in COMMANDS if not re.search(rf"stophooks (\w+\\\|)?{name}\b", readme)
    ] == []


def test_every_fault_has_its_remedy() -> None:
    rows = {
        name
        for row in TROUBLESHOOTING.read_text().splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`([a-z-]+)`", row.split("|")[1])
    }

    assert faults() <= rows


def messages() -> dict[str, str]:
    """The constant part of every error that a person can do something about, by its place."""
    kinds = {"UsageError", "StoreError", "PayloadError", "ConfigAmbiguousError", "OutputError"}
    found = {}
    for path in (ROOT / "stophooks").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        for node in (node for node in nodes if isinstance(node, ast.Raise)):
            if isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in kinds:
                parts = [part for part in ast.walk(node.exc) if isinstance(part, ast.Constant)]
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                found[place] = "".join(str(part.value) for part in parts)
    return found


def explained() -> list[str]:
    """The pieces of messages, between dots, in the first column of the tables."""
    rows = [row for row in TROUBLESHOOTING.read_text().splitlines() if row.startswith("| `")]
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row.split("|")[1])]
    return [piece.strip() for text in quoted for piece in text.split("…") if piece.strip(" .,")]


def test_every_error_with_a_remedy_is_explained() -> None:
    pieces = [piece for piece in explained() if len(piece) >= 10]
    missing = [
        f"{place}: {text}"
        for place, text in messages().items()
        if not any(piece in text for piece in pieces)
    ]

    assert missing == []


def test_every_message_that_is_explained_exists() -> None:
    missing = [piece for piece in explained() if not any(piece in text for text in texts())]

    assert missing == []


@pytest.mark.scenario("watchdog: The documentation names the gaps")
def test_the_documentation_says_what_a_killed_run_can_leave() -> None:
    text = (ROOT / "docs/security.md").read_text("utf-8")
    _, _, section = text.partition("## What is ended, and what cannot be\n")
    section = section.partition("\n## ")[0]

    for word in ("Linux", "macOS", "SIGKILL", "environment", "control group", "keep_children"):
        assert word in section
