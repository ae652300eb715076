"""What the person reads when an agent stops although not everything passed."""

from __future__ import annotations

import os

from stophooks.reports.clean import line
from stophooks.reports.words import REASON_WIDTH, happened
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.models import Report, Result

# Names in one message; the logs tell the rest.
MAX_NAMES = 20


def spent(report: Report, *, max_blocks: int) -> str:
    """Say that checks did not pass and that the agent may stop all the same, and why."""
    blockers = [result for result in report.failures if result.blocks]
    checks = "check" if len(report.results) == 1 else "checks"
    head = f"stophooks: {len(blockers)} of {len(report.results)} {checks} did NOT pass:"
    return " ".join((head, f"{_names(blockers)}.", _allowed(max_blocks), *_logs(blockers)))


def given_up(reason: str, *, max_blocks: int) -> str:
    """Say that the checks could not be run and that the agent may stop all the same, and why."""
    why = line(reason, width=1000)
    return (
        f"stophooks: the checks did NOT pass: they could not be run. {_allowed(max_blocks)} {why}"
    )


def machine(report: Report) -> str:
    """Say that this machine could not run checks and that the agent, told once, may stop."""
    blockers = [result for result in report.failures if result.blocks]
    checks = "check" if len(report.results) == 1 else "checks"
    why = blockers[0].outcome
    said = " ".join(line(text, width=REASON_WIDTH) for text in (why.reason, why.remedy) if text)
    return (
        f"stophooks: {len(blockers)} of {len(report.results)} {checks} did NOT pass: this machine "
        f"could not run {'it' if len(blockers) == 1 else 'them'}: {_names(blockers)}. {said} The "
        "agent cannot mend that: it was told once in this session and may stop now."
    )


def out_of_reach(reason: str) -> str:
    """Say that the checks could not be run, by nothing that the agent, told once, can mend."""
    return (
        "stophooks: the checks did NOT pass: they could not be run. The agent cannot mend that: it "
        f"was told once in this session and may stop now. {line(reason, width=1000)}"
    )


def not_checked(reason: str) -> str:
    """Say that nothing was checked, and why."""
    return f"stophooks: nothing was checked: {line(reason, width=REASON_WIDTH)}."


def warned(report: Report) -> str:
    """Say which checks did not pass without keeping the agent from stopping."""
    warnings = report.failures
    what = "a check gives a warning" if len(warnings) == 1 else "checks give a warning"
    return " ".join((f"stophooks: {what}: {_names(warnings)}.", *_logs(warnings)))


def _allowed(max_blocks: int) -> str:
    times = "once" if max_blocks == 1 else f"{max_blocks} times in a row"
    return (
        f"The agent was sent back {times} and may stop now (max_blocks: {max_blocks}); in this "
        "session it will not be sent back again until everything has passed once."
    )


def _names(results: Sequence[Result]) -> str:
    named = [
        f"{line(result.title, width=60)} ({happened(result)})" for result in results[:MAX_NAMES]
    ]
    more = len(results) - len(named)
    return ", ".join([*named, *([f"and {more} more"] if more else [])])


def _logs(results: Sequence[Result]) -> list[str]:
    paths = [result.outcome.log_path for result in results if result.outcome.log_path]
    return [f"Full output: {os.path.dirname(paths[0])}"] if paths else []
