"""What is no longer as it was when a session began, in words and as failures."""

from __future__ import annotations

from stophooks.models import Command, Outcome, Result, Severity, Status
from stophooks.pinning import protected
from stophooks.store import contents
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.errors import StophooksError
    from stophooks.store.pin import Pin

ADOPT = "A person can look at the difference and adopt it: stophooks trust"
# In one answer; what a person uses to see changes tells the rest.
MAX_NAMES = 20
_REMEDY = (
    "Make it what it was, or, where the change is meant, ask the person to look at it and adopt "
    "it: stophooks trust"
)


def notes(pin: Pin, found: tuple[str, ...] | StophooksError) -> list[str]:
    """What a person has to know about configurations that are not in force.

    Args:
        pin: What the session is held to.
        found: The configuration files that are there now, or why nobody can tell.
    """
    if not isinstance(found, tuple):
        return [f"stophooks: {found} This session is held to what was there when it began."]
    changed = [path for path, known in pin.files.items() if contents.print_of(path) != known]
    new = [path for path in found if path not in pin.files]
    told = []
    if changed:
        told.append(
            f"stophooks: {_list(changed, pin)} changed since this session began, which is held to "
            f"what was there then. {ADOPT}"
        )
    if new:
        told.append(
            f"stophooks: {_list(new, pin)} {'is' if len(new) == 1 else 'are'} not in force: this "
            f"session began without. {ADOPT}"
        )
    return told


def findings(pin: Pin) -> tuple[Result, ...]:
    """A failure for scripts that were changed, and one for protected files."""
    scripts = {path: contents.print_of(path) for path in pin.scripts}
    blocking = {path: known for path, known in pin.scripts.items() if path not in pin.warns}
    warning = {path: known for path, known in pin.scripts.items() if path in pin.warns}
    found = [
        _scripts(pin, blocking, scripts, Severity.BLOCK),
        _scripts(pin, warning, scripts, Severity.WARN),
        _protected(pin),
    ]
    return tuple(result for result in found if result is not None)


def _scripts(
    pin: Pin, known: dict[str, str], now: dict[str, str], severity: Severity
) -> Result | None:
    changes = contents.differences(known, {path: now[path] for path in known})
    return _finding(
        pin,
        name="scripts of checks" if severity is Severity.BLOCK else "scripts of warnings",
        what="that a check starts",
        noun="script",
        changed=[f"{word}: {_short(path, pin)}" for path, word in changes.items()],
        severity=severity,
    )


def _protected(pin: Pin) -> Result | None:
    if pin.plan is None or not pin.plan.protect:
        return None
    now = protected(pin.plan)
    if now is None or pin.protected is None:
        return _result(
            pin,
            name="protected files",
            reason=f"they are more than {contents.MAX_FILES}, or reading them takes too long",
            remedy="Ask the person to name fewer of them in `protect`.",
        )
    changes = contents.differences(pin.protected, now)
    return _finding(
        pin,
        name="protected files",
        what="that the agent may not change",
        noun="file",
        changed=[f"{word}: {path}" for path, word in changes.items()],
    )


def _finding(
    pin: Pin,
    *,
    name: str,
    what: str,
    noun: str,
    changed: Sequence[str],
    severity: Severity = Severity.BLOCK,
) -> Result | None:
    if not changed:
        return None
    count = len(changed)
    rest = [f"... and {count - MAX_NAMES} more"] if count > MAX_NAMES else []
    return _result(
        pin,
        name=name,
        reason=f"{count} {noun if count == 1 else noun + 's'} {what} changed since the session "
        "began",
        remedy=_REMEDY if count == 1 else _REMEDY.replace("it what it was", "them what they were"),
        notes=(*changed[:MAX_NAMES], *rest),
        severity=severity,
    )


def _result(
    pin: Pin,
    *,
    name: str,
    reason: str,
    remedy: str,
    notes: tuple[str, ...] = (),
    severity: Severity = Severity.BLOCK,
) -> Result:
    command = Command(
        name=name, project_dir=pin.project_dir, argv=(), show_command=False, severity=severity
    )
    outcome = Outcome(status=Status.FAILED, reason=reason, remedy=remedy, notes=notes)
    return Result(command=command, outcome=outcome)


def _list(paths: Sequence[str], pin: Pin) -> str:
    return ", ".join(_short(path, pin) for path in paths)


def _short(path: str, pin: Pin) -> str:
    return path.removeprefix(pin.project_dir.rstrip("/") + "/")
