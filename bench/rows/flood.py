"""Growth: how much a command prints, on the host and in a container."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from bench import engine, pairs
from bench.growth import Growth, Step
from bench.pairs import Contender
from bench.rows.container import settling
from bench.rows.output import DOCKER, FILE, IN_CONTAINER, MB, printing
from bench.stand import HOOK
from bench.tools import Job
from bench.values import measured

if TYPE_CHECKING:
    from bench.stand import Stand
    from bench.values import Chart, Measured, Table

TITLE = "Growth: output of a command"
PIPE = "a pipe in bash"
ASKED = ("pre-commit", "prek", "lefthook", "just")
ROUNDS = {1: 4, 10: 3, 100: 2, 1_000: 1}
MOST_QUICK = 10
# Neighbours that keep all output in memory are not asked for more.
MOST_ASKED = 100


def measure(stand: Stand) -> Measured:
    """Time 1 MB to 1 GB of output, and look at the memory it costs."""
    on_host = _grown(stand, "output-host", "Output of a command on the host", [PIPE, *ASKED])
    tables: list[Table] = [
        on_host.table(),
        on_host.table(kind="mib", field="peak_bytes"),
    ]
    charts: list[Chart] = [on_host.seconds(), on_host.memory()]
    broken, notes = on_host.broken, []
    if why := engine.missing(stand.image):
        notes.append(why)
    else:
        inside = _grown(stand, "output-container", "Output of a command in a container", [DOCKER])
        tables += [inside.table(), inside.table(kind="mib", field="peak_bytes")]
        charts += [inside.seconds()]
        broken |= inside.broken
    return measured(
        "growth-output", TITLE, tables=tables, charts=charts, notes=notes, broken=broken
    )


def _grown(stand: Stand, key: str, title: str, others: list[str]) -> Growth:
    at = _on_host if key == "output-host" else _inside
    steps = [
        Step(size=size * MB, turns=at(stand, size, stand.rounds(rounds, 1)))
        for size, rounds in ROUNDS.items()
        if size <= MOST_QUICK or not stand.quick
    ]
    return Growth(
        key=key,
        title=title,
        x_title="output",
        x_kind="size",
        names=[HOOK, *others],
        steps=steps,
    )


def _on_host(stand: Stand, size: int, rounds: int) -> pairs.Turns:
    project = printing(stand, f"flood-host-{size}", size * MB, Job(script=f"cat {FILE}"))
    contenders = [
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        Contender(name=PIPE, call=stand.shell(project, f"cat {FILE} | cat >/dev/null")),
        *(stand.neighbours(project, ASKED) if size <= MOST_ASKED else []),
    ]
    turns = pairs.take(contenders, rounds=rounds)
    shutil.rmtree(project.path)
    return turns


def _inside(stand: Stand, size: int, rounds: int) -> pairs.Turns:
    job = Job(script=IN_CONTAINER, image=stand.image)
    project = printing(stand, f"flood-container-{size}", size * MB, job)
    plain = (*engine.run_call(project.path, "none"), stand.image, "sh", "-c", IN_CONTAINER)
    contenders = [
        Contender(name=HOOK, call=stand.stop(project, edited=True)),
        Contender(name=DOCKER, call=stand.argv(project, *plain)),
    ]
    turns = pairs.take([settling(one, project) for one in contenders], rounds=rounds)
    shutil.rmtree(project.path)
    return turns
