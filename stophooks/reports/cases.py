"""The failing cases of one command as lines: its words, so each is behind the mark of output."""

from __future__ import annotations

import os

from stophooks.reports.clean import line, middle
from stophooks.reports.excerpt import MARK_BYTES, PREFIX
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.models import Case, Cases

# Of the file's name, the case's name and what is said of it, in characters.
FILE_WIDTH, NAME_WIDTH, MESSAGE_WIDTH = 150, 120, 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Cases as lines, of which the first ones are shown; ``total`` counts all that failed."""

    label: str
    lines: tuple[str, ...]
    total: int

    @property
    def wanted_bytes(self) -> int:
        """Bytes that all of them take, with their label."""
        more = MARK_BYTES if self.total > len(self.lines) else 0
        return _cost(self.label) + sum(map(_cost, self.lines)) + more

    def rows(self, room: int) -> list[str]:
        """The label and the first lines that fit into ``room`` bytes; none if not even one does."""
        if self.wanted_bytes <= room:
            fitting = len(self.lines)
        else:
            room -= _cost(self.label) + MARK_BYTES
            fitting = 0
            for shown in self.lines:
                room -= _cost(shown)
                if room < 0:
                    break
                fitting += 1
        if not fitting:
            return []
        left = self.total - fitting
        return [self.label, *self.lines[:fitting], *([f"  ... and {left} more"] if left else [])]


def told(cases: Cases) -> Told:
    """Cases as clean lines of bounded length: place, name and message of each."""
    noun = "case" if cases.total == 1 else "cases"
    return Told(
        label=f"  {cases.total} failing {noun} ({cases.format}):",
        lines=tuple(PREFIX + _line(case) for case in cases.first),
        total=cases.total,
    )


def _line(case: Case) -> str:
    place = middle(line(_short(case.file)), FILE_WIDTH) if case.file else ""
    if place and case.line is not None:
        place += f":{case.line}"
    name = line(case.name or "", width=NAME_WIDTH)
    return ": ".join(filter(None, (place, name, line(case.message, width=MESSAGE_WIDTH))))


def _short(file: str) -> str:
    """A file's name without what only lengthens it."""
    return os.path.normpath(file.removeprefix("file://"))


def _cost(row: str) -> int:
    return len(row.encode()) + 1
