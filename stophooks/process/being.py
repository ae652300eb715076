"""One process of one start of one machine: a value that can be kept, and asked about later.

A pid alone proves nothing: numbers are used again, and mean other processes in another pid
namespace, on another machine and after the machine's next start.
"""

from __future__ import annotations

import errno
import os
import socket

from stophooks.process import table
from stophooks.process.machine import boot_id, pid_namespace
from stophooks.typed import Any
from stophooks.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Being:
    """A process; ``started`` as `stophooks.process.table.Entry` has it.

    Where the system has no such thing (macOS), ``boot_id`` is empty and ``pid_namespace`` 0.
    """

    boot_id: str
    pid_namespace: int
    pid: int
    started: int
    host: str


def being(pid: int) -> Being | None:
    """The process that has this number now, or None where there is none to be seen."""
    entry = table.current(pid)
    if entry is None or not entry.alive:
        return None
    return Being(
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        pid=pid,
        started=entry.started,
        host=socket.gethostname(),
    )


def parse(found: Any) -> Being | None:
    """The process that a kept value names, or None where it makes no sense."""
    try:
        known = Being(**found)
    except TypeError:
        return None
    numbers = (known.pid_namespace, known.pid, known.started)
    texts = (known.boot_id, known.host)
    sound = all(type(number) is int for number in numbers) and known.pid > 0
    return known if sound and all(isinstance(text, str) for text in texts) else None


def lives(known: Being) -> bool | None:
    """Whether it still runs; None where that cannot be told from here."""
    if known.host != socket.gethostname():
        return None
    if known.boot_id != boot_id():
        return False
    if known.pid_namespace != pid_namespace() or table.current(os.getpid()) is None:
        return None
    entry = table.current(known.pid)
    if entry is not None:
        return entry.started == known.started and entry.alive
    return False if _is_absent(known.pid) else None


def _is_absent(pid: int) -> bool:
    """Whether there is no such process, rather than one that is not shown (hidepid)."""
    try:
        os.kill(pid, 0)
    except OSError as err:
        return err.errno == errno.ESRCH
    return False
