"""What follows an agent's session: its cleanup, and that of sessions that ended without a word."""

from __future__ import annotations

from stophooks import handover
from stophooks.store.cleanups import Cleanups
from stophooks.store.pin import session_key
from stophooks.store.pins import Pins
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event
    from stophooks.hook.pinned import Pinned, Surroundings

STARTED = (
    "stophooks: the cleanup of this session goes on in the background; `stophooks status` says "
    "what it did."
)
_DIED = (
    "stophooks: {} of this project ended without a word; its cleanup goes on in the background, "
    "and `stophooks status` says what it did."
)


def seen(
    event: Event, held: Pinned, around: Surroundings, environ: Mapping[str, str]
) -> str | None:
    """Take note that a session goes on, and see to those whose agents have gone.

    Returns what there is to say of the latter. Only a session whose end is followed by anything
    costs more than a look at what it is held to.

    Raises:
        OSError: A cleanup cannot be started.
    """
    if event.session is None or not handover.is_wanted(held.plan, held.on_cleanup):
        return None
    with Cleanups(around.state_dir, held.project_dir) as cleanups:
        handover.seen(cleanups, event.agent, event.session, environ)
        dead = handover.start_for_dead(cleanups, held.project_dir, environ)
    if not dead:
        return None
    return _DIED.format("a session" if len(dead) == 1 else f"{len(dead)} sessions")


def end(event: Event, around: Surroundings, environ: Mapping[str, str]) -> str | None:
    """Hand the session's cleanup over, where there is anything to clean; returns what to say.

    Raises:
        OSError: It cannot be started.
    """
    if event.session is None:
        return None
    with Pins(around.state_dir) as pins:
        pin = pins.get(session_key(event.agent, event.session))
    if pin is None or not handover.is_wanted(pin.plan, pin.on_cleanup):
        return None
    with Cleanups(around.state_dir, pin.project_dir) as cleanups:
        known = cleanups.take(event.agent, event.session)
    if known is None:
        return None
    handover.start(known, pin.project_dir, handover.ENDED, environ)
    return STARTED
