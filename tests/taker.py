"""Processes that take resources, each when it is told to, or all at the same moment."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from stophooks.store.held import Holding, ResourceBusyError, Shelf, shelf
from stophooks.store.holder import Holder, myself

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]


@dataclass(slots=True)
class Taker:
    """A process that takes resources of a project and says what came of it."""

    state: Path
    environ: Mapping[str, str]
    task: str = "a task"
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        self.process = start(self.environ, "obey", str(self.state), self.task)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def take(self, *names: str) -> str:
        return self._ask("take", *names)

    def wait(self, *names: str) -> None:
        """Begin to wait; `answer` tells the end of it."""
        self._tell("wait", *names)

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def release(self) -> str:
        return self._ask("release")

    def lost(self) -> str:
        return self._ask("lost")

    def kill(self) -> None:
        assert self.process.poll() is None
        self.process.kill()
        self.process.wait()

    def _ask(self, *words: str) -> str:
        self._tell(*words)
        return self.answer()

    def _tell(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(words)}\n".encode())
        self.process.stdin.flush()


def start(environ: Mapping[str, str], *args: str) -> subprocess.Popen[bytes]:
    """This module as a program."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.taker", *args],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


class Barrier:
    """Lets two processes go on at the same moment, as often as they like; spins meanwhile."""

    def __init__(self, path: str, own: int) -> None:
        with open(path, "r+b") as file:
            self._counts = memoryview(mmap.mmap(file.fileno(), 16)).cast("q")
        self._own = own

    def wait(self) -> None:
        self._counts[self._own] += 1
        while self._counts[1 - self._own] < self._counts[self._own]:
            os.sched_yield()


def _race(place: Shelf, me: Holder, barrier: Barrier, rounds: int) -> str:
    """A digit per round: 1 where this process was the one that took it."""
    told = ""
    for _ in range(rounds):
        barrier.wait()
        try:
            holding = place.take(["one"], me)
        except ResourceBusyError:
            holding = Holding(place)
        barrier.wait()
        told += str(len(holding.resources))
        holding.release()
        barrier.wait()
    return told


def _cross(place: Shelf, me: Holder, barrier: Barrier, rounds: int, names: list[str]) -> str:
    """A digit per round: 1 where nobody else was where this process was alone."""
    told = ""
    alone = Path(place.directory) / "alone"
    for _ in range(rounds):
        barrier.wait()
        with place.wait(names, me, wait_s=60, stop=threading.Event()):
            alone.mkdir()
            alone.rmdir()
            told += "1"
    return told


def _obey(place: Shelf, me: Holder) -> None:
    holding = Holding(place)
    for line in sys.stdin:
        word, *names = json.loads(line)
        try:
            if word == "take":
                holding = place.take(names, me)
            elif word == "wait":
                holding = place.wait(names, me, wait_s=60, stop=threading.Event())
            elif word == "lost":
                names = list(holding.lost())
            else:
                holding.release()
            inherited = [held.holder.task for held in holding.inherited if held.holder]
            said = " ".join(names if word == "lost" else ["got", *inherited])
        except ResourceBusyError as err:
            said = f"busy: {err}"
        print(said, flush=True)  # noqa: T201 - this is a program


def main(how: str, state: str, *args: str) -> None:
    task = args[0] if args else "a task"
    place = shelf(state, state)
    me = myself(task=task, path="/task.md", project=state, now=time.time())
    if how == "obey":
        _obey(place, me)
        return
    own, rounds = int(args[1]), int(args[2])
    barrier = Barrier(os.path.join(state, "barrier"), own)
    names = ["a", "b"] if own else ["b", "a"]
    steps: dict[str, Any] = {
        "race": lambda: _race(place, me, barrier, rounds),
        "cross": lambda: _cross(place, me, barrier, rounds, names),
    }
    print(steps[how]())  # noqa: T201 - this is a program


def both(environ: Mapping[str, str], how: str, state: Path, rounds: int) -> Sequence[str]:
    """What two processes tell that do the same thing at the same moments."""
    (state / "barrier").write_bytes(bytes(16))
    started = [start(environ, how, str(state), "a task", str(own), str(rounds)) for own in (0, 1)]
    return [one.communicate(timeout=120)[0].decode().strip() for one in started]


if __name__ == "__main__":
    main(*sys.argv[1:])
