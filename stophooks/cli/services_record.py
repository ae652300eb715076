"""The last action on a set of services as it is kept: what, by which process, and how it went."""

from __future__ import annotations

import time

from stophooks.process import table
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.lifecycles.services.action import Problem
    from stophooks.lifecycles.services.order import Wanted


def begun(wanted: Wanted, pid: int) -> dict[str, Any]:
    """An action that the process of this number does, or is about to do."""
    entry = table.current(pid)
    return {
        "verb": str(wanted.verb),
        "names": list(wanted.names),
        "clean": wanted.clean,
        "began": round(time.time(), 3),
        "ended": None,
        "pid": pid,
        "process_started": entry and entry.started,
    }


def ended(known: Mapping[str, Any], problems: Iterable[Problem], *, passed: bool) -> dict[str, Any]:
    """The same action when it is over."""
    told = [{"service": one.service, "text": one.text} for one in problems]
    return {**known, "ended": round(time.time(), 3), "passed": passed, "problems": told}


def told(known: Mapping[str, Any]) -> dict[str, Any]:
    """What people and programs are told of it: also whether it still goes on."""
    pid = known.get("pid")
    entry = table.current(pid) if isinstance(pid, int) and known.get("ended") is None else None
    running = entry is not None and entry.alive and entry.started == known.get("process_started")
    kept = {key: value for key, value in known.items() if key != "process_started"}
    return kept | {"running": running}
