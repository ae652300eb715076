"""One run of the benchmark: rows one after the other, in places that are gone afterwards."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from bench import leavings, machine, peers, scratch
from bench.rows import ROWS
from bench.running import BrokenError
from bench.stand import Stand
from bench.values import Results, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.values import Measured


def measure(
    names: Sequence[str], *, quick: bool, program: str, image: str, say: Callable[[str], None]
) -> Results:
    """Measure rows by name; a row that breaks says so, and the others go on.

    Args:
        names: Which rows.
        quick: Few rounds and small sizes.
        program: The console script of stophooks.
        image: Of containers.
        say: Takes a line of progress.

    Raises:
        OSError: There is no room for projects.
    """
    began, date = time.monotonic(), time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    found = peers.find()
    python = _interpreter(program)
    about = machine.look(python, peers.versions(found))
    root = os.path.realpath(tempfile.mkdtemp(prefix="stophooks-bench-"))
    token = uuid.uuid4().hex
    stand = Stand(
        quick=quick,
        program=program,
        python=python,
        peers=found,
        root=root,
        image=image,
        env=scratch.environment(os.path.join(root, "home"), token),
        say=say,
    )
    os.makedirs(stand.env["TMPDIR"])
    try:
        rows = [_row(name, stand) for name in names]
    finally:
        leavings.end(token, root)
        shutil.rmtree(root)
    return Results(
        date=date, quick=quick, machine=about, rows=rows, took_s=time.monotonic() - began
    )


def _interpreter(program: str) -> str:
    """That of the virtual environment of a console script, or this one."""
    beside = os.path.join(os.path.dirname(os.path.abspath(program)), "python")
    return beside if os.access(beside, os.X_OK) else sys.executable


def _row(name: str, stand: Stand) -> Measured:
    stand.say(f"{name} ...")
    began = time.monotonic()
    try:
        found = ROWS[name].measure(stand)
    except BrokenError as err:
        stand.say(f"{name}: {err}")
        found = measured(name, ROWS[name].title, notes=[f"broke: {err}"], broken=True)
    took = time.monotonic() - began
    stand.say(f"{name}: {took:.1f} s")
    return replace(found, took_s=took)
