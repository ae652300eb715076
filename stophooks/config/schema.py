"""The JSON Schema of the configuration: generated from the models, read from the package.

``python -m stophooks.config.schema > schema.json`` writes it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stophooks.typed import Any

# No web address: nothing is published under one.
SCHEMA_ID = "urn:stophooks:schema:1"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """The text of ``schema.json``: the package's own copy, or that of an editable install."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "schema.json"
    return (inside if inside.exists() else package.parent / "schema.json").read_text("utf-8")


def generate() -> dict[str, Any]:
    """The schema of the models as they are now (draft 2020-12)."""
    # Only the maintainer's commands need pydantic's generator; a load reads the finished text.
    from pydantic.json_schema import GenerateJsonSchema  # noqa: PLC0415 - see above

    from stophooks.config.models import Config  # noqa: PLC0415 - see above

    class Generator(GenerateJsonSchema):
        """Leaves out what pydantic adds for itself: titles, and null for absent keys."""

        def nullable_schema(self, schema: Any) -> Any:
            return self.generate_inner(schema["schema"])

        def default_schema(self, schema: Any) -> Any:
            if schema.get("default", ...) is None:
                return self.generate_inner(schema["schema"])
            return super().default_schema(schema)

        def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - its signature
            return False

    body = Config.model_json_schema(by_alias=True, schema_generator=Generator)
    head = {"$schema": DIALECT, "$id": SCHEMA_ID, "title": "stophooks configuration"}
    ordered: dict[str, Any] = _tidy({**head, **{k: v for k, v in body.items() if k != "title"}})
    return ordered


def text() -> str:
    """The generated schema as the committed file has it."""
    import json  # noqa: PLC0415 - as above

    return json.dumps(generate(), indent=2, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    """Without the models' class names as titles; docstrings on one line."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: _tidy(item)
        for key, item in value.items()
        if not (key == "title" and "type" in value and "$schema" not in value)
    }
    if isinstance(kept.get("description"), str):
        kept["description"] = " ".join(kept["description"].split())
    return kept


if __name__ == "__main__":
    sys.stdout.write(text())
