"""What services have written and what their hooks said, as one text.

Lines of a hook stand before the first later line of their service. An engine that notes no times
has its lines first.
"""

from __future__ import annotations

import threading
import time

from stophooks.cli import console
from stophooks.cli.services_view import hook_line, log_line
from stophooks.lifecycles.services.waiting import pause
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.cli.services_door import Door
    from stophooks.executors.base import Cancellation
    from stophooks.lifecycles.services.base import LogLine
    from stophooks.store.hooklog import HookLine, HookLog, Place

# How often it is looked for new lines of hooks. Seconds.
_LOOK_S = 0.2
# An engine that has said nothing for so long has told all that there was. Seconds.
_QUIET_S = 1.0


def show(
    door: Door,
    names: Sequence[str],
    *,
    hooks: bool,
    everybody: bool,
    follow: bool,
    cancel: Cancellation,
) -> None:
    """Show the lines of these services, and with ``follow`` go on until ``cancel``.

    Args:
        door: Whose services.
        names: Which of them.
        hooks: Whether to show what hooks said.
        everybody: Whether general hooks are shown as well.
        follow: Whether to go on with what comes.
        cancel: Ends it.
    """
    wanted: set[str | None] = {*names, *([None] if everybody else [])}
    shown = _Shown(door.log, wanted if hooks else set())
    thread = None
    if follow:
        thread = threading.Thread(target=shown.follow, args=(cancel,), daemon=True)
        thread.start()
    try:
        door.engine.logs(names, follow=follow, write=shown.service, cancel=cancel)
    finally:
        # Also where the engine cannot show what it has: hooks have spoken all the same.
        shown.over = True
        if thread is not None:
            thread.join()
        shown.rest()


class _Shown:
    """Writes lines of both kinds, in order as far as their times say it."""

    def __init__(self, log: HookLog, wanted: set[str | None]) -> None:
        self._log = log
        self._wanted = wanted
        self._place: Place = log.end()
        self._waiting = [one for one in log.lines() if one.service in wanted]
        self._lock = threading.Lock()
        self._at = time.monotonic()
        self.over = False

    def service(self, one: LogLine) -> None:
        """Show a line of a service, after what hooks said before it."""
        with self._lock:
            self._at = time.monotonic()
            if one.at is not None:
                earlier = [
                    hook
                    for hook in self._waiting
                    if hook.service in {one.service, None} and hook.at <= one.at
                ]
                self._hooks(earlier)
            console.out(log_line(one))

    def follow(self, cancel: Cancellation) -> None:
        """Show what hooks say, as it comes, once the past has been told."""
        while not self.over and not pause(_LOOK_S, cancel):
            with self._lock:
                found, self._place = self._log.since(self._place)
                self._waiting += [one for one in found if one.service in self._wanted]
                if time.monotonic() - self._at >= _QUIET_S:
                    self._hooks(list(self._waiting))

    def rest(self) -> None:
        """Show what hooks said after everything else."""
        with self._lock:
            self._hooks(list(self._waiting))

    def _hooks(self, lines: list[HookLine]) -> None:
        for one in lines:
            self._waiting.remove(one)
            console.out(hook_line(one))
