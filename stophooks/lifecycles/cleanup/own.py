"""The first part of a cleanup: what the project itself says, or what its Compose file asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stophooks import composefile
from stophooks.errors import ExecutorUnavailableError, StophooksError
from stophooks.events import CLEANUP
from stophooks.lifecycles.cleanup import compose, script
from stophooks.lifecycles.cleanup.values import COMPAT, By, OwnPart
from stophooks.models import Command, Severity
from stophooks.occasion import Occasion, Subject

if TYPE_CHECKING:
    from stophooks.lifecycles.cleanup.compose import Asker
    from stophooks.lifecycles.cleanup.values import Order
    from stophooks.occasion import Fire

SCRIPT_NAME = "on-cleanup"
# The subject where no session is named.
NOBODY = "local"


def occasion(order: Order) -> Occasion:
    """The event, with all that commands are told about it."""
    return Occasion(
        event=CLEANUP.name,
        subject=Subject(kind="session", id=order.session or NOBODY, path=order.project_dir),
        cleanup_level=order.level,
        aliases=COMPAT.get(order.rules.compat or "", ()),
        user=order.user,
        session=order.session,
    )


def run(order: Order, fire: Fire, asker: Asker) -> OwnPart:
    """Do the project's part to its end; what cannot be done is a problem in the answer.

    An invalid script is such a problem, and nothing else is done in its place.
    """
    try:
        return _run(order, fire, asker)
    except ExecutorUnavailableError as err:
        return OwnPart(by=_kind(order), problem=str(err), is_machine=True)
    except StophooksError as err:
        return OwnPart(by=_kind(order), problem=str(err))


def _run(order: Order, fire: Fire, asker: Asker) -> OwnPart:
    if order.not_own is not None:
        return OwnPart(notes=(order.not_own,))
    when = occasion(order)
    if order.has_commands:
        return OwnPart(by=By.COMMANDS, report=fire(when))
    if found := script.find(order.project_dir, order.pinned, copies=order.copies):
        report = fire(when, extra=(_command(order, found.path),))
        notes = (found.note,) if found.note else ()
        return OwnPart(by=By.SCRIPT, report=report, notes=notes)
    if order.rules.compose:
        return _compose(order, fire, asker)
    return OwnPart()


def _compose(order: Order, fire: Fire, asker: Asker) -> OwnPart:
    stack = compose.stack(order.level, asker)
    if stack is None:
        return OwnPart()
    down = stack.down(order.level, project_dir=order.project_dir, timeout_s=order.timeout_s)
    report = fire(occasion(order), extra=(replace(down, severity=Severity.WARN),))
    known = OwnPart(
        by=By.COMPOSE,
        report=report,
        stack=stack.name if stack.proven else None,
        notes=tuple(
            f"the Compose project {name}, which was started here too, was let be"
            for name in stack.others
        ),
    )
    try:
        left = compose.left(stack.name, order.project_dir, asker.engine)
    except ExecutorUnavailableError as err:
        return replace(known, notes=(*known.notes, f"what is left is not known: {err}"))
    return replace(known, left=tuple(left))


def preview(order: Order, fire: Fire) -> OwnPart:
    """What would be done; nothing is started, and Compose is not asked."""
    if order.not_own is not None:
        return OwnPart(notes=(order.not_own,))
    when = occasion(order)
    if order.has_commands:
        return OwnPart(by=By.COMMANDS, steps=fire.preview(when))
    try:
        found = script.find(order.project_dir, order.pinned, copies=None)
    except script.ScriptInvalidError as err:
        return OwnPart(by=By.SCRIPT, problem=str(err))
    if found:
        steps = fire.preview(when, extra=(_command(order, found.path),))
        return OwnPart(by=By.SCRIPT, steps=steps)
    files = composefile.files(order.project_dir) if order.rules.compose else ()
    if not files:
        return OwnPart()
    words = " ".join(("down", *compose.LEVELS[order.level]))
    return OwnPart(by=By.COMPOSE, notes=(f"Compose would be asked for `{words}` of {files[0]}",))


def _command(order: Order, path: str) -> Command:
    return Command(
        name=SCRIPT_NAME,
        project_dir=order.project_dir,
        argv=(path,),
        timeout_s=order.timeout_s,
        severity=Severity.WARN,
        pin=False,
    )


def _kind(order: Order) -> By:
    """Which of them could not be done."""
    if order.has_commands:
        return By.COMMANDS
    try:
        has_script = script.check(order.project_dir) is not None
    except script.ScriptInvalidError:
        has_script = True
    return By.SCRIPT if has_script or order.pinned else By.COMPOSE
