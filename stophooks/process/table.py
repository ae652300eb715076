"""The machine's processes as values: who is whose child, in which session, started when."""

from __future__ import annotations

import os

from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

# A stat line is about 300 bytes; its name is at most 64 (proc_pid_stat(5), read 2026-11-21).
_STAT_BYTES = 4096
# The threads of this process; each names the children that it started or was given.
_TASKS = "/proc/self/task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One process at one moment.

    ``started`` tells two processes with the same ``pid`` apart: clock ticks since the machine
    started on Linux, microseconds since 1970 elsewhere. ``threads`` is 0 where it is unknown.
    """

    pid: int
    parent: int
    group: int
    session: int
    started: int
    state: str = "R"
    threads: int = 0
    name: str = ""

    @property
    def alive(self) -> bool:
        """Whether it can still run code; a zombie can while it has a second thread."""
        return self.state not in "ZX" or self.threads > 1

    @property
    def stopped(self) -> bool:
        """Whether a signal or a tracer holds it."""
        return self.state in "Tt"

    def __str__(self) -> str:
        """Its name and number, printable whatever the process calls itself."""
        name = "".join(char if char.isprintable() else "?" for char in self.name)
        return f"{name or '?'} (pid {self.pid})"


def parse_stat(line: bytes) -> Entry:
    """The process that one ``/proc/<pid>/stat`` line describes.

    Its name may hold spaces, parentheses and line ends, so it reaches to the last parenthesis.

    Raises:
        ValueError: The line is not complete.
    """
    before, opening, rest = line.partition(b"(")
    name, closing, after = rest.rpartition(b")")
    fields = after.split()
    if not opening or not closing or len(fields) < 20:  # noqa: PLR2004 - starttime is field 22
        raise ValueError(f"not a line of /proc/<pid>/stat: {line!r}")
    return Entry(
        pid=int(before),
        name=name.decode("utf-8", "replace"),
        state=fields[0].decode("ascii"),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        threads=int(fields[17]),
        started=int(fields[19]),
    )


def descend(
    table: Mapping[int, Entry],
    *,
    roots: Callable[[Entry], bool],
    never: Callable[[Entry], bool],
) -> list[Entry]:
    """The processes that ``roots`` accepts and everything below them.

    Those that ``never`` names are left out, with everything below them.
    """
    children: dict[int, list[Entry]] = {}
    for entry in table.values():
        children.setdefault(entry.parent, []).append(entry)
    found: dict[int, Entry] = {}
    waiting = [entry for entry in table.values() if roots(entry)]
    while waiting:
        entry = waiting.pop()
        if entry.pid in found or never(entry):
            continue
        found[entry.pid] = entry
        waiting += children.get(entry.pid, ())
    return list(found.values())


def own_proc() -> bool:
    """Whether ``/proc`` is there and counts processes as this process does.

    A container given the host's ``/proc`` sees numbers that mean other processes to ``kill``.
    """
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def scan() -> dict[int, Entry]:
    """Every process that can be seen now, by number; empty where nothing can be seen."""
    return scan_proc() if own_proc() else scan_psutil()


def current(pid: int) -> Entry | None:
    """The process that has this number now."""
    return _read_proc(pid) if own_proc() else scan_psutil((pid,)).get(pid)


def variable_of(pid: int, name: bytes) -> bytes | None:
    """The value of one variable in the environment a process was started with.

    None where it is not set, or not ours to read.
    """
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:
        return None
    prefix = name + b"="
    return next((item[len(prefix) :] for item in variables if item.startswith(prefix)), None)


def own_children(*, besides: Container[int] = ()) -> list[Entry]:
    """The children of this process, zombies too; most often the newest first.

    Args:
        besides: Numbers of those that are not to be looked at.
    """
    entries: Iterable[Entry | None]
    try:
        entries = [_read_proc(pid) for pid in _numbers_of_own_children() if pid not in besides]
    except (FileNotFoundError, ProcessLookupError):  # also a thread that ended meanwhile
        entries = scan().values()
    return [entry for entry in entries if entry and entry.parent == os.getpid()]


def _numbers_of_own_children() -> list[int]:
    """Their numbers from a file each for our threads: far quicker than the whole table.

    Raises:
        FileNotFoundError: No ``/proc`` of ours, or a kernel without CONFIG_PROC_CHILDREN.
    """
    if not own_proc():
        raise FileNotFoundError(_TASKS)
    pids = [pid for task in os.listdir(_TASKS) for pid in _children_of(task)]
    return pids[::-1]


def _children_of(task: str) -> list[int]:
    with open(f"{_TASKS}/{task}/children", "rb") as file:
        return [int(pid) for pid in file.read().split()]


def scan_proc() -> dict[int, Entry]:
    """Every process in ``/proc``."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return {entry.pid: entry for pid in pids if (entry := _read_proc(pid))}


def scan_psutil(pids: tuple[int, ...] | None = None) -> dict[int, Entry]:
    """The same (or only ``pids``) where there is no ``/proc``; empty without psutil."""
    try:
        import psutil  # noqa: PLC0415 - only needed, and only installed, where there is no /proc
    except ImportError:
        return {}
    table = {}
    for pid in psutil.pids() if pids is None else pids:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                table[pid] = Entry(
                    pid=pid,
                    parent=process.ppid(),
                    group=os.getpgid(pid),
                    session=os.getsid(pid),
                    started=int(process.create_time() * 1e6),
                    state="Z" if process.status() == psutil.STATUS_ZOMBIE else "R",
                    name=process.name(),
                )
        except (psutil.Error, OSError):
            continue
    return table


def _read_proc(pid: int) -> Entry | None:
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        return parse_stat(os.read(descriptor, _STAT_BYTES))
    except (OSError, ValueError):
        # It ended between the two calls: the read says ESRCH or gives nothing.
        return None
    finally:
        os.close(descriptor)
