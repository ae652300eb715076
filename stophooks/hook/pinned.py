"""What an agent's session is held to: the plan and the files as they were when it began."""

from __future__ import annotations

from stophooks import config
from stophooks.errors import StophooksError, StoreError
from stophooks.events import SESSION_EVENTS, SESSION_START
from stophooks.hook import changes, tree
from stophooks.pinning import pin_of
from stophooks.store.pin import Pin, session_key
from stophooks.store.pins import Pins
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event
    from stophooks.models import Result
    from stophooks.plan import Plan

# What a session's start may wait for its working tree to be read. Seconds.
TREE_S = 2.0


class PlanRefusedError(StophooksError):
    """There is a configuration, and its commands cannot or may not run; the text says all.

    Args:
        text: What is said.
        for_a_person: Whether only a person can do anything about it, in this session.
    """

    def __init__(self, text: str, *, for_a_person: bool = False) -> None:
        super().__init__(text)
        self.for_a_person = for_a_person


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What one call has to go by.

    ``plan`` is None where nothing is to run. ``notes`` are for the person, and for an agent that
    is blocked. ``findings`` are failures by themselves, beside those of commands. ``start_tree``
    identifies the working tree when the session began, where that was seen; ``digest`` the
    configuration that is in force. ``project_dir`` is the project, and ``on_cleanup`` the script
    that cleans up behind a session there, as it was then; both are empty where nothing may run.
    """

    plan: Plan | None = None
    notes: tuple[str, ...] = ()
    findings: tuple[Result, ...] = ()
    start_tree: str | None = None
    digest: str = ""
    project_dir: str = ""
    on_cleanup: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a call was made; ``here`` are directories to look in after those of the event."""

    state_dir: str
    home: str | None
    environ: Mapping[str, str]
    here: tuple[str, ...] = ()


def plan_for(event: Event, around: Surroundings) -> Pinned:
    """What the session of this event is held to; the first event of a session decides.

    Without a session's id nothing can be held to anything, and the configuration is read anew.

    Raises:
        PlanRefusedError: Its commands cannot or may not run.
    """
    notes: list[str] = []
    pin = _look("", event, around) if event.session is None else _kept(event, around, notes)
    return Pinned(notes=tuple(notes)) if pin is None else _judged(pin, event, around, notes)


def _kept(event: Event, around: Surroundings, notes: list[str]) -> Pin | None:
    """The pin of the event's session, made now where there is none."""
    session = session_key(event.agent, event.session or "")
    with Pins(around.state_dir) as pins:
        try:
            found = pins.get(session)
            if found is None:
                fresh = _look(session, event, around)
                found = fresh and pins.add(_with_tree(fresh, event, around))
            elif found.refusal is not None:
                found = _mended(found, _look(session, event, around), pins)
        except (StoreError, ImportError, MemoryError) as err:
            # A store out of order must not keep a check from running.
            notes.append(
                "stophooks: this session cannot be held to the configuration that it began with: "
                f"{err}"
            )
            found = _look(session, event, around)
        notes += pins.notes
    return found


def _look(session: str, event: Event, around: Surroundings) -> Pin | None:
    """The pin of a session that begins now; None where there is no directory to look in."""
    directories = (*event.directories, *around.here)
    try:
        place = config.locate(directories, home=around.home, environ=around.environ)
    except StophooksError as err:
        return Pin(
            session=session,
            project_dir=directories[0],
            refusal=f"stophooks could not run the checks: {err}",
        )
    return None if place is None else pin_of(session, place, around.environ)


def _mended(found: Pin, fresh: Pin | None, pins: Pins) -> Pin:
    """What counts for a session that began with a configuration that could not be used.

    Raises:
        PlanRefusedError: It was changed since.
    """
    if fresh is None or fresh.files != found.files:
        # Whoever mended it may be the agent, and could have emptied it.
        raise PlanRefusedError(
            "stophooks could not run the checks: the configuration could not be used when this "
            f"session began, and what is there now is not in force in it. {changes.ADOPT}",
            for_a_person=True,
        )
    if fresh.refusal is None:
        pins.replace(fresh)
    return fresh


def _with_tree(pin: Pin, event: Event, around: Surroundings) -> Pin:
    if event.kind != SESSION_START.name or pin.plan is None:
        return pin
    start = tree.look(
        pin.project_dir, around.environ, state_dir=around.state_dir, deadline_s=TREE_S
    )
    return replace(pin, tree=start.id if start else None)


def _judged(pin: Pin, event: Event, around: Surroundings, notes: list[str]) -> Pinned:
    """What follows from a pin and from what is there now."""
    # Nobody is kept at a session's beginning or end.
    is_quiet = event.kind in SESSION_EVENTS
    if pin.refusal is not None:
        if is_quiet:
            return Pinned(notes=(pin.refusal, *notes))
        raise PlanRefusedError("\n\n".join((pin.refusal, *notes)))
    if pin.session:
        notes = [*notes, *changes.notes(pin, _found(event, around))]
    if pin.plan is None:
        return Pinned(notes=tuple(notes), project_dir=pin.project_dir, on_cleanup=pin.on_cleanup)
    if pin.plan.must_trust and (said := _untrusted(pin, around)):
        if is_quiet or said.first:
            return Pinned(notes=(said.text, *notes))
        raise PlanRefusedError("\n\n".join((said.text, *notes)), for_a_person=True)
    return Pinned(
        plan=pin.plan,
        notes=tuple(notes),
        findings=() if is_quiet else changes.findings(pin),
        start_tree=pin.tree,
        digest=pin.digest,
        project_dir=pin.project_dir,
        on_cleanup=pin.on_cleanup,
    )


def _found(event: Event, around: Surroundings) -> tuple[str, ...] | StophooksError:
    """The configuration files that are there now, by name only."""
    try:
        place = config.locate(
            (*event.directories, *around.here), home=around.home, environ=around.environ
        )
    except StophooksError as err:
        return err
    return tuple(filter(None, (place.project_path, place.user_path))) if place else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Untrusted:
    """``first``: no configuration of the project was ever trusted."""

    text: str
    first: bool


def _untrusted(pin: Pin, around: Surroundings) -> _Untrusted | None:
    with Pins(around.state_dir) as pins:
        trusted = pins.trusted(pin.project_dir)
    if pin.digest in {"", *trusted}:
        return None
    if not trusted:
        return _Untrusted(
            text="stophooks: nothing was checked: nobody has said yet that the checks of "
            f"{pin.project_dir} may run (trust: required). A person can look at them and allow "
            "it: stophooks trust",
            first=True,
        )
    return _Untrusted(
        text="stophooks did not run the checks: the configuration of this project is not the one "
        f"that a person allowed (trust: required). {changes.ADOPT}",
        first=False,
    )
