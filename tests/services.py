"""Services without an engine: a peer of the real ones that only remembers what it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stophooks.lifecycles.services.base import (
    Change,
    LogLine,
    Service,
    ServiceActionError,
    State,
)
from stophooks.models import Command, Outcome, Report, Result, Severity, Status
from stophooks.occasion import Step
from stophooks.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stophooks.occasion import Fire, Occasion
    from stophooks.process import Stop


@dataclass(kw_only=True)
class FakeEngine:
    """Services that start and stop at a word; ``dead`` ones end at once, ``stuck`` ones never."""

    known: list[Service]
    told: list[str] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    to_tell: list[Change | str] = field(default_factory=list)
    name: str = "fake"
    project: str = "demo"
    file: str = "/project/fake.conf"

    def services(self) -> tuple[Service, ...]:
        return tuple(self.known)

    def start(self, names: Sequence[str], *, cancel: Stop) -> None:
        del cancel
        self.told.append(f"start {' '.join(names)}")
        self._become(set(names) - self.dead, State.RUNNING, None)
        self._become(set(names) & self.dead, State.EXITED, 1)

    def stop(self, names: Sequence[str], *, cancel: Stop) -> None:
        del cancel
        self.told.append(f"stop {' '.join(names)}")
        self._become(set(names) - self.stuck, State.STOPPED, 0)
        if stuck := set(names) & self.stuck:
            raise ServiceActionError(f"{' '.join(stuck)} does not listen")

    def clean(self, names: Sequence[str], *, cancel: Stop) -> tuple[str, ...]:
        del cancel
        self.told.append(f"clean {' '.join(names)}")
        return tuple(names)

    def logs(
        self, names: Sequence[str], *, follow: bool, write: Callable[[LogLine], None], cancel: Stop
    ) -> None:
        raise NotImplementedError

    def changes(self, cancel: Stop) -> Iterator[Change | str]:
        del cancel
        yield from self.to_tell

    def _become(self, names: set[str], state: State, code: int | None) -> None:
        self.known = [
            replace(one, state=state, exit_code=code) if one.name in names else one
            for one in self.known
        ]


@dataclass(kw_only=True)
class FakeFire:
    """Hooks that are only remembered, in the engine's list; ``failing`` ones do not pass."""

    told: list[str]
    hooks: set[str]
    failing: set[str] = field(default_factory=set)
    confirmed: list[str] = field(default_factory=list)
    occasions: list[Occasion] = field(default_factory=list)

    def __call__(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> Report:
        del extra
        self.occasions.append(occasion)
        name = hook(occasion)
        results = []
        if name in self.hooks:
            self.told.append(name)
            status = Status.FAILED if name in self.failing else Status.PASSED
            results.append(Result(command=_command(), outcome=Outcome(status=status)))
        return Report(
            event=occasion.event, results=tuple(results), duration_s=0, project_dir="/project"
        )

    def preview(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> tuple[Step, ...]:
        del extra
        return (Step(command=_command()),) if hook(occasion) in self.hooks else ()

    def regardless(self) -> Fire:
        return self

    def confirm(self, occasion: Occasion) -> None:
        self.confirmed.append(hook(occasion))


def hook(occasion: Occasion) -> str:
    """``pre_start`` for a general hook, ``web.pre_start`` for one of a service."""
    moment = occasion.event.removeprefix("service.")
    return f"{occasion.of}.{moment}" if occasion.of else moment


def _command() -> Command:
    return Command(name="hook", project_dir="/project", run="true", severity=Severity.BLOCK)
