"""What became of an event's commands, for the person who caused it."""

from __future__ import annotations

from stophooks.models import Status
from stophooks.reports.clean import line, lines
from stophooks.reports.failure import failure
from stophooks.reports.words import happened
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.models import Report, Result
    from stophooks.plan import Section

# Of one command's output; the rest is in its log file.
OUTPUT_BYTES = 4096
# Of what a command that passed wrote to standard error.
WARNING_LINES = 5


def failures(report: Report, section: Section | None) -> str:
    """Every command that did not pass: which, where, how it ended, what it wrote; the first first.

    Empty where there is none.
    """
    return "\n".join(row for result in report.failures for row in _failed(result, section))


def warnings(report: Report, section: Section | None) -> str:
    """What is worth a look although it did not fail.

    The end of what commands that passed wrote to standard error, and items that are not there.
    """
    return "\n".join(row for result in report.results for row in _warned(result, section))


def first(report: Report, section: Section | None) -> str:
    """The first failure as a few words."""
    failed = report.failures[0]
    more = len(report.failures) - 1
    others = f", and {more} more" if more else ""
    return f"{_which(failed, section)}: {happened(failed)}{others}"


def _failed(result: Result, section: Section | None) -> Iterator[str]:
    yield f"Hook failed: {_which(result, section)}: {happened(result)}"
    yield from failure(result).body(OUTPUT_BYTES)


def _warned(result: Result, section: Section | None) -> Iterator[str]:
    outcome = result.outcome
    if outcome.status is Status.SKIPPED and result.item and result.item.path is None:
        yield f"Warning: {_which(result, section)} was not run: {line(outcome.reason or '')}"
    said = lines(outcome.stderr).tail
    if outcome.status is not Status.PASSED or not said:
        return
    yield f"Warning: {_which(result, section)} passed and wrote to standard error:"
    yield from (f"  {line(row)}" for row in said[-WARNING_LINES:])


def _which(result: Result, section: Section | None) -> str:
    """Such as ``workspace.post_create[0] (install) in frontend``."""
    name = result.command.name
    names = [command.name for command in section.commands] if section else []
    which = line(name)
    if section is not None and name in names:
        index = f"{section.event}[{names.index(name)}]"
        # A command that has no name of its own is called by its place.
        which = index if name == index else f"{index} ({which})"
    return f"{which} in {line(result.item.name)}" if result.item else which
