"""Answers that cannot wait: the call is interrupted, or its checks do not come to an end."""

from __future__ import annotations

import os
import time

from stophooks import signals, threads
from stophooks.executors.base import Cancellation
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.hook.call import Call
    from stophooks.hook.outlet import Outlet

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# Agents follow SIGTERM with SIGKILL after 0.5 to 2 s (measured 2026-11-21); the checks get this
# much of it to end by themselves, in seconds.
GRACE_S = 0.15
# Beyond the section's deadline, and before the 60 s are over by which the agent's own limit is
# larger: then an end is forced, because an agent takes silence for a pass. Seconds.
OVERRUN_S = 45.0
# What comes before the checks, reading a payload and a configuration, takes less; seconds.
START_S = 60.0
# How often it is looked whether that time has changed. Seconds.
LOOK_S = 5.0

_INTERRUPTED = "stophooks was interrupted ({}) before the checks were finished; they did not pass."
_OVERRUN = (
    "stophooks could not end the checks by their deadline; they did not pass. Look for a program "
    "that cannot be ended (a hanging network file system, an engine that does not answer)."
)


class Watch:
    """Ends a call early, with an explicit answer."""

    def __init__(self, outlet: Outlet, call: Call) -> None:
        self.cancel = Cancellation()
        self._outlet = outlet
        self._call = call
        self._running = False
        self._until = 0.0

    def start(self) -> None:
        """Watch from now on; a signal that the caller ignores (``nohup``) stays ignored."""
        signals.listen(SIGNALS, self._signalled)
        self._until = time.monotonic() + START_S
        threads.Thread(target=self._work, daemon=True).start()

    def running(self, deadline_s: float) -> None:
        """Say that checks run from now on and are over in ``deadline_s`` seconds."""
        self._running = True
        self._until = time.monotonic() + deadline_s + OVERRUN_S

    def _work(self) -> None:
        while (left_s := self._until - time.monotonic()) > 0:
            # An agent that is killed takes nobody with it: its checks would go on without a reader.
            if self._outlet.is_left(min(left_s, LOOK_S)):
                self._interrupt("the agent has ended")
                break
        while (left_s := self._until - time.monotonic()) > 0:
            time.sleep(min(left_s, LOOK_S))
        os._exit(self._outlet.send(self._call.refusal(_OVERRUN)))

    def _signalled(self, number: signal.Signals) -> None:
        self._interrupt(number.name)

    def _interrupt(self, cause: str) -> None:
        code = self._outlet.send(self._call.refusal(_INTERRUPTED.format(cause)))
        self.cancel.request(f"interrupted: {cause}", grace_s=GRACE_S)
        if not self._running:
            os._exit(code)
