"""What an agent reads when what fails is what failed at its last stop: it knows the rest."""

from __future__ import annotations

import os

from stophooks.reports.clean import line
from stophooks.reports.words import happened
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.models import Report, Result

# Names in one text; the logs tell the rest.
MAX_NAMES = 20
_PATH_WIDTH = 1000


def again(report: Report, *, changed: bool) -> str:
    """Say that the same checks fail in the same way as at the last stop.

    Args:
        report: The finished event.
        changed: Whether anything in the project is different, or may be. If not it is one line.
    """
    blockers = [result for result in report.failures if result.blocks]
    count = len(blockers)
    same = "The same failure as before" if count == 1 else f"The same {count} failures as before"
    if not changed:
        names = ", ".join(_named(result) for result in blockers[:MAX_NAMES])
        folder = "".join(_folder(blockers))
        return f"{same}; nothing that {_they(count)} changed: {names}{_more(count)}.{folder}"
    rows = [f"{_named(result)}{_log(result)}" for result in blockers[:MAX_NAMES]]
    still = "it still fails" if count == 1 else "they still fail"
    return "\n".join((f"{same}: files changed, and {still}.", *rows)) + _more(count)


def _they(count: int) -> str:
    return "it covers" if count == 1 else "they cover"


def _named(result: Result) -> str:
    return f"{line(result.title, width=60)} ({line(happened(result), width=100)})"


def _more(count: int) -> str:
    return f", and {count - MAX_NAMES} more" if count > MAX_NAMES else ""


def _log(result: Result) -> str:
    path = result.outcome.log_path
    return f". Full output: {line(path, width=_PATH_WIDTH)}" if path else ""


def _folder(results: list[Result]) -> list[str]:
    paths = [result.outcome.log_path for result in results if result.outcome.log_path]
    return [f" Full output: {line(os.path.dirname(paths[0]), width=_PATH_WIDTH)}"] if paths else []
