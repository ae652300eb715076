"""The one sequence: the project's own part, and then, whatever became of it, the rest."""

from __future__ import annotations

import time

from stophooks.lifecycles.cleanup import compose, own, rest
from stophooks.lifecycles.cleanup.values import Cleaned, Containers, OwnPart, Processes
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stophooks.lifecycles.cleanup.values import Engine, Order
    from stophooks.occasion import Fire
    from stophooks.process import Stop


def clean(
    order: Order,
    fire: Fire,
    engine: Engine,
    *,
    environ: Mapping[str, str],
    stop: Stop | None = None,
    why_no_rest: Callable[[], str | None] = lambda: None,
) -> Cleaned:
    """Clean up behind a session.

    Args:
        order: What is asked for.
        fire: Runs the project's own part; it is ended early by whoever made it.
        engine: Where containers are.
        environ: The environment of Compose.
        stop: Ends questions to Compose early.
        why_no_rest: Asked between the two parts; what it answers keeps the second from being done.
    """
    began = time.monotonic()
    asker = compose.Asker(
        project_dir=order.project_dir,
        environ=environ,
        engine=engine,
        stop=stop,
        proven=order.proven,
    )
    done = OwnPart()
    try:
        done = own.run(order, fire, asker)
    finally:
        # Also where a bug of ours broke the first part: nothing may be left because of it.
        why_not = why_no_rest()
        processes = Processes(why=why_not) if why_not else rest.processes(order)
        containers = Containers(why=why_not) if why_not else rest.containers(order, engine)
    return Cleaned(
        order=order,
        own=done,
        processes=processes,
        containers=containers,
        duration_s=time.monotonic() - began,
    )


def preview(order: Order, fire: Fire, engine: Engine, *, environ: Mapping[str, str]) -> Cleaned:
    """What `clean` would do; Compose and the engine are asked, and nothing else is done."""
    asker = compose.Asker(
        project_dir=order.project_dir, environ=environ, engine=engine, proven=order.proven
    )
    return Cleaned(
        order=order,
        own=own.preview(order, fire, asker),
        processes=rest.processes(order, dry=True),
        containers=rest.containers(order, engine, dry=True),
        is_dry=True,
    )
