"""Who reads what this process writes: the rest of a pipeline, which is not to end before it."""

from __future__ import annotations

import os

from stophooks.process import table
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.process.table import Entry

_STDOUT, _STDERR = 1, 2


def readers() -> tuple[Entry, ...]:
    """The processes at the other end of our output, and of theirs, as far as that can be seen.

    A pipe alone is looked at; who can only write to it, as what we started could, is none of them.
    """
    wanted = _written(os.getpid())
    if not wanted:
        return ()
    everything = table.scan()
    ends = {pid: _read(pid) for pid in everything if pid != os.getpid()}
    found: dict[int, Entry] = {}
    while fresh := [pid for pid, read in ends.items() if read & wanted and pid not in found]:
        found.update((pid, everything[pid]) for pid in fresh)
        wanted = set().union(*map(_written, fresh))
    return tuple(found.values())


def _written(pid: int) -> set[str]:
    """The pipes that are its standard output and standard error."""
    return {pipe for number in (_STDOUT, _STDERR) if (pipe := _pipe(pid, str(number)))}


def _read(pid: int) -> set[str]:
    """The pipes that it can read from."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return set()
    return {
        pipe for number in numbers if (pipe := _pipe(pid, number)) and _is_for_reading(pid, number)
    }


def _pipe(pid: int, number: str) -> str | None:
    try:
        target = os.readlink(f"/proc/{pid}/fd/{number}")
    except OSError:
        return None
    return target if target.startswith("pipe:") else None


def _is_for_reading(pid: int, number: str) -> bool:
    """Whether a descriptor was opened for reading: its octal ``flags`` (proc_pid_fdinfo(5))."""
    try:
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as file:
            rows = dict(row.split(":", 1) for row in file if ":" in row)
        return int(rows["flags"], 8) & os.O_ACCMODE != os.O_WRONLY
    except (OSError, ValueError, KeyError):
        return False
