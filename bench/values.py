"""What is measured, as values: they go into JSON and come back from it unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The median of a measurement, with its least and its most."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What the figures of one column are.

    ``kind`` says what they are: ``s`` (seconds), ``mib`` (bytes, written in MiB), ``size`` (bytes,
    in MB), ``ratio``, ``rate`` (bytes per second, in MB/s) or ``count``.
    """

    key: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One contender's figures by the key of their column; ``note`` says what is odd about them."""

    name: str
    figures: dict[str, Figure]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Contenders that were measured in turns."""

    key: str
    title: str
    columns: list[Column]
    entries: list[Entry]

    def figure(self, name: str, column: str) -> Figure | None:
        """One contender's figure, or None where it was not measured."""
        found = (entry.figures.get(column) for entry in self.entries if entry.name == name)
        return next(found, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A target, and the figure that is held to it: at most, or at least, so much.

    ``kind`` is that of the column; ``value`` is None where nothing could be measured.
    """

    what: str
    kind: str
    value: float | None
    target: float
    stretch: float
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where that is not known."""
        return None if self.value is None else self._reached(self.value, self.target)

    @property
    def stretched(self) -> bool | None:
        """Whether even the stretch is."""
        return None if self.value is None else self._reached(self.value, self.stretch)

    def _reached(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """How much (``y``) at which size (``x``)."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One contender's curve."""

    name: str
    points: list[Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves over sizes; ``x_kind`` and ``y_kind`` are kinds of `Column`."""

    key: str
    title: str
    x_title: str
    x_kind: str
    y_title: str
    y_kind: str
    lines: list[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that one row found; ``notes`` say what was not as it should be."""

    row: str
    title: str
    tables: list[Table]
    goals: list[Goal]
    charts: list[Chart]
    notes: list[str]
    took_s: float = 0.0
    broken: bool = False


def measured(
    row: str,
    title: str,
    *,
    tables: Sequence[Table] = (),
    goals: Sequence[Goal] = (),
    charts: Sequence[Chart] = (),
    notes: Sequence[str] = (),
    broken: bool = False,
) -> Measured:
    """What a row found; all that is not given is empty."""
    return Measured(
        row=row,
        title=title,
        tables=[*tables],
        goals=[*goals],
        charts=[*charts],
        notes=[*notes],
        broken=broken,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured; empty texts are not known.

    ``peers`` are versions by name, ``load`` that of the last minute before the first row. The
    system counts a program's memory from its parent's, which was ``floor_bytes``: smaller peaks
    than that cannot be seen.
    """

    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    system: str
    python: str
    git: str
    docker: str
    stophooks: str
    peers: dict[str, str]
    load: float
    floor_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One run of the benchmark; ``date`` is that of its beginning, in UTC."""

    date: str
    quick: bool
    machine: Machine
    rows: list[Measured]
    took_s: float
