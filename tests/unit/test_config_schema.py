"""The schema for editors and the reference for people: generated, and complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from stophooks.config import reference, schema, schema_text
from stophooks.config.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(schema_text())


KEYS: list[tuple[str, str, dict[str, Any]]] = [
    (owner, key, field)
    for owner, definition in {"Config": SCHEMA, **SCHEMA["$defs"]}.items()
    for key, field in definition["properties"].items()
]


@pytest.mark.scenario("config-validation: The committed schema is the generated one")
def test_the_committed_schema_is_the_generated_one() -> None:
    assert (ROOT / "schema.json").read_text("utf-8") == schema.text()
    assert schema_text() == schema.text()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "StopCommand" in SCHEMA["$defs"]


@pytest.mark.scenario("config-validation: Every key is described")
@pytest.mark.parametrize(("owner", "key", "field"), KEYS)
def test_every_key_is_described(owner: str, key: str, field: dict[str, Any]) -> None:
    said = field["description"]

    exempt = {("StopCommand", "run"), ("StopCommand", "command"), ("Mount", "source")}
    assert "Default: " in said or "Required." in said or (owner, key) in exempt
    if isinstance(field.get("default"), (bool, int, str)):
        assert f"Default: `{json.dumps(field['default']).strip(chr(34))}`" in said


@pytest.mark.parametrize(("owner", "key", "field"), KEYS)
def test_every_key_has_words_for_a_wrong_value(owner: str, key: str, field: dict[str, Any]) -> None:
    if "$ref" in field:
        field = SCHEMA["$defs"][field["$ref"].rpartition("/")[2]]

    assert field["x-expects"], f"{owner}.{key}"


def commands(value: Any) -> Iterator[dict[str, Any]]:
    """Every command of a configuration, wherever its section stands."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from inner if key == "commands" else commands(inner)


@pytest.mark.scenario("config-validation: The reference is the generated one")
def test_the_reference_is_the_generated_one() -> None:
    assert (ROOT / "docs/configuration.md").read_text("utf-8") == reference.text()


def test_the_examples_use_every_key_and_please_an_ordinary_validator() -> None:
    paths = sorted(path for path in (ROOT / "examples").iterdir() if path.is_file())
    values = [parse(str(path), path.read_text("utf-8")).value for path in paths]

    used = {key for value in values for command in commands(value) for key in command}
    assert used == set(SCHEMA["$defs"]["StopCommand"]["properties"])
    for value in values:
        Draft202012Validator(SCHEMA).validate(value)


@pytest.mark.parametrize(
    "command",
    [
        {},
        {"run": "x", "command": ["y"]},
        {"run": "x", "memory": "1g"},
        {"run": "x", "image": "a:1", "working_dir": "."},
        {"run": "x", "image": "a:1", "inherit_env": True},
        {"run": "x", "image": "a:1", "mounts": [{"type": "bind", "target": "/a"}]},
        {"run": "x", "image": "a:1", "mounts": [{"type": "tmpfs", "target": "/a", "source": "b"}]},
        {"run": "x", "image": "a:1", "ulimits": {"nofiles": 1}},
        {"run": "x", "timeout": "0s"},
        {"run": "x", "timeout": 30},
        {"run": " "},
    ],
)
def test_an_editor_sees_rules_between_keys(command: dict[str, Any]) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid({"stop": {"commands": [command]}})
