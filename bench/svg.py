"""Charts as SVG, written by hand: curves over logarithmic axes, named at their ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from bench.words import scale, tick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.values import Chart, Line, Point

WIDTH, HEIGHT = 800, 400
LEFT, RIGHT, TOP, BOTTOM = 84, 570, 60, 350
# Two names at the ends of curves are at least so far apart.
NAME_STEP = 17
# By Okabe and Ito (2008): told apart by everybody, and seen on white and on black alike. The first
# curve is ours, which is drawn stronger.
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#888888")
_STYLE = """\
text{font:13px system-ui,sans-serif;fill:#24292f}
.title{font-size:15px;font-weight:600}
.axis{stroke:#8c959f;fill:none}
.grid{stroke:#8c959f;stroke-opacity:.25;fill:none}
@media(prefers-color-scheme:dark){text{fill:#d1d7e0}}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A logarithmic axis from ``low`` to ``high``, which lie at two places of the picture.

    ``unit`` is how much is written as one.
    """

    low: float
    high: float
    begin: float
    end: float
    unit: float = 1.0

    def place(self, value: float) -> float:
        """Where a value lies."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.begin + share * (self.end - self.begin), 1)

    def decades(self) -> list[float]:
        """The powers of ten of its unit on it."""
        first, last = _log(self.low / self.unit), _log(self.high / self.unit)
        return [self.unit * 10.0**power for power in range(math.ceil(first), math.floor(last) + 1)]


def draw(chart: Chart) -> str:
    """The whole picture; curves without a point are left out."""
    lines = [line for line in chart.lines if line.points]
    x, y = _axes(lines, scale(chart.y_kind))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(chart.title)}</title>",
        f"<style>{_STYLE}</style>",
        _text(LEFT, 24, chart.title, kind="title"),
        *_grid(chart, lines, x, y),
        *_curves(lines, x, y),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axes(lines: Sequence[Line], unit: float) -> tuple[Axis, Axis]:
    points = [point for line in lines for point in line.points]
    across = [point.x for point in points] or [1.0]
    up = [point.y for point in points] or [1.0]
    low = unit * 10.0 ** math.floor(_log(min(up) / unit))
    high = unit * 10.0 ** math.ceil(_log(max(up) / unit))
    x = Axis(low=min(across), high=_above(across), begin=LEFT + 14, end=RIGHT - 14)
    y = Axis(low=low, high=high if high > low else low * 10, begin=BOTTOM, end=TOP, unit=unit)
    return x, y


def _above(values: Sequence[float]) -> float:
    """The end of an axis, which is not its beginning even where there is one value."""
    return max(values) if max(values) > min(values) else min(values) * 10


def _grid(chart: Chart, lines: Sequence[Line], x: Axis, y: Axis) -> list[str]:
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>']
    for value in y.decades():
        parts.append(f'<path class="grid" d="M{LEFT} {y.place(value)}H{RIGHT}"/>')
        parts.append(_text(LEFT - 8, y.place(value) + 4, tick(value, chart.y_kind), anchor="end"))
    for value in sorted({point.x for line in lines for point in line.points}):
        parts.append(f'<path class="grid" d="M{x.place(value)} {TOP}V{BOTTOM}"/>')
        parts.append(_text(x.place(value), BOTTOM + 20, tick(value, chart.x_kind), "middle"))
    parts.append(_text((LEFT + RIGHT) / 2, BOTTOM + 42, chart.x_title, "middle"))
    return [*parts, _text(LEFT - 8, TOP - 16, chart.y_title, anchor="end")]


def _curves(lines: Sequence[Line], x: Axis, y: Axis) -> list[str]:
    parts: list[str] = []
    named = [*enumerate(zip(lines, _names(lines, y), strict=True))]
    # The first is drawn over all others.
    for index, (line, height) in reversed(named):
        colour, width = COLOURS[index % len(COLOURS)], 3 if index == 0 else 1.7
        places = [_place(point, x, y) for point in line.points]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="{width}" '
            f'points="{" ".join(places)}"/>'
        )
        parts += [
            f'<circle cx="{place.split(",")[0]}" cy="{place.split(",")[1]}" r="3" fill="{colour}"/>'
            for place in places
        ]
        last = places[-1].replace(",", " ")
        parts.append(
            f'<path stroke="{colour}" stroke-opacity=".5" fill="none" '
            f'd="M{last}L{RIGHT + 4} {height}"/>'
        )
        parts.append(
            f'<circle cx="{RIGHT + 8}" cy="{height}" r="4" fill="{colour}"/>'
            + _text(RIGHT + 16, height + 4, line.name)
        )
    return parts


def _place(point: Point, x: Axis, y: Axis) -> str:
    return f"{x.place(point.x)},{y.place(point.y)}"


def _names(lines: Sequence[Line], y: Axis) -> list[float]:
    """How high each curve's name stands: at its end, and none on another."""
    wanted = [y.place(line.points[-1].y) for line in lines]
    heights = dict.fromkeys(range(len(lines)), 0.0)
    above = -math.inf
    for index in sorted(heights, key=lambda index: wanted[index]):
        above = heights[index] = max(wanted[index], above + NAME_STEP)
    low = max(0.0, above - BOTTOM)
    return [round(height - low, 1) for height in heights.values()]


def _text(x: float, y: float, text: str, anchor: str = "start", *, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _log(value: float) -> float:
    return round(math.log10(value), 9)
