"""The two forms in which a sub-command answers."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """For a person or for a program."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", help="text for a person, json for a program.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file; default: the nearest one upward."),
]
