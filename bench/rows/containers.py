"""Four containers that do nothing, together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench import engine, pairs
from bench.pairs import Contender
from bench.rows.container import settling
from bench.stand import HOOK, RUN
from bench.tools import Job
from bench.values import measured

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "Four containers that do nothing, all at once"
COUNT = 4
IN_TURN = "docker run --rm, in turn"
TOGETHER = "docker run --rm, all at once"
TARGET = 0.60
STRETCH = 0.45


def measure(stand: Stand) -> Measured:
    """Time four containers of one section against the engine's own client."""
    if why := engine.missing(stand.image):
        return measured("containers-4", TITLE, notes=[why])
    options, notes = stand.knowing(jobs=COUNT)
    jobs = [Job(script="true", image=stand.image)] * COUNT
    project = stand.project("containers-4", jobs, options=options)
    rounds = stand.rounds(8, 2)
    contenders = [
        *(
            Contender(name=name, call=stand.shell(project, script))
            for name, script in scripts(project.path, stand.image, COUNT).items()
        ),
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        Contender(name=RUN, call=stand.argv(project, stand.program, "run")),
    ]
    turns = pairs.take([settling(one, project) for one in contenders], rounds=rounds)
    stand.expect(project, passed=2 * (rounds + pairs.WARM_UP))
    table = pairs.table(
        turns,
        key="containers-4",
        title=f"Whole processes, network none, {rounds} rounds",
        names=[IN_TURN, TOGETHER, HOOK, RUN],
        references=[IN_TURN],
    )
    goals = [
        replace(
            pairs.goal(table, name, IN_TURN, target=TARGET, stretch=STRETCH),
            what=f"{name}, four containers with jobs: {COUNT} ÷ {IN_TURN}",
        )
        for name in (HOOK, RUN)
    ]
    return measured(
        "containers-4", TITLE, tables=[table], goals=goals, notes=notes, broken=turns.broken
    )


def scripts(project: str, image: str, count: int) -> dict[str, str]:
    """What a shell does to run so many containers in turn, and all at once."""
    one = " ".join((*engine.run_call(project, "none"), image, "true"))
    return {
        IN_TURN: "set -e; " + "; ".join([one] * count),
        TOGETHER: " & ".join([one] * count) + " & wait",
    }
