"""The program of a task: run with the caller's own streams, and ended with all that it started."""

from __future__ import annotations

from stophooks import process
from stophooks.executors.base import GRACE_S, Cancellation
from stophooks.lifecycles.tasks.task import ProgramEnd
from stophooks.models import SIGNAL_BASE, human_duration, signal_of
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass
from stophooks.watchdog.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a task runs between its hooks.

    ``cwd`` is absolute; ``environ`` is all that it gets; ``timeout_s`` None means no limit.
    ``streams`` are passed on as they are: not a byte of what it writes is ours. ``starting`` is
    called just before it starts.
    """

    argv: tuple[str, ...]
    cwd: str
    environ: Mapping[str, str]
    streams: process.Streams
    timeout_s: float | None = None
    starting: Callable[[], None] = lambda: None


def run(program: Program, cancel: Cancellation) -> ProgramEnd:
    """Run a task's program to its end; nothing that it started is left when this returns.

    If this process dies, its watchdog ends the program.
    """
    with Guard(program.environ) as guard:
        try:
            ended = process.run(
                program.argv,
                cwd=program.cwd,
                env=program.environ,
                timeout_s=program.timeout_s,
                grace_s=GRACE_S,
                stop=cancel,
                output=lambda _stream, _data: None,
                guard=guard,
                streams=program.streams,
            )
        except process.StartError as err:
            where = program.cwd if err.in_directory else program.argv[0]
            why = getattr(err.cause, "strerror", None) or err
            reason = f"{where} cannot be started: {why}"
            return ProgramEnd(code=None, reason=reason, started=False)
    return _end(ended, program, cancel)


def _end(ended: process.Ended, program: Program, cancel: Cancellation) -> ProgramEnd:
    code = ended.code
    shown = SIGNAL_BASE - code if code is not None and code < 0 else code
    timed_out = ended.cause is process.Cause.TIMED_OUT
    if timed_out:
        reason: str | None = f"timed out after {human_duration(program.timeout_s or 0)}"
    elif ended.cause is process.Cause.CANCELLED:
        reason = cancel.reason or "cancelled"
    else:
        reason = _failure(shown)
    return ProgramEnd(code=shown, reason=reason, timed_out=timed_out, duration_s=ended.duration_s)


def _failure(code: int | None) -> str | None:
    if code == 0:
        return None
    if code is None:
        return "its exit code was lost"
    number = signal_of(code)
    return f"exit code {code}" + (f" (ended by signal {number})" if number else "")
