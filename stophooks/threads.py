"""Threads without the import of `threading`, which takes as long as the start of a command.

To the type checker these are the standard library's own. At run time they are the part of them that
this program uses. No thread keeps the program from ending, as if each was a daemon.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Condition, Event, Lock, RLock, Thread, Timer
    from threading import enumerate as enumerate  # noqa: A004, PLC0414 -- its name there
else:
    from _thread import RLock, start_new_thread
    from _thread import allocate_lock as Lock  # noqa: N812 -- its name in threading

    class Event:
        """Something that happens once, and that others can wait for."""

        def __init__(self) -> None:
            # Re-entrant: a signal's handler may set it while its thread is waiting for it.
            self._lock = RLock()
            self._is_set = False
            self._waiting: list[Any] = []

        def is_set(self) -> bool:
            """Whether it has happened."""
            return self._is_set

        def set(self) -> None:
            """It happens now."""
            with self._lock:
                self._is_set = True
                for turn in self._waiting:
                    turn.release()
                self._waiting.clear()

        def wait(self, timeout: float | None = None) -> bool:
            """Wait for it, at most so many seconds; whether it has happened."""
            with self._lock:
                if self._is_set:
                    return True
                turn = Lock()
                turn.acquire()
                self._waiting.append(turn)
            if not _taken(turn, timeout):
                with self._lock:
                    if turn in self._waiting:
                        self._waiting.remove(turn)
            return self._is_set

    class Condition:
        """A lock whose holder can wait for what another holder does."""

        def __init__(self) -> None:
            self._lock = RLock()
            self._waiting: list[Any] = []

        def __enter__(self) -> bool:
            """Take the lock."""
            return self._lock.__enter__()

        def __exit__(self, *why: object) -> None:
            """Give it up."""
            self._lock.__exit__(*why)

        def wait(self, timeout: float | None = None) -> bool:
            """Give the lock up until somebody notifies, at most so many seconds."""
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
            held = self._lock._release_save()  # noqa: SLF001 -- it is for this
            told = False
            try:
                told = _taken(turn, timeout)
            finally:
                self._lock._acquire_restore(held)  # noqa: SLF001 -- the same
                if not told and turn in self._waiting:
                    self._waiting.remove(turn)
            return told

        def wait_for(self, holds: Callable[[], Any]) -> Any:
            """Wait until this holds."""
            while not (found := holds()):
                self.wait()
            return found

        def notify_all(self) -> None:
            """Wake everybody who waits."""
            for turn in self._waiting:
                turn.release()
            self._waiting.clear()

    _running: set[Thread] = set()

    def enumerate() -> list[Thread]:  # noqa: A001 -- its name in threading
        """Those of these threads that run now."""
        return list(_running)

    class Thread:
        """One thread; it runs a function."""

        def __init__(
            self,
            *,
            target: Callable[..., Any],
            args: tuple[Any, ...] = (),
            kwargs: dict[str, Any] | None = None,
            name: str = "",
            daemon: bool = True,
        ) -> None:
            if not daemon:
                raise ValueError("a thread here never keeps the program from ending")
            self.name = name
            self._work = target, args, kwargs or {}
            self._over = Event()
            self._is_begun = False

        def start(self) -> None:
            """Begin.

            Raises:
                RuntimeError: The system gives no more threads.
            """
            self._is_begun = True
            _running.add(self)
            try:
                start_new_thread(self._run, ())
            except RuntimeError:
                self._is_begun = False
                _running.discard(self)
                raise

        def join(self, timeout: float | None = None) -> None:
            """Wait for its end, at most so many seconds."""
            self._over.wait(timeout)

        def is_alive(self) -> bool:
            """Whether it was begun and has not ended."""
            return self._is_begun and not self._over.is_set()

        def _run(self) -> None:
            target, args, given = self._work
            try:
                target(*args, **given)
            finally:
                _running.discard(self)
                self._over.set()

    class Timer(Thread):
        """A thread that calls a function after so many seconds, unless it is cancelled."""

        daemon = True

        def __init__(
            self, interval: float, function: Callable[..., Any], args: tuple[Any, ...] = ()
        ) -> None:
            super().__init__(target=self._wait, args=(interval, function, args))
            self._cancelled = Event()

        def cancel(self) -> None:
            """Do not call it."""
            self._cancelled.set()

        def _wait(
            self, interval: float, function: Callable[..., Any], args: tuple[Any, ...]
        ) -> None:
            if not self._cancelled.wait(interval):
                function(*args)

    def _taken(turn: Any, timeout: float | None) -> bool:
        if timeout is None:
            return bool(turn.acquire())
        return bool(turn.acquire(True, timeout) if timeout > 0 else turn.acquire(False))  # noqa: FBT003 -- it has no names


__all__ = ["Condition", "Event", "Lock", "RLock", "Thread", "Timer", "enumerate"]
