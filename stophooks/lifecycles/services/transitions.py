"""From what an engine tells about containers to transitions, each told once.

Events may come twice (a stream that is opened again repeats some) or not at all (the engine keeps
few, and none beyond its own end). So what is known of each container decides: an event that says
what is known already is no transition, and a look at the containers after a gap tells what is new.
"""

from __future__ import annotations

import signal

from stophooks.lifecycles.services.base import Change, ChangeKind
from stophooks.models import signal_of
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stophooks.executors.docker.observed import Happened, Seen

# Who sends one of these through the engine wants the container to end; so does who sends the
# container's own stop signal. Others (SIGHUP …) mean "read your configuration again".
_ENDING = {signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGQUIT}
_NS = 1_000_000_000
_MISSED = "it ended while the engine could not be watched"
_OOM = "out of memory"
_HEALTH = {"healthy": ChangeKind.HEALTHY, "unhealthy": ChangeKind.UNHEALTHY}


@dataclass(slots=True)
class _Known:
    """What is known of one container; ``at_ns`` is when it last started or ended."""

    service: str
    name: str
    running: bool = False
    at_ns: int = 0
    health: str | None = None
    health_ns: int = 0
    asked: bool = False
    oom: bool = False
    stop_signal: int = signal.SIGTERM


class Transitions:
    """Everything that is known of a project's containers, and what is new."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def begin(self, seen: Iterable[Seen]) -> None:
        """Take the containers as they are; nothing of it is news."""
        self._known = {one.id: _known(one) for one in seen}

    def happened(self, event: Happened) -> list[Change]:
        """What an event says that was not known."""
        known = self._known.get(event.id)
        if known is None:
            if event.kind in {"die", "destroy"}:
                return []
            known = self._known[event.id] = _Known(service=event.service, name=event.name)
        # Compose 2 makes a container under another name and gives it its own before it starts it.
        known.name = event.name or known.name
        match event.kind:
            case "start":
                return self._started(known, event)
            case "kill":
                self._told_to_end(known, event)
            case "oom":
                known.oom = known.oom or event.at_ns > known.at_ns
            case "die":
                return self._ended(known, event)
            case "health":
                return self._health(known, event.health, event.at_ns)
            case "destroy":
                return self._removed(event.id, event.at_ns)
        return []

    def look(self, seen: Iterable[Seen], at_ns: int) -> list[Change]:
        """What the containers showed at a moment that no event has told.

        Every event from before the moment, and from a little after it, is to be taken first: only
        events say whether an end was asked for.
        """
        changes: list[Change] = []
        there = {one.id: one for one in seen}
        for number, known in list(self._known.items()):
            if number not in there and known.at_ns < at_ns:
                changes += self._removed(number, at_ns)
        for one in there.values():
            changes += self._looked(one)
        return changes

    def _looked(self, one: Seen) -> list[Change]:
        known = self._known.setdefault(one.id, _Known(service=one.service, name=one.name))
        changes: list[Change] = []
        # A start is noted a moment after the container's own time of it, so later means again.
        again = one.started_ns > known.at_ns
        ended = not one.running and one.finished_ns > known.at_ns
        if known.running and (again or ended):
            # Of an end before the last start nobody knows the code any more.
            code, why = (None, _MISSED) if again else (one.exit_code, None)
            changes.append(self._end(known, code, why, one.finished_ns or known.at_ns))
        if again:
            changes.append(self._start(known, one.started_ns, one))
            if ended:
                changes.append(self._end(known, one.exit_code, None, one.finished_ns))
        known.at_ns = max(known.at_ns, one.started_ns, one.finished_ns)
        if one.running and one.health_ns > known.health_ns:
            changes += self._health(known, one.health, one.health_ns)
        return changes

    def _started(self, known: _Known, event: Happened) -> list[Change]:
        if known.running or event.at_ns <= known.at_ns:
            return []
        return [self._start(known, event.at_ns, event.seen)]

    def _ended(self, known: _Known, event: Happened) -> list[Change]:
        if not known.running or event.at_ns <= known.at_ns:
            return []
        return [self._end(known, event.exit_code, None, event.at_ns)]

    def _start(self, known: _Known, at_ns: int, seen: Seen | None) -> Change:
        # Who starts a container sets the engine's count to 0; the engine itself adds to it.
        automatic = seen is not None and seen.restarts > 0
        known.running, known.at_ns, known.asked, known.oom = True, at_ns, False, False
        known.health = None
        if seen is not None:
            known.stop_signal = seen.stop_signal
        return _change(known, ChangeKind.START, at_ns, automatic=automatic)

    def _end(self, known: _Known, code: int | None, reason: str | None, at_ns: int) -> Change:
        known.running, known.at_ns = False, max(at_ns, known.at_ns)
        return Change(
            service=known.service,
            kind=ChangeKind.EXIT,
            at=at_ns / _NS,
            asked=known.asked,
            exit_code=code,
            signal=signal_of(code),
            reason=_OOM if known.oom else reason,
            instance=known.name,
        )

    def _told_to_end(self, known: _Known, event: Happened) -> None:
        if event.at_ns > known.at_ns and event.signal in {*_ENDING, known.stop_signal}:
            known.asked = True

    def _health(self, known: _Known, health: str | None, at_ns: int) -> list[Change]:
        # Who is being stopped fails its check: that says nothing.
        if not known.running or known.asked or at_ns <= known.health_ns:
            return []
        known.health_ns = at_ns
        if health == known.health:
            return []
        known.health = health
        kind = _HEALTH.get(health or "")
        return [] if kind is None else [_change(known, kind, at_ns)]

    def _removed(self, number: str, at_ns: int) -> list[Change]:
        known = self._known.pop(number, None)
        if known is None or not known.running:
            return []
        # Only who is asked for it removes a container.
        known.asked = True
        return [self._end(known, None, "the container was removed", at_ns)]


def _known(one: Seen) -> _Known:
    return _Known(
        service=one.service,
        name=one.name,
        running=one.running,
        at_ns=max(one.started_ns, one.finished_ns),
        health=one.health if one.running else None,
        health_ns=one.health_ns,
        stop_signal=one.stop_signal,
    )


def _change(known: _Known, kind: ChangeKind, at_ns: int, *, automatic: bool = False) -> Change:
    return Change(
        service=known.service, kind=kind, at=at_ns / _NS, automatic=automatic, instance=known.name
    )
