"""What hooks of services say, shown and kept: their output goes into the services' own log."""

from __future__ import annotations

import threading
import time

from stophooks.cli import console
from stophooks.reports import history
from stophooks.reports.words import happened
from stophooks.store.hooklog import LINE_BYTES, HookLine
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.engine import Observer
    from stophooks.firing import Firing
    from stophooks.models import Command, Report, Result, Stream
    from stophooks.occasion import Fire, Occasion, Step
    from stophooks.store.hooklog import HookLog


class Keeping:
    """An observer that keeps every line that hooks say, with whose hook says it."""

    def __init__(self, log: HookLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._partial: dict[tuple[str, Stream], bytes] = {}
        self.occasion: Occasion | None = None

    def started(self, command: Command) -> None:
        """Nothing to keep."""

    def output(self, command: Command, stream: Stream, data: bytes) -> None:
        """Keep the whole lines of it; pieces of one that does not end."""
        with self._lock:
            *lines, rest = (self._partial.pop((command.name, stream), b"") + data).split(b"\n")
            while len(rest) > LINE_BYTES:
                lines, rest = [*lines, rest[:LINE_BYTES]], rest[LINE_BYTES:]
            if rest:
                self._partial[command.name, stream] = rest
            for line in lines:
                self._add(command, line.decode("utf-8", "replace"))

    def note(self, command: Command, text: str) -> None:
        """Nothing to keep: progress, not output."""

    def finished(self, result: Result) -> None:
        """Keep what has no line's end, and that it did not pass."""
        with self._lock:
            for key in [key for key in self._partial if key[0] == result.command.name]:
                self._add(result.command, self._partial.pop(key).decode("utf-8", "replace"))
            if not result.ok:
                reason = result.outcome.reason
                why = f": {reason}" if reason and result.outcome.exit_code is None else ""
                self._add(result.command, f"did not pass: {happened(result)}{why}")

    def _add(self, command: Command, text: str) -> None:
        event = self.occasion.event if self.occasion else ""
        self._log.add(
            HookLine(
                service=self.occasion.of if self.occasion else None,
                event=event.partition(".")[2],
                command=command.name,
                text=text,
                at=time.time(),
            )
        )


class Several:
    """Observers as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def started(self, command: Command) -> None:
        """Tell all of them."""
        for one in self._observers:
            one.started(command)

    def output(self, command: Command, stream: Stream, data: bytes) -> None:
        """Tell all of them."""
        for one in self._observers:
            one.output(command, stream, data)

    def note(self, command: Command, text: str) -> None:
        """Tell all of them."""
        for one in self._observers:
            one.note(command, text)

    def finished(self, result: Result) -> None:
        """Tell all of them."""
        for one in self._observers:
            one.finished(result)


class Kept:
    """Fires events, whose hooks' output is kept; with ``debug`` how each ran is shown."""

    def __init__(self, firing: Firing, keeping: Keeping, *, debug: bool = False) -> None:
        self._firing = firing
        self._debug = debug
        self._keeping = keeping

    def __call__(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> Report:
        """See `stophooks.occasion.Fire`."""
        self._keeping.occasion = occasion
        try:
            report = self._firing(occasion, extra=extra)
            for row in history.trail(report) if self._debug else ():
                console.err(f"debug: {row}")
            return report
        finally:
            self._keeping.occasion = None
            # Who watches for weeks does not keep every report.
            self._firing.reports.clear()

    def preview(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> tuple[Step, ...]:
        """See `stophooks.occasion.Fire`."""
        return self._firing.preview(occasion, extra=extra)

    def regardless(self) -> Fire:
        """See `stophooks.occasion.Fire`."""
        return self._firing.regardless()

    def confirm(self, occasion: Occasion) -> None:
        """See `stophooks.occasion.Fire`."""
        self._firing.confirm(occasion)
