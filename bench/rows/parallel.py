"""Three commands that wait, all at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench import pairs
from bench.pairs import Contender
from bench.stand import HOOK, RUN
from bench.tools import PEERS, Job
from bench.values import Goal, measured

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.values import Measured, Table

TITLE = "Three commands that wait for a second, all at once"
COUNT = 3
BASH = "bash: sleep 1 & sleep 1 & sleep 1 & wait"
TARGET_S = 1.06
STRETCH_S = 1.03


def measure(stand: Stand) -> Measured:
    """Time three `sleep 1` of one section, ours and the neighbours'."""
    options, notes = stand.knowing(jobs=COUNT)
    project = stand.project("parallel", [Job(script="sleep 1")] * COUNT, options=options)
    rounds = stand.rounds(4, 1)
    contenders = [
        Contender(name=BASH, call=stand.shell(project, BASH.removeprefix("bash: "))),
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        Contender(name=RUN, call=stand.argv(project, stand.program, "run")),
        *(_told(one) for one in stand.neighbours(project)),
    ]
    # In seconds of waiting, a cold start is hardly seen.
    warm_up = 0 if stand.quick else pairs.WARM_UP
    turns = pairs.take(contenders, rounds=rounds, warm_up=warm_up)
    stand.expect(project, passed=2 * (rounds + warm_up))
    table = pairs.table(
        turns,
        key="parallel",
        title=f"Whole processes, rounds: {rounds}",
        names=[BASH, HOOK, RUN, *PEERS],
        references=[BASH],
    )
    goals = [_goal(table, name) for name in (HOOK, RUN)]
    return measured(
        "parallel", TITLE, tables=[table], goals=goals, notes=notes, broken=turns.broken
    )


def _told(contender: Contender) -> Contender:
    if contender.name == "pre-commit" and contender.call is not None:
        return replace(contender, note="has only one after the other")
    return contender


def _goal(table: Table, name: str) -> Goal:
    taken = table.figure(name, "seconds")
    return Goal(
        what=f"{name}, three times sleep 1 with jobs: {COUNT}",
        kind="s",
        value=taken.median if taken else None,
        target=TARGET_S,
        stretch=STRETCH_S,
    )
