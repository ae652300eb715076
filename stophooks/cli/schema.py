"""``stophooks schema``."""

from __future__ import annotations

from stophooks import config
from stophooks.cli import console


def schema() -> None:
    """Print the JSON Schema of the configuration."""
    console.out(config.schema_text().rstrip("\n"))
