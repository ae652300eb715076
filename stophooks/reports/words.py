"""The same words for the same outcome, whoever reads them."""

from __future__ import annotations

from stophooks import signum
from stophooks.models import Severity, Status, human_duration
from stophooks.reports.clean import line
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.models import Outcome, Result

WORDS = {
    Status.PASSED: "PASS",
    Status.FAILED: "FAIL",
    Status.TIMED_OUT: "TIMEOUT",
    Status.SKIPPED: "SKIP",
    Status.UNAVAILABLE: "CANNOT",
    Status.CANCELLED: "STOPPED",
}
# For a command whose time was over before it could begin.
MISSED = "MISSED"
# Of a reason, in characters.
REASON_WIDTH = 400


def word(result: Result) -> str:
    """What became of the command in one upper-case word."""
    if result.command.severity is Severity.WARN and not result.ok:
        return "WARN"
    if result.ignored:
        return "IGNORED"
    return MISSED if never_began(result.outcome) else WORDS[result.outcome.status]


def never_began(outcome: Outcome) -> bool:
    """Whether the time was over, or the run was cancelled, before the command could begin."""
    return not outcome.started and outcome.status in {Status.TIMED_OUT, Status.CANCELLED}


def happened(result: Result) -> str:
    """What became of the command in a few words, such as ``exit code 1`` or ``not started: …``."""
    outcome = result.outcome
    if never_began(outcome):
        why = line(outcome.reason or str(outcome.status), width=REASON_WIDTH)
        return f"not started: {why}"
    match outcome.status:
        case Status.FAILED:
            return _ended(outcome)
        case Status.TIMED_OUT:
            return f"timed out after {human_duration(_limit_s(result))}"
        case Status.UNAVAILABLE:
            return "could not run"
        case _:
            return str(outcome.status)


def _limit_s(result: Result) -> float:
    """The command's own limit, unless the time for all commands together ended it before."""
    took, limit = result.outcome.duration_s, result.command.timeout_s
    return limit if limit is not None and took >= limit else took


def _ended(outcome: Outcome) -> str:
    if outcome.exit_code is None:
        # Nothing was run: something was looked at.
        return line(outcome.reason or str(outcome.status), width=REASON_WIDTH)
    if outcome.signal is None:
        return f"exit code {outcome.exit_code}"
    try:
        name = signum.named(outcome.signal).name
    except ValueError:
        name = f"signal {outcome.signal}"
    return f"ended by {name}, exit code {outcome.exit_code}"
