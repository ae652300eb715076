"""``stophooks cleanup``."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import agents, cleaning, handover, invocation
from stophooks.cli import COULD_NOT_RUN, console, project
from stophooks.cli.ending import FAILED, SIGNALLED, why_not
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.cli.interrupt import cancelling
from stophooks.cli.live import Live
from stophooks.config.units import seconds
from stophooks.errors import StophooksError, UsageError
from stophooks.events import CLEANUP
from stophooks.executors.base import Cancellation
from stophooks.lifecycles.cleanup.values import CleanupLevel
from stophooks.models import Status, human_duration
from stophooks.plan import Plan
from stophooks.reports import cleanup as report
from stophooks.reports import history
from stophooks.store import state_dir
from stophooks.store.cleanups import Cleanups
from stophooks.store.pin import session_key
from stophooks.store.pins import Pins
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from pathlib import Path

    from stophooks.lifecycles.cleanup.values import Cleaned, Order
    from stophooks.store.pin import Pin

LevelOption = Annotated[
    CleanupLevel,
    typer.Option("--level", help="stop what runs, or purge: its data, such as volumes, goes too."),
]
SessionOption = Annotated[
    str | None,
    typer.Option(
        "--session", metavar="NAME", help="Whose processes and containers go. Default: this one's."
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        help="Run the project's part as this user, and end all of its processes (root only).",
    ),
]
TimeoutOption = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="TIME",
        help="For each command, 5s to 5m. Default: the configuration's, else 30s.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")
]
NoHooksOption = Annotated[
    bool, typer.Option("--no-hooks", help="Leave out the project's own part.")
]
DebugOption = Annotated[
    bool,
    typer.Option("--debug", help="Show where and how each command ran, and its output, on stderr."),
]


def cleanup(
    *,
    level: LevelOption = CleanupLevel.STOP,
    session: SessionOption = None,
    user: UserOption = None,
    timeout: TimeoutOption = None,
    dry_run: DryRunOption = False,
    no_hooks: NoHooksOption = False,
    config: ConfigOption = None,
    format_: FormatOption = Format.TEXT,
    debug: DebugOption = False,
) -> None:
    """Clean up behind a session: the project's part, then every process and container of it."""
    limit_s = _limit_s(timeout)
    uid = None if user is None else _uid(user)
    name = session if session is not None else _own_session()
    if name == "" or (name and "\0" in name):
        raise UsageError("--session: the name of a session is not empty.")
    held = _held(config, name)
    order = _order(held, name, limit_s)
    order = replace(order, level=level, user=user, mark=cleaning.mark(name, uid))
    if why := why_not(no_hooks=no_hooks):
        order = replace(order, not_own=f"{why}: nothing of the project's own was run")
    plan = _limited(held.plan, limit_s)
    received = None
    if dry_run:
        done = cleaning.preview(order, plan, cancel=Cancellation())
    else:
        received, done = _carry_out(order, plan, debug=debug)
    if debug and done.cleaned.own.report is not None:
        for row in history.trail(done.cleaned.own.report):
            console.err(f"debug: {row}")
    show = report.json if format_ is Format.JSON else report.text
    console.out(show(done.values, done.cleaned.own.report))
    if held.refusal is not None:
        raise held.refusal
    raise typer.Exit(_exit_code(done.cleaned, received))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What counts here: a session's own plan and script where it has them, else what is there.

    ``refusal`` is why there is no plan although there is a configuration.
    """

    plan: Plan
    project_dir: str
    pin: Pin | None = None
    refusal: StophooksError | None = None


def _held(config: Path | None, session: str | None) -> _Held:
    try:
        place = project.place(config) if config is not None else project.locate()
    except UsageError:
        raise
    except StophooksError as err:
        return _refused(invocation.directory(), err)
    directory = place.project_dir
    pin = _pin(directory, session)
    if pin is not None and pin.plan is not None and config is None:
        return _Held(plan=pin.plan, project_dir=directory, pin=pin)
    if place.project_path is place.user_path is None:
        return _Held(plan=_none(directory), project_dir=directory, pin=pin)
    try:
        return _Held(plan=project.plan(config), project_dir=directory, pin=pin)
    except project.ConfigInvalidError as err:
        return _refused(directory, err)


def _refused(directory: str, refusal: StophooksError) -> _Held:
    return _Held(plan=_none(directory), project_dir=directory, refusal=refusal)


def _none(directory: str) -> Plan:
    return Plan(config_path="", project_dir=directory)


def _pin(directory: str, session: str | None) -> Pin | None:
    """What the session is held to in this project, whichever agent it is of."""
    if session is None:
        return None
    with Pins(state_dir(invocation.environ())) as pins:
        for agent in agents.AGENTS:
            pin = pins.get(session_key(agent, session))
            if pin is not None and os.path.realpath(pin.project_dir) == os.path.realpath(directory):
                return pin
    return None


def _order(held: _Held, session: str | None, limit_s: float | None) -> Order:
    order = cleaning.order_for(held.plan, project_dir=held.project_dir, session=session)
    with Cleanups(state_dir(invocation.environ()), held.project_dir) as cleanups:
        process = cleanups.process_of(session) if session else None
    refused = "the configuration has problems: nothing of the project's own was run"
    return replace(
        order,
        pinned=held.pin.on_cleanup if held.pin else None,
        never=cleaning.spared(process),
        timeout_s=order.timeout_s if limit_s is None else limit_s,
        refused=refused if held.refusal else None,
    )


def _carry_out(order: Order, plan: Plan, *, debug: bool) -> tuple[int | None, cleaning.Done]:
    """Clean up to the end, whatever signal comes; the first one, if any, and what was done."""
    section = plan.section(CLEANUP.name)
    names = [command.name for command in section.commands] if section else []
    live = Live(names, results=False, verbose=debug)
    cancel = Cancellation()
    with cancelling(cancel, may_stop=False) as received:
        _see_to_the_dead(order)
        done = cleaning.carry_out(order, plan, cancel=cancel, observer=live)
    live.close()
    return received.number, done


def _see_to_the_dead(order: Order) -> None:
    environ = invocation.environ()
    with Cleanups(state_dir(environ), order.project_dir) as cleanups:
        for agent in agents.AGENTS if order.session and cleanups.is_dead(order.session) else ():
            cleanups.take(agent, order.session or "")
        handover.start_for_dead(cleanups, order.project_dir, environ)


def _limited(plan: Plan, limit_s: float | None) -> Plan:
    """The plan, with another time limit for each command of the event."""
    if limit_s is None:
        return plan
    sections = tuple(
        replace(
            section,
            commands=tuple(replace(command, timeout_s=limit_s) for command in section.commands),
        )
        if section.event == CLEANUP.name
        else section
        for section in plan.sections
    )
    return replace(plan, sections=sections)


def _limit_s(text: str | None) -> float | None:
    if text is None:
        return None
    least_s, most_s = CLEANUP.limits_s or (0.0, 0.0)
    try:
        limit_s = seconds(text)
    except ValueError:
        limit_s = -1.0
    if not least_s <= limit_s <= most_s:
        raise UsageError(
            f"--timeout: expected a time from {human_duration(least_s)} to "
            f'{human_duration(most_s)}, such as 30s or 2m; got "{text}".'
        )
    return limit_s


def _uid(name: str) -> int:
    """The number of the user whose processes are meant.

    Raises:
        UsageError: The caller is not root, or there is no such user, or it is root.
    """
    if os.geteuid() != 0:
        raise UsageError("--user: only root may end another user's processes. Call it with sudo.")
    try:
        uid = pwd.getpwnam(name).pw_uid
    except KeyError as err:
        raise UsageError(f'--user: there is no user "{name}" on this machine.') from err
    if uid == 0:
        raise UsageError(f'--user: "{name}" is root, whose processes are the machine\'s own.')
    return uid


def _own_session() -> str | None:
    """The session that this program was started in, as far as its environment tells."""
    environ = invocation.environ()
    if own := environ.get(handover.SESSION):
        return own
    for agent in agents.AGENTS.values():
        signs = agent.SIGNS
        # A name may be anybody's: the agent has to be there too.
        if signs.session and any(environ.get(name) for name in signs.variables):
            return environ.get(signs.session) or None
    return None


def _exit_code(cleaned: Cleaned, received: int | None) -> int:
    if received is not None:
        return SIGNALLED + received
    if cleaned.is_dry:
        return FAILED if cleaned.own.problem else 0
    if cleaned.passed:
        return 0
    own = cleaned.own
    statuses = {result.outcome.status for result in own.report.failures} if own.report else set()
    is_machine = own.is_machine or statuses == {Status.UNAVAILABLE}
    has_left = bool(own.left or cleaned.processes.ending.left or cleaned.containers.left)
    return COULD_NOT_RUN if is_machine and not has_left else FAILED
