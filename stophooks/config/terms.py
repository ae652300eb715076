"""On what terms a command runs and what its failure means, whichever spelling says it."""

from __future__ import annotations

from stophooks.config.document import either, quoted
from stophooks.events import STOP_EVENTS
from stophooks.models import Severity
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stophooks.config.document import Path
    from stophooks.config.findings import Findings
    from stophooks.config.models import StopCommand
    from stophooks.events import EventKind

# A fan-out as it is written, and the kind of item that it means.
_KINDS = {"repos": "repo", "resources": "resource"}


def severity(given: StopCommand, where: Path, findings: Findings, kind: EventKind) -> Severity:
    """What a command's failure means, by whichever key says so, else the event's own rule."""
    keys = ("severity", "on_failure", "continue_on_error")
    chosen = [key for key in keys if key in given.model_fields_set]
    if len(chosen) > 1:
        both = f"{chosen[0]} and {chosen[1]} both say what a failure means; keep one"
        findings.problem((*where, chosen[1]), both, key=True)
    if not chosen or given.continue_on_error is False:
        return kind.on_failure
    if given.continue_on_error:
        return Severity.WARN
    found = Severity(given.on_failure or given.severity or kind.on_failure)
    if found is Severity.BLOCK and not kind.gate:
        findings.problem(
            (*where, chosen[0]),
            f"nothing waits for {kind.name}, so that a failure can block nothing",
            hint="write warn or ignore",
        )
    return found


def once(given: StopCommand, where: Path, findings: Findings, kind: EventKind) -> bool:
    """Whether a command runs only until it has passed once."""
    if given.once and kind.name in STOP_EVENTS:
        message = "a check of an agent runs at every stop"
        findings.problem((*where, "once"), message, key=True)
    return kind.once if given.once is None else given.once


def fan_out(given: StopCommand, where: Path, findings: Findings, kind: EventKind) -> dict[str, Any]:
    """For which items a command runs: the values of `for_each` and `only` of a `Command`."""
    if given.repos is not None:
        for key in ("for_each", "only"):
            if getattr(given, key) is not None:
                message = f"repos is short for for_each and only; keep it or {key}"
                findings.problem((*where, key), message, key=True)
    elif given.only is not None and given.for_each is None:
        message = f"only restricts for_each, which is missing: {either(list(_KINDS))}"
        findings.problem((*where, "only"), message, key=True)
    written = given.for_each or ("repos" if given.repos is not None else None)
    if written is None:
        return {"for_each": None, "only": ()}
    key = "for_each" if given.for_each is not None else "repos"
    if _KINDS[written] not in kind.items:
        message = f"{quoted(kind.name)} has no {written} that it could run for"
        findings.problem((*where, key), message, key=True)
    return {"for_each": _KINDS[written], "only": tuple(given.repos or given.only or ())}
