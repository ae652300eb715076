"""What is left when a runner is ended from outside: processes, and containers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import engine, leavings
from bench.pairs import NOT_INSTALLED
from bench.running import BrokenError
from bench.scratch import MARK
from bench.spread import figure
from bench.stand import HOOK
from bench.tools import PEERS, Job
from bench.values import Column, Entry, Goal, Table, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.running import Call
    from bench.stand import Stand
    from bench.values import Measured

TITLE = "What is left when the runner is ended"
# A command of this length is never through by itself. Seconds.
LONG_S = 977
SLEEPERS = 2
START_S = 30.0
# An agent's person sees it as done by then. Seconds.
SETTLE_S = 5.0
SIGNALS = {"SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}
KINDS = ("processes", "containers")
_PAUSE_S = 0.05


@dataclass(slots=True)
class Trial:
    """One runner that is at work, and how what it has started is found."""

    name: str
    token: str
    place: str
    process: subprocess.Popen[bytes]
    in_container: bool

    def working(self) -> bool:
        """Whether the command runs."""
        if self.in_container:
            return bool(engine.of(self.place, running=True))
        pids = leavings.processes(self.token, self.place)
        return len(leavings.called(pids, "sleep", str(LONG_S))) >= SLEEPERS

    def left(self) -> list[str] | list[int]:
        """What there is of it, the runner counted only among processes."""
        if self.in_container:
            return engine.of(self.place)
        return leavings.processes(self.token, self.place)

    def end(self) -> None:
        """Leave nothing of it."""
        leavings.kill(leavings.processes(self.token, self.place))
        self.process.wait()
        if self.in_container:
            engine.remove(engine.of(self.place))


def measure(stand: Stand) -> Measured:
    """End every runner at its work, and count what is there some seconds later."""
    why = engine.missing(stand.image)
    found: dict[str, dict[str, float]] = {name: {} for name in (HOOK, *PEERS)}
    for kind in KINDS[:1] if why else KINDS:
        for word, number in SIGNALS.items():
            trials = _begin(stand, kind, word)
            try:
                _count(trials, number, f"{kind}:{word}", found)
            finally:
                for trial in trials:
                    trial.end()
    table = _table(stand, found)
    goal = Goal(
        what=f"{HOOK}: processes and containers left after SIGTERM and SIGKILL",
        kind="count",
        value=sum(found[HOOK].values()),
        target=0,
        stretch=0,
    )
    return measured("leftovers", TITLE, tables=[table], goals=[goal], notes=[why] if why else [])


def _begin(stand: Stand, kind: str, word: str) -> list[Trial]:
    """Start every runner that there is, each in a project of its own."""
    in_container = kind == "containers"
    trials = []
    for number, name in enumerate((HOOK, *(peer for peer in PEERS if peer in stand.peers))):
        project = f"left-{kind}-{word.lower()}-{number}"
        job = (
            Job(script=f"sleep {LONG_S}", image=stand.image)
            if in_container
            else Job(script=f"sleep {LONG_S} & sleep {LONG_S}")
        )
        docker = engine.run_call(stand.place(project), "none")
        made = stand.project(project, [job], docker=docker)
        call = stand.stop(made, edited=False)
        if name != HOOK:
            call = stand.neighbours(made, [name])[0].call or call
        trials.append(_start(name, call, in_container=in_container))
    return trials


def _start(name: str, call: Call, *, in_container: bool) -> Trial:
    token = uuid.uuid4().hex
    process = subprocess.Popen(
        call.argv,
        cwd=call.cwd,
        env={**call.env, MARK: token},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    if process.stdin:
        process.stdin.write(call.stdin)
        process.stdin.close()
    return Trial(name=name, token=token, place=call.cwd, process=process, in_container=in_container)


def _count(
    trials: Sequence[Trial], number: int, key: str, found: dict[str, dict[str, float]]
) -> None:
    """Signal runners whose commands are seen to run; count what is left of each."""
    _wait(START_S, lambda: all(trial.working() for trial in trials))
    idle = [trial.name for trial in trials if not trial.working()]
    if idle:
        raise BrokenError(f"{', '.join(idle)} did not start the command within {START_S:.0f} s")
    for trial in trials:
        os.kill(trial.process.pid, number)
    _wait(SETTLE_S, lambda: not any(_poll(trial) for trial in trials))
    for trial in trials:
        found[trial.name][key] = len(_poll(trial))


def _wait(patience_s: float, condition: Callable[[], bool]) -> None:
    """Wait until something is so, or for so long."""
    deadline = time.monotonic() + patience_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)


def _poll(trial: Trial) -> list[str] | list[int]:
    trial.process.poll()
    return trial.left()


def _table(stand: Stand, found: dict[str, dict[str, float]]) -> Table:
    columns = [
        Column(key=f"{kind}:{word}", title=f"{kind} after {word}", kind="count")
        for kind in KINDS
        for word in SIGNALS
    ]
    entries = [
        Entry(
            name=name,
            figures={key: figure([value]) for key, value in counts.items()},
            note="" if name == HOOK or name in stand.peers else NOT_INSTALLED,
        )
        for name, counts in found.items()
    ]
    title = f"What is there {SETTLE_S:.0f} s after the signal, the runner itself counted too"
    return Table(key="leftovers", title=title, columns=columns, entries=entries)
