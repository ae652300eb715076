"""A configuration file as plain values, each with the place where it is written."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

from stophooks.errors import StophooksError
from stophooks.models import Problem
from stophooks.typed import Any
from stophooks.values import dataclass, field

# A key or a list index for every step from the root of the file.
Path = tuple[str | int, ...]

# More levels than any sensible configuration has; keeps every walk over a value shallow.
MAX_NESTING = 64
# More than anybody mends in one go; keeps the answer to a broken file small, and soon there.
MAX_PROBLEMS = 100
# How many are looked for at most, so that those shown are the first ones in the file.
MAX_FOUND = 10 * MAX_PROBLEMS
# More values than any configuration has; a few nested aliases make billions of them.
MAX_VALUES = 10_000
# What may stand before a YAML value: its anchor and its tag.
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
# Longest value that is quoted in a message, in characters.
_MAX_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: offsets in characters, the end excluded."""

    start: int
    end: int


class SyntaxProblemError(StophooksError):
    """The text cannot be read as the format that its name promises.

    Args:
        message: What is wrong, in plain words.
        span: The place in the text.
        hint: What to write instead.
        where: The place as keys, where it is known.
    """

    def __init__(
        self, message: str, span: Span, *, hint: str | None = None, where: Path = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.where = where


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One parsed file: plain JSON-like values, and the spans of every key and value by path."""

    path: str
    text: str
    value: Any = None
    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)

    def raw(self, where: Path, value: Any) -> str:
        """A number or boolean as it is written in the file (``1.10`` stays ``1.10``)."""
        span = self.values.get(where)
        written = self.text[span.start : span.end].strip() if span else ""
        written = _PROPERTIES.sub("", written)
        return written if written and "\n" not in written else json.dumps(value)

    def span(self, where: Path, *, key: bool = False) -> Span:
        """Where a key or value is written; the nearest known ancestor's place if unknown."""
        for length in range(len(where), -1, -1):
            part = where[:length]
            first, second = (self.keys, self.values) if key else (self.values, self.keys)
            found = first.get(part) or second.get(part)
            if found is not None:
                return found
        return Span(0, 0)

    def problem(
        self,
        where: Path,
        message: str,
        *,
        at: Path | None = None,
        hint: str | None = None,
        key: bool = False,
        warning: bool = False,
    ) -> Problem:
        """A problem at the value (or the key) of ``where``; ``at`` points to another place."""
        span = self.span(where if at is None else at, key=key)
        return located(self.path, self.text, span, message, where=where, hint=hint, warning=warning)


def located(
    path: str,
    text: str,
    span: Span,
    message: str,
    *,
    where: Path = (),
    hint: str | None = None,
    warning: bool = False,
) -> Problem:
    """A problem with line, column, width and source line found from the offsets of ``span``."""
    starts = _line_starts(text)
    offset = min(span.start, len(text))
    line = bisect_right(starts, offset)
    begin = starts[line - 1]
    source = _line(text, line)
    column = min(offset - begin, len(source)) + 1
    marked = source[column - 1 : column - 1 + max(span.end - span.start, 1)].rstrip()
    return Problem(
        path=path,
        line=line,
        column=column,
        where=words(where),
        message=message,
        hint=hint,
        source=source,
        width=max(1, len(marked)),
        warning=warning,
    )


def words(where: Path) -> str:
    """A path as a person writes it: ``stop.commands[0].env.PATH``."""
    text = ""
    for step in where:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("-", "_").isidentifier() or step == "$schema":
            text += f".{step}" if text else step
        else:
            text += f"[{quoted(step)}]"
    return text


def quoted(value: Any) -> str:
    """A value for a message: short, on one line, texts in double quotes."""
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing (null)"
    if isinstance(value, str) and len(value) > _MAX_QUOTED:
        value = value[: _MAX_QUOTED - 1] + "…"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 2 * _MAX_QUOTED else shown[:_MAX_QUOTED] + "…"


def either(names: list[str]) -> str:
    """Names as a choice: ``a``, ``a or b``, ``a, b or c``."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@lru_cache(maxsize=2)
def _line_starts(text: str) -> list[int]:
    return [0, *accumulate(len(line) + 1 for line in text.split("\n"))][:-1]


@lru_cache(maxsize=8)
def _line(text: str, number: int) -> str:
    """One line; the same object for all problems in it, as it may be the whole file."""
    starts = _line_starts(text)
    end = starts[number] if number < len(starts) else len(text)
    return text[starts[number - 1] : end].rstrip("\r\n")
