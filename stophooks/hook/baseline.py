"""What failed already when the session began: found out in the background, told, not blocking."""

from __future__ import annotations

import json
import os
import sys
import tempfile

from stophooks.models import Report, Severity
from stophooks.plan import to_json
from stophooks.process import orphan
from stophooks.reports.likeness import likeness
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event
    from stophooks.models import Result
    from stophooks.plan import Plan
    from stophooks.store.memory import Memory

EXCUSED = "It failed in the same way when the session began (baseline: true)."
RUNNING = "its run has not come to its end"
EARLY = "the agent stopped before its run had ended"
_UNSEEN = "the session's beginning was not seen; `stophooks install` adds the hook for it"
# Not `-m`, which would look for modules in the project first.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from stophooks.hook.background import main; main()"
)
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def begin(
    plan: Plan, event: Event, memory: Memory, *, start: str | None, environ: Mapping[str, str]
) -> None:
    """Start the run that finds it out, where a section wants one; does not wait for it.

    Args:
        plan: Of which the sections that want one are run.
        event: The session's beginning; one that comes again, as after a pause, changes nothing.
        memory: Where it will be found.
        start: The project's content now.
        environ: The environment of the run.

    Raises:
        OSError: It cannot be started.
    """
    wanted = [
        section.event
        for section in plan.sections
        if section.baseline and memory.baseline(section.event) is None
    ]
    if not wanted or event.session is None:
        return
    for name in wanted:
        memory.put_baseline(name, {"unknown": RUNNING})
    order = {"plan": to_json(plan), "agent": event.agent, "session": event.session, "tree": start}
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(order | {"sections": wanted}).encode())
        file.seek(0)
        argv = [sys.executable, "-P", "-c", _PROGRAM, _PACKAGES]
        orphan.start(argv, stdin=file.fileno(), env=environ)


def runs(memory: Memory, section: str) -> bool:
    """Whether its run is going on, and nobody has given it up."""
    return memory.baseline(section) == {"unknown": RUNNING}


def give_up(memory: Memory, section: str) -> None:
    """End its run, if there is one: a stop is to be checked now."""
    if runs(memory, section):
        memory.put_baseline(section, {"unknown": EARLY})


def found(report: Report) -> dict[str, Any]:
    """What there is to remember of the run at the session's beginning."""
    return {"failures": [likeness(result) for result in report.failures]}


def excused(report: Report, known: Mapping[str, Any] | None) -> Report:
    """The report, in which what failed already then is only a warning.

    But for what keeps a check from running that needs it: nobody knows then how that one is.
    """
    before = list((known or {}).get("failures") or ())
    kept = [one.command.needs for one in report.results if one.outcome.unmet]
    needed = {name for names in kept for name in names}
    return replace(
        report,
        results=tuple(
            result if result.command.name in needed else _excused(result, before)
            for result in report.results
        ),
    )


def missing(known: Mapping[str, Any] | None) -> str | None:
    """Why it is not known what failed then, or None where it is."""
    if known is None:
        return _UNSEEN
    why = known.get("unknown")
    return str(why) if why else None


def _excused(result: Result, before: list[str]) -> Result:
    if not result.blocks or likeness(result) not in before:
        return result
    return replace(
        result,
        command=replace(result.command, severity=Severity.WARN),
        outcome=replace(result.outcome, notes=(*result.outcome.notes, EXCUSED)),
    )
