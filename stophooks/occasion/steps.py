"""Which commands an event has on one occasion, for which items, and which of them stay out."""

from __future__ import annotations

from stophooks.digests import sha256
from stophooks.models import Item, When
from stophooks.occasion.base import Prior, Step
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks.models import Command
    from stophooks.occasion.base import Occasion
    from stophooks.plan import Section

ONCE = "it has passed once before (`once`)"


def steps(
    section: Section, occasion: Occasion, *, done: Callable[[str], bool] = lambda _: False
) -> tuple[Step, ...]:
    """Every command of a section, once for each of its items, in the order of both.

    Where the section is that of one of the occasion's items, its commands run for that one.

    Args:
        section: The commands.
        occasion: What happens.
        done: Whether a command that runs once has passed, by its `once_key`.
    """
    return tuple(
        step
        for index, command in enumerate(section.commands)
        for step in _of(command, index, occasion, done)
    )


def once_key(command: Command, occasion: Occasion, item: Item | None) -> str:
    """The same for the same command of the same project, subject and item, and for no other."""
    subject = occasion.subject
    place = command.source or command.project_dir
    told = [place, occasion.event, occasion.of or "", command.name]
    told += [subject.kind, subject.id, subject.path or ""]
    told += [item.kind, item.name, item.path or ""] if item else []
    return sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()


def _of(
    command: Command, index: int, occasion: Occasion, done: Callable[[str], bool]
) -> Iterator[Step]:
    for item, missing in _items(command, occasion):
        skip = missing
        if skip is None and command.once and done(once_key(command, occasion, item)):
            skip = ONCE
        condition = None
        if skip is None:
            skip, condition = _depends(command, occasion, is_first=index == 0)
        if skip is None and command.needs:
            condition = ", ".join(filter(None, (condition, _needed(command))))
        yield Step(command=command, index=index, item=item, skip=skip, condition=condition)


def _items(command: Command, occasion: Occasion) -> Iterator[tuple[Item | None, str | None]]:
    """The items that a command runs for, and why it does not for those that are not there."""
    kind = command.for_each
    if kind is None:
        # In the section of one of the items, everything is for that one.
        yield next((item for item in occasion.items if item.name == occasion.of), None), None
        return
    there = [item for item in occasion.items if item.kind == kind]
    names = ", ".join(item.name for item in there) or "none"
    if not there and not command.only:
        yield None, f"this {occasion.subject.kind} has no {kind}"
    for item in there:
        if not command.only or item.name in command.only:
            yield item, None
    for name in command.only:
        if name not in {item.name for item in there}:
            missing = f"this {occasion.subject.kind} has no such {kind}; there is: {names}"
            yield Item(kind=kind, name=name), missing


def _depends(
    command: Command, occasion: Occasion, *, is_first: bool
) -> tuple[str | None, str | None]:
    """Why the command does not run whatever happens, or else what that depends on."""
    well = occasion.prior is Prior.SUCCESS
    if command.when is When.SUCCESS:
        if not well:
            return unmet(command.when), None
        return None, None if is_first else "if nothing before it fails"
    if command.when is When.FAILURE and well:
        if is_first:
            return unmet(command.when), None
        return None, "if something before it fails"
    return None, None


def _needed(command: Command) -> str:
    *names, last = command.needs
    return f"if {', '.join(names)} and {last} go well" if names else f"if {last} goes well"


def unmet(when: When) -> str:
    """Why a command does not run after what was there before it."""
    if when is When.SUCCESS:
        return "something before it failed (`if: success`)"
    return "nothing before it failed (`if: failure`)"
