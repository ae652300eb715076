"""What is kept of a run: for `stophooks status` the last of each event, for the history every one.

What is made of it for a person is in `status` and `history`.
"""

from __future__ import annotations

import os
import time

from stophooks.events import EVENTS
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event
    from stophooks.models import Report, Result

# Of why checks could not be run.
REASON_CHARACTERS = 1000


def state(report: Report, event: Event, result: str, *, max_blocks: int) -> dict[str, Any]:
    """What there is to remember of a run; ``result`` is ``passed`` or ``failed``."""
    found = _empty(event, result, max_blocks)
    failures = [one for one in report.failures if one.blocks]
    if failures:
        from stophooks.reports.words import happened  # noqa: PLC0415 -- a pass needs no words

        logs = [one.outcome.log_path for one in failures if one.outcome.log_path]
        found["failures"] = [{"name": one.title, "happened": happened(one)} for one in failures]
        found["logs"] = os.path.dirname(logs[0]) if logs else None
    return found


def could_not(event: Event, reason: str, *, max_blocks: int) -> dict[str, Any]:
    """What there is to remember of checks that could not be run."""
    return _empty(event, "failed", max_blocks) | {"reason": reason[:REASON_CHARACTERS]}


def not_checked(known: Mapping[str, Any] | None, event: Event, why: str) -> dict[str, Any]:
    """What was known, and that a stop was not checked since, for this reason."""
    skipped = {"reason": why, "agent": event.agent, "session": event.session, "at": time.time()}
    return {**(known or _empty(event, None, 0)), "skipped": skipped}


def entry(report: Report, *, at: float) -> dict[str, Any]:
    """What is kept of a run: everything but output. ``at`` is when it ended, seconds since 1970."""
    subject = report.subject
    return {
        "run": report.run_id,
        "at": round(at, 3),
        "event": report.event,
        "subject": subject and {"kind": subject.kind, "id": subject.id, "path": subject.path},
        "project": report.project_dir,
        "passed": went_well(report),
        "blocks": report.blocks,
        "duration_s": round(report.duration_s, 3),
        "results": [_result(result) for result in report.results],
    }


def went_well(report: Report) -> bool:
    """Whether nothing failed that counts; where nothing can be blocked, whatever is told counts."""
    return not report.blocks if EVENTS[report.event].gate else report.passed


def _empty(event: Event, result: str | None, max_blocks: int) -> dict[str, Any]:
    return {
        "event": event.kind,
        "result": result,
        "agent": event.agent or None,
        "session": event.session,
        "at": time.time() if result else None,
        "failures": [],
        "blocks": 0,
        "max_blocks": max_blocks,
        "allowed": False,
        "logs": None,
        "reason": None,
        "skipped": None,
    }


def _result(result: Result) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "name": result.command.name,
        "item": result.item and result.item.name,
        "status": str(outcome.status),
        "severity": str(result.command.severity),
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "duration_s": round(outcome.duration_s, 3),
        "reason": outcome.reason,
        "log_path": outcome.log_path,
    }
