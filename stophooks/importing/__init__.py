"""Other programs' configurations as ours: a module for each of them.

They are given values and give a tree, which `document` makes into text; reading, checking and
writing files is their caller's.
"""

from __future__ import annotations

from stophooks.importing import (
    canopy,
    clsecure,
    conclaude,
    document,
    kepler,
    lefthook,
    pre_commit,
)
from stophooks.importing.base import ForeignFileError, Importer, Source

__all__ = ["IMPORTERS", "ForeignFileError", "Importer", "Source", "document"]

# By the name that a person gives the tool.
IMPORTERS: dict[str, Importer] = {
    "conclaude": conclaude.IMPORTER,
    "canopy": canopy.IMPORTER,
    "kepler": kepler.IMPORTER,
    "clsecure": clsecure.IMPORTER,
    "pre-commit": pre_commit.IMPORTER,
    "lefthook": lefthook.IMPORTER,
}
