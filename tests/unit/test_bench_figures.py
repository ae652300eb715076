"""The benchmark's statistics, its tables and its JSON: values in, values and text out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench import command, importtime, pairs, tables, words
from bench.document import NotResultsError, from_json, to_json
from bench.importtime import OTHERS, OWN, STANDARD
from bench.pairs import NOT_INSTALLED, Turns
from bench.running import Ran
from bench.spread import figure, median, ratios
from bench.values import (
    Chart,
    Column,
    Entry,
    Figure,
    Goal,
    Line,
    Machine,
    Point,
    Results,
    Table,
    measured,
)

MIB = 1024 * 1024
FLOOR = 9 * MIB


def turns(**seconds: list[float]) -> Turns:
    runs = {
        name: [Ran(seconds=one, peak_bytes=20 * MIB, stderr=b"") for one in taken]
        for name, taken in seconds.items()
    }
    return Turns(runs=runs, notes={"missing": NOT_INSTALLED}, broken=False)


def goal(value: float | None, *, at_least: bool = False) -> Goal:
    return Goal(
        what="a ÷ b",
        kind="ratio",
        value=value,
        target=2.0,
        stretch=3.0 if at_least else 1.0,
        at_least=at_least,
    )


def results() -> Results:
    table = pairs.table(
        turns(a=[0.002, 0.004], b=[0.001, 0.001]),
        key="k",
        title="Both",
        names=["a", "b", "missing"],
        references=["b"],
    )
    line = Line(name="a", points=[Point(x=1, y=0.5), Point(x=10, y=2)])
    chart = Chart(
        key="c", title="C", x_title="x", x_kind="count", y_title="y", y_kind="s", lines=[line]
    )
    machine = Machine(
        cpu="A processor",
        cores=2,
        memory_bytes=2**31,
        kernel="Linux 6.1",
        system="Debian",
        python="3.11.7",
        git="2.39",
        docker="",
        stophooks="0.1.0",
        peers={"just": "1.2", "prek": ""},
        load=0.25,
        floor_bytes=FLOOR,
    )
    row = measured("row", "A row", tables=[table], goals=[goal(3.0)], charts=[chart], notes=["n"])
    return Results(date="2026-11-30 10:00", quick=True, machine=machine, rows=[row], took_s=90)


@pytest.mark.parametrize(("values", "middle"), [([3, 1, 2], 2), ([4, 1, 2, 3], 2.5), ([7], 7)])
def test_the_median_is_the_middle(values: list[float], middle: float) -> None:
    assert median(values) == middle


def test_a_figure_has_its_least_and_its_most() -> None:
    assert figure([5, 1, 3]) == Figure(median=3, least=1, most=5)


@pytest.mark.scenario("bench: A ratio is that of one round")
def test_a_ratio_is_taken_within_a_round() -> None:
    slow_machine_in_the_second_round = ratios([2, 40, 6], [1, 10, 2])

    # The ratio of the medians would be 6 / 2 as well as 40 / 10: here the rounds say 2, 4 and 3.
    assert slow_machine_in_the_second_round == Figure(median=3, least=2, most=4)
    assert ratios([1, 8, 9], [1, 2, 9]).median == 1 != median([1, 8, 9]) / median([1, 2, 9])


@pytest.mark.scenario("bench: A neighbour that is not installed is named")
def test_a_neighbour_that_is_away_is_in_the_table() -> None:
    told = tables.table(results().rows[0].tables[0], floor_bytes=FLOOR)

    assert told == (
        "Both:\n"
        "\n"
        "|  | time | ÷ b | peak memory | note |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| a | 3.00 ms (2.00–4.00) | 3.00 × (2.00–4.00) | 20.0 MiB |  |\n"
        "| b | 1.00 ms | 1.00 × | 20.0 MiB |  |\n"
        "| missing | – | – | – | not installed |"
    )


@pytest.mark.scenario("bench: A small program's memory is a bound")
def test_memory_below_that_of_the_starter_is_a_bound() -> None:
    table = Table(
        key="k",
        title="Peaks",
        columns=[Column(key="peak", title="peak memory", kind="mib")],
        entries=[
            Entry(name="small", figures={"peak": figure([FLOOR, FLOOR + MIB // 4])}),
            Entry(name="large", figures={"peak": figure([FLOOR + MIB])}),
        ],
    )

    told = tables.table(table, floor_bytes=FLOOR).splitlines()[-2:]

    assert told == ["| small | ≤ 9.2 MiB |", "| large | 10.0 MiB |"]


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [
        (2.0, False, "met"),
        (2.1, False, "**not met**"),
        (1.0, False, "met, and the stretch"),
        (2.0, True, "met"),
        (3.0, True, "met, and the stretch"),
        (1.9, True, "**not met**"),
        (None, False, "not measured"),
    ],
)
def test_a_goal_is_met_or_not(value: float | None, at_least: bool, verdict: str) -> None:
    assert words.verdict(goal(value, at_least=at_least)) == verdict


@pytest.mark.scenario("bench: A target that is missed is no failure")
def test_a_missed_target_is_told_and_does_not_fail() -> None:
    found = results()

    told = tables.goals(found.rows)

    assert told == (
        "| what | measured | target | so it is |\n"
        "| --- | --- | --- | --- |\n"
        "| a ÷ b | 3.00 × | ≤ 2.00 × (stretch 1.00 ×) | **not met** |"
    )
    assert command.exit_code(found) == 0
    assert command.exit_code(replace(found, rows=[replace(found.rows[0], broken=True)])) == 1


def test_no_target_is_no_empty_table() -> None:
    assert tables.goals([measured("row", "A row")]) == "No target was measured."


@pytest.mark.scenario("bench: Figures come back from JSON")
def test_results_come_back_from_json() -> None:
    text = to_json(results())

    assert from_json(text) == results()
    assert json.loads(text)["rows"][0]["goals"][0]["met"] is False
    assert json.loads(text)["version"] == 1


@pytest.mark.scenario("bench: A file that holds no results is refused")
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 0}', '{"version": 1, "rows": 3}'])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(NotResultsError):
        from_json(text)


def test_the_machine_is_told_with_who_is_away() -> None:
    assert tables.machine(results().machine).splitlines()[2:] == [
        "| processor | A processor, 2 cores |",
        "| memory | 2.0 GiB |",
        "| system | Debian, Linux 6.1 |",
        "| Python, git | 3.11.7, 2.39 |",
        "| Docker | not there |",
        "| stophooks | 0.1.0 |",
        "| just | 1.2 |",
        "| prek | not installed |",
        "| load before it began | 0.25 |",
    ]


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        (0.00123, "s", "1.23 ms"),
        (0.0456, "s", "45.6 ms"),
        (0.789, "s", "789 ms"),
        (1.056, "s", "1.06 s"),
        (1234.5, "s", "1,234 s"),
        (48 * MIB, "mib", "48.0 MiB"),
        (319e6, "rate", "319 MB/s"),
        (1000, "count", "1,000"),
        (10e6, "size", "10 MB"),
        (1e9, "size", "1 GB"),
    ],
)
def test_numbers_have_three_digits_or_so(value: float, kind: str, told: str) -> None:
    assert words.number(value, kind) == told


def test_a_spread_keeps_the_unit_of_its_median() -> None:
    assert words.spread(figure([0.9, 0.95, 1.2]), "s") == "950 ms (900–1,200)"


def test_import_times_are_read_among_other_output() -> None:
    said = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       100 |        100 |   json.decoder\n"
        "a word of the program itself\n"
        "import time:        50 |        150 | stophooks.plan\n"
        "import time:         7 |          7 | yaml\n"
    )

    found = importtime.read(said)

    assert [(one.name, one.own_s, one.whole_s, one.group) for one in found] == [
        ("json.decoder", 0.0001, 0.0001, STANDARD),
        ("stophooks.plan", 0.00005, 0.00015, OWN),
        ("yaml", 0.000007, 0.000007, OTHERS),
    ]
