"""One container that does nothing, beside the engine's own client and those who use it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bench import engine, pairs
from bench.pairs import Contender
from bench.stand import HOOK, RUN
from bench.tools import Job
from bench.values import measured

if TYPE_CHECKING:
    from bench.scratch import Project
    from bench.stand import Stand
    from bench.values import Measured, Table

TITLE = "One container that does nothing"
DOCKER = "docker run --rm"
NEIGHBOURS = {"pre-commit docker_image": "pre-commit", "prek docker_image": "prek"}
NETWORKS = ("none", "bridge")
TARGET = 1.15
STRETCH = 0.95


def measure(stand: Stand) -> Measured:
    """Time a container by us and by others, without a network and with one."""
    if why := engine.missing(stand.image):
        return measured("container", TITLE, notes=[why])
    tables, goals, broken = [], [], False
    for network in NETWORKS:
        turns, table = _one(stand, network)
        broken |= turns.broken
        tables.append(table)
        for name in (HOOK, RUN):
            goal = pairs.goal(table, name, DOCKER, target=TARGET, stretch=STRETCH)
            what = f"{name}, a container with network {network} ÷ {DOCKER}"
            goals.append(replace(goal, what=what))
    return measured("container", TITLE, tables=tables, goals=goals, broken=broken)


def _one(stand: Stand, network: str) -> tuple[pairs.Turns, Table]:
    rounds = stand.rounds(12, 3)
    project = stand.project(
        f"container-{network}", [Job(script="true", image=stand.image, network=network)]
    )
    plain = (*engine.run_call(project.path, network), stand.image, "sh", "-c", "true")
    contenders = [
        Contender(name=DOCKER, call=stand.argv(project, *plain)),
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        Contender(name=RUN, call=stand.argv(project, stand.program, "run")),
        *_neighbours(stand, project),
    ]
    turns = pairs.take([settling(one, project) for one in contenders], rounds=rounds)
    stand.expect(project, passed=2 * (rounds + pairs.WARM_UP))
    table = pairs.table(
        turns,
        key=f"container-{network}",
        title=f"Whole processes, network {network}, {rounds} rounds",
        names=[DOCKER, HOOK, RUN, *NEIGHBOURS],
        references=[DOCKER],
    )
    return turns, table


def _neighbours(stand: Stand, project: Project) -> list[Contender]:
    """pre-commit and prek, which know containers themselves."""
    found = stand.neighbours(project, [*NEIGHBOURS.values()])
    return [replace(one, name=name) for name, one in zip(NEIGHBOURS, found, strict=True)]


def settling(contender: Contender, project: Project) -> Contender:
    """The same; the next one begins when all containers of this one are gone."""
    if contender.call is None:
        return contender
    settle = partial(engine.settled, project.path)
    return replace(contender, call=replace(contender.call, after=settle))
