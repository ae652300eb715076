"""What ``stophooks task run`` is given, and how it hands that to the task's lifecycle."""

from __future__ import annotations

import os
import shutil
import time

from stophooks import config as configuration
from stophooks import invocation, process
from stophooks.cli import console, project, task_view
from stophooks.cli.durations import duration
from stophooks.cli.ending import BUSY, FAILED, SIGNALLED, why_not
from stophooks.cli.interrupt import cancelling
from stophooks.cli.live import Live
from stophooks.errors import StophooksError, UsageError
from stophooks.executors.base import Cancellation
from stophooks.firing import Firing
from stophooks.lifecycles.tasks import hooks as hooking
from stophooks.lifecycles.tasks import run as running
from stophooks.lifecycles.tasks import scripts
from stophooks.lifecycles.tasks.program import Program
from stophooks.lifecycles.tasks.task import PRE_START, Task, Verdict
from stophooks.reports import history
from stophooks.reports import problems as problem_report
from stophooks.store import held, state_dir
from stophooks.store.holder import myself
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from stophooks.lifecycles.tasks.task import TaskEnd
    from stophooks.models import Report
    from stophooks.plan import Plan

# How long the program waits for what was said before it to be written; seconds.
_SETTLE_S = 1.0
_STDIN, _STDOUT, _STDERR = 0, 1, 2


