"""A report for a person: a line per command, the output of those that failed, a summary."""

from __future__ import annotations

from stophooks.models import Status, human_duration
from stophooks.reports.clean import line
from stophooks.reports.failure import failure
from stophooks.reports.words import MISSED, happened, never_began, word
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.models import Report, Result

# Of one command's output; the rest is in its log file.
OUTPUT_BYTES = 8192
NAME_WIDTH = 40
_COLOURS = {"PASS": "32", "WARN": "33", "SKIP": "2", "IGNORED": "2"}
_RED = "31"
_INDENT = "        "


def render(report: Report, *, colour: bool = False) -> str:
    """The whole report, without a newline at its end."""
    width = name_width([result.title for result in report.results])
    rows = [one(result, width=width, colour=colour) for result in report.results]
    return "\n".join([*rows, summary(report)])


def one(result: Result, *, width: int, colour: bool = False) -> str:
    """One result: its line and, where it did not pass, what there is to know."""
    outcome = result.outcome
    name = line(result.title, width=NAME_WIDTH)
    ran = outcome.status is not Status.SKIPPED and not never_began(outcome)
    took = human_duration(outcome.duration_s) if ran else "-"
    row = f"{_painted(word(result), colour=colour)}{name:<{width}}  {took:>8}  "
    row += line(result.command.where, width=80)
    if result.outcome.status is Status.PASSED:
        return "\n".join([row, *_notes(result)])
    row += f"  {happened(result)}"
    if result.ok:
        return row + (f": {line(outcome.reason)}" if outcome.reason else "")
    return "\n".join([row, *(_INDENT + said for said in failure(result).body(OUTPUT_BYTES))])


def summary(report: Report) -> str:
    """The last line: how many passed, failed and so on, and how long it took."""
    counts: dict[str, int] = {}
    for result in report.results:
        counts[word(result)] = counts.get(word(result), 0) + 1
    parts = [f"{counts[key]} {noun}" for key, noun in _NOUNS.items() if key in counts]
    return f"{', '.join(parts) or 'nothing to run'} in {human_duration(report.duration_s)}"


def name_width(names: list[str]) -> int:
    """How wide the column of names is."""
    return min(max(map(len, names), default=0), NAME_WIDTH)


_NOUNS = {
    "PASS": "passed",
    "FAIL": "failed",
    "TIMEOUT": "timed out",
    "CANNOT": "could not run",
    "STOPPED": "cancelled",
    MISSED: "not started",
    "WARN": "with a warning",
    "SKIP": "skipped",
    "IGNORED": "ignored",
}


def _notes(result: Result) -> list[str]:
    return [f"{_INDENT}  {line(note)}" for note in result.outcome.notes]


def _painted(said: str, *, colour: bool) -> str:
    padded = f"{said:<8}"
    return f"\x1b[{_COLOURS.get(said, _RED)}m{padded}\x1b[0m" if colour else padded
