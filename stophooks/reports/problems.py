"""The problems of a configuration: with line and caret for a person, as JSON for a program."""

from __future__ import annotations

import re
import unicodedata
from json import dumps

from stophooks.reports.clean import text as clean
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stophooks.models import Problem

# Columns of source shown around the place that is meant.
WINDOW = 100
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def text(problems: Sequence[Problem]) -> str:
    """Every problem with its place, its line and its hint, and how many there are.

    Empty where there is none; else it ends without a newline.
    """
    if not problems:
        return ""
    return "\n".join([*(_one(problem) for problem in problems), count(problems)])


def json(problems: Sequence[Problem], *, paths: Iterable[str] = ()) -> str:
    """The problems per file as one JSON document; ``paths`` names files that may have none."""
    names = dict.fromkeys([*paths, *(problem.path for problem in problems)])
    files = [_file(name, [item for item in problems if item.path == name]) for name in names]
    return dumps({"files": files}, indent=2)


def count(problems: Sequence[Problem]) -> str:
    """How many problems and warnings in which file, and what follows from it.

    A problem of a whole file beside others of it says that there are more: it is not counted.
    """
    counted = [problem for problem in problems if not _is_rest(problem, problems)]
    first = "The first " if len(counted) < len(problems) else ""
    errors = sum(not problem.warning for problem in counted)
    warnings = len(counted) - errors
    parts = [_number(errors, "problem")] * bool(errors) + [_number(warnings, "warning")] * bool(
        warnings
    )
    names = {problem.path for problem in problems}
    where = next(iter(names)) if len(names) == 1 else f"{len(names)} files"
    return f"{first}{' and '.join(parts)} in {where}." + (" Nothing was run." if errors else "")


def _is_rest(problem: Problem, problems: Sequence[Problem]) -> bool:
    return not problem.line and any(other.line and other.path == problem.path for other in problems)


def _number(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def _one(problem: Problem) -> str:
    place = f"{problem.path}:{problem.line}:{problem.column}" if problem.line else problem.path
    parts = [place, "warning" if problem.warning else "", problem.where, problem.message]
    rows = [clean(": ".join(part for part in parts if part))]
    if problem.source is not None and problem.line:
        rows += _excerpt(problem, problem.source)
    if problem.hint:
        rows.append(f"     = hint: {clean(problem.hint)}")
    return "\n".join(rows)


def _excerpt(problem: Problem, source: str) -> list[str]:
    """The line that is meant and carets under the part of it."""
    start = max(problem.column - 1, 0)
    first = max(start - WINDOW // 2, 0) if len(source) > WINDOW else 0
    shown = _UNPRINTABLE.sub(" ", source[first : first + WINDOW])
    start = min(start - first, len(shown))
    marked = shown[start : start + max(problem.width, 1)]
    number = f"{problem.line:>4} | "
    gutter = f"{'|':>{len(number) - 1}} "
    carets = "^" * max(_columns(marked), 1)
    return [(number + shown).rstrip(), gutter + " " * _columns(shown[:start]) + carets]


def _columns(part: str) -> int:
    """How wide a terminal draws it; wide East Asian characters take two columns."""
    return sum(_width(char) for char in part)


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _file(name: str, problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "path": name,
        "ok": all(problem.warning for problem in problems),
        "problems": [_values(problem) for problem in problems],
    }


def _values(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "where": problem.where,
        "message": problem.message,
        "hint": problem.hint,
        "severity": "warning" if problem.warning else "error",
    }
