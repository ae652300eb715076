"""A container that prints a lot."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from bench import engine, pairs
from bench.pairs import Contender
from bench.rows.container import settling
from bench.spread import figure
from bench.stand import HOOK
from bench.tools import Job
from bench.values import Column, Goal, Table, measured

if TYPE_CHECKING:
    from bench.scratch import Project
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "A container that prints a lot"
DOCKER = "docker run, log driver none"
# What we do with it too, beside masking the secrets in it.
INTO_FILE = "docker run, its output kept in a file"
WITH_LOG = "docker run, the engine's usual log driver"
MB = 1_000_000
MIB = 1024 * 1024
LEAST_RATIO = 1.0
STRETCH_RATIO = 1.5
MOST_PEAK_BYTES = 48 * MIB
FILE = "output.txt"
IN_CONTAINER = f"cat /workspace/{FILE}"
_LINE = "a line of output as programs print it, with a number in it: {:09d}\n"


def measure(stand: Stand) -> Measured:
    """Time how fast output of a container is taken in, and look at the memory it costs."""
    if why := engine.missing(stand.image):
        return measured("output", TITLE, notes=[why])
    size = stand.rounds(200, 50) * MB
    project = printing(stand, "output", size, Job(script=IN_CONTAINER, image=stand.image))
    rounds = stand.rounds(5, 2)
    contenders = [
        _docker(stand, project, DOCKER, logs=False),
        settling(Contender(name=HOOK, call=stand.stop(project, edited=True)), project),
        _into_file(stand, project),
    ]
    turns = pairs.take(contenders, rounds=rounds)
    stand.expect(project, passed=rounds + pairs.WARM_UP)
    # It takes so long that it is not worth its turns.
    slow = pairs.take([_docker(stand, project, WITH_LOG, logs=True)], rounds=1, warm_up=0)
    turns = pairs.Turns(
        runs=turns.runs | slow.runs,
        notes=turns.notes | {WITH_LOG: "one run, for scale"} | slow.notes,
        broken=turns.broken or slow.broken,
    )
    table = _table(turns, size, rounds)
    return measured("output", TITLE, tables=[table], goals=_goals(table), broken=turns.broken)


def printing(stand: Stand, name: str, size: int, job: Job) -> Project:
    """A project with a file of so many bytes of short lines, which git does not look at."""
    project = stand.project(name, [job])
    project.write(".gitignore", f"{FILE}\n")
    block = "".join(_LINE.format(number) for number in range(10_000)).encode()
    with open(f"{project.path}/{FILE}", "wb") as file:
        left = size
        while left > 0:
            left -= file.write(block[:left])
    return project


def _docker(stand: Stand, project: Project, name: str, *, logs: bool) -> Contender:
    argv = (
        *engine.run_call(project.path, "none", logs=logs),
        *(stand.image, "sh", "-c", IN_CONTAINER),
    )
    return settling(Contender(name=name, call=stand.argv(project, *argv)), project)


def _into_file(stand: Stand, project: Project) -> Contender:
    argv = (*engine.run_call(project.path, "none"), stand.image, "sh", "-c", IN_CONTAINER)
    kept = shlex.quote(os.path.join(stand.root, "kept-output"))
    call = stand.shell(project, f"{shlex.join(argv)} > {kept}")
    return settling(Contender(name=INTO_FILE, call=call), project)


def _table(turns: pairs.Turns, size: int, rounds: int) -> Table:
    """In bytes per second, so that more is better, and a ratio above 1 too."""
    names = [DOCKER, HOOK, INTO_FILE, WITH_LOG]
    told = pairs.table(turns, key="", title="", names=names, references=[])
    references = turns.seconds(DOCKER) if DOCKER in turns.runs else []
    for entry in told.entries:
        if entry.figures:
            taken = turns.seconds(entry.name)
            entry.figures["rate"] = figure([size / seconds for seconds in taken])
            if references:
                pair = zip(references, taken, strict=False)
                entry.figures["ratio"] = figure([other / seconds for other, seconds in pair])
    return Table(
        key="output",
        title=f"Whole processes, {size // MB} MB each, {rounds} rounds",
        columns=[
            Column(key="rate", title="output", kind="rate"),
            Column(key="ratio", title=f"÷ {DOCKER}", kind="ratio"),
            Column(key="peak", title="peak memory", kind="mib"),
        ],
        entries=told.entries,
    )


def _goals(table: Table) -> list[Goal]:
    ratio, peak = table.figure(HOOK, "ratio"), table.figure(HOOK, "peak")
    return [
        Goal(
            what=f"{HOOK}: output of a container, MB/s ÷ {DOCKER}",
            kind="ratio",
            value=ratio.median if ratio else None,
            target=LEAST_RATIO,
            stretch=STRETCH_RATIO,
            at_least=True,
        ),
        Goal(
            what=f"{HOOK}: peak memory with much output of a container",
            kind="mib",
            value=peak.most if peak else None,
            target=MOST_PEAK_BYTES,
            stretch=MOST_PEAK_BYTES,
        ),
    ]