class TaskInvalidError(StophooksError):
    """The task's file has problems; the text shows all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a person wants it run and told; durations as they were written."""

    wait: str | None
    timeout: str | None
    shared: bool
    no_hooks: bool
    is_json: bool
    verbose: bool
    debug: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One task that is to be run, with everything known that can be known before."""

    task: Task
    plan: Plan
    argv: tuple[str, ...]
    cwd: str
    scripts: Mapping[tuple[str, str], str]
    wait_s: float
    timeout_s: float | None
    why_not: str | None
    options: Options


def call(file: Path, argv: tuple[str, ...], config: Path | None, options: Options) -> Call:
    """What is to be run; nothing has happened yet.

    Raises:
        StophooksError: It cannot be run as it was asked for.
    """
    wait_s = duration("--wait", options.wait) or 0.0
    timeout_s = duration("--timeout", options.timeout)
    whole = project.plan_if_any(config)
    task = _task(file)
    reason = why_not(no_hooks=options.no_hooks)
    usable = scripts.usable(scripts.find(hooks_dir(whole), task.resources)) if not reason else {}
    cwd = invocation.directory()
    _check_program(argv[0])
    return Call(
        task=task,
        plan=hooking.bounded(whole, task),
        argv=argv,
        cwd=cwd,
        scripts=usable,
        wait_s=wait_s,
        timeout_s=timeout_s,
        why_not=reason,
        options=options,
    )


def hooks_dir(plan: Plan) -> str:
    """Where the scripts of resources are; absolute."""
    return plan.task.hooks_dir or os.path.join(plan.project_dir, "hooks")


def preview(call: Call) -> str:
    """What would be run, for a person or as JSON; nothing is started or written."""
    fire = Firing(call.plan, cancel=Cancellation(), why_not=call.why_not)
    planned = hooking.preview(call.task, _hooks(call, fire))
    mask = invocation.mask(call.plan)
    if call.options.is_json:
        return task_view.preview_json(call.task, call.argv, planned, mask)
    return mask.text(task_view.preview_text(call.task, call.argv, planned))


def run(call: Call) -> int:
    """Run the task, tell what came of it, and return the exit code."""
    options = call.options
    mask = invocation.mask(call.plan)
    cancel = Cancellation()
    live = Live(
        list(_names(call)), results=not options.is_json, verbose=options.verbose, beside=True
    )
    fire = Firing(call.plan, cancel=cancel, observer=live, why_not=call.why_not)
    began = time.monotonic()
    if call.why_not is not None:
        console.err(f"No hooks are run: {call.why_not}.")
    try:
        # Stopped, it would hold what others need, and let no deadline pass.
        with cancelling(cancel, may_stop=False) as received:
            end = running.run(
                call.task,
                locks=_locks(call),
                hooks=_hooks(call, fire),
                program=_program(call, live),
                cancel=cancel,
            )
    finally:
        live.close()
    code = _CODES.get(end.verdict, SIGNALLED + (received.number or 0))
    if options.debug:
        for row in _trail(call, end, fire.reports):
            console.err(mask.text(f"debug: {row}"))
    took_s = time.monotonic() - began
    if options.is_json:
        console.out(task_view.end_json(end, call.argv, code, took_s, mask))
    else:
        console.err(mask.text(task_view.end_text(end, took_s, call.wait_s)))
    return code


def _trail(call: Call, end: TaskEnd, reports: list[Report]) -> Iterator[str]:
    """Where and how everything ran, in order."""
    before = [report for report in reports if report.event == PRE_START]
    for report in before:
        yield from history.trail(report)
    yield from task_view.trail(end, call.argv, call.cwd, call.timeout_s)
    for report in reports:
        if report not in before:
            yield from history.trail(report)


_CODES = {Verdict.PASSED: 0, Verdict.FAILED: FAILED, Verdict.BUSY: BUSY}


def _task(file: Path) -> Task:
    path = os.path.abspath(os.path.join(invocation.directory(), file))
    loaded = configuration.load_task(path)
    matter = loaded.matter
    if matter is None:
        shown = project.shown(list(loaded.problems))
        raise TaskInvalidError("invalid task\n" + problem_report.text(shown))
    return Task(
        id=matter.id,
        path=path,
        title=matter.title,
        resources=matter.resources,
        cleanup_required=matter.cleanup_required,
        cleanup_timeout_s=matter.cleanup_timeout_s,
    )


def _check_program(name: str) -> None:
    """Find the program before anything is locked or run.

    Raises:
        UsageError: It is not there, or nobody may run it.
    """
    path = invocation.environ().get("PATH", os.defpath)
    if shutil.which(name, path=path) is not None:
        return
    found = shutil.which(name, mode=os.F_OK, path=path)
    if found is None:
        raise UsageError(f"task run: there is no program {name} that could be run.")
    raise UsageError(f"task run: {found} is not executable. If it is to run: chmod +x {found}")


def _names(call: Call) -> list[str]:
    """The names of the commands that may run, for the width of their column."""
    sections = [one for one in call.plan.sections if one.event.startswith("task.")]
    named = [(command.name, section.of) for section in sections for command in section.commands]
    found = [(scripts.MOMENTS[event], resource) for event, resource in call.scripts]
    return [f"{name} [{of}]" if of else name for name, of in (*named, *found)]


def _hooks(call: Call, fire: Firing) -> hooking.Hooks:
    return hooking.Hooks(fire=fire, project_dir=call.plan.project_dir, scripts=call.scripts)


def _locks(call: Call) -> running.Locks:
    task, directory = call.task, call.plan.project_dir
    return running.Locks(
        shelf=held.shelf(state_dir(invocation.environ()), directory, is_shared=call.options.shared),
        holder=myself(task=task.id, path=task.path, project=directory, now=time.time()),
        wait_s=call.wait_s,
        waiting=lambda why: console.err(f"Waiting: {why}."),
    )


def _program(call: Call, live: Live) -> Program:
    told = {
        "SUBJECT_KIND": "task",
        "SUBJECT_ID": call.task.id,
        "SUBJECT_PATH": call.task.path,
        "PROJECT_DIR": call.plan.project_dir,
        "CONFIG": call.plan.config_path,
    }
    own = {f"STOPHOOKS_{name}": value for name, value in told.items() if value}
    return Program(
        argv=call.argv,
        cwd=call.cwd,
        environ=invocation.environ() | own,
        # Of a document on standard output the program gets no part.
        streams=process.Streams(_STDIN, _STDERR if call.options.is_json else _STDOUT, _STDERR),
        timeout_s=call.timeout_s,
        starting=lambda: live.settle(_SETTLE_S),
    )
