"""What an agent reads when it is kept from stopping: every failure once, in bounded space."""

from __future__ import annotations

import os

from stophooks.models import Status
from stophooks.reports.clean import line
from stophooks.reports.failure import byte_count, failure
from stophooks.reports.fit import fit, needed
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.models import Report, Result
    from stophooks.reports.fit import Told

# Agents measured pass on 8 to 10 thousand bytes and cut, or hide in a file, what is longer.
MAX_BYTES = 8192
# The most that the place of the logs may take of the room: 1 part of these.
FOLDER_PARTS = 4
_WARNINGS = "These are warnings; they do not keep you from finishing:"


def reason(report: Report, *, max_bytes: int = MAX_BYTES) -> str:
    """Tell the agent what did not pass and what is known about it.

    Args:
        report: The finished event.
        max_bytes: Limit of the whole text in UTF-8 bytes.

    Returns:
        Valid UTF-8 without control characters or escape sequences. Room is shared fairly: a
        failure with little output leaves the rest of its part to the others. What is left out
        where there is too little is told in `stophooks.reports.fit`.
    """
    blockers = [result for result in report.failures if result.blocks]
    warnings = [result for result in report.failures if not result.blocks]
    first = _first_line(report, blockers, warnings)
    last = _skipped(report)
    failures = [failure(result) for result in (*blockers, *warnings)]
    room = max_bytes - byte_count((first, "", *last))
    if warnings:
        room -= byte_count(("", _WARNINGS, ""))
    folder = _folder(report) if needed(failures) > room else ()
    if byte_count(folder) > room // FOLDER_PARTS:
        folder = ()
    told = fit(failures, room - byte_count(folder))
    if all(one.in_full for one in told):
        folder = ()
    rows = _rows(told, len(blockers))
    missing = len(failures) - len(told)
    more = [f"... and {missing} more."] if missing else []
    return _clip("\n".join((first, *rows, *more, *folder, *last)), max_bytes)


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
        line(result.title, width=60)
        for result in report.results
        if result.outcome.status is Status.SKIPPED
    ]
    return ("", line(f"Not run this time: {', '.join(names)}.")) if names else ()


def _folder(report: Report) -> tuple[str, ...]:
    """Where the logs are, told once, for the failures that are told without theirs."""
    paths = [result.outcome.log_path for result in report.failures if result.outcome.log_path]
    return ("", f"Full output: {line(os.path.dirname(paths[0]), width=1000)}") if paths else ()


def _rows(told: list[Told], blockers: int) -> list[str]:
    rows: list[str] = []
    apart = True
    for index, one in enumerate(told):
        if index == blockers:
            rows += ["", _WARNINGS]
            apart = True
        rows += [""] * (apart or one.in_full) + one.rows
        apart = one.in_full
    return rows


def _clip(whole: str, max_bytes: int) -> str:
    return whole.encode()[:max_bytes].decode("utf-8", "ignore")
