"""When a check need not run: its result is known, or no file that it is for has changed."""

from __future__ import annotations

import re

from stophooks.events import STOP_EVENTS
from stophooks.models import FILES
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.config.document import Path
    from stophooks.config.findings import Findings
    from stophooks.config.models import StopCommand
    from stophooks.events import EventKind

_ALL = ("**",)
# Not the variable of a shell.
_INSIDE = re.compile(rf"(?<!\$){re.escape(FILES)}")
_WORD = re.compile(rf"(?<!\S){re.escape(FILES)}(?!\S)")
_BRACES = re.compile(r"\{[^{}]*,[^{}]*\}")
_NAME_OTHERS = "name those that are meant"
_WITHOUT = {
    "files": "write it, without the !, into exclude",
    "exclude": "write into files what is meant",
}
_NOT_A_CHECK = "only for checks of an agent (stop, subagent_stop): what else runs has to be done"
_IN_A_SCRIPT = 'a script has the list instead: xargs -0 PROGRAM < "$STOPHOOKS_FILES"'


def skip_unchanged(
    given: StopCommand, where: Path, findings: Findings, *, kind: EventKind, default: bool
) -> bool:
    """Whether a command that passed is not run again while nothing that decides it changed."""
    if given.skip_unchanged and kind.name not in STOP_EVENTS:
        findings.problem((*where, "skip_unchanged"), _NOT_A_CHECK, key=True)
    if given.skip_unchanged and given.keep_children:
        findings.problem(
            (*where, "skip_unchanged"),
            "a command with keep_children is run for what it leaves running",
            hint="remove one of the two",
            key=True,
        )
    wanted = default if given.skip_unchanged is None else given.skip_unchanged
    return wanted and not given.keep_children


def patterns(
    given: StopCommand, where: Path, findings: Findings, kind: EventKind
) -> dict[str, Any]:
    """The values of `inputs`, `files` and `exclude` of a `Command`."""
    found: dict[str, tuple[str, ...]] = {}
    for key in ("inputs", "files", "exclude"):
        value: Sequence[str] | None = getattr(given, key)
        if value is not None and kind.name not in STOP_EVENTS:
            findings.problem((*where, key), _NOT_A_CHECK, key=True)
        check_patterns(value or (), (*where, key), findings)
        found[key] = tuple(value or ())
    if found["exclude"] and not found["files"]:
        found["files"] = _ALL
    _check_places(given, where, findings, has_files=bool(found["files"]))
    return found


def check_patterns(given: Sequence[str], where: Path, findings: Findings) -> None:
    """Refuse patterns that no path can fit, and those that mean something elsewhere."""
    for index, pattern in enumerate(given):
        place = (*where, index)
        if pattern.startswith("!"):
            findings.problem(
                place,
                "a pattern has no ! before it",
                hint=_WITHOUT.get(str(where[-1]), _NAME_OTHERS),
            )
        if _BRACES.search(pattern):
            findings.problem(place, "a pattern has no {a,b} in it", hint="write a pattern for each")
        if {".", ".."} & set(pattern.split("/")):
            hint = "without ./" if pattern.startswith("./") else None
            findings.problem(place, "a pattern has no . or .. in it", hint=hint)


def _check_places(given: StopCommand, where: Path, findings: Findings, *, has_files: bool) -> None:
    """Refuse `{files}` where names of files would become a part of a text."""
    if given.run is not None and (_INSIDE if has_files else _WORD).search(given.run):
        message = f"{FILES} is not filled in here: names of files never become part of a script"
        findings.problem((*where, "run"), message, hint=_IN_A_SCRIPT)
    for index, text in enumerate(given.command or ()):
        place = (*where, "command", index)
        if text == FILES:
            if not has_files:
                message = f"{FILES} has nothing to stand for: files is missing"
                findings.problem(place, message, hint='write such as files: ["**/*.py"]')
            elif index == 0:
                findings.problem(place, f"{FILES} cannot be the program")
        elif has_files and _INSIDE.search(text):
            message = f"{FILES} is only filled in as an argument of its own"
            findings.problem(place, message, hint="or read the list that STOPHOOKS_FILES names")
