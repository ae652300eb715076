"""What an agent reads when it is kept from stopping: every failure once, in bounded space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stophooks.models import Status
from stophooks.reports.clean import line
from stophooks.reports.excerpt import MARK_BYTES, share
from stophooks.reports.failure import byte_count, failure

if TYPE_CHECKING:
    from stophooks.models import Report, Result
    from stophooks.reports.failure import Failure

# Agents measured pass on 8 to 10 thousand bytes and cut, or hide in a file, what is longer.
MAX_BYTES = 8192
_WARNINGS = "These are warnings; they do not keep you from finishing:"


def reason(report: Report, *, max_bytes: int = MAX_BYTES) -> str:
    """Tell the agent what did not pass and what is known about it.

    Args:
        report: The finished event.
        max_bytes: Limit of the whole text in UTF-8 bytes.

    Returns:
        Valid UTF-8 without control characters or escape sequences. Room is shared fairly: a
        failure with little output leaves the rest of its part to the others.
    """
    blockers = [result for result in report.failures if result.blocks]
    warnings = [result for result in report.failures if not result.blocks]
    first = _first_line(report, blockers, warnings)
    last = _skipped(report)
    failures = [failure(result) for result in (*blockers, *warnings)]
    room = max_bytes - byte_count((first, *last))
    spare = room - sum(item.fixed_bytes for item in failures)
    if warnings:
        spare -= byte_count(("", _WARNINGS))
    rows = _titles(failures, room) if spare < 0 else _full(failures, len(blockers), spare)
    return _clip("\n".join((first, *rows, *last)), max_bytes)


def _first_line(report: Report, blockers: list[Result], warnings: list[Result]) -> str:
    total = len(report.results)
    checks = "check" if total == 1 else "checks"
    if not blockers and not warnings:
        return f"{'The' if total == 1 else f'All {total}'} {checks} passed."
    if not blockers:
        return f"No check blocks; {len(warnings)} of {total} {checks} gave a warning."
    if all(result.outcome.status is Status.UNAVAILABLE for result in blockers):
        return (
            f"{len(blockers)} of {total} {checks} could not run. Mend what is named below, or "
            "tell the person what is missing, then finish again."
        )
    them = "it" if len(blockers) == 1 else "them"
    return f"{len(blockers)} of {total} {checks} did not pass. Mend {them}, then finish again."


def _skipped(report: Report) -> tuple[str, ...]:
    names = [
        line(result.command.name, width=60)
        for result in report.results
        if result.outcome.status is Status.SKIPPED
    ]
    return ("", line(f"Not run this time: {', '.join(names)}.")) if names else ()


def _full(failures: list[Failure], blockers: int, spare: int) -> list[str]:
    rows: list[str] = []
    given = share(spare, [item.wanted_bytes(spare) for item in failures])
    for index, (item, output_bytes) in enumerate(zip(failures, given, strict=True)):
        if index == blockers:
            rows += ["", _WARNINGS]
        rows += ["", item.title, *item.body(output_bytes)]
    return rows


def _titles(failures: list[Failure], room: int) -> list[str]:
    """Give what failed and no more, as many as fit: even the fixed lines of all are too much."""
    rows = [""]
    room -= MARK_BYTES
    for done, item in enumerate(failures):
        room -= byte_count((item.title,))
        if room < 0:
            return [*rows, f"... and {len(failures) - done} more."]
        rows.append(item.title)
    return rows


def _clip(whole: str, max_bytes: int) -> str:
    return whole.encode()[:max_bytes].decode("utf-8", "ignore")
