"""A stop when nothing changed since everything passed, in a large repository."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench import pairs
from bench.pairs import Contender
from bench.stand import HOOK
from bench.tools import Job
from bench.values import measured

if TYPE_CHECKING:
    from bench.scratch import Project
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "The agents' door when nothing changed, in a large repository"
STATUS = "git status --porcelain"
CHANGED = "stophooks hook, one file changed"
TARGET = 1.5
STRETCH = 1.1


def measure(stand: Stand) -> Measured:
    """Time a stop that has nothing to do, against git's own look at the tree."""
    count = stand.rounds(50_000, 5_000)
    project, notes = repository(stand, "unchanged", count)
    rounds = stand.rounds(12, 4)
    contenders = [
        Contender(name=STATUS, call=stand.argv(project, *STATUS.split())),
        Contender(name=CHANGED, call=stand.stop(project, edited=True)),
        Contender(name=HOOK, call=stand.stop(project, edited=False)),
    ]
    turns = pairs.take(contenders, rounds=rounds)
    # A stop without a change ran nothing, or it would have been counted too.
    stand.expect(project, passed=rounds + pairs.WARM_UP)
    table = pairs.table(
        turns,
        key="door-unchanged",
        title=f"Whole processes, {count:,} files, {rounds} rounds",
        names=[STATUS, HOOK, CHANGED],
        references=[STATUS],
    )
    goal = replace(
        pairs.goal(table, HOOK, STATUS, target=TARGET, stretch=STRETCH),
        what=f"{HOOK}, nothing changed in {count:,} files ÷ {STATUS}",
    )
    return measured(
        "door-unchanged", TITLE, tables=[table], goals=[goal], notes=notes, broken=turns.broken
    )


def repository(stand: Stand, name: str, count: int) -> tuple[Project, list[str]]:
    """A repository of so many committed files, and what is to be said about it."""
    options, notes = stand.knowing(skip_unchanged=True)
    project = stand.project(name, [Job(script="true")], options=options)
    project.fill(count)
    project.commit()
    return project, notes
