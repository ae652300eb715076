"""The cleanup of a session, handed over to a process that outlives whoever asked for it.

An agent gives its session's end a second or two, and may kill all that it started right after.
"""

from __future__ import annotations

import json
import os
import sys

from stophooks import agents
from stophooks.events import CLEANUP
from stophooks.process import being, orphan, table
from stophooks.process.family import GUARDS, TOKEN
from stophooks.store.cleanups import Cleanups, Known
from stophooks.typed import TYPE_CHECKING
from stophooks.values import asdict
from stophooks.watchdog.guard import SHELLS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.plan import Plan

# What a session's processes are marked with, whatever agent it is of.
SESSION = "STOPHOOKS_SESSION"
ENDED = "the session has ended"
DIED = "its agent has ended without a word"
# Not `-m`, which would look for modules in the project first.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); from stophooks.hook.cleaner import main; main()"
)
_PACKAGES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Programs that start another one and wait for it: the agent is behind them.
_STARTERS = SHELLS | {
    "direnv",
    "env",
    "nice",
    "nohup",
    "npx",
    "pipx",
    "sudo",
    "timeout",
    "uv",
    "uvx",
}
_INIT = 1


def is_wanted(plan: Plan | None, on_cleanup: Mapping[str, str]) -> bool:
    """Whether a session's end is followed by anything: a section, or a script.

    Args:
        plan: What the session is held to.
        on_cleanup: The script that it is held to.
    """
    has_section = plan is not None and plan.section(CLEANUP.name) is not None
    return has_section or bool(on_cleanup)


def seen(cleanups: Cleanups, agent: str, session: str, environ: Mapping[str, str]) -> None:
    """Take note that a session goes on, and of its agent's process."""
    variable = agents.AGENTS[agent].SIGNS.process
    named = environ.get(variable, "") if variable else ""
    process, is_named = _agent(named)
    cleanups.seen(Known(agent=agent, session=session, process=process, sure=is_named))


def start(known: Known, project_dir: str, reason: str, environ: Mapping[str, str]) -> None:
    """Start the process that cleans up behind a session; nobody waits for it.

    Raises:
        OSError: It cannot be started.
    """
    import tempfile  # noqa: PLC0415 -- most calls start nothing

    order = {"known": asdict(known), "project": project_dir, "reason": reason}
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(order).encode())
        file.seek(0)
        argv = [sys.executable, "-P", "-c", _PROGRAM, _PACKAGES]
        orphan.start(argv, stdin=file.fileno(), env=_unmarked(environ))


def start_for_dead(
    cleanups: Cleanups, project_dir: str, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """Start one for each session of the project whose agent has gone; returns their names."""
    dead = cleanups.take_dead()
    for known in dead:
        start(known, project_dir, DIED, environ)
    return tuple(known.session for known in dead)


def _unmarked(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would make it, or what it starts, a process of the session."""
    inner = {SESSION, TOKEN, GUARDS}
    return {name: value for name, value in agents.public(environ).items() if name not in inner}


def _agent(named: str) -> tuple[being.Being | None, bool]:
    """The agent's process, and whether it named itself; else the first that is no mere starter."""
    found = None
    pid = os.getppid()
    while pid > _INIT and (entry := table.current(pid)) is not None:
        if str(pid) == named:
            return being.being(pid), True
        if found is None and entry.name not in _STARTERS:
            found = pid
        pid = entry.parent
    return (being.being(found) if found else None), False
