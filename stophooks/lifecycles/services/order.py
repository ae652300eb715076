"""What an action is made of, in order: the events that are fired and what the engine is asked for.

start: ``on_init``, ``pre_start``, spawn, ``post_start`` · stop: ``pre_stop``, halt, ``post_stop`` ·
restart: ``pre_restart``, a stop, a start, ``post_restart`` · and where it is to be clean, after the
stop: ``pre_cleanup``, clean. General hooks run once, before the services' own for what is about to
happen and after them for what has happened.

Services start after those that they need and stop before them. One that has hooks of its own is
started and stopped by itself, so that its hooks are next to it; the others go together.
"""

from __future__ import annotations

from enum import StrEnum

from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stophooks.lifecycles.services.base import Service


class Verb(StrEnum):
    """What a person asks for."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"


class Kind(StrEnum):
    """One step: an event, or one of the three things that an engine does."""

    FIRE = "fire"
    SPAWN = "spawn"
    HALT = "halt"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step for some services.

    ``event`` is what is fired, and ``of`` whose own section of it, None for the general one.
    """

    kind: Kind
    names: tuple[str, ...]
    event: str = ""
    of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An action: on which services, as they are now; ``names`` empty means all of them."""

    verb: Verb
    names: tuple[str, ...] = ()
    clean: bool = False


def steps(
    wanted: Wanted, services: Sequence[Service], hooked: Callable[[str], bool]
) -> tuple[Step, ...]:
    """The steps of an action.

    Args:
        wanted: The action.
        services: All services, as they are now.
        hooked: Whether a service has hooks of its own.
    """
    chosen = [one for one in services if not wanted.names or one.name in wanted.names]
    names = tuple(one.name for one in chosen)
    if wanted.verb is Verb.START:
        needed = [one for one in with_needed(chosen, services) if not one.active]
        return (*_start(sorted_by_need(needed, services), hooked),)
    # What needs something stops before it.
    running = sorted_by_need([one for one in chosen if one.active], services)[::-1]
    stop = (*_stop(running, hooked), *(_clean(names) if wanted.clean else ()))
    if wanted.verb is Verb.STOP:
        return stop
    needed = [one for one in with_needed(chosen, services) if one in chosen or not one.active]
    return (
        *_before("pre_restart", names),
        *stop,
        *_start(sorted_by_need(needed, services), hooked),
        *_after("post_restart", names),
    )


def with_needed(chosen: Iterable[Service], services: Sequence[Service]) -> list[Service]:
    """These and all that they need, in the order of the file."""
    known = {one.name: one for one in services}
    found: dict[str, Service] = {}
    waiting = [*chosen]
    while waiting:
        one = waiting.pop()
        if one.name not in found:
            found[one.name] = one
            waiting += [known[name] for name in one.after if name in known]
    return [one for one in services if one.name in found]


def sorted_by_need(chosen: Sequence[Service], services: Sequence[Service]) -> list[Service]:
    """These in such an order that each comes after what it needs, else in that of the file."""
    known = {one.name: one for one in services}
    done: dict[str, None] = {}

    def visit(one: Service, above: tuple[str, ...]) -> None:
        for name in one.after:
            # An engine refuses a circle; here it only must not go on for ever.
            if name in known and name not in above:
                visit(known[name], (*above, one.name))
        done.setdefault(one.name)

    for one in chosen:
        visit(one, ())
    return [known[name] for name in done if known[name] in chosen]


def _start(services: Sequence[Service], hooked: Callable[[str], bool]) -> Iterator[Step]:
    if not services:
        return
    names = tuple(one.name for one in services)
    yield _fire("on_init", names)
    yield _fire("pre_start", names)
    for group in _groups(names, hooked):
        for name in group:
            yield _fire("on_init", (name,), of=name)
            yield _fire("pre_start", (name,), of=name)
        yield Step(kind=Kind.SPAWN, names=group)
        yield from (_fire("post_start", (name,), of=name) for name in group)
    yield _fire("post_start", names)


def _stop(services: Sequence[Service], hooked: Callable[[str], bool]) -> Iterator[Step]:
    if not services:
        return
    names = tuple(one.name for one in services)
    yield _fire("pre_stop", names)
    for group in _groups(names, hooked):
        yield from (_fire("pre_stop", (name,), of=name) for name in group)
        yield Step(kind=Kind.HALT, names=group)
        yield from (_fire("post_stop", (name,), of=name) for name in group)
    yield _fire("post_stop", names)


def _clean(names: tuple[str, ...]) -> Iterator[Step]:
    yield from _before("pre_cleanup", names)
    yield Step(kind=Kind.CLEAN, names=names)


def _before(moment: str, names: tuple[str, ...]) -> Iterator[Step]:
    yield _fire(moment, names)
    yield from (_fire(moment, (name,), of=name) for name in names)


def _after(moment: str, names: tuple[str, ...]) -> Iterator[Step]:
    yield from (_fire(moment, (name,), of=name) for name in names)
    yield _fire(moment, names)


def _fire(moment: str, names: tuple[str, ...], *, of: str | None = None) -> Step:
    return Step(kind=Kind.FIRE, names=names, event=f"service.{moment}", of=of)


def _groups(names: Sequence[str], hooked: Callable[[str], bool]) -> Iterator[tuple[str, ...]]:
    """Neighbours without hooks of their own together, the others alone."""
    group: list[str] = []
    for name in names:
        if not hooked(name):
            group.append(name)
            continue
        if group:
            yield tuple(group)
            group = []
        yield (name,)
    if group:
        yield tuple(group)
