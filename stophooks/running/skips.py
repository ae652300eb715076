"""Why a command is not run at all, after what became of others."""

from __future__ import annotations

from stophooks.events import EVENTS
from stophooks.models import Status
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stophooks.models import Command, Result
    from stophooks.occasion import Step
    from stophooks.plan import Section


def unmet(section: Section, step: Step, before: Iterable[Result]) -> str | None:
    """Why a command is not run as something else did not go well, or None."""
    results = tuple(before) if _looks(section, step) else ()
    if culprit := _culprit(section, results):
        return f"not run: {culprit} did not pass, and `fail_fast` is set"
    if step.command.stop_items and (failed := _failed_item(step, results)):
        return f"not run: it failed for {failed} (`on_item_failure: stop`)"
    if missing := _missing(step.command, results):
        return f"not run: {missing} did not pass (needs)"
    return None


def _looks(section: Section, step: Step) -> bool:
    return section.fail_fast or step.command.stop_items or bool(step.command.needs)


def _culprit(section: Section, before: Iterable[Result]) -> str | None:
    """Whose failure keeps the rest of the section from running, if anything's does."""
    if not section.fail_fast:
        return None
    gate = EVENTS[section.event].gate
    failed = (result for result in before if (result.blocks if gate else not result.ok))
    return next((result.title for result in failed), None)


def _failed_item(step: Step, before: Iterable[Result]) -> str | None:
    """The item that the same command has failed for already, if there is one."""
    same = (result for result in before if result.command.name == step.command.name)
    return next((one.item.name for one in same if one.item and not _passed(one)), None)


def _missing(command: Command, before: Iterable[Result]) -> str | None:
    """The first of a command's needs that did not go well, for one of its items at least."""
    amiss = [one for one in before if one.outcome.unmet or not _passed(one)]
    found = (one.title for name in command.needs for one in amiss if one.command.name == name)
    return next(found, None)


def _passed(result: Result) -> bool:
    return result.outcome.status in {Status.PASSED, Status.SKIPPED}
