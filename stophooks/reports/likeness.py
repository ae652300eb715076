"""Whether two failures are the same one: what is left of their output without what always changes.

Times, addresses, process numbers, ports, temporary files and the like are taken out; the order of
lines does not count, because tests that run side by side end in any.
"""

from __future__ import annotations

import hashlib
import re

from stophooks.reports.clean import lines
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stophooks.models import Result, Tail

# In this order: what a later one would take a part of comes first.
_CHANGING = tuple(
    (re.compile(pattern, re.IGNORECASE), put)
    for pattern, put in (
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
        (r"\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:z|[+-]\d\d:?\d\d)?)?", "<at>"),
        (r"\b\d?\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[ap]m\b)?", "<at>"),
        (r"(?:/private)?(?:/var/folders|/var/tmp|/tmp|/dev/shm)/[^\s'\"`:,;)\]}>]+", "<tmp>"),
        (r"\b0x[0-9a-f]+\b", "<at>"),
        (r"\b(pid|process|thread|port)([ =:#]+)\d+", r"\1\2<n>"),
        (r"\b(localhost|\d+\.\d+\.\d+\.\d+):\d+\b", r"\1:<n>"),
        (
            r"\b\d+(?:[.,]\d+)?\s?(?:[mun\u00b5]?s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b",
            "<took>",
        ),
        (r"([=\-_*~#.])\1{2,}", r"\1\1\1"),
        (r"\s+", " "),
    )
)


def digest(results: Iterable[Result]) -> str:
    """The same text for the same failures: of the same commands, with the same status and lines."""
    return _hash(likeness(result) for result in results)


def likeness(result: Result) -> str:
    """The same text for the same failure of the same command."""
    command, outcome = result.command, result.outcome
    said = sorted((*_lines(outcome.stdout), *_lines(outcome.stderr)))
    facts = (result.title, command.line, command.where, outcome.status, str(outcome.exit_code))
    return _hash((*facts, *said))


def normal(line: str) -> str:
    """A line without what is different in every run."""
    for pattern, put in _CHANGING:
        line = pattern.sub(put, line)
    return line.strip()


def _lines(stream: Tail) -> Iterator[str]:
    shown = lines(stream)
    # Where something is cut out, the first line after the gap begins anywhere.
    rows = (*shown.head[:-1], *shown.tail[1:]) if shown.cut_bytes else shown.tail
    return (row for row in map(normal, rows) if row)


def _hash(parts: Iterable[str]) -> str:
    whole = "\0".join(parts).encode("utf-8", "replace")
    return hashlib.sha256(whole).hexdigest()
