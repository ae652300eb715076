"""How much is told about each failure where there is not room for everything about all of them.

The least useful goes first: long outputs, then a script's further lines, then the ends of long
messages, then all but the title of the last failures. Every name stays as long as it can.
"""

from __future__ import annotations

from stophooks.reports.excerpt import MARK_BYTES, share
from stophooks.reports.failure import Detail, byte_count
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.reports.failure import Failure

# An excerpt that is smaller says little: some failures then show none and others this much. It is
# also what scripts and long messages leave to every output. Bytes.
OUTPUT_BYTES = 320
_IN_FULL = (Detail.BRIEF, Detail.MESSAGES, Detail.FULL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The lines about one failure; ``in_full`` where they are more than its name or title."""

    rows: list[str]
    in_full: bool


def needed(failures: Sequence[Failure]) -> int:
    """Bytes that all of them take without output and with shortened texts."""
    return sum(_cost(item, Detail.BRIEF) for item in failures)


def fit(failures: Sequence[Failure], room: int) -> list[Told]:
    """Tell as many of the failures as fit, in order, each in as much detail as there is room.

    All lines, with newlines and a blank line around each failure that is told in full, take at
    most ``room`` bytes. Who is not told, for want of room, are the last ones.
    """
    names = _names(failures, room)
    if names < len(failures):
        return [Told(rows=item.rows(Detail.NAME), in_full=False) for item in failures[:names]]
    wants = [item.wanted_bytes(room) for item in failures]
    floors = [min(want, OUTPUT_BYTES) for want in wants]
    details = _raised(failures, [Detail.NAME] * len(failures), Detail.TITLE, room)
    # Who is told in full is told with some of its output, unless all can be told without.
    beside = floors if needed(failures) > room else [0] * len(failures)
    details = _raised(failures, details, Detail.BRIEF, room, beside)
    kept = sum(floor for floor, detail in zip(floors, details, strict=True) if detail in _IN_FULL)
    details = _texts(failures, details, room - kept)
    outputs = _outputs(failures, _of(wants, details), room - _total(failures, details))
    # Again: what the outputs leave of their part, because no line fits it, is for the texts.
    details = _raised(failures, details, Detail.BRIEF, room - _bytes(outputs))
    details = _texts(failures, details, room - _bytes(outputs))
    outputs = _outputs(failures, _of(wants, details), room - _total(failures, details))
    return [
        Told(rows=item.rows(detail, output), in_full=detail in _IN_FULL)
        for item, detail, output in zip(failures, details, outputs, strict=True)
    ]


def _texts(failures: Sequence[Failure], details: Sequence[Detail], room: int) -> list[Detail]:
    details = _raised(failures, details, Detail.MESSAGES, room)
    return _raised(failures, details, Detail.FULL, room)


def _of(wants: Sequence[int], details: Sequence[Detail]) -> list[int]:
    return [want if detail in _IN_FULL else 0 for want, detail in zip(wants, details, strict=True)]


def _bytes(outputs: Sequence[Sequence[str]]) -> int:
    return sum(map(byte_count, outputs))


def _cost(item: Failure, detail: Detail) -> int:
    # A blank line before it, and one before a title that follows.
    return byte_count(item.rows(detail)) + 2 * (detail in _IN_FULL)


def _total(failures: Sequence[Failure], details: Sequence[Detail]) -> int:
    return sum(_cost(item, detail) for item, detail in zip(failures, details, strict=True))


def _names(failures: Sequence[Failure], room: int) -> int:
    """How many names fit, with a line that counts the others."""
    if _total(failures, [Detail.NAME] * len(failures)) <= room:
        return len(failures)
    room -= MARK_BYTES
    for done, item in enumerate(failures):
        room -= _cost(item, Detail.NAME)
        if room < 0:
            return done
    return len(failures)


def _raised(
    failures: Sequence[Failure],
    details: Sequence[Detail],
    goal: Detail,
    room: int,
    beside: Sequence[int] = (),
) -> list[Detail]:
    """The details with those raised to the goal that are one below it, as far as there is room.

    ``beside`` is what each takes besides, once it is raised.
    """
    spare = max(room - _total(failures, details), 0)
    raised = list(details)
    for index, item in enumerate(failures):
        more = _cost(item, goal) - _cost(item, details[index])
        extra = beside[index] if beside else 0
        if details[index] == goal - 1 and more + extra <= spare:
            spare -= more + extra
            raised[index] = goal
    return raised


def _outputs(failures: Sequence[Failure], wants: Sequence[int], room: int) -> list[list[str]]:
    """The outputs, the room shared fairly, or by the first ones where each would get too little."""
    meant = [index for index, want in enumerate(wants) if want]
    while meant and room < sum(min(wants[index], OUTPUT_BYTES) for index in meant):
        meant.pop()
    given = dict(zip(meant, share(room, [wants[index] for index in meant]), strict=True))
    outputs = [item.output(given.get(index, 0)) for index, item in enumerate(failures)]
    left = room - _bytes(outputs)
    for index, item in enumerate(failures):
        before = byte_count(outputs[index])
        if before >= wants[index] or left < MARK_BYTES:
            continue
        more = item.output(before + left)
        if byte_count(more) > before:
            outputs[index] = more
            left -= byte_count(more) - before
    return outputs
