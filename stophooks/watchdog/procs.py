"""This machine's processes, as far as ``/proc`` shows them, and signals for exactly one."""

from __future__ import annotations

import os

# A stat line is about 300 bytes; its name is at most 64 (proc_pid_stat(5), read 2026-11-21).
_STAT_BYTES = 4096


class Proc:
    """One process at one moment; ``pid`` and ``started`` (clock ticks) name it for good."""

    __slots__ = ("group", "parent", "pid", "session", "started", "state", "threads")

    def __init__(self, line: bytes) -> None:
        before, _, rest = line.partition(b" (")
        # The name may hold parentheses and line ends: it reaches to the last parenthesis.
        fields = rest.rpartition(b")")[2].split()
        self.pid = int(before)
        self.state = fields[0]
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.threads = int(fields[17])
        self.started = int(fields[19])

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from a later process with its number."""
        return self.pid, self.started

    @property
    def alive(self) -> bool:
        """Whether it can still run code; a zombie can while it has a second thread."""
        return self.state not in {b"Z", b"X"} or self.threads > 1


def visible() -> bool:
    """Whether ``/proc`` is there and counts processes as ``kill`` does."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def read(pid: int) -> Proc | None:
    """The process that has this number now."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        return Proc(os.read(descriptor, _STAT_BYTES))
    except (OSError, ValueError, IndexError):
        # It ended between the two calls.
        return None
    finally:
        os.close(descriptor)


def scan() -> dict[int, Proc]:
    """Every process that can be seen."""
    return {pid: found for pid in numbers() if (found := read(pid))}


def numbers() -> list[int]:
    """The numbers of all processes, most often the newest first."""
    return sorted((int(name) for name in os.listdir("/proc") if name.isdecimal()), reverse=True)


def variables(pid: int) -> list[bytes]:
    """The environment that a process was started with; empty where it is not ours to read."""
    try:
        descriptor = os.open(f"/proc/{pid}/environ", os.O_RDONLY)
    except OSError:
        return []
    pieces = []
    try:
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
    except OSError:
        return []
    finally:
        os.close(descriptor)
    return b"".join(pieces).split(b"\0")


def outputs(pid: int) -> set[str]:
    """What its standard output and standard error are; empty where that is not ours to know."""
    found = set()
    for number in (1, 2):
        try:
            found.add(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            continue
    return found


def is_still(pid: int, started: int) -> bool:
    """Whether this number still means the process that started then, and it can run code."""
    found = read(pid)
    return found is not None and found.alive and found.started == started


def is_there(pid: int, started: int) -> bool:
    """The same, also where there is no ``/proc`` and only the number can be asked for."""
    if visible():
        return is_still(pid, started)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def handle(pid: int, started: int) -> int | None:
    """A descriptor that stands for exactly this process, or None when it has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
    if is_still(pid, started):
        return descriptor
    os.close(descriptor)
    return None


def send(pid: int, started: int, number: int) -> bool:
    """Signal exactly this process, never another that got its number; whether that was allowed."""
    import signal  # noqa: PLC0415 - imported when something is to be ended: it costs 1 MB

    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):  # Linux before 5.3, or no descriptor left
        return _send_by_number(pid, started, number)
    try:
        if is_still(pid, started):
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    finally:
        os.close(descriptor)
    return True


def send_group(group: int, number: int) -> None:
    """Signal a whole process group at once: nobody in it can fork to get away."""
    try:
        os.killpg(group, number)
    except OSError:
        # Gone, or in part another user's: each is signalled by itself as well.
        return


def _send_by_number(pid: int, started: int, number: int) -> bool:
    try:
        if is_there(pid, started):
            os.kill(pid, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True
