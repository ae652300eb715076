"""The agents' door: one stop with one command that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import pairs
from bench.pairs import Contender
from bench.stand import HOOK
from bench.tools import PEERS, Job
from bench.values import measured

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "The agents' door: a stop with one command that does nothing"
BASH = "bash -c true"
BARE = "python -c pass"
WARM_UP = 2
TARGET = 20.0
STRETCH = 13.0


def measure(stand: Stand) -> Measured:
    """Time a stop whose plan is pinned, against bash, a bare interpreter and the neighbours."""
    project = stand.project("door", [Job(script="true")])
    rounds = stand.rounds(30, 8)
    contenders = [
        Contender(name=BASH, call=stand.shell(project, "true")),
        Contender(name=BARE, call=stand.argv(project, stand.python, "-c", "pass")),
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        *stand.neighbours(project),
    ]
    # What does not count pins the plan, and lets every program write its caches.
    turns = pairs.take(contenders, rounds=rounds, warm_up=WARM_UP)
    stand.expect(project, passed=rounds + WARM_UP)
    table = pairs.table(
        turns,
        key="door",
        title=f"Whole processes, {rounds} rounds",
        names=[BASH, BARE, HOOK, *PEERS],
        references=[BASH, BARE],
    )
    goal = pairs.goal(table, HOOK, BASH, target=TARGET, stretch=STRETCH)
    return measured("door", TITLE, tables=[table], goals=[goal], broken=turns.broken)
