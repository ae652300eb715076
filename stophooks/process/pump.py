"""Take a command's output while time passes, and notice what else happens."""

from __future__ import annotations

import fcntl
import os
import select
import time

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.models import KIB, Stream
from stophooks.process.family import KILL_S
from stophooks.typed import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.process.child import Child
    from stophooks.process.table import Entry

    Output = Callable[[Stream, bytes], None]

# Largest piece of output taken at once: what a pipe holds by default on Linux (pipe(7)), and what
# one is made to hold that was full: so a flood takes fewer turns of both ends.
CHUNK_BYTES = 64 * KIB
FLOOD_BYTES = 256 * KIB
# How often an exit code is asked for that is due. A debugger's word for the end of what it follows
# comes before the parent's. Seconds.
_DUE_S = 0.005


class Stop(Protocol):
    """A request, from any thread or signal handler, to end the command early."""

    grace_s: float

    @property
    def requested(self) -> bool:
        """Whether it was made."""

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` when it is made; returns the way to stop that."""


class Never:
    """A stop that nobody asks for."""

    # Counts only where one is asked for. Seconds.
    grace_s = 0.2
    requested = False

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Do nothing; returns the way to stop that."""
        del listener
        return lambda: None


class Wake:
    """A descriptor that becomes readable when the stop is requested."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        # Re-entrant: the signal handler that makes the request may interrupt `__exit__`.
        self._lock = threads.RLock()
        self._open = True

    def __enter__(self) -> Self:
        """Begin to listen."""
        self.descriptor, self._end = os.pipe()
        self._unsubscribe = self._stop.subscribe(self._signal)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening, before the descriptors mean something else."""
        self._unsubscribe()
        with self._lock:
            self._open = False
        os.close(self.descriptor)
        os.close(self._end)

    def _signal(self) -> None:
        with self._lock:
            if self._open:
                os.write(self._end, b"!")


class Pump:
    """Takes the output while time passes, and notices the end of the child."""

    def __init__(self, child: Child, wake: int, output: Output) -> None:
        self.child = child
        self._wake = wake
        self._output = output
        self._pipes = child.pipes
        self._chunks = dict.fromkeys(self._pipes, CHUNK_BYTES)
        self._poll = select.poll()
        self._is_end_due = False

    def __enter__(self) -> Self:
        """Begin to take output."""
        for descriptor in self._pipes:
            os.set_blocking(descriptor, False)
            self._poll.register(descriptor, select.POLLIN)
        self._poll.register(self.child.exit_descriptor, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the pipes."""
        self.child.close_pipes()

    def turn(self, timeout_s: float) -> bool:
        """Wait for anything and take it; whether it was more than output."""
        more = False
        if self._is_end_due:
            timeout_s = min(timeout_s, _DUE_S)
        for descriptor, _ in self._poll.poll(-int(-timeout_s * 1000 // 1)):
            if descriptor in self._pipes:
                self._read(descriptor)
                continue
            self._poll.unregister(descriptor)
            self._is_end_due |= descriptor == self.child.exit_descriptor
            more = True
        if self._is_end_due:
            self.child.note_end()
            self._is_end_due = not self.child.ended
            more |= self.child.ended
        return more

    def settle(self, until: Callable[[], float]) -> None:
        """Go on until the whole family has ended, or until the time that ``until`` gives."""
        pause = 0.002
        while not self.child.family.gone():
            look_again = min(time.monotonic() + pause, until())
            while (remaining := look_again - time.monotonic()) > 0 and not self.turn(remaining):
                pass
            self.child.family.reap()
            if time.monotonic() >= until():
                return
            pause = min(pause * 2, 0.05)

    def kill(self) -> tuple[Entry, ...]:
        """End who is left for certain; returns who could not be ended."""
        if self.child.family.gone():
            return ()
        survivors = self.child.family.kill()
        until = time.monotonic() + KILL_S
        while not self.child.ended and (remaining := until - time.monotonic()) > 0:
            self.turn(remaining)
        return tuple(survivors)

    def rest(self, limit_s: float) -> None:
        """Take what the pipes still hold; never waits for more."""
        until = time.monotonic() + limit_s
        while self._pipes and time.monotonic() < until:
            ready = [found for found, _ in self._poll.poll(0) if found in self._pipes]
            if not ready:
                return
            for descriptor in ready:
                self._read(descriptor)

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, self._chunks[descriptor])
        except BlockingIOError:
            return
        if data:
            if len(data) == CHUNK_BYTES:
                self._widen(descriptor)
            self._output(self._pipes[descriptor], data)
        else:
            self._poll.unregister(descriptor)
            del self._pipes[descriptor]

    def _widen(self, descriptor: int) -> None:
        if self._chunks[descriptor] == CHUNK_BYTES:
            self._chunks[descriptor] = FLOOD_BYTES
            # A user who has many such pipes already may not, and other systems than Linux cannot.
            with suppress(OSError, AttributeError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, FLOOD_BYTES)
