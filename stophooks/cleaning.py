"""A cleanup as both doors carry it out: with the real engine, and a record of what it did."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack

from stophooks import agents, invocation, threads
from stophooks.contexts import contextmanager, suppress
from stophooks.errors import StoreError
from stophooks.events import CLEANUP
from stophooks.executors.docker.inventory import Inventory
from stophooks.firing import Firing
from stophooks.handover import SESSION
from stophooks.lifecycles.cleanup import account, own, run
from stophooks.lifecycles.cleanup.values import Order
from stophooks.models import Report
from stophooks.process import being, table
from stophooks.process.marked import Mark
from stophooks.reports import cleanup as report
from stophooks.store import state_dir
from stophooks.store.cleanups import Cleanups
from stophooks.store.lock import FileLock
from stophooks.store.place import writable_dir
from stophooks.store.turn import number
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks.engine import Observer
    from stophooks.executors.base import Cancellation
    from stophooks.lifecycles.cleanup.values import Cleaned
    from stophooks.plan import Plan
    from stophooks.process.being import Being
    from stophooks.process.table import Entry


_LOCKS = "cleanups.lock"
# How long a cleanup waits for another one in the same project. Seconds.
TURN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a cleanup, and the same as values."""

    cleaned: Cleaned
    values: dict[str, Any]


def mark(session: str | None, uid: int | None = None) -> Mark | None:
    """By what a session's processes, or all of a user's, are known; None where by nothing."""
    if session is None and uid is None:
        return None
    variables = () if session is None else ((SESSION, session), *agents.marks(session))
    return Mark(variables=variables, uid=uid)


def spared(process: Being | None) -> tuple[Entry, ...]:
    """The agent's own process, where it still runs: it is nobody's to end."""
    if process is None or not being.lives(process):
        return ()
    entry = table.current(process.pid)
    return (entry,) if entry else ()


def order_for(plan: Plan, *, project_dir: str, session: str | None) -> Order:
    """A cleanup of a project by what a plan says."""
    section = plan.section(CLEANUP.name)
    return Order(
        project_dir=project_dir,
        session=session,
        rules=plan.cleanup,
        has_commands=bool(section and section.commands),
        timeout_s=plan.cleanup.timeout_s,
        mark=mark(session),
    )


def carry_out(
    order: Order,
    plan: Plan,
    *,
    cancel: Cancellation,
    observer: Observer | None = None,
    reason: str | None = None,
    why_no_rest: Callable[[], str | None] = lambda: None,
) -> Done:
    """Clean up, and remember what was done.

    Args:
        order: What is asked for.
        plan: Its commands.
        cancel: Ends the project's own part early; the rest is done all the same.
        observer: Watches the commands.
        reason: Why it is done, for the record.
        why_no_rest: As in `stophooks.lifecycles.cleanup.run.clean`.
    """
    state = state_dir(invocation.environ())
    head = {"reason": reason, "at": time.time(), "process": _myself()}
    with (
        _turn(state, order.project_dir, cancel),
        Cleanups(state, order.project_dir) as cleanups,
        _copies(state) as copies,
    ):
        proven = _proven(cleanups)
        going = {"state": report.GOING_ON, "session": order.session, "level": str(order.level)}
        cleanups.put_last({**head, **going, "own": {"compose_project": proven}})
        cleaned = run.clean(
            replace(order, proven=proven, copies=None if order.user else copies),
            Firing(plan, cancel=cancel, observer=observer, remembers=False),
            _engine(),
            environ=invocation.public_environ(),
            stop=cancel,
            why_no_rest=why_no_rest,
        )
        values = account.values(cleaned)
        kept = report.kept(values, cleaned.own.report)
        kept["own"]["compose_project"] = kept["own"]["compose_project"] or proven
        _remember(cleaned, report.entry(values), reason)
        cleanups.put_last({**kept, **head, "state": report.DONE})
    return Done(cleaned=cleaned, values=values)


def _remember(cleaned: Cleaned, more: dict[str, Any], reason: str | None) -> None:
    """Put it into the history, once, whether or not the project had a part of its own."""
    order, ran = cleaned.order, cleaned.own.report
    found = Report(
        event=CLEANUP.name,
        results=ran.results if ran else (),
        duration_s=cleaned.duration_s,
        project_dir=order.project_dir,
        subject=own.occasion(order).subject,
        run_id=(ran.run_id if ran else "") or invocation.new_run_id(),
    )
    invocation.remember(found, {**more, "reason": reason})


@contextmanager
def _copies(state: str) -> Iterator[str | None]:
    """A directory for what is run as it was, gone afterwards; None where none can be made."""
    with ExitStack() as stack:
        directory = None
        with suppress(StoreError, OSError):
            place = tempfile.TemporaryDirectory(dir=writable_dir(state), prefix="cleanup-")
            directory = stack.enter_context(place)
        yield directory


@contextmanager
def _turn(state: str, project_dir: str, cancel: Cancellation) -> Iterator[None]:
    """One cleanup of a project at a time; one that does not come to its end is not waited for."""
    stop = threads.Event()
    unsubscribe = cancel.subscribe(stop.set)
    with ExitStack() as stack:
        stack.callback(unsubscribe)
        # Without a place for locks the cleanup is done all the same.
        with suppress(StoreError, OSError):
            path = os.path.join(writable_dir(state), _LOCKS)
            lock = stack.enter_context(FileLock(path, number(project_dir)))
            lock.take(wait_s=TURN_S, stop=stop)
        yield


def preview(order: Order, plan: Plan, *, cancel: Cancellation) -> Done:
    """What `carry_out` would do; nothing is done and nothing remembered."""
    with Cleanups(state_dir(invocation.environ()), order.project_dir) as cleanups:
        order = replace(order, proven=_proven(cleanups))
    cleaned = run.preview(
        order, Firing(plan, cancel=cancel), _engine(), environ=invocation.public_environ()
    )
    return Done(cleaned=cleaned, values=account.values(cleaned))


def _proven(cleanups: Cleanups) -> str | None:
    """The Compose project of which the last cleanup saw that it is this directory's."""
    return ((cleanups.last() or {}).get("own") or {}).get("compose_project")


def _engine() -> Inventory:
    return Inventory(invocation.public_environ(), invocation.home() or "/")


def _myself() -> dict[str, Any] | None:
    found = being.being(os.getpid())
    return asdict(found) if found else None
