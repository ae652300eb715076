"""The first part of a cleanup: what the project itself says, or what its Compose file asks for."""

from __future__ import annotations

from stophooks.errors import ExecutorUnavailableError, StophooksError
from stophooks.events import CLEANUP
from stophooks.lifecycles.cleanup import compose, script
from stophooks.lifecycles.cleanup.compose import ComposeRefusedError
from stophooks.lifecycles.cleanup.values import By, OwnPart
from stophooks.models import Command, Severity
from stophooks.occasion import Occasion, Subject
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from stophooks.lifecycles.cleanup.compose import Asker, Stack
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
    except ComposeRefusedError as err:
        return OwnPart(by=By.COMPOSE, problem=f"Nothing was brought down: {err}")
    except StophooksError as err:
        return OwnPart(by=_kind(order), problem=str(err))


def _run(order: Order, fire: Fire, asker: Asker) -> OwnPart:
    if (left_out := _left_out(order)) is not None:
        return left_out
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


def _left_out(order: Order) -> OwnPart | None:
    """The part where nothing of it is to be done, or can be; else None."""
    if order.refused is not None:
        return OwnPart(problem=order.refused, is_machine=True)
    return None if order.not_own is None else OwnPart(notes=(order.not_own,))


def _compose(order: Order, fire: Fire, asker: Asker) -> OwnPart:
    stack = compose.stack(order.level, asker)
    if stack is None:
        return OwnPart()
    report = fire(occasion(order), extra=(_down(order, stack),))
    known = OwnPart(
        by=By.COMPOSE,
        report=report,
        stack=stack.name if stack.proven else None,
        notes=_others(stack, "was let be"),
    )
    try:
        left = compose.left(stack.name, order.project_dir, asker.engine)
    except ExecutorUnavailableError as err:
        return replace(known, notes=(*known.notes, f"what is left is not known: {err}"))
    return replace(known, left=tuple(left))


def _down(order: Order, stack: Stack) -> Command:
    down = stack.down(order.level, project_dir=order.project_dir, timeout_s=order.timeout_s)
    return replace(down, severity=Severity.WARN)


def _others(stack: Stack, what: str) -> tuple[str, ...]:
    return tuple(
        f"the Compose project {name}, which was started here too, {what}" for name in stack.others
    )


def preview(order: Order, fire: Fire, asker: Asker) -> OwnPart:
    """What would be done; Compose and the engine are asked, and nothing is changed."""
    if (left_out := _left_out(order)) is not None:
        return left_out
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
    return _compose_preview(order, fire, asker) if order.rules.compose else OwnPart()


def _compose_preview(order: Order, fire: Fire, asker: Asker) -> OwnPart:
    try:
        foreseen = _foreseen(order, asker)
    except ComposeRefusedError as err:
        return OwnPart(by=By.COMPOSE, problem=f"Nothing would be brought down: {err}")
    except ExecutorUnavailableError as err:
        return OwnPart(by=By.COMPOSE, problem=str(err), is_machine=True)
    if foreseen is None:
        return OwnPart()
    stack, unknown = foreseen.stack, foreseen.unknown
    words = " ".join(("down", *compose.LEVELS[order.level]))
    asked = f"Compose would be asked for `{words}` of {stack.files[0]}"
    return OwnPart(
        by=By.COMPOSE,
        steps=fire.preview(occasion(order), extra=(_down(order, stack),)),
        notes=(asked, *unknown, *_others(stack, "would be let be")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foreseen:
    """What would be brought down; ``unknown`` is what could not be found out about it."""

    stack: Stack
    unknown: tuple[str, ...] = ()


def _foreseen(order: Order, asker: Asker) -> _Foreseen | None:
    unknown: tuple[str, ...] = ()
    stack = compose.unproven(asker)
    if stack is None:
        return None
    try:
        stack = compose.stack(order.level, asker) or stack
    except ExecutorUnavailableError as err:
        unknown = (f"whether that would be refused is not known: {err}",)
    compose.check_files(stack, asker)
    return _Foreseen(stack=stack, unknown=unknown)


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
