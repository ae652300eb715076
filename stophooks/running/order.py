"""What each command of a run waits for, and what it takes."""

from __future__ import annotations

import os

from stophooks.models import When
from stophooks.running.schedule import Task
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.occasion import Step
    from stophooks.plan import Section


def tasks(wanted: Sequence[Step]) -> list[Task]:
    """For each step, what it has to wait for, and what it takes."""
    numbers: dict[str, list[int]] = {}
    for number, step in enumerate(wanted):
        numbers.setdefault(step.command.name, []).append(number)
    return [_task(step, number, numbers) for number, step in enumerate(wanted)]


def _task(step: Step, number: int, numbers: Mapping[str, list[int]]) -> Task:
    command = step.command
    # One that was left out of this run, by --only, is nothing to wait for.
    after = {one for name in command.needs for one in numbers.get(name, ())}
    if command.when is not When.ALWAYS:
        after |= set(range(number))
    if command.stop_items:
        after |= {one for one in numbers[command.name] if one < number}
    return Task(
        after=frozenset(after),
        exclusive=command.exclusive,
        memory_bytes=(command.container and command.container.memory_bytes) or 0,
    )


def memory_bytes(section: Section) -> float:
    """How much the memory limits of containers that run at the same time may add up to."""
    if section.max_memory_bytes is not None:
        return section.max_memory_bytes
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return machine * section.max_memory_share
