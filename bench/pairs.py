"""Contenders in turns: each round runs every one once, so that all meet the same weather.

In each round they come in another order, which is the same whenever it is measured.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.running import BrokenError, Ran, run
from bench.spread import figure, ratios
from bench.values import Column, Entry, Goal, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.running import Call
    from bench.values import Figure

NOT_INSTALLED = "not installed"
WARM_UP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Who takes part; without a call it is only named, with the reason as its note."""

    name: str
    call: Call | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """All runs that count, of each contender that could run."""

    runs: dict[str, list[Ran]]
    notes: dict[str, str]
    broken: bool

    def seconds(self, name: str) -> list[float]:
        """How long each run took."""
        return [ran.seconds for ran in self.runs[name]]


def take(contenders: Sequence[Contender], *, rounds: int, warm_up: int = WARM_UP) -> Turns:
    """Run everybody ``rounds`` times in turns; who breaks is out, and its note says why."""
    notes = {one.name: one.note for one in contenders if one.note}
    runs: dict[str, list[Ran]] = {one.name: [] for one in contenders if one.call}
    broken = False
    # Whoever comes behind the same one each time would have what that one leaves behind.
    order = random.Random(0)  # noqa: S311 -- an order, not a secret
    for number in range(warm_up + rounds):
        for one in order.sample(contenders, len(contenders)):
            if one.call is None or one.name not in runs:
                continue
            try:
                ran = run(one.call)
            except BrokenError as err:
                notes[one.name] = f"broke: {err}"
                del runs[one.name]
                broken = True
                continue
            if number >= warm_up:
                runs[one.name].append(ran)
    return Turns(runs=runs, notes=notes, broken=broken)


def table(
    turns: Turns,
    *,
    key: str,
    title: str,
    names: Sequence[str],
    references: Sequence[str],
) -> Table:
    """Time, ratio to each reference, and peak memory of all ``names``, in that order."""
    columns = [
        Column(key="seconds", title="time", kind="s"),
        *(Column(key=f"ratio:{one}", title=f"÷ {one}", kind="ratio") for one in references),
        Column(key="peak", title="peak memory", kind="mib"),
    ]
    entries = [
        Entry(name=name, figures=_figures(turns, name, references), note=turns.notes.get(name, ""))
        for name in names
    ]
    return Table(key=key, title=title, columns=columns, entries=entries)


def _figures(turns: Turns, name: str, references: Sequence[str]) -> dict[str, Figure]:
    if not turns.runs.get(name):
        return {}
    taken = turns.seconds(name)
    return {
        "seconds": figure(taken),
        **{
            f"ratio:{one}": ratios(taken, turns.seconds(one))
            for one in references
            if turns.runs.get(one)
        },
        "peak": figure([ran.peak_bytes for ran in turns.runs[name]]),
    }


def goal(found: Table, name: str, reference: str, *, target: float, stretch: float) -> Goal:
    """That a contender takes at most so many times as long as a reference does."""
    ratio = found.figure(name, f"ratio:{reference}")
    return Goal(
        what=f"{name} ÷ {reference}",
        kind="ratio",
        value=ratio.median if ratio else None,
        target=target,
        stretch=stretch,
    )
