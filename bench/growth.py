"""Curves: the same contenders at several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.spread import figure, median
from bench.values import Chart, Column, Entry, Line, Point, Table
from bench.words import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.pairs import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was measured at one size."""

    size: float
    turns: Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How one thing grows; ``x_kind`` is that of sizes, and the rest is what a reader is told."""

    key: str
    title: str
    x_title: str
    x_kind: str
    names: Sequence[str]
    steps: Sequence[Step]

    @property
    def broken(self) -> bool:
        """Whether anybody broke at any size."""
        return any(step.turns.broken for step in self.steps)

    def seconds(self) -> Chart:
        """How long whole processes take."""
        return self._chart(self.key, self.title, "time", "s", self._points("seconds"))

    def memory(self) -> Chart:
        """How much memory they have."""
        title = f"{self.title}: memory"
        return self._chart(f"{self.key}-memory", title, "memory", "mib", self._points("peak_bytes"))

    def table(self, *, kind: str = "s", field: str = "seconds") -> Table:
        """The same in figures: a column for each size."""
        columns = [
            Column(key=f"{step.size:g}", title=number(step.size, self.x_kind), kind=kind)
            for step in self.steps
        ]
        entries = [self._entry(name, field) for name in self.names]
        what = "time" if field == "seconds" else "peak memory"
        title = f"{self.title}: {what} of whole processes, by {self.x_title}"
        return Table(key=f"{self.key}-{field}", title=title, columns=columns, entries=entries)

    def _entry(self, name: str, field: str) -> Entry:
        figures = {
            f"{step.size:g}": figure(_values(step.turns, name, field))
            for step in self.steps
            if step.turns.runs.get(name)
        }
        notes = [step.turns.notes[name] for step in self.steps if name in step.turns.notes]
        return Entry(name=name, figures=figures, note="; ".join(dict.fromkeys(notes)))

    def _points(self, field: str) -> list[Line]:
        return [
            Line(
                name=name,
                points=[
                    Point(x=step.size, y=median(_values(step.turns, name, field)))
                    for step in self.steps
                    if step.turns.runs.get(name)
                ],
            )
            for name in self.names
        ]

    def _chart(self, key: str, title: str, y_title: str, y_kind: str, lines: list[Line]) -> Chart:
        return Chart(
            key=key,
            title=title,
            x_title=self.x_title,
            x_kind=self.x_kind,
            y_title=y_title,
            y_kind=y_kind,
            lines=[line for line in lines if line.points],
        )


def _values(turns: Turns, name: str, field: str) -> list[float]:
    return [float(getattr(ran, field)) for ran in turns.runs[name]]
