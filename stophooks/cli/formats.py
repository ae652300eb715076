"""The options that many sub-commands share."""

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
DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show where and how each command ran, on stderr.")
]
