"""Who holds a resource: written down for people, read back, and judged dead only with proof."""

from __future__ import annotations

import json
import os
import socket
from enum import StrEnum

from stophooks.models import KIB
from stophooks.process import table
from stophooks.process.machine import boot_id, pid_namespace
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

# Who holds a resource says so this often, and counts as alive for so long after the last time,
# where nothing else can be known about it; seconds.
BEAT_S = 10.0
STALE_S = 120.0
# No record of ours is larger.
RECORD_BYTES = 16 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One process of one start of one machine, and the task that it runs.

    ``path`` is the task's file and ``project`` its project, both absolute; ``since`` is in seconds
    since 1970. ``started`` is the start time as `stophooks.process.table.Entry` has it. Where the
    system has no such thing (macOS), ``boot_id`` is empty and ``pid_namespace`` 0.
    """

    task: str
    path: str
    project: str
    since: float
    pid: int
    started: int
    host: str
    boot_id: str
    pid_namespace: int

    def to_json(self) -> bytes:
        """The holder as it is written down."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"


class State(StrEnum):
    """What is known about a holder: it lives, is dead, or cannot be seen from here."""

    ALIVE = "alive"
    DEAD = "dead"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A resource for which there is a record; ``holder`` is None where that makes no sense.

    ``beat`` is when the holder last said that it lives, in seconds since 1970.
    """

    resource: str
    holder: Holder | None
    beat: float
    state: State


def myself(*, task: str, path: str, project: str, now: float) -> Holder:
    """This process as the holder of a task's resources."""
    me = table.current(os.getpid())
    return Holder(
        task=task,
        path=path,
        project=project,
        since=now,
        pid=os.getpid(),
        started=me.started if me else 0,
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid_namespace=pid_namespace(),
    )


def read(data: bytes) -> Holder | None:
    """The holder that a record names, or None where it makes no sense."""
    try:
        return _checked(Holder(**json.loads(data)))
    except (ValueError, TypeError, RecursionError):
        return None


def state(holder: Holder | None, beat: float, now: float) -> State:
    """What is known about a holder whose lock the kernel has let go.

    On this start of this machine that says enough, unless the process is seen all the same. Of
    another machine, or another start, the kernel may know nothing: there the beat decides.

    Args:
        holder: As the record says; None where that makes no sense.
        beat: When it last said that it lives, in seconds since 1970.
        now: The same clock.
    """
    if holder is None:
        return State.DEAD
    if not _is_from_here(holder):
        return State.FOREIGN if now - beat <= STALE_S else State.DEAD
    process = table.current(holder.pid) if holder.pid_namespace == pid_namespace() else None
    lives = process is not None and process.started == holder.started and process.alive
    return State.ALIVE if lives else State.DEAD


def whose(held: Held) -> str:
    """A holder in a few words."""
    holder = held.holder
    if holder is None:
        return "nobody knows whom"
    place = f" on {holder.host}" if held.state is State.FOREIGN else ""
    return f'task "{holder.task}" (pid {holder.pid}{place})'


def distinct(found: Iterable[Held]) -> tuple[Held, ...]:
    """Each holder of a resource once: who shares it is found in two scopes."""
    first: dict[object, Held] = {}
    for index, held in enumerate(found):
        # Of those that nobody is known to hold, each is one.
        first.setdefault((held.resource, held.holder or index), held)
    return tuple(first.values())


def _is_from_here(holder: Holder) -> bool:
    """Whether it is of this start of this machine, as far as that has a name."""
    if holder.boot_id != boot_id():
        return False
    return bool(holder.boot_id) or holder.host == socket.gethostname()


def _checked(holder: Holder) -> Holder | None:
    texts: tuple[Any, ...] = (
        holder.task,
        holder.path,
        holder.project,
        holder.host,
        holder.boot_id,
    )
    numbers: tuple[Any, ...] = (holder.pid, holder.started, holder.pid_namespace)
    are_texts = all(isinstance(text, str) for text in texts)
    are_numbers = all(type(number) is int and 0 <= number < 2**63 for number in numbers)
    has_time = type(holder.since) in {int, float} and 0 <= holder.since < 2**40
    return holder if are_texts and are_numbers and has_time and 0 < holder.pid < 2**31 else None
