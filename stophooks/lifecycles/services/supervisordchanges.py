"""From what supervisord's log and its processes show to transitions, each told once.

What is known of each process decides. A line of the log that says what is known already is no
transition; what the processes show at the same moment and no line has told (a log that is quieter,
full or gone) is told then.
"""

from __future__ import annotations

import time
from enum import IntEnum

from stophooks.lifecycles.services.base import Change, ChangeKind
from stophooks.lifecycles.services.supervisordlog import Word
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stophooks.lifecycles.services.supervisordlog import Said
    from stophooks.lifecycles.services.supervisordrpc import Info

_MISSED = "seen afterwards: supervisord's log does not tell"
_SIGNALLED = "ended by a signal"
_REMOVED = "supervisord does not know it any more"


class ProcessState(IntEnum):
    """supervisord's states by their numbers (its states.py, 4.2.5)."""

    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000


# With a process, or about to have one again.
LIVELY = frozenset({ProcessState.STARTING, ProcessState.RUNNING, ProcessState.BACKOFF})
_HEALTH = {
    ProcessState.RUNNING: ChangeKind.HEALTHY,
    ProcessState.BACKOFF: ChangeKind.UNHEALTHY,
    ProcessState.FATAL: ChangeKind.UNHEALTHY,
}


@dataclass(slots=True)
class _Known:
    """What is known of one process.

    ``pid`` is 0 while there is none; ``health`` is the last that was told since it was last up.
    ``will_return`` says that a start would be supervisord's own. ``told`` says that since the last
    look the log has told of it.
    """

    spec: str
    name: str
    pid: int = 0
    started: int = 0
    health: ChangeKind | None = None
    will_return: bool = False
    told: bool = False


class Transitions:
    """Everything that is known of supervisord's processes, and what is new.

    Args:
        service: The service that a process (as supervisord names it) is of; None for nobody's.
        restarts: Whether supervisord starts a service's process again when it ends.
        clock: The time, in seconds since 1970.
    """

    def __init__(
        self,
        service: Callable[[str], str | None],
        restarts: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._restarts = restarts
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def begin(self, infos: Mapping[str, Info]) -> None:
        """Take the processes as they are; nothing of it is news."""
        self._known = {
            spec: _Known(
                spec=spec,
                name=one.name,
                pid=one.pid,
                started=one.started,
                health=_HEALTH.get(ProcessState(one.state)),
                will_return=one.state == ProcessState.BACKOFF,
            )
            for spec, one in infos.items()
        }

    def happened(self, lines: Iterable[Said], infos: Mapping[str, Info]) -> list[Change]:
        """What lines of the log say that was not known, of the processes that there are now."""
        for spec, one in infos.items():
            self._known.setdefault(spec, _Known(spec=spec, name=one.name))
        return [change for said in lines for change in self._said(said)]

    def look(self, infos: Mapping[str, Info]) -> list[Change]:
        """What the processes show, as they are now, that no line has told."""
        changes: list[Change] = []
        for spec in [spec for spec in self._known if spec not in infos]:
            known = self._known.pop(spec)
            if known.pid:
                changes += self._end(known, asked=True, reason=_REMOVED)
        for spec, one in infos.items():
            known = self._known.setdefault(spec, _Known(spec=spec, name=one.name))
            changes += self._looked(known, one)
            known.told = False
        return changes

    def _said(self, said: Said) -> list[Change]:
        named = [known for known in self._known.values() if known.name == said.name]
        if len(named) != 1:
            # Two groups have a process of this name, or it is new: the look tells.
            return []
        known = named[0]
        known.told = True
        match said.word:
            case Word.SPAWNED:
                return self._spawned(known, said.pid)
            case Word.EXITED | Word.STOPPED if known.pid:
                return self._end(known, asked=said.word is Word.STOPPED, said=said)
            case Word.UP:
                return self._health(known, ChangeKind.HEALTHY)
            case Word.GAVE_UP:
                known.will_return = False
                return self._health(known, ChangeKind.UNHEALTHY)
        return []

    def _looked(self, known: _Known, one: Info) -> list[Change]:
        changes: list[Change] = []
        state = ProcessState(one.state)
        if one.pid and one.pid != known.pid:
            changes += self._spawned(known, one.pid)
        elif not one.pid:
            if not known.pid and one.started > known.started and not known.told and _ran(one):
                # It has come and gone since the last look.
                changes += self._spawned(known, -1)
            if known.pid:
                changes += self._end(known, asked=state is ProcessState.STOPPED, info=one)
        known.started = one.started
        if state in {ProcessState.FATAL, ProcessState.STOPPED}:
            known.will_return = False
        if state is ProcessState.STOPPED:
            known.health = None
        if (health := _HEALTH.get(state)) is not None:
            changes += self._health(known, health, one.problem)
        return changes

    def _spawned(self, known: _Known, pid: int) -> list[Change]:
        if pid == known.pid:
            return []
        changes = self._end(known, asked=False, reason=_MISSED) if known.pid else []
        automatic, known.pid, known.will_return = known.will_return, pid, False
        if not automatic:
            known.health = None
        return [*changes, *self._change(known, ChangeKind.START, automatic=automatic)]

    def _end(
        self,
        known: _Known,
        *,
        asked: bool,
        said: Said | None = None,
        info: Info | None = None,
        reason: str | None = None,
    ) -> list[Change]:
        known.pid = 0
        was_up = known.health is ChangeKind.HEALTHY
        if was_up or asked:
            known.health = None
        service = self._service(known.spec)
        # Who does not come up is tried again, whatever becomes of those who did.
        known.will_return = not asked and (
            not was_up or (service is not None and self._restarts(service))
        )
        code = said.exit_code if said else _code(info)
        if info is not None and info.exit_code == -1:
            reason = _SIGNALLED
        return self._change(
            known,
            ChangeKind.EXIT,
            asked=asked,
            exit_code=code,
            signal=said.signal if said else None,
            reason=reason,
        )

    def _health(self, known: _Known, health: ChangeKind, problem: str = "") -> list[Change]:
        if health is known.health:
            return []
        known.health = health
        is_bad = health is ChangeKind.UNHEALTHY
        return self._change(known, health, reason=(problem or None) if is_bad else None)

    def _change(
        self,
        known: _Known,
        kind: ChangeKind,
        *,
        asked: bool = False,
        automatic: bool = False,
        exit_code: int | None = None,
        signal: int | None = None,
        reason: str | None = None,
    ) -> list[Change]:
        service = self._service(known.spec)
        if service is None:
            return []
        return [
            Change(
                service=service,
                kind=kind,
                at=self._clock(),
                asked=asked,
                automatic=automatic,
                exit_code=exit_code,
                signal=signal,
                reason=reason,
                instance=known.spec,
            )
        ]


def _ran(one: Info) -> bool:
    """Whether its last start has made a process: a program that is not there makes none."""
    return one.state in {ProcessState.EXITED, ProcessState.STOPPED} or "quickly" in one.problem


def _code(info: Info | None) -> int | None:
    """The exit code of a process that is over; supervisord keeps none of a failed start."""
    if info is None or info.state not in {ProcessState.EXITED, ProcessState.STOPPED}:
        return None
    return info.exit_code if info.exit_code != -1 else None
