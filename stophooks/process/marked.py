"""Processes that were not started here: known by a mark, and ended for certain.

The mark is a variable in the environment that a process was started with, which whatever it starts
inherits. What a marked process started without its environment is found below it, for as long as
the one that started it lives.
"""

from __future__ import annotations

import os
import time

from stophooks.process import table
from stophooks.process.family import KILL_S, STORM_S, WATCHDOG
from stophooks.process.signalling import send
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stophooks.process.table import Entry

# How often it is looked whether all have ended, in seconds: at first, and at last.
_FIRST_LOOK_S = 0.01
_LAST_LOOK_S = 0.1
_INIT = 1
# The users in a process's `Uid:` line that decide (proc_pid_status(5)): real, effective, saved.
_USERS = 3

_Key = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """By what processes are known; one sign is enough.

    ``variables`` are names and values in a process's environment; ``uid`` is a user, all of whose
    processes are meant.
    """

    variables: tuple[tuple[str, str], ...] = ()
    uid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of the processes that were found.

    ``ended`` went at SIGTERM and ``killed`` at SIGKILL; ``left`` could not be ended.
    """

    ended: tuple[Entry, ...] = ()
    killed: tuple[Entry, ...] = ()
    left: tuple[Entry, ...] = ()


def visible() -> bool:
    """Whether the environments of processes can be read here at all."""
    return table.own_proc()


def find(mark: Mark, *, never: Iterable[Entry] = ()) -> list[Entry]:
    """The processes that bear the mark and everything below them, as far as they can run code.

    This process, those above it, the machine's first one and watchdogs are never among them.

    Args:
        mark: By what they are known.
        never: Others that are to be let alone, and what is below them unless it is marked.
    """
    everything = table.scan()
    spared = {*above(everything), *(_key(entry) for entry in never)}
    wanted = tuple(
        f"{name}={value}".encode("utf-8", "surrogatepass") for name, value in mark.variables
    )

    def is_spared(entry: Entry) -> bool:
        return entry.pid == _INIT or _key(entry) in spared or _is_watchdog(entry)

    def is_marked(entry: Entry) -> bool:
        return _bears(entry.pid, wanted) or (mark.uid is not None and _is_of(entry.pid, mark.uid))

    found = table.descend(everything, roots=is_marked, never=is_spared)
    return [entry for entry in found if entry.alive]


def above(everything: dict[int, Entry]) -> set[_Key]:
    """This process and those above it."""
    found: set[_Key] = set()
    entry = everything.get(os.getpid())
    while entry is not None and _key(entry) not in found:
        found.add(_key(entry))
        entry = everything.get(entry.parent)
    return found


def end(look: Callable[[], list[Entry]], *, grace_s: float) -> Ending:
    """End all that ``look`` finds: SIGTERM, after ``grace_s`` SIGKILL, until it finds none.

    Takes no longer than the last one needs; beyond the grace at most `STORM_S` while new ones
    appear, `KILL_S` when the kernel holds one.
    """
    asked: dict[_Key, Entry] = {}
    found = _ask(look, asked, until=time.monotonic() + grace_s)
    killed: dict[_Key, Entry] = {}
    left = _kill(look, found, killed)
    gone = [entry for key, entry in asked.items() if key not in killed]
    return Ending(
        ended=tuple(gone),
        killed=tuple(entry for key, entry in killed.items() if key not in map(_key, left)),
        left=tuple(left),
    )


def _ask(look: Callable[[], list[Entry]], asked: dict[_Key, Entry], *, until: float) -> list[Entry]:
    """Send SIGTERM to each one once, and wait; returns who is left."""
    pause = _FIRST_LOOK_S
    while found := look():
        for entry in found:
            if _key(entry) not in asked:
                asked[_key(entry)] = entry
                send(entry, signal.SIGTERM)
                # One that is held hears nothing before it is let go.
                send(entry, signal.SIGCONT)
        if time.monotonic() >= until:
            break
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(pause * 2, _LAST_LOOK_S)
    return found


def _kill(
    look: Callable[[], list[Entry]], found: list[Entry], killed: dict[_Key, Entry]
) -> list[Entry]:
    """Stop all, so that nobody can start another, and kill them; returns who is left."""
    began = time.monotonic()
    pause = _FIRST_LOOK_S
    while found:
        fresh = [entry for entry in found if _key(entry) not in killed]
        if time.monotonic() - began > (STORM_S if fresh else KILL_S):
            break
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for entry in found:
                send(entry, number)
        killed.update((_key(entry), entry) for entry in found)
        time.sleep(0 if fresh else pause)
        pause = min(pause * 2, _LAST_LOOK_S)
        found = look()
    return found


def _key(entry: Entry) -> _Key:
    return entry.pid, entry.started


def _is_watchdog(entry: Entry) -> bool:
    return table.variable_of(entry.pid, WATCHDOG.encode()) is not None


def _bears(pid: int, wanted: tuple[bytes, ...]) -> bool:
    if not wanted:
        return False
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = set(file.read().split(b"\0"))
    except OSError:
        return False
    return not variables.isdisjoint(wanted)


def _is_of(pid: int, uid: int) -> bool:
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return False
    users = next((line.split()[1:] for line in lines if line.startswith(b"Uid:")), [])
    return uid in map(int, users[:_USERS])
