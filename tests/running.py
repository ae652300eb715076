"""Run one command in an executor, and look at what becomes of processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from stophooks.executors.base import Cancellation
from stophooks.process import table
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.executors.base import Executor
    from stophooks.models import Command, Outcome, Stream

# Longer than anything here takes on a busy machine; a wait that reaches it fails its test.
PATIENCE_S = 20.0
# How long an idle machine of today takes to start a bare interpreter, in seconds.
USUAL_START_S = 0.01


@dataclass(slots=True)
class Recorder:
    """A sink that keeps everything, and may call somebody for each piece."""

    pieces: list[tuple[Stream, bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    on_write: Callable[[bytes], None] | None = None

    def write(self, stream: Stream, data: bytes) -> None:
        self.pieces.append((stream, data))
        if self.on_write:
            self.on_write(data)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def of(self, stream: Stream) -> bytes:
        return b"".join(data for found, data in self.pieces if found is stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """An outcome, and how long the caller waited for it in seconds."""

    outcome: Outcome
    took_s: float
    sink: Recorder

    @property
    def stdout(self) -> bytes:
        return self.outcome.stdout.head + self.outcome.stdout.tail

    @property
    def stderr(self) -> bytes:
        return self.outcome.stderr.head + self.outcome.stderr.tail


def run(
    executor: Executor,
    command: Command,
    *,
    timeout_s: float | None = 20,
    cancel: Cancellation | None = None,
    sink: Recorder | None = None,
) -> Ran:
    """Run a command to its end."""
    recorder = sink or Recorder()
    began = time.monotonic()
    outcome = executor.run(
        command, timeout_s=timeout_s, sink=recorder, cancel=cancel or Cancellation()
    )
    return Ran(outcome=outcome, took_s=time.monotonic() - began, sink=recorder)


def paced(bound_s: float) -> float:
    """A bound in seconds, longer by as much as this machine is slower than usual now."""
    return bound_s * slowness()


def slowness() -> float:
    """How many times slower than usual this machine starts a program now; at least 1."""
    starts = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
        starts.append(time.monotonic() - began)
    return max(1.0, min(starts) / USUAL_START_S)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that is to happen; fails after `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.005)


def gone(pid: int) -> bool:
    """Whether there is no process of this number, not even a zombie."""
    return _entry(pid) is None


def ended(pid: int) -> bool:
    """Whether nothing of this number runs; somebody else's zombie does not count."""
    entry = _entry(pid)
    return entry is None or not entry.alive


def _entry(pid: int) -> table.Entry | None:
    """One look at one number: a storm leaves thousands of them to look at."""
    try:
        return table.parse_stat(Path(f"/proc/{pid}/stat").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return None


class Lifeline:
    """A FIFO that processes hold open: it ends when the last of them has ended.

    Works through a bind mount too, so that it tells about processes in a container.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self._descriptor)

    def read(self) -> bytes:
        """What was written.

        Raises:
            BlockingIOError: A process still holds the other end.
        """
        pieces = []
        while piece := os.read(self._descriptor, 65536):
            pieces.append(piece)
        return b"".join(pieces)
