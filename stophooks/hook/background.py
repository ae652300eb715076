"""The run at a session's beginning, in a process of its own that nobody waits for."""

from __future__ import annotations

import json
import os
import signal
import sys

from stophooks import invocation, threads
from stophooks.errors import StophooksError
from stophooks.events import SESSION_START, Event
from stophooks.executors.base import Cancellation
from stophooks.hook import baseline, tree
from stophooks.hook.watch import OVERRUN_S
from stophooks.invocation.section import SectionRun
from stophooks.memo.base import Basis
from stophooks.models import Status
from stophooks.plan import from_json
from stophooks.store import state_dir
from stophooks.store.memory import Memory
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import replace

if TYPE_CHECKING:
    from stophooks.plan import Plan, Section

# The stop that comes meanwhile waits for it, and has the rest for its own commands.
PART_OF_DEADLINE = 0.5
# How often it is looked whether a stop came. Seconds.
LOOK_S = 0.2
CHANGED = "files changed while its commands ran"


def main() -> None:
    """Run what standard input asks for and remember what failed."""
    # Ignored signals are handed down to commands, which could then not be ended politely.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    order = json.load(sys.stdin)
    plan = from_json(order["plan"])
    event = Event(
        kind=SESSION_START.name, agent=order["agent"], session=order["session"], directories=()
    )
    memory = Memory(state_dir(invocation.environ()), event, plan.project_dir)
    try:
        for name in order["sections"]:
            section = plan.section(name)
            if section is not None and baseline.runs(memory, name):
                _find_out(section, plan, memory, order["tree"])
    finally:
        memory.close()


def _find_out(section: Section, plan: Plan, memory: Memory, start: str | None) -> None:
    section = replace(section, deadline_s=section.deadline_s * PART_OF_DEADLINE)
    # Whatever hangs, this process does not stay.
    guard = threads.Timer(section.deadline_s + OVERRUN_S, os._exit, (1,))
    guard.daemon = True
    guard.start()
    cancel, over = Cancellation(), threads.Event()
    args = (memory, section.event, cancel, over)
    threads.Thread(target=_give_way, args=args, daemon=True).start()
    found = _known(section, plan, start, cancel)
    over.set()
    if not cancel.requested:
        memory.put_baseline(section.event, found)
    guard.cancel()


def _give_way(memory: Memory, section: str, cancel: Cancellation, over: threads.Event) -> None:
    """End the run when a stop waits for the project: it would learn nothing any more."""
    while not over.wait(LOOK_S):
        if not baseline.runs(memory, section):
            cancel.request("the agent has stopped")


def _known(section: Section, plan: Plan, start: str | None, cancel: Cancellation) -> dict[str, Any]:
    """What failed, or why that is not known: only a run in the project as it was at first tells."""
    try:
        # Nothing has changed yet: what fails for any file is what failed before.
        run = SectionRun(section, plan, basis=Basis(all_files=True))
        report = run.report(cancel=cancel, wait=False)
    except StophooksError as err:
        return {"unknown": f"its commands could not be run: {err}"}
    # The session found it so, and so it still is: then it was so all the time.
    state = state_dir(invocation.environ())
    now = tree.look(plan.project_dir, invocation.public_environ(), state_dir=state)
    if start is None or now is None or now.id != start:
        return {"unknown": CHANGED}
    if any(result.outcome.status is Status.TIMED_OUT for result in report.failures):
        return {"unknown": "its commands did not end in half of the deadline"}
    return baseline.found(report)
