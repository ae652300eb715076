"""What became of a cleanup, as values that can be kept and shown."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stophooks.lifecycles.cleanup.values import Cleaned
    from stophooks.occasion import Step
    from stophooks.process.table import Entry


def values(cleaned: Cleaned) -> dict[str, Any]:
    """All but the commands' results as JSON-ready values; null where nothing is to be said."""
    order, own, ending = cleaned.order, cleaned.own, cleaned.processes.ending
    return {
        "project": order.project_dir,
        "session": order.session,
        "user": order.user,
        "level": str(order.level),
        "dry_run": cleaned.is_dry,
        "passed": cleaned.passed,
        "duration_s": round(cleaned.duration_s, 3),
        "own": {
            "by": str(own.by),
            "passed": own.passed,
            "problem": own.problem,
            "notes": list(own.notes),
            "steps": [_step(step) for step in own.steps],
            "compose_project": own.stack,
            "left": list(own.left),
        },
        "processes": {
            "not_looked_for": cleaned.processes.why,
            "found": _processes(cleaned.processes.found),
            "ended": _processes(ending.ended),
            "killed": _processes(ending.killed),
            "left": _processes(ending.left),
        },
        "containers": {
            "not_looked_for": cleaned.containers.why,
            "found": list(cleaned.containers.found),
            "removed": list(cleaned.containers.removed),
            "left": [{"name": name, "why": why} for name, why in cleaned.containers.left],
        },
    }


def _processes(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [{"pid": entry.pid, "name": entry.name} for entry in entries]


def _step(step: Step) -> dict[str, Any]:
    command = step.command
    return {
        "name": command.name,
        "item": step.item and step.item.name,
        "where": command.where,
        "timeout_s": command.timeout_s,
        "command": command.line,
        "skip": step.skip,
        "condition": step.condition,
    }
