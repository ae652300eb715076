"""A seccomp profile: read from its file, checked, and made the text that an engine is sent."""

from __future__ import annotations

import json
from difflib import get_close_matches

from stophooks.config.document import Path, quoted
from stophooks.config.files import FileUnusableError, read_text
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.config.findings import Findings

# The actions of the OCI runtime specification (config-linux.md 1.2, read 2026-11-21).
ACTIONS = tuple(
    f"SCMP_ACT_{name}"
    for name in (
        *("KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO"),
        *("TRACE", "ALLOW", "LOG", "NOTIFY"),
    )
)
# What a system call may go on with, whatever is written in the kernel's log.
OPEN_ACTIONS = ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG")


def seccomp(given: str, where: Path, findings: Findings) -> str | None:
    """None for the engine's own profile, ``unconfined``, or a file's profile as JSON."""
    if given in {"default", "unconfined"}:
        return None if given == "default" else given
    path = findings.followed(given, where)
    if path is None:
        return None
    findings.read.append(path)
    try:
        profile = json.loads(read_text(path))
    except FileUnusableError as err:
        hint = err.hint or "write default, unconfined or the name of a profile file"
        findings.problem(where, f"{quoted(given)} cannot be used: {err}", hint=hint)
        return None
    except (ValueError, RecursionError) as err:
        line = f", line {err.lineno}" if isinstance(err, json.JSONDecodeError) else ""
        findings.problem(where, f"{quoted(given)}{line}: not valid JSON")
        return None
    action = profile.get("defaultAction") if isinstance(profile, dict) else None
    # Engines take a profile without it, and then filter nothing at all.
    if not isinstance(action, str) or not action.startswith("SCMP_ACT_"):
        findings.problem(
            where,
            f"{quoted(given)} is no seccomp profile: it has no defaultAction SCMP_ACT_…",
            hint="an engine would take it and filter nothing",
        )
        return None
    for fault in _faults(profile):
        findings.problem(where, f"{quoted(given)} is no seccomp profile: {fault}")
    return json.dumps(profile, separators=(",", ":"))


def allows_the_rest(profile: str) -> bool:
    """Whether a profile lets every system call pass that it does not name."""
    return json.loads(profile)["defaultAction"] in OPEN_ACTIONS


def _faults(profile: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the actions and rules, each in words that end a sentence."""
    if unknown := _unknown(profile["defaultAction"]):
        yield f"defaultAction is {unknown}"
    rules = profile.get("syscalls")
    if rules is not None and not isinstance(rules, list):
        yield f"syscalls is {quoted(rules)}, not a list"
        return
    for index, rule in enumerate(rules or ()):
        fault = _fault(rule)
        if fault:
            # One is enough: a file made by a program has the same fault in each of its rules.
            yield f"syscalls[{index}]{fault}"
            return


def _fault(rule: Any) -> str | None:
    if not isinstance(rule, dict):
        return f" is {quoted(rule)}, not an object"
    # Engines also take the older form, one `name`.
    names = [rule["name"]] if "name" in rule and not rule.get("names") else rule.get("names")
    if not isinstance(names, list) or not names:
        return ".names is not a list of system calls"
    if not all(isinstance(name, str) and name for name in names):
        return ".names has something else than names in it"
    unknown = _unknown(rule.get("action"))
    return f".action is {unknown}" if unknown else None


def _unknown(action: Any) -> str | None:
    """How an action is called that no engine knows, or None."""
    if action in ACTIONS:
        return None
    close = get_close_matches(str(action), ACTIONS, n=1)
    meant = f'; did you mean "{close[0]}"?' if close else ""
    return f"{quoted(action)}, which is no action{meant}"
