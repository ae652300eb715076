"""Growth: how many files a repository has in which nothing changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bench import pairs
from bench.growth import Growth, Step
from bench.pairs import Contender
from bench.rows.unchanged import STATUS, repository
from bench.stand import HOOK
from bench.values import measured

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "Growth: files of a repository in which nothing changed"
# They know no results of before, and run their no-op; so this is what asking them costs.
ASKED = ("pre-commit", "prek")
ROUNDS = {100: 6, 1_000: 6, 10_000: 5, 100_000: 3}
MOST_QUICK = 10_000


def measure(stand: Stand) -> Measured:
    """Time a stop that has nothing to do in repositories of 100 to 100,000 files."""
    steps: list[Step] = []
    notes: list[str] = []
    for count, rounds in ROUNDS.items():
        if count <= MOST_QUICK or not stand.quick:
            turns, said = _at(stand, count, stand.rounds(rounds, 2))
            notes += [note for note in said if note not in notes]
            steps.append(Step(size=count, turns=turns))
    growth = Growth(
        key="files",
        title="A stop when nothing changed",
        x_title="files in the repository",
        x_kind="count",
        names=[HOOK, STATUS, *ASKED],
        steps=steps,
    )
    return measured(
        "growth-files",
        TITLE,
        tables=[growth.table()],
        charts=[growth.seconds()],
        notes=notes,
        broken=growth.broken,
    )


def _at(stand: Stand, count: int, rounds: int) -> tuple[pairs.Turns, list[str]]:
    project, notes = repository(stand, f"files-{count}", count)
    contenders = [
        Contender(name=HOOK, call=stand.stop(project, edited=False)),
        Contender(name=STATUS, call=stand.argv(project, *STATUS.split())),
        *stand.neighbours(project, ASKED),
    ]
    turns = pairs.take(contenders, rounds=rounds)
    # Only the first stop has anything to do, where the tree can be told in time.
    again = stand.counted(project) - 1
    if again:
        stops = rounds + pairs.WARM_UP - 1
        notes.append(f"{count:,} files: the checks ran all the same in {again} of {stops} stops")
    shutil.rmtree(project.path)
    return turns, notes
