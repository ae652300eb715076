"""Whom a task's events are fired for, in which order, and with which scripts."""

from __future__ import annotations

from stophooks.lifecycles.tasks.scripts import command
from stophooks.lifecycles.tasks.task import ON_ERROR, POST_COMPLETE, PRE_START, Task
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.models import Command
    from stophooks.occasion import Fire, Occasion, Step
    from stophooks.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How a task's events are fired.

    ``scripts`` are the resources' own, by event and resource; ``project_dir`` is absolute.
    """

    fire: Fire
    project_dir: str
    scripts: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def script(self, task: Task, event: str, resource: str | None) -> tuple[Command, ...]:
        """The script of a resource for an event, if it has one."""
        path = self.scripts.get((event, resource or ""))
        if path is None:
            return ()
        return (command(path, event, task, project_dir=self.project_dir),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What one event of a task would run."""

    occasion: Occasion
    steps: tuple[Step, ...]


def preview(task: Task, hooks: Hooks) -> tuple[Planned, ...]:
    """What each event would run, in order; nothing is started, asked or written."""
    found = []
    for event in (PRE_START, POST_COMPLETE, ON_ERROR):
        for resource in order(task, event):
            occasion = task.occasion(event, resource)
            steps = hooks.fire.preview(occasion, extra=hooks.script(task, event, resource))
            found.append(Planned(occasion=occasion, steps=steps))
    return tuple(found)


def order(task: Task, event: str) -> tuple[str | None, ...]:
    """For whom an event is fired: for the task as a whole (None) and for each resource.

    What gets ready comes in the order of the task's file, what follows the other way round.
    """
    forward = (None, *task.resources)
    return forward if event == PRE_START else forward[::-1]


def bounded(plan: Plan, task: Task) -> Plan:
    """The plan, with the task's own bound on each command that cleans up after it."""
    limit_s = task.cleanup_timeout_s
    if limit_s is None:
        return plan
    sections = tuple(
        replace(
            section,
            commands=tuple(
                replace(one, timeout_s=min(one.timeout_s or limit_s, limit_s))
                for one in section.commands
            ),
        )
        if section.event in {POST_COMPLETE, ON_ERROR}
        else section
        for section in plan.sections
    )
    return replace(plan, sections=sections)
