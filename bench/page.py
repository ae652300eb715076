"""``docs/performance.md``: prose by hand, and between markers what the benchmark writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench import svg, tables
from bench.rows import ROWS
from bench.words import number

if TYPE_CHECKING:
    from pathlib import Path

    from bench.values import Chart, Measured, Results

MARKED = re.compile(r"(<!-- bench:(\S+) -->\n).*?(<!-- /bench:\2 -->)", re.DOTALL)
NOT_MEASURED = "Not measured in this run."


def write(results: Results, page: Path, charts: Path) -> None:
    """Write the charts, and the page's marked parts anew."""
    write_charts(results, charts)
    text = page.read_text(encoding="utf-8")
    page.write_text(filled(text, results, charts.name), encoding="utf-8")


def write_charts(results: Results, directory: Path) -> None:
    """Write each chart as ``KEY.svg``."""
    directory.mkdir(parents=True, exist_ok=True)
    for chart in (chart for row in results.rows for chart in row.charts):
        (directory / f"{chart.key}.svg").write_text(svg.draw(chart), encoding="utf-8")


def filled(text: str, results: Results, directory: str) -> str:
    """The text with every marked part written anew; what is not marked stays as it is.

    Raises:
        KeyError: A marker names nothing that there is.
    """
    parts = _parts(results, directory)
    return MARKED.sub(lambda found: f"{found[1]}\n{parts[found[2]]}\n\n{found[3]}", text)


def _parts(results: Results, directory: str) -> dict[str, str]:
    floor = results.machine.floor_bytes
    found = {row.row: _row(row, directory, floor) for row in results.rows}
    return {
        **{name: found.get(name, NOT_MEASURED) for name in ROWS},
        "machine": f"{tables.about(results)}\n\n{tables.machine(results.machine)}",
        "targets": tables.goals(results.rows),
    }


def _row(row: Measured, directory: str, floor_bytes: int) -> str:
    charts = [f"![{_alternative(chart)}]({directory}/{chart.key}.svg)" for chart in row.charts]
    return "\n\n".join(filter(None, [*charts, tables.row(row, floor_bytes=floor_bytes)]))


def _alternative(chart: Chart) -> str:
    """What a chart shows, for who does not see it: each curve's ends."""
    ends = "; ".join(
        f"{line.name} {number(line.points[0].y, chart.y_kind)} to "
        f"{number(line.points[-1].y, chart.y_kind)}"
        for line in chart.lines
        if line.points
    )
    return f"{chart.title}: {ends}"
