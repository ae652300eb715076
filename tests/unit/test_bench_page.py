"""The benchmark's charts, and the page that shows its figures."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from bench import command, page, svg
from bench.document import from_json
from bench.rows import ROWS
from bench.values import Chart, Line, Point
from tests.unit.test_bench_figures import results

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


def chart(*lines: Line) -> Chart:
    return Chart(
        key="k",
        title="A <title>",
        x_title="files",
        x_kind="count",
        y_title="time",
        y_kind="s",
        lines=[*lines],
    )


def line(name: str, *values: float) -> Line:
    return Line(
        name=name, points=[Point(x=10.0**power, y=value) for power, value in enumerate(values)]
    )


def texts(drawn: str) -> dict[str, tuple[float, float]]:
    """Every text of a picture and where it stands."""
    found = ET.fromstring(drawn).iter(f"{SVG}text")
    return {str(one.text): (float(one.attrib["x"]), float(one.attrib["y"])) for one in found}


@pytest.mark.scenario("bench: A chart has logarithmic axes and named curves")
def test_a_chart_is_logarithmic_and_its_curves_are_named() -> None:
    drawn = svg.draw(chart(line("ours", 0.01, 0.1, 1), line("theirs", 1, 1, 1)))

    told = texts(drawn)
    assert told["10 ms"][1] - told["100 ms"][1] == pytest.approx(told["100 ms"][1] - told["1 s"][1])
    assert told["10"][0] - told["1"][0] == pytest.approx(told["100"][0] - told["10"][0])
    assert abs(told["ours"][1] - told["theirs"][1]) >= svg.NAME_STEP
    assert "@media(prefers-color-scheme:dark)" in drawn
    assert "A &lt;title&gt;" in drawn


def test_a_chart_is_drawn_exactly() -> None:
    drawn = svg.draw(chart(line("ours", 0.01, 0.1)))

    style = re.search(r"<style>.*?</style>\n", drawn, re.DOTALL)
    assert style
    assert drawn.replace(style[0], "") == (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 400" role="img">\n'
        "<title>A &lt;title&gt;</title>\n"
        '<text x="84" y="24" text-anchor="start" class="title">A &lt;title&gt;</text>\n'
        '<path class="axis" d="M84 60V350H570"/>\n'
        '<path class="grid" d="M84 350.0H570"/>\n'
        '<text x="76" y="354.0" text-anchor="end">10 ms</text>\n'
        '<path class="grid" d="M84 60.0H570"/>\n'
        '<text x="76" y="64.0" text-anchor="end">100 ms</text>\n'
        '<path class="grid" d="M98.0 60V350"/>\n'
        '<text x="98.0" y="370" text-anchor="middle">1</text>\n'
        '<path class="grid" d="M556.0 60V350"/>\n'
        '<text x="556.0" y="370" text-anchor="middle">10</text>\n'
        '<text x="327.0" y="392" text-anchor="middle">files</text>\n'
        '<text x="76" y="44" text-anchor="end">time</text>\n'
        '<polyline fill="none" stroke="#d55e00" stroke-width="3" points="98.0,350.0 556.0,60.0"/>\n'
        '<circle cx="98.0" cy="350.0" r="3" fill="#d55e00"/>\n'
        '<circle cx="556.0" cy="60.0" r="3" fill="#d55e00"/>\n'
        '<path stroke="#d55e00" stroke-opacity=".5" fill="none" d="M556.0 60.0L574 60.0"/>\n'
        '<circle cx="578" cy="60.0" r="4" fill="#d55e00"/>'
        '<text x="586" y="64.0" text-anchor="start">ours</text>\n'
        "</svg>\n"
    )


def test_many_curves_that_end_together_have_names_apart() -> None:
    drawn = svg.draw(chart(*(line(f"n{number}", 1, 1.001) for number in range(8))))

    heights = sorted(height for text, (_x, height) in texts(drawn).items() if text[0] == "n")
    assert all(high - low >= svg.NAME_STEP - 0.1 for low, high in pairwise(heights))
    assert max(heights) <= svg.BOTTOM + 5


@pytest.mark.parametrize("lines", [[], [line("none")], [line("one", 3)], [line("flat", 1, 1)]])
def test_a_chart_of_hardly_anything_is_still_a_picture(lines: list[Line]) -> None:
    assert ET.fromstring(svg.draw(chart(*lines))).tag == f"{SVG}svg"


@pytest.mark.scenario("bench: Prose is left alone")
def test_only_what_is_marked_is_written() -> None:
    before = "# Prose\n<!-- bench:targets -->\nold\n<!-- /bench:targets -->\nMore prose.\n"

    after = page.filled(before, results(), "charts")

    assert after.startswith("# Prose\n<!-- bench:targets -->\n\n| what | measured")
    assert after.endswith("**not met** |\n\n<!-- /bench:targets -->\nMore prose.\n")
    assert "old" not in after
    assert page.filled(after, results(), "charts") == after


def test_a_row_that_was_not_measured_says_so() -> None:
    after = page.filled("<!-- bench:door -->\n<!-- /bench:door -->", results(), "charts")

    assert after == f"<!-- bench:door -->\n\n{page.NOT_MEASURED}\n\n<!-- /bench:door -->"


def test_a_marker_of_nothing_is_an_error() -> None:
    with pytest.raises(KeyError):
        page.filled("<!-- bench:dor -->\n<!-- /bench:dor -->", results(), "charts")


@pytest.mark.scenario("bench: The page shows the figures beside it")
def test_the_page_and_the_charts_are_those_of_the_figures(tmp_path: Path) -> None:
    found = from_json(command.FIGURES.read_text())
    committed = command.PAGE.read_text()

    page.write_charts(found, tmp_path)

    assert page.filled(committed, found, command.CHARTS.name) == committed
    drawn = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert drawn == {path.name: path.read_text() for path in command.CHARTS.glob("*.svg")}


def test_the_page_has_a_place_for_every_row() -> None:
    places = {name for _, name, _ in page.MARKED.findall(command.PAGE.read_text())}

    assert places == {*ROWS, "machine", "targets"}


def test_every_row_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0

    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*ROWS]


def test_figures_that_are_none_are_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "figures.json").write_text("{}")
    monkeypatch.setattr(command, "FIGURES", tmp_path / "figures.json")

    assert command.main(["docs"]) == 1

    assert "not the results of a benchmark" in capsys.readouterr().err
