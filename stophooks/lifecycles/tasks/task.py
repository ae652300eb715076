"""A task as its lifecycle knows it, and what became of it."""

from __future__ import annotations

from enum import StrEnum

from stophooks.models import Item
from stophooks.occasion import Occasion, Prior, Subject
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.models import Report

PRE_START = "task.pre_start"
POST_COMPLETE = "task.post_complete"
ON_ERROR = "task.on_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: ``path`` is its file, absolute; ``resources`` are in the order of that file.

    Without ``cleanup_required`` its program cleans up after itself; ``cleanup_timeout_s`` bounds
    each command that does so for it, where it is not None.
    """

    id: str
    path: str
    title: str | None = None
    resources: tuple[str, ...] = ()
    cleanup_required: bool = True
    cleanup_timeout_s: float | None = None

    @property
    def subject(self) -> Subject:
        """The task as what its events are about."""
        return Subject(kind="task", id=self.id, path=self.path)

    def occasion(self, event: str, resource: str | None = None) -> Occasion:
        """An event of this task, for one of its resources or, with None, for all together."""
        names = self.resources if resource is None else (resource,)
        items = tuple(Item(kind="resource", name=name) for name in names)
        return Occasion(
            event=event,
            subject=self.subject,
            items=items,
            of=resource,
            prior=Prior.FAILURE if event == ON_ERROR else Prior.SUCCESS,
        )


class Verdict(StrEnum):
    """What became of a task."""

    PASSED = "passed"
    FAILED = "failed"
    BUSY = "busy"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEnd:
    """How a task's program ended: ``code`` is its exit code, 128 + n where signal n ended it.

    ``code`` is None where it was never ``started``, or its end could not be seen. ``reason`` says
    why it did not pass.
    """

    code: int | None
    reason: str | None = None
    started: bool = True
    timed_out: bool = False
    duration_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether it ended by itself, and well."""
        return self.code == 0 and self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """One event of a task that was fired, and its report."""

    event: str
    resource: str | None
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnd:
    """What became of a task; ``program`` is None where it was not started.

    ``reason`` says why it did not pass. ``notes`` are facts worth telling beside that.
    """

    task: Task
    verdict: Verdict
    reason: str | None = None
    program: ProgramEnd | None = None
    fired: tuple[Fired, ...] = ()
    notes: tuple[str, ...] = ()
