"""What a stop imports, by ``python -X importtime``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench import importtime
from bench.importtime import OTHERS, OWN, STANDARD
from bench.running import run
from bench.spread import figure, median
from bench.tools import Job
from bench.values import Column, Entry, Table, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.importtime import Import
    from bench.running import Call
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "What a stop imports"
DEAREST = 15
BARE = "python -c pass"


def measure(stand: Stand) -> Measured:
    """Sum up the imports of a stop that runs one command on the host."""
    project = stand.project("imports", [Job(script="true")])
    stop = stand.stop(project, edited=True)
    run(stop)
    rounds = stand.rounds(9, 3)
    flags = (stand.python, "-X", "importtime")
    bare = _taken(stand.argv(project, *flags, "-c", "pass"), rounds)
    taken = _taken(replace(stop, argv=(*flags, *stop.argv)), rounds)
    stand.expect(project, passed=rounds + 1)
    note = "-X importtime makes each import slower: shares are truer than sums"
    return measured("imports", TITLE, tables=[_sums(bare, taken), _dearest(taken)], notes=[note])


def _taken(call: Call, rounds: int) -> list[list[Import]]:
    return [importtime.read(run(call).stderr.decode(errors="replace")) for _ in range(rounds)]


def _sums(bare: Sequence[list[Import]], taken: Sequence[list[Import]]) -> Table:
    """How many modules, and how long all together, by whose they are."""
    columns = [
        Column(key="seconds", title="imports", kind="s"),
        Column(key="modules", title="modules", kind="count"),
    ]
    entries = [_sum("a whole stop", taken)]
    for group in (OWN, STANDARD, OTHERS):
        part = [[one for one in found if one.group == group] for found in taken]
        if any(part):
            entries.append(_sum(f"of it {group}", part))
    entries.append(_sum(BARE, bare))
    return Table(key="imports", title="All imports", columns=columns, entries=entries)


def _sum(name: str, runs: Sequence[list[Import]]) -> Entry:
    return Entry(
        name=name,
        figures={
            "seconds": figure([sum(one.own_s for one in found) for found in runs]),
            "modules": figure([len(found) for found in runs]),
        },
    )


def _dearest(runs: Sequence[list[Import]]) -> Table:
    """The modules whose own lines take the longest."""
    own: dict[str, list[float]] = {}
    groups = {}
    for one in (one for taken in runs for one in taken):
        own.setdefault(one.name, []).append(one.own_s)
        groups[one.name] = one.group
    names = sorted(own, key=lambda name: median(own[name]), reverse=True)[:DEAREST]
    return Table(
        key="imports-dearest",
        title=f"The {DEAREST} dearest, without what they import",
        columns=[Column(key="seconds", title="itself", kind="s")],
        entries=[
            Entry(name=name, figures={"seconds": figure(own[name])}, note=groups[name])
            for name in names
        ],
    )
