"""One action on services: done here, done by a process of its own, or only shown."""

from __future__ import annotations

import json
import os
import sys

from stophooks import invocation, threads
from stophooks.cli import console, interrupt, services_door, services_record, services_view
from stophooks.cli.ending import BUSY, FAILED, SIGNALLED, exit_code, why_not
from stophooks.cli.formats import Format
from stophooks.cli.interrupt import cancelling
from stophooks.cli.live import Live
from stophooks.cli.services_log import Keeping, Kept, Several
from stophooks.contexts import contextmanager
from stophooks.errors import StophooksError
from stophooks.executors.base import Cancellation
from stophooks.firing import Firing
from stophooks.lifecycles.services.action import Action, Problem, check_names
from stophooks.process import orphan
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stophooks.cli.services_door import Door
    from stophooks.engine import Observer
    from stophooks.lifecycles.services.action import Done
    from stophooks.lifecycles.services.order import Wanted
    from stophooks.occasion import Fire

# How long an action waits for another one on the same services. Seconds.
TURN_S = 600.0
# Not `-m`, which would look for modules in the project first.
_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from stophooks.cli.services_background import main; main()"
)
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a person wants it done and told; ``quiet`` where there is nobody to tell."""

    config: Path | None = None
    no_hooks: bool = False
    format: Format = Format.TEXT
    verbose: bool = False
    debug: bool = False
    quiet: bool = False


def act(wanted: Wanted, options: Options, *, detach: bool, dry_run: bool) -> int:
    """The exit code of an action, once it is done, handed over or shown."""
    door = services_door.opened(options.config)
    if dry_run:
        _foresee(door, wanted, options)
        return 0
    if detach:
        check_names(wanted.names, door.engine.services(), door.engine.file)
        _hand_over(door, wanted, options)
        names = ", ".join(wanted.names) or "all services"
        console.out(f"{wanted.verb} of {names} goes on by itself; see: stophooks services status")
        return 0
    return run(door, wanted, options)


def run(door: Door, wanted: Wanted, options: Options) -> int:
    """The exit code of an action that is done here, one after another on the same services."""
    cancel = Cancellation()
    with cancelling(cancel, may_stop=False) as received, door.lock("action") as lock:
        stop = threads.Event()
        cancel.subscribe(stop.set)
        if not lock.take(wait_s=0):
            console.err("Waiting for another action on these services to end.")
            if not lock.take(wait_s=TURN_S, stop=stop) and not cancel.requested:
                said = "another action on these services did not end in time; try again"
                known = services_record.begun(wanted, os.getpid())
                problems = [Problem(service=None, text=said)]
                door.remember(services_record.ended(known, problems, passed=False))
                console.err(f"stophooks: {said}")
                return BUSY
        found = _remembered(door, wanted, options, cancel)
    if options.format is Format.JSON:
        console.out(json.dumps(services_view.done_values(door, wanted, found), indent=2))
    else:
        console.out(services_view.done(wanted, found))
    if received.number is not None:
        return SIGNALLED + received.number
    return 0 if _passed(found) else FAILED


@contextmanager
def firing(door: Door, options: Options, cancel: Cancellation) -> Iterator[Fire]:
    """What fires the events of services, and shows and keeps what their hooks say."""
    sections = [one for one in door.plan.sections if one.event.startswith("service.")]
    commands = [command.name for section in sections for command in section.commands]
    keeping = Keeping(door.log)
    observers: list[Observer] = [keeping]
    live = None
    if not options.quiet:
        live = Live(commands, results=options.format is Format.TEXT, verbose=options.verbose)
        observers.append(live)
    fire = Firing(
        door.plan,
        cancel=cancel,
        observer=Several(observers),
        with_caller=not options.quiet and interrupt.caller_waits(),
        why_not=why_not(no_hooks=options.no_hooks),
    )
    try:
        yield Kept(fire, keeping, debug=options.debug)
    finally:
        if live is not None:
            live.close()


def _remembered(door: Door, wanted: Wanted, options: Options, cancel: Cancellation) -> Done:
    """Do it; before and after it is kept what is done, for who asks how it went."""
    known = services_record.begun(wanted, os.getpid())
    door.remember(known)
    problems, passed = [Problem(service=None, text="broken off")], False
    try:
        with firing(door, options, cancel) as fire:
            action = Action(door.engine, fire, door.occasions, cancel=cancel, tell=_teller(options))
            found = action.do(wanted)
        problems, passed = [*found.problems], _passed(found) and not cancel.requested
        if cancel.requested:
            problems.append(Problem(service=None, text=cancel.reason))
    except StophooksError as err:
        problems = [Problem(service=None, text=str(err))]
        raise
    else:
        return found
    finally:
        door.remember(services_record.ended(known, problems, passed=passed))


def _teller(options: Options) -> Callable[[str], None]:
    return (lambda _: None) if options.quiet else console.err


def _passed(found: Done) -> bool:
    hooks = all(exit_code(report, None) == 0 for report in found.reports)
    return hooks and not found.problems


def _foresee(door: Door, wanted: Wanted, options: Options) -> None:
    cancel = Cancellation()
    fire = Firing(door.plan, cancel=cancel, why_not=why_not(no_hooks=options.no_hooks))
    steps = Action(door.engine, fire, door.occasions, cancel=cancel).foresee(wanted)
    if options.format is Format.JSON:
        console.out(json.dumps(services_view.foreseen_values(door, steps), indent=2))
    else:
        console.out(services_view.foreseen(steps))


def _hand_over(door: Door, wanted: Wanted, options: Options) -> None:
    """Have a process of its own do it; nothing here waits for it."""
    order = {
        "verb": str(wanted.verb),
        "names": list(wanted.names),
        "clean": wanted.clean,
        "config": None if options.config is None else str(options.config),
        "no_hooks": options.no_hooks,
    }
    argv = [sys.executable, "-P", "-c", _PROGRAM, _PACKAGES]
    reading, writing = os.pipe()
    try:
        pid = orphan.start(argv, stdin=reading, env=invocation.environ())
        # It begins when it has the whole order: what it keeps of it comes after this.
        door.remember(services_record.begun(wanted, pid))
        os.write(writing, json.dumps(order).encode())
    finally:
        os.close(reading)
        os.close(writing)
