"""The beginning and the end of an agent's session; neither is ever answered with anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stophooks.events import STOP_EVENTS
from stophooks.hook import baseline
from stophooks.hook.budget import Budget
from stophooks.hook.pinned import plan_for
from stophooks.plan import DEFAULT_MAX_BLOCKS
from stophooks.store.memory import Memory, block_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event
    from stophooks.hook.pinned import Surroundings


def begin(event: Event, around: Surroundings, environ: Mapping[str, str]) -> None:
    """Hold the session to the configuration, and find out what fails already.

    Raises:
        StophooksError: There is no configuration that it could be held to.
        OSError: The run that finds it out cannot be started.
    """
    held = plan_for(event, around)
    if held.plan is None:
        return
    memory = Memory(around.state_dir, event, held.plan.project_dir)
    try:
        baseline.begin(held.plan, event, memory, start=held.start_tree, environ=environ)
    finally:
        memory.close()


def end(event: Event, around: Surroundings, environ: Mapping[str, str]) -> None:
    """Forget what the session was told and how often it was blocked.

    What it is held to stays: anybody may say that a session is over, and it may be resumed.
    """
    del environ
    if event.session is None:
        return
    place = next(iter((*event.directories, *around.here)), "/")
    memory = Memory(around.state_dir, event, place)
    try:
        memory.forget_session()
    finally:
        memory.close()
    for kind in STOP_EVENTS:
        key, _project = block_keys(replace(event, kind=kind), around.here)
        Budget(around.state_dir, (key,), DEFAULT_MAX_BLOCKS).reset()
