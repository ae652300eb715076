"""What ``python -X importtime`` says, read."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

# "import time:   self [us] |   cumulative | name", a line for each module, on stderr.
_LINE = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \|\s*(\S+)$", re.MULTILINE)
OWN = "stophooks"
STANDARD = "standard library"
OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One module: the time of its own lines, and with all that it imports first. Seconds."""

    name: str
    own_s: float
    whole_s: float

    @property
    def group(self) -> str:
        """Whose it is."""
        top = self.name.partition(".")[0]
        if top == "stophooks":
            return OWN
        # `site` and what it brings are no more in this list than the frozen importers are.
        known = top in sys.stdlib_module_names or top in {"zipimport", "sitecustomize"}
        return STANDARD if known else OTHERS


def read(stderr: str) -> list[Import]:
    """Every module that was imported, in the order of their ends."""
    return [
        Import(name=name, own_s=int(own) / 1e6, whole_s=int(whole) / 1e6)
        for own, whole, name in _LINE.findall(stderr)
    ]
