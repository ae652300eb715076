"""The one sequence: start, drain, end, account for everybody."""

from __future__ import annotations

import time

from stophooks.process.child import Child
from stophooks.process.pump import Pump, Wake
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING
from stophooks.values import StrEnum, dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stophooks.process.child import Guard, Streams
    from stophooks.process.identity import Identity
    from stophooks.process.pump import Output, Stop
    from stophooks.process.table import Entry

# How long what a command left running may take to end by itself: `tee` in `exec > >(tee log)`
# writes the last lines after the shell has ended. Seconds.
LINGER_S = 0.1
# From SIGTERM to SIGKILL for what outlives a command that has ended. Seconds.
LEFT_GRACE_S = 0.2
# How long output may go on after everything was ended, by somebody out of reach who holds the
# pipe. Seconds.
REST_S = 1.0
# How often a long command's ended orphans are waited for. Seconds.
REAP_S = 1.0


class Cause(StrEnum):
    """Why a command is over."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command came to its end.

    ``code`` is its exit code, or minus the number of the signal that ended it, or None when it
    could not be ended. ``left`` are processes that outlived a command that ended by itself and
    were ended then; ``survivors`` could not be ended at all.
    """

    cause: Cause
    code: int | None
    duration_s: float
    left: tuple[Entry, ...] = ()
    survivors: tuple[Entry, ...] = ()


def run(  # noqa: PLR0913 - all that one command is given, each by its name
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    timeout_s: float | None,
    grace_s: float,
    stop: Stop,
    output: Output,
    keep_children: bool = False,
    guard: Guard | None = None,
    user: Identity | None = None,
    streams: Streams | None = None,
    beside: bool = False,
    begun: Callable[[], None] | None = None,
) -> Ended:
    """Run a program to its end; nothing that it started is left when this returns.

    Args:
        argv: The program and its arguments; the program is looked for on ``env``'s PATH.
        cwd: Absolute path of its working directory.
        env: Its whole environment; `family.TOKEN` is added.
        timeout_s: Seconds from its start to SIGTERM; None for no limit.
        grace_s: Seconds from that SIGTERM to SIGKILL.
        stop: Ends it early, with a grace of its own.
        output: Takes each piece of output (at most 256 KiB), at once, in the calling thread.
        keep_children: What it leaves running is let be, if it ends by itself with exit code 0.
        guard: Ends what is left if this process dies.
        user: Whom it runs as, which takes root; None for this process's own user.
        streams: What it reads and writes instead of nothing and ``output``.
        beside: Others may run at the same time, in threads of this process.
        begun: Called when it runs; until that returns nobody looks after it.

    Raises:
        StartError: There is no process: the program or ``cwd`` is not there, not usable …
    """
    with (
        Wake(stop) as wake,
        Child(
            argv, cwd=cwd, env=env, guard=guard, user=user, streams=streams, beside=beside
        ) as child,
        Pump(child, wake.descriptor, output) as pump,
    ):
        if begun is not None:
            begun()
        cause = _wait(pump, stop, timeout_s)
        if cause is Cause.EXITED:
            left, survivors = _end_left(pump, keep=keep_children and child.code == 0)
        else:
            left, survivors = (), _end_all(pump, stop, grace_s)
        pump.rest(REST_S)
        return Ended(
            cause=cause,
            code=child.code,
            duration_s=child.duration_s,
            left=left,
            survivors=survivors,
        )


def _wait(pump: Pump, stop: Stop, timeout_s: float | None) -> Cause:
    child = pump.child
    deadline = float("inf") if timeout_s is None else child.began + timeout_s
    reap_at = child.began + REAP_S
    while not child.ended and not stop.requested:
        now = time.monotonic()
        if now >= deadline:
            return Cause.TIMED_OUT
        if now >= reap_at:
            child.family.reap()
            reap_at = now + REAP_S
        pump.turn(min(deadline, reap_at) - now)
    return Cause.EXITED if child.ended else Cause.CANCELLED


def _end_all(pump: Pump, stop: Stop, grace_s: float) -> tuple[Entry, ...]:
    """SIGTERM, the grace, SIGKILL; returns who could not be ended."""
    pump.child.family.send(signal.SIGTERM)
    began = time.monotonic()
    # A stop that is requested during the grace of a timeout may bring a shorter grace.
    pump.settle(lambda: began + min(grace_s, stop.grace_s if stop.requested else grace_s))
    return pump.kill()


def _end_left(pump: Pump, *, keep: bool) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """End what outlives the command, or keep it; returns whom, and who could not be ended."""
    if pump.child.family.gone():
        return (), ()
    linger_until = time.monotonic() + LINGER_S
    pump.settle(lambda: linger_until)
    if keep:
        pump.child.keep = True
        return (), ()
    left = pump.child.family.send(signal.SIGTERM)
    grace_until = time.monotonic() + LEFT_GRACE_S
    pump.settle(lambda: grace_until)
    return tuple(left), pump.kill()
