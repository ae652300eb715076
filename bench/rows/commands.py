"""Growth: how many commands a section has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import pairs
from bench.growth import Growth, Step
from bench.pairs import Contender
from bench.stand import HOOK
from bench.tools import PEERS, Job
from bench.values import measured

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "Growth: commands in a section"
BASH = "bash -c true, in turn"
# How many rounds each number of commands is given.
ROUNDS = {1: 6, 10: 5, 100: 3, 1_000: 1}
MOST_QUICK = 100


def measure(stand: Stand) -> Measured:
    """Time sections of 1 to 1,000 commands that do nothing, one after the other."""
    steps = [
        Step(size=count, turns=_at(stand, count, stand.rounds(rounds, 1)))
        for count, rounds in ROUNDS.items()
        if count <= MOST_QUICK or not stand.quick
    ]
    growth = Growth(
        key="commands",
        title="A stop with many commands that do nothing",
        x_title="commands in order",
        x_kind="count",
        names=[HOOK, BASH, *PEERS],
        steps=steps,
    )
    return measured(
        "growth-commands",
        TITLE,
        tables=[growth.table()],
        charts=[growth.seconds()],
        broken=growth.broken,
    )


def _at(stand: Stand, count: int, rounds: int) -> pairs.Turns:
    project = stand.project(f"commands-{count}", [Job(script="true")] * count, parallel=False)
    contenders = [
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        Contender(name=BASH, call=stand.shell(project, "bash -c true\n" * count)),
        *stand.neighbours(project),
    ]
    return pairs.take(contenders, rounds=rounds)
