"""A number that whatever a command starts inherits, and does not lose with all else: its tag.

A process hands its resource limits down to all that it starts, and keeps them in a new session,
with a cleared environment and when its parent has ended. The one on file locks has had no effect
since Linux 2.4.25 (getrlimit(2), read 2026-11-30). So a command that runs beside others is started
under a value of it that means no limit and says whose all of this is, to whoever reads
``/proc/<pid>/limits``: a zombie's, and another user's, can be read too.
"""

from __future__ import annotations

import sys
from itertools import count

from stophooks import threads
from stophooks.contexts import contextmanager
from stophooks.process import table
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RLIMIT_LOCKS = 10  # linux/asm-generic/resource.h
_UNLIMITED = -1  # resource.RLIM_INFINITY
_ROW = b"Max file locks"
# A tag is this and up to three numbers of so many bits: the outermost run's command, that of a run
# inside it, and so on. Below 2**63, which Python takes.
_MARK = 1 << 62
_BITS = 20
_SHIFTS = (40, 20, 0)

# What is started meanwhile inherits it, so nothing else may be started then.
_starting = threads.Lock()
_numbers = count(1)
_base: _Base | None = None


class _Base:
    """What this process has inherited, and where in a tag the number of its own commands is."""

    def __init__(self, soft: int, hard: int) -> None:
        self.soft, self.hard = soft, hard
        self.stem = soft if soft != _UNLIMITED and soft & _MARK else _MARK
        free = [shift for shift in _SHIFTS if not self.stem >> shift & ((1 << _BITS) - 1)]
        # Inside three others there is no room, and a limit that cannot be raised gives none.
        self.shift = free[0] if free and hard == _UNLIMITED else None


def new() -> int | None:
    """A tag for one command; None where this system, or a limit of ours, allows none."""
    global _base  # noqa: PLW0603 -- a property of the process, asked for once
    if sys.platform != "linux" or not table.own_proc():
        return None
    with _starting:
        if _base is None:
            import resource  # noqa: PLC0415 -- 1 ms that only commands beside others have to pay

            soft, hard = resource.getrlimit(_RLIMIT_LOCKS)
            try:
                resource.setrlimit(_RLIMIT_LOCKS, (soft, hard))
            except (OSError, ValueError):  # a sandbox that lets nobody change a limit
                hard = soft = 0
            _base = _Base(soft, hard)
        if _base.shift is None:
            return None
        number = next(_numbers) % ((1 << _BITS) - 1) + 1
        return (_base.stem >> _base.shift) + number


def of(pid: int) -> int | None:
    """The tag of the command that a process comes from; None where it has none of ours."""
    if _base is None or _base.shift is None:
        return None
    try:
        with open(f"/proc/{pid}/limits", "rb") as file:
            rows = file.read().split(b"\n")
    except OSError:
        return None
    soft = next((row.split()[3] for row in rows if row.startswith(_ROW)), b"")
    found = (int(soft) if soft.isdigit() else 0) >> _base.shift
    own = found >> _BITS == _base.stem >> _base.shift >> _BITS
    return found if own and found & ((1 << _BITS) - 1) else None


@contextmanager
def under(tag: int | None) -> Iterator[None]:
    """What this process starts meanwhile has this tag, or none; every start is inside one."""
    with _starting:
        if tag is None or _base is None or _base.shift is None:
            yield
            return
        import resource  # noqa: PLC0415 -- as above

        resource.setrlimit(_RLIMIT_LOCKS, (tag << _base.shift, _base.hard))
        try:
            yield
        finally:
            resource.setrlimit(_RLIMIT_LOCKS, (_base.soft, _base.hard))
