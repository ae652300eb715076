"""Starting, stopping and restarting services, with their hooks in order."""

from __future__ import annotations

import time

from stophooks.errors import UsageError
from stophooks.events import EVENTS
from stophooks.lifecycles.services.base import ServiceActionError, State
from stophooks.lifecycles.services.order import Kind, Step, Wanted, steps
from stophooks.lifecycles.services.waiting import pause
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stophooks.lifecycles.services.base import Engine, Service
    from stophooks.lifecycles.services.occasions import Occasions
    from stophooks.models import Report
    from stophooks.occasion import Fire, Occasion
    from stophooks.occasion import Step as HookStep
    from stophooks.process import Stop

# A service that has ended so soon after its start has not started; supervisord waits as long for
# its programs (`startsecs`, its documentation, read 2026-11-30). Seconds.
SETTLE_S = 1.0
_LOOK_S = 0.2
_UP = {State.RUNNING, State.STARTING}
# The hooks that are next to a start or a stop.
_NEXT_TO = ("on_init", "pre_start", "post_start", "pre_stop", "post_stop")
_ON_INIT = "service.on_init"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why something was not done; ``service`` is whose, or None for the action as a whole."""

    service: str | None
    text: str


@dataclass(slots=True, kw_only=True)
class Done:
    """What an action has done: which services it started, stopped and cleaned, and what not."""

    started: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A step of a dry run: what an engine would be asked for, or the commands of an event."""

    step: Step
    occasion: Occasion | None = None
    hooks: tuple[HookStep, ...] = ()


