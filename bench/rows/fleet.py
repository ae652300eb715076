"""Growth: how many containers run at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import engine, pairs
from bench.growth import Growth, Step
from bench.pairs import Contender
from bench.rows.container import settling
from bench.rows.containers import TOGETHER, scripts
from bench.stand import HOOK
from bench.tools import Job
from bench.values import measured

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "Growth: containers at once"
ROUNDS = {1: 3, 8: 2, 64: 1}
MOST_QUICK = 8


def measure(stand: Stand) -> Measured:
    """Time 1 to 64 containers that do nothing, all at once."""
    if why := engine.missing(stand.image):
        return measured("growth-containers", TITLE, notes=[why])
    steps: list[Step] = []
    notes: list[str] = []
    for count, rounds in ROUNDS.items():
        if count <= MOST_QUICK or not stand.quick:
            turns, notes = _at(stand, count, stand.rounds(rounds, 1))
            steps.append(Step(size=count, turns=turns))
    growth = Growth(
        key="containers",
        title="Containers that do nothing, all at once",
        x_title="containers",
        x_kind="count",
        names=[HOOK, TOGETHER],
        steps=steps,
    )
    return measured(
        "growth-containers",
        TITLE,
        tables=[growth.table()],
        charts=[growth.seconds()],
        notes=notes,
        broken=growth.broken,
    )


def _at(stand: Stand, count: int, rounds: int) -> tuple[pairs.Turns, list[str]]:
    options, notes = stand.knowing(jobs=count)
    jobs = [Job(script="true", image=stand.image)] * count
    project = stand.project(f"fleet-{count}", jobs, options=options)
    script = scripts(project.path, stand.image, count)[TOGETHER]
    contenders = [
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        Contender(name=TOGETHER, call=stand.shell(project, script)),
    ]
    turns = pairs.take([settling(one, project) for one in contenders], rounds=rounds)
    stand.expect(project, passed=rounds + pairs.WARM_UP)
    return turns, notes
