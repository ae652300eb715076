"""What a person or a program reads about a task: what would run, and what came of it."""

from __future__ import annotations

import json
import shlex

from stophooks.lifecycles.tasks.scripts import MOMENTS
from stophooks.lifecycles.tasks.task import ON_ERROR, PRE_START, Verdict
from stophooks.models import human_duration
from stophooks.reports import json as json_report
from stophooks.reports import preview
from stophooks.reports.clean import line
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stophooks.lifecycles.tasks.hooks import Planned
    from stophooks.lifecycles.tasks.scripts import Script
    from stophooks.lifecycles.tasks.task import ProgramEnd, Task, TaskEnd
    from stophooks.plan import Plan
    from stophooks.secrets.mask import Mask

_OWN_CLEANUP = "the task cleans up by itself (cleanup_required: false)"


def preview_text(task: Task, argv: Sequence[str], planned: Iterable[Planned]) -> str:
    """What would happen to a task, in order."""
    return "\n".join(_preview_rows(task, argv, tuple(planned)))


def preview_json(task: Task, argv: Sequence[str], planned: Iterable[Planned], mask: Mask) -> str:
    """The same as one document."""
    values = {
        "task": _task(task),
        "program": list(argv),
        "events": [preview.values(one.occasion, one.steps) for one in planned if one.steps],
    }
    return json.dumps(mask.values(values), indent=2)


def end_text(end: TaskEnd, took_s: float, wait_s: float) -> str:
    """What came of a task, and what there is to know besides; ``wait_s``: as it was given."""
    rows = [line(f"{_name(end.task)}: {note}") for note in end.notes]
    verdict = end.verdict
    said = f"{_name(end.task)} {verdict}" if verdict is not Verdict.BUSY else _name(end.task)
    if verdict is Verdict.PASSED:
        rows.append(line(f"{said} in {human_duration(took_s)}"))
    elif verdict is Verdict.BUSY:
        waited = f"Waited for {human_duration(wait_s)}; try again later."
        remedy = waited if wait_s else "Try again later (--wait waits)."
        rows.append(line(f"{said} was not started: {end.reason}. {remedy}"))
    else:
        rows.append(line(f"{said} after {human_duration(took_s)}: {end.reason}"))
    return "\n".join(rows)


def end_json(end: TaskEnd, argv: Sequence[str], code: int, took_s: float, mask: Mask) -> str:
    """The same as one document; ``exit_code`` is this program's own."""
    values = {
        "task": _task(end.task),
        "status": str(end.verdict),
        "exit_code": code,
        "reason": end.reason,
        "duration_s": round(took_s, 3),
        "program": {"argv": list(argv), **_program(end.program)},
        "events": [
            {"resource": fired.resource, **json_report.values(fired.report)} for fired in end.fired
        ],
        "notes": list(end.notes),
    }
    return json.dumps(mask.values(values), indent=2)


def trail(end: TaskEnd, argv: Sequence[str], cwd: str, timeout_s: float | None) -> Iterator[str]:
    """Where and how the program ran, for ``--debug``."""
    if end.program is None:
        yield "program: not started"
        return
    limit = "none" if timeout_s is None else human_duration(timeout_s)
    yield (
        f"program: {end.program.reason or 'passed'}; "
        f"after {human_duration(end.program.duration_s)} (timeout {limit}); "
        f"in {line(cwd, width=300)}; $ {line(shlex.join(argv), width=200)}"
    )


def hooks_text(
    plan: Plan, names: Iterable[str], found: Iterable[Script], *, short: Callable[[str], str]
) -> str:
    """A block for each resource: what there is for each event."""
    scripts = tuple(found)
    rows = []
    for name in names:
        rows.append(name)
        for event, file in MOMENTS.items():
            has = list(_has(plan, name, event, scripts, short))
            rows.append(f"  {file.removesuffix('.sh')}: {'; '.join(has) or 'nothing'}")
    return "\n".join(rows) or "No resource has hooks. Write some: stophooks task hooks install NAME"


def hooks_values(plan: Plan, names: Iterable[str], found: Iterable[Script]) -> dict[str, Any]:
    """The same as JSON-ready values."""
    scripts = {(script.resource, script.event): script for script in found}
    return {
        "resources": [
            {
                "name": name,
                "events": [
                    {
                        "event": event,
                        "commands": _commands(plan, name, event),
                        "script": script and {"path": script.path, "fault": script.fault},
                    }
                    for event in MOMENTS
                    for script in (scripts.get((name, event)),)
                ],
            }
            for name in names
        ]
    }


def _has(
    plan: Plan, name: str, event: str, scripts: Iterable[Script], short: Callable[[str], str]
) -> Iterator[str]:
    commands = _commands(plan, name, event)
    if commands:
        yield ", ".join(line(f"{command} [{name}]") for command in commands)
    for script in scripts:
        if (script.resource, script.event) == (name, event):
            fault = f" {script.fault}" if script.fault else ""
            yield line(short(script.path) + fault, width=300)


def _commands(plan: Plan, name: str, event: str) -> list[str]:
    section = plan.section(event, name)
    return [command.name for command in section.commands] if section else []


def _preview_rows(task: Task, argv: Sequence[str], planned: Sequence[Planned]) -> Iterator[str]:
    names = ", ".join(sorted(task.resources))
    yield f"{_name(task)}, {line(task.path, width=300)}"
    yield f"would hold: {names}" if names else "would hold nothing: it names no resources"
    before = [one for one in planned if one.occasion.event == PRE_START]
    failed = [one for one in planned if one.occasion.event == ON_ERROR]
    after = [one for one in planned if one not in before and one not in failed]
    yield from _events(before)
    yield f"would run the program: {line(shlex.join(argv), width=200)}"
    if not task.cleanup_required:
        yield f"and nothing after it: {_OWN_CLEANUP}"
        return
    yield from _events(after)
    if any(one.steps for one in failed):
        yield "and only after a failure, for what was begun:"
        yield from _events(failed)


def _events(planned: Iterable[Planned]) -> Iterator[str]:
    for one in planned:
        if one.steps:
            yield preview.text(one.occasion, one.steps)


def _name(task: Task) -> str:
    title = f" ({task.title})" if task.title else ""
    return line(f'task "{task.id}"{title}', width=300)


def _task(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "title": task.title,
        "path": task.path,
        "resources": list(task.resources),
        "cleanup_required": task.cleanup_required,
        "cleanup_timeout_s": task.cleanup_timeout_s,
    }


def _program(end: ProgramEnd | None) -> dict[str, Any]:
    if end is None:
        return {"started": False, "exit_code": None, "reason": None, "timed_out": False}
    return {
        "started": end.started,
        "exit_code": end.code,
        "reason": end.reason,
        "timed_out": end.timed_out,
        "duration_s": round(end.duration_s, 3),
    }