class Action:
    """One action on one engine's services.

    Args:
        engine: Who runs them.
        fire: Fires their events.
        occasions: Makes them.
        cancel: Ends it after the step that is going on, and that step soon.
        tell: Takes a line for people about what is being done.
        settle_s: How long a service has to stay up to count as started, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        fire: Fire,
        occasions: Occasions,
        *,
        cancel: Stop,
        tell: Callable[[str], None] = lambda _: None,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._engine = engine
        self._fire = fire
        self._occasions = occasions
        self._cancel = cancel
        self._tell = tell
        self._settle_s = settle_s
        self._services: dict[str, Service] = {}
        # Services that are left alone from here on, and why.
        self._out: dict[str, str] = {}
        self._done = Done()

    def do(self, wanted: Wanted) -> Done:
        """Do it, as far as it goes: what is wrong with one service keeps no other from its own.

        Raises:
            UsageError: There is no service of a name.
            ServicesUnavailableError: There is nobody to ask.
        """
        for step in self._steps(wanted):
            if self._cancel.requested:
                break
            match step.kind:
                case Kind.FIRE:
                    self._fire_event(step)
                case Kind.SPAWN:
                    self._spawn(self._left(step.names))
                case Kind.HALT:
                    self._halt(self._left(step.names))
                case Kind.CLEAN:
                    self._clean(self._left(step.names))
        if self._done.started and not self._done.problems and not self._cancel.requested:
            self._confirm(None, self._done.started)
        return self._done

    def foresee(self, wanted: Wanted) -> tuple[Foreseen, ...]:
        """What `do` would do if nothing went wrong; nothing is done."""
        found = []
        for step in self._steps(wanted):
            if step.kind is not Kind.FIRE:
                found.append(Foreseen(step=step))
                continue
            occasion = self._occasion(step, step.names)
            if hooks := self._fire.preview(occasion):
                found.append(Foreseen(step=step, occasion=occasion, hooks=hooks))
        return tuple(found)

    def _steps(self, wanted: Wanted) -> tuple[Step, ...]:
        services = self._look()
        check_names(wanted.names, services, self._engine.file)
        return steps(wanted, services, self._hooked)

    def _look(self) -> tuple[Service, ...]:
        services = self._engine.services()
        self._services = {one.name: one for one in services}
        return services

    def _hooked(self, name: str) -> bool:
        service = self._services[name]
        events = (f"service.{moment}" for moment in _NEXT_TO)
        return any(self._fire.preview(self._occasions.own(event, service)) for event in events)

    def _occasion(self, step: Step, names: Sequence[str]) -> Occasion:
        if step.of is None:
            return self._occasions.general(step.event, names)
        return self._occasions.own(step.event, self._services[step.of])

    def _left(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in self._out)

    def _fire_event(self, step: Step) -> None:
        if step.event in {_ON_INIT, "service.pre_start"}:
            self._leave_out_who_needs_them(step.names)
        names = self._left(step.names)
        if not names:
            return
        report = self._fire(self._occasion(step, names))
        self._done.reports.append(report)
        if not EVENTS[step.event].gate or not report.blocks or self._cancel.requested:
            return
        failed = next(result.title for result in report.results if result.blocks)
        whose = "" if step.of is None else f" of {step.of}"
        for name in names:
            self._leave_out(name, f"not started: {step.event}{whose} did not pass ({failed})")

    def _leave_out(self, name: str, why: str) -> None:
        self._out[name] = why
        self._done.problems.append(Problem(service=name, text=why))
        self._tell(f"{name}: {why}")

    def _leave_out_who_needs_them(self, names: Sequence[str]) -> None:
        """An engine starts what a service needs along with it, past a gate that has said no."""
        for name in self._left(names):
            need = next((one for one in self._services[name].after if one in self._out), None)
            if need is not None:
                self._leave_out(name, f"not started: it needs {need}, which did not start")

    def _spawn(self, names: tuple[str, ...]) -> None:
        if not names:
            return
        said = None
        try:
            self._engine.start(names, cancel=self._cancel)
        except ServiceActionError as err:
            said = str(err)
        if self._cancel.requested:
            return
        for name in self._unsettled(names):
            service = self._services[name]
            code = "" if service.exit_code is None else f" with exit code {service.exit_code}"
            ended = f"it is {service.state}{code}; see: stophooks services logs {name}"
            self._leave_out(name, f"did not start: {said or ended}")
        for name in self._left(names):
            self._done.started.append(name)
            self._tell(f"{name}: started")
            self._confirm(name, ())

    def _unsettled(self, names: tuple[str, ...]) -> list[str]:
        """Who of these does not run a moment after the start, and has not done its work either."""
        until = time.monotonic() + self._settle_s
        while True:
            self._look()
            failed = [name for name in names if not _is_up(self._services[name])]
            if failed or time.monotonic() >= until or pause(_LOOK_S, self._cancel):
                return failed

    def _confirm(self, name: str | None, names: Sequence[str]) -> None:
        """The first start has worked: it will not be the first again."""
        if name is None:
            self._fire.confirm(self._occasions.general(_ON_INIT, names))
        else:
            self._fire.confirm(self._occasions.own(_ON_INIT, self._services[name]))

    def _halt(self, names: tuple[str, ...]) -> None:
        if not names:
            return
        said = None
        try:
            self._engine.stop(names, cancel=self._cancel)
        except ServiceActionError as err:
            said = str(err)
        if self._cancel.requested:
            return
        self._look()
        for name in names:
            if self._services[name].active:
                self._leave_out(name, f"did not stop: {said or 'it still runs'}")
            else:
                self._done.stopped.append(name)
                self._tell(f"{name}: stopped")

    def _clean(self, names: tuple[str, ...]) -> None:
        if not names:
            return
        try:
            removed = self._engine.clean(names, cancel=self._cancel)
        except ServiceActionError as err:
            self._done.problems.append(Problem(service=None, text=f"not clean: {err}"))
            self._tell(f"not clean: {err}")
            return
        self._done.removed += removed
        for one in removed:
            self._tell(f"removed: {one}")


def check_names(names: Iterable[str], services: Sequence[Service], file: str) -> None:
    """Let no name pass that is no service's.

    Raises:
        UsageError: There is one; what there is is named.
    """
    known = [one.name for one in services]
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none"
            raise UsageError(f'there is no service "{name}" in {file}; there is: {there}')


def _is_up(service: Service) -> bool:
    ended_well = service.state is State.EXITED and service.exit_code == 0
    return service.state in _UP or ended_well
