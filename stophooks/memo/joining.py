"""Several runs of one program as one outcome."""

from __future__ import annotations

from stophooks.executors.capture import HEAD_BYTES, TAIL_BYTES
from stophooks.models import Status, Tail
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from stophooks.models import Outcome


def joined(first: Outcome, second: Outcome) -> Outcome:
    """Both as one: the first that did not pass decides, and all that they said is told."""
    decides = second if first.status is Status.PASSED else first
    # The end of the time, or of the run, is the end of all parts.
    if second.status not in {Status.PASSED, Status.FAILED}:
        decides = second
    return replace(
        decides,
        stdout=together(first.stdout, second.stdout),
        stderr=together(first.stderr, second.stderr),
        duration_s=first.duration_s + second.duration_s,
        oom=first.oom or second.oom,
        started=first.started or second.started,
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
    )


def together(first: Tail, second: Tail) -> Tail:
    """One stream behind another, as one that was kept as `Capture` keeps it."""
    total = first.total_bytes + second.total_bytes
    before, after = first.head + first.tail, second.head + second.tail
    if first.cut_bytes:
        head = first.head
        rest = second.tail if second.cut_bytes else first.tail + after
    else:
        whole = before + (second.head if second.cut_bytes else after)
        head = whole[:HEAD_BYTES]
        rest = second.tail if second.cut_bytes else whole[HEAD_BYTES:]
    return Tail(head=head, tail=rest[-TAIL_BYTES:], total_bytes=total)
