"""The cleanup of an agent's session, in a process of its own that nobody waits for."""

from __future__ import annotations

import json
import signal
import sys
import time

from stophooks import cleaning, handover, invocation, signals
from stophooks.errors import StophooksError
from stophooks.events import SESSION_END, Event
from stophooks.executors.base import Cancellation
from stophooks.hook.pinned import Pinned, Surroundings, plan_for
from stophooks.plan import Plan
from stophooks.process import being
from stophooks.store import state_dir
from stophooks.store.cleanups import Cleanups, Known
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from stophooks.process.being import Being

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# How long the agent may take to end after its session: what ends with it needs nobody else, and
# other hooks of its session's end are still at work. Seconds.
AGENT_S = 5.0
_LOOK_S = 0.05
RESUMED = "the session goes on: it was resumed meanwhile"


def main() -> None:
    """Do what standard input asks for."""
    # Ignored signals are handed down to commands, which could then not be ended politely.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    cancel = Cancellation()
    stop = signals.listen(SIGNALS, lambda number: cancel.request(f"cancelled by {number.name}"))
    try:
        _clean(json.load(sys.stdin), cancel)
    finally:
        stop()


def _clean(asked: dict[str, Any], cancel: Cancellation) -> None:
    known = Known(
        **{**asked["known"], "process": being.parse(asked["known"]["process"])},
    )
    project_dir = str(asked["project"])
    found = _held(known, project_dir)
    held = found.pinned
    plan = held.plan or Plan(config_path="", project_dir=project_dir)
    order = replace(
        cleaning.order_for(plan, project_dir=project_dir, session=known.session),
        pinned=held.on_cleanup,
        never=cleaning.spared(known.process),
        not_own=found.not_own,
        refused=found.refused,
    )
    if held.plan is None:
        # A Compose file alone is no word about what is to become of it when an agent has gone.
        order = replace(order, rules=replace(order.rules, compose=False))
    cleaning.carry_out(
        order,
        plan,
        cancel=cancel,
        reason=str(asked["reason"]),
        why_no_rest=lambda: _why_no_rest(known, project_dir),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What the session is held to; why nothing of it is to run, or why that could not be read."""

    pinned: Pinned
    not_own: str | None = None
    refused: str | None = None


def _held(known: Known, project_dir: str) -> _Held:
    event = Event(
        kind=SESSION_END.name,
        agent=known.agent,
        session=known.session,
        directories=(project_dir,),
    )
    around = Surroundings(
        state_dir=state_dir(invocation.environ()),
        home=invocation.home(),
        environ=invocation.public_environ(),
    )
    try:
        held = plan_for(event, around)
    except StophooksError as err:
        return _Held(pinned=Pinned(), refused=str(err))
    if not handover.is_wanted(held.plan, held.on_cleanup):
        notes = "\n".join(held.notes) or "nothing of the project's own may run"
        return _Held(pinned=held, not_own=notes)
    return _Held(pinned=held)


def _why_no_rest(known: Known, project_dir: str) -> str | None:
    """Let the agent end, and leave a session alone that was taken up again."""
    _await_end(known.process)
    with Cleanups(state_dir(invocation.environ()), project_dir) as cleanups:
        return RESUMED if cleanups.is_seen(known.agent, known.session) else None


def _await_end(process: Being | None) -> None:
    until = time.monotonic() + AGENT_S
    while process is not None and being.lives(process) and time.monotonic() < until:
        time.sleep(_LOOK_S)
