"""The part of a command's output that is worth showing: its beginning and, mostly, its end."""

from __future__ import annotations

from stophooks.models import human_size
from stophooks.reports.clean import MAX_LINE, Lines, middle
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PREFIX = "  | "
# Room for the line that tells what is left out; below it an excerpt says nothing, so none is made.
MARK_BYTES = 64
# The cause of a failure is mostly at the end, its context at the beginning: 1 part to 3.
HEAD_PARTS = 4
# A long line gets one part of these, unless that is less than so many bytes.
LINES = 8
LINE_BYTES = 120
# What a line takes beside itself: the prefix and the newline, in bytes.
_PREFIXED = len(PREFIX) + 1


def share(total: int, wants: Sequence[int]) -> list[int]:
    """Divide ``total`` fairly: who wants less than an equal part gives the rest to the others."""
    given = [0] * len(wants)
    left = total
    for done, index in enumerate(sorted(range(len(wants)), key=lambda item: wants[item])):
        given[index] = min(wants[index], left // (len(wants) - done))
        left -= given[index]
    return given


def size(shown: Lines, *, limit: int, max_lines: int) -> int:
    """How many bytes `excerpt` wants for these lines where it has ``limit`` bytes at most."""
    rows = excerpt(shown, max_bytes=limit, max_lines=max_lines)
    is_whole = len(rows) == shown.count and not shown.cut_bytes
    return sum(map(_cost, rows)) + (0 if is_whole else MARK_BYTES)


def excerpt(shown: Lines, *, max_bytes: int, max_lines: int | None = None) -> list[str]:
    """The first and, three times as many, the last lines that fit, each behind `PREFIX`.

    The line that tells what is left out is ours and has no prefix, so that a program's output
    cannot pass for it. All lines with their newlines take at most ``max_bytes`` UTF-8 bytes.
    """
    bodies = (*shown.head, *shown.tail)
    allowed = shown.count if max_lines is None else min(shown.count, max_lines)
    whole = _take(_prefixed(bodies[:allowed], MAX_LINE), max_bytes)
    if len(whole) == shown.count and not shown.cut_bytes:
        return whole
    if max_bytes < MARK_BYTES:
        return []
    return _ends(shown, allowed, max_bytes - MARK_BYTES)


def _ends(shown: Lines, allowed: int, room: int) -> list[str]:
    # One line must not take the place of all the others, nor be too short to be understood.
    parts = max(min(allowed, LINES, room // LINE_BYTES), 1)
    width = min(MAX_LINE, max(room // parts - _PREFIXED, len(PREFIX)))
    bodies = (*shown.head, *shown.tail)
    first = _take(
        _prefixed((shown.head or bodies)[: allowed // HEAD_PARTS], width), room // HEAD_PARTS
    )
    rest = bodies[len(first) :] if not shown.cut_bytes else shown.tail
    wanted = min(allowed - len(first), len(rest))
    last = _take(
        _prefixed(reversed(rest[len(rest) - wanted :]), width), room - sum(map(_cost, first))
    )
    return [*first, _mark(shown, len(first), len(last)), *reversed(last)]


def _mark(shown: Lines, first: int, last: int) -> str:
    if not shown.cut_bytes:
        missing = shown.count - first - last
        return f"  ... {missing} {'line' if missing == 1 else 'lines'} left out ..."
    bodies = (*shown.head[first:], *shown.tail[: len(shown.tail) - last])
    dropped = sum(len(body.encode()) + 1 for body in bodies)
    return f"  ... {human_size(shown.cut_bytes + dropped)} left out ..."


def _prefixed(bodies: Iterable[str], width: int) -> Iterable[str]:
    return ((PREFIX + middle(body, width)).rstrip() for body in bodies)


def _take(bodies: Iterable[str], room: int) -> list[str]:
    """As many of them, in order, as fit into ``room`` bytes."""
    taken: list[str] = []
    for body in bodies:
        room -= _cost(body)
        if room < 0:
            break
        taken.append(body)
    return taken


def _cost(body: str) -> int:
    return len(body.encode()) + 1
