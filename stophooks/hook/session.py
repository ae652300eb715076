"""The beginning and the end of an agent's session; neither keeps the agent from anything."""

from __future__ import annotations

from stophooks import handover
from stophooks.agents import AGENTS
from stophooks.contexts import suppress
from stophooks.events import STOP_EVENTS
from stophooks.hook import aftercare, baseline
from stophooks.hook.budget import Budget
from stophooks.hook.pinned import plan_for
from stophooks.plan import DEFAULT_MAX_BLOCKS
from stophooks.store.memory import Memory, block_keys
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event
    from stophooks.hook.pinned import Surroundings


def begin(event: Event, around: Surroundings, environ: Mapping[str, str]) -> str | None:
    """Hold the session to the configuration, and find out what fails already.

    Returns what the person has to know. What the session starts from now on bears its name.

    Raises:
        StophooksError: There is no configuration that it could be held to.
        OSError: The run that finds it out cannot be started.
    """
    hand_on = getattr(AGENTS[event.agent], "hand_on", None)
    if hand_on is not None and event.session is not None:
        with suppress(OSError):  # what it offers is in the agent's own care
            hand_on({handover.SESSION: event.session}, environ)
    held = plan_for(event, around)
    note = aftercare.seen(event, held, around, environ)
    if held.plan is None:
        return note
    memory = Memory(around.state_dir, event, held.plan.project_dir)
    try:
        baseline.begin(held.plan, event, memory, start=held.start_tree, environ=environ)
    finally:
        memory.close()
    return note


def end(event: Event, around: Surroundings, environ: Mapping[str, str]) -> str | None:
    """Hand its cleanup over, and forget what the session was told and how often it was blocked.

    What it is held to stays: anybody may say that a session is over, and it may be resumed.
    Returns what the person has to know.

    Raises:
        OSError: The cleanup cannot be started.
    """
    if event.session is None:
        return None
    note = aftercare.end(event, around, environ)
    place = next(iter((*event.directories, *around.here)), "/")
    memory = Memory(around.state_dir, event, place)
    try:
        memory.forget_session()
    finally:
        memory.close()
    for kind in STOP_EVENTS:
        key, _project = block_keys(replace(event, kind=kind), around.here)
        Budget(around.state_dir, (key,), DEFAULT_MAX_BLOCKS).reset()
    return note
