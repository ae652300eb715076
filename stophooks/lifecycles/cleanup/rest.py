"""The second part of a cleanup, always: what the session left running, ended for certain."""

from __future__ import annotations

from stophooks.errors import ExecutorUnavailableError
from stophooks.lifecycles.cleanup.values import Containers, Processes
from stophooks.process import marked
from stophooks.process.readers import readers
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.lifecycles.cleanup.values import Engine, Order
    from stophooks.process.table import Entry

SESSION_LABEL = "stophooks.session"
NO_SESSION = "no session is named (--session)"
NO_PROC = (
    "this system shows no environments of processes (there is no /proc), so that what a session "
    "started cannot be told"
)


def processes(order: Order, *, dry: bool = False) -> Processes:
    """End the session's processes, and all of the user's where one is named."""
    mark = order.mark
    if mark is None:
        return Processes(why=NO_SESSION)
    if not marked.visible():
        return Processes(why=NO_PROC)

    # Once: it does not change, and costs more than a look at who is marked.
    never = (*order.never, *readers())

    def look() -> list[Entry]:
        return marked.find(mark, never=never)

    if dry:
        return Processes(found=tuple(look()))
    return Processes(ending=marked.end(look, grace_s=order.grace_s))


def containers(order: Order, engine: Engine, *, dry: bool = False) -> Containers:
    """Remove every container that bears the session's label."""
    if order.session is None:
        return Containers(why=NO_SESSION)
    try:
        found = engine.containers(f"{SESSION_LABEL}={order.session}")
    except ExecutorUnavailableError as err:
        return Containers(why=err.reason)
    names = [one.name for one in found]
    if dry:
        return Containers(found=tuple(names))
    left = engine.remove(names)
    return Containers(
        removed=tuple(name for name in names if name not in left), left=tuple(left.items())
    )
