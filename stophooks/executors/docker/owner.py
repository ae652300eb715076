"""Who made a container: written on it as labels, read back, and judged dead only with proof.

An owner is one process of one start of one machine. Its pid alone proves nothing: numbers are
used again, and mean other processes in another pid namespace and after the machine's next start.
"""

from __future__ import annotations

import errno
import os

from stophooks.executors.docker.lock import is_locked
from stophooks.jsonvalues import dumps, loads
from stophooks.process import table
from stophooks.process.machine import boot_id, pid_namespace
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import StrEnum, asdict, dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_LABEL = "stophooks.run"
OWNER_LABEL = "stophooks.owner"
EXPIRES_LABEL = "stophooks.expires"
SESSION_LABEL = "stophooks.session"
# A section's deadline, and so much more for its removal and for clocks that disagree; seconds.
EXPIRY_MARGIN_S = 3600.0
# For a run whose deadline is not known; seconds.
DEFAULT_LIFETIME_S = 24 * 3600.0
# No label of ours is longer; characters.
_LABEL_LIMIT = 8192
# Until the year 33658.
_MOMENT_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that a container belongs to.

    ``started`` is its start time as `stophooks.process.table.Entry` has it. ``lock`` is the file
    that it keeps locked, or None when it could make none. Where the system has no such thing
    (macOS), ``boot_id`` is empty and ``pid_namespace`` 0.
    """

    boot_id: str
    pid_namespace: int
    pid: int
    started: int
    host: str
    lock: str | None = None


class Kind(StrEnum):
    """What is known about a container's owner."""

    DEAD = "dead"
    EXPIRED = "expired"
    ALIVE = "alive"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is known about an owner, and by what."""

    kind: Kind
    why: str

    @property
    def is_over(self) -> bool:
        """Whether nobody can need the container any more."""
        return self.kind in {Kind.DEAD, Kind.EXPIRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What this machine shows about one owner.

    ``process`` has the owner's pid now, None when there is none; ``sees_processes`` is whether
    that can be told here at all. ``is_locked`` None: the lock cannot be looked at. ``now`` is the
    engine's clock, in seconds since 1970.
    """

    boot_id: str
    pid_namespace: int
    process: table.Entry | None
    sees_processes: bool
    is_locked: bool | None
    now: float


def verdict(owner: Owner | None, until: float | None, facts: Facts) -> Verdict:
    """Whether an owner is dead: with proof, or not at all.

    Args:
        owner: As its label says; None when the label is missing or makes no sense.
        until: When its run is over for certain, by the engine's clock; None as above.
        facts: About this owner.
    """
    if owner is None or until is None:
        return Verdict(kind=Kind.UNKNOWN, why="its labels do not say whose it is")
    if _is_from_here(owner, facts):
        return _seen(owner, facts)
    if facts.now > until + EXPIRY_MARGIN_S:
        return Verdict(kind=Kind.EXPIRED, why="its run was to be over long ago")
    return Verdict(kind=Kind.FOREIGN, why="its owner cannot be seen from here")


def _seen(owner: Owner, facts: Facts) -> Verdict:
    """The verdict about an owner whose pid means here what it meant to the owner."""
    process = facts.process
    if process is not None and process.started == owner.started and process.alive:
        state = "stopped" if process.stopped else "alive"
        return Verdict(kind=Kind.ALIVE, why=f"its run is {state}")
    if facts.is_locked:
        return Verdict(kind=Kind.ALIVE, why="a process still holds its run's lock")
    if facts.is_locked is None:
        return Verdict(kind=Kind.FOREIGN, why="its run's lock is not ours to look at")
    return Verdict(kind=Kind.DEAD, why="its run was killed")


def _is_from_here(owner: Owner, facts: Facts) -> bool:
    """Whether the owner's pid means, here and now, what it meant to the owner."""
    return (
        facts.sees_processes
        and bool(facts.boot_id)
        and owner.boot_id == facts.boot_id
        and owner.pid_namespace == facts.pid_namespace
    )


def look(owner: Owner | None, now: float) -> Facts:
    """What this machine shows about an owner; ``now`` by the engine's clock."""
    return Facts(
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        process=None if owner is None else table.current(owner.pid),
        sees_processes=table.current(os.getpid()) is not None and _sees(owner),
        is_locked=None if owner is None else is_locked(owner.lock),
        now=now,
    )


def _sees(owner: Owner | None) -> bool:
    """Whether this pid's process would be shown: with hidepid, other people's are not."""
    if owner is None or table.current(owner.pid) is not None:
        return True
    try:
        os.kill(owner.pid, 0)
    except OSError as err:
        return err.errno == errno.ESRCH
    return False


def myself(lock: str | None) -> Owner:
    """This process as an owner; ``lock`` is the file that it keeps locked."""
    me = table.current(os.getpid())
    return Owner(
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
        pid=os.getpid(),
        started=me.started if me else 0,
        host=os.uname().nodename,
        lock=lock,
    )


def expires(now: float, deadline_s: float | None) -> float:
    """When a run that begins now is over for certain, in seconds since 1970."""
    return now + (DEFAULT_LIFETIME_S if deadline_s is None else deadline_s + EXPIRY_MARGIN_S)


def labels(
    run_id: str, owner: Owner, until: float, *, session: str | None = None
) -> dict[str, str]:
    """What is written on everything that a run makes, for an agent's session also its name."""
    return {
        RUN_LABEL: run_id,
        OWNER_LABEL: dumps(asdict(owner)),
        EXPIRES_LABEL: str(int(until)),
        **({SESSION_LABEL: session} if session else {}),
    }


def parse_owner(found: Mapping[str, str]) -> Owner | None:
    """The owner that labels name, or None when they are missing or make no sense."""
    try:
        data = loads(found.get(OWNER_LABEL, "")[:_LABEL_LIMIT])
        return _checked(Owner(**data))
    except (ValueError, TypeError, RecursionError):
        return None


def _checked(owner: Owner) -> Owner | None:
    numbers: tuple[Any, ...] = (owner.pid_namespace, owner.pid, owner.started)
    texts: tuple[Any, ...] = (owner.boot_id, owner.host, owner.lock or "")
    are_numbers = all(type(number) is int and 0 <= number < 2**63 for number in numbers)
    are_texts = all(isinstance(text, str) and "\0" not in text for text in texts)
    has_lock = owner.lock is None or (are_texts and os.path.isabs(owner.lock))
    is_one_process = are_numbers and 0 < owner.pid < 2**31
    return owner if is_one_process and are_texts and has_lock else None


def parse_expires(found: Mapping[str, str]) -> float | None:
    """When the run is over for certain, or None when the label is missing or makes no sense."""
    text = found.get(EXPIRES_LABEL, "")
    is_moment = text.isascii() and text.isdecimal() and len(text) <= _MOMENT_DIGITS
    return float(text) if is_moment else None
