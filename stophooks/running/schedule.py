"""In what order tasks are done, and which of them at the same time.

Knows numbers and threads, and nothing about commands. The calling thread works too: where one task
at a time is done, there is no other thread.
"""

from __future__ import annotations

from stophooks import threads
from stophooks.contexts import suppress
from stophooks.typed import TYPE_CHECKING, Generic, Protocol, TypeVar
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do.

    ``after`` are the numbers of the tasks that have to be over before it is looked at;
    ``exclusive``: nothing else is done meanwhile; ``memory_bytes`` counts while it is done.
    """

    after: frozenset[int] = frozenset()
    exclusive: bool = False
    memory_bytes: int = 0


class Work(Protocol[T]):
    """What the tasks are about; ``over`` are the results until now, in the order of their ends.

    All but what `begun` returns is called by one thread at a time, and has to return at once.
    """

    def skipped(self, number: int, over: Mapping[int, T]) -> T | None:
        """The result of a task that is not to be done at all, else None."""

    def begun(self, number: int, over: Mapping[int, T]) -> Callable[[], T]:
        """The doing of a task, which some thread calls now."""

    def ended(self, number: int, result: T, over: Mapping[int, T]) -> T:
        """The result of a task as it counts from now on."""

    def broken(self) -> None:
        """A task has raised an exception: those that are being done are to end."""


class Schedule(Generic[T]):
    """Does tasks, each as soon as it may be done, first those with the lower numbers.

    Args:
        tasks: By number, from 0; none may wait, by way of others either, for itself.
        work: What they are about.
        jobs: So many are done at the same time, at most.
        memory_bytes: So much may the memory of those add up to, unless one alone needs more.
    """

    def __init__(
        self, tasks: Sequence[Task], work: Work[T], *, jobs: int, memory_bytes: float
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._jobs = jobs
        self._memory_bytes = memory_bytes
        # In order, and quick to take one out of.
        self._pending = dict.fromkeys(range(len(tasks)))
        self._running: set[int] = set()
        self._over: dict[int, T] = {}
        self._error: BaseException | None = None
        self._changed = threads.Condition()

    def run(self) -> tuple[T, ...]:
        """Do all of them; the results in the order of the tasks.

        What a task raises is raised here, when those that were being done have ended.
        """
        self._do_all(stays=True)
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
        if self._error is not None:
            raise self._error
        return tuple(self._over[number] for number in range(len(self._tasks)))

    def _do_all(self, *, stays: bool) -> None:
        """Do one task after the other; the one thread that stays waits where there is none."""
        number = None
        try:
            while (found := self._take(stays=stays)) is not None:
                number, do = found
                self._end(number, do())
                number = None
        except BaseException as err:  # noqa: BLE001 -- the calling thread raises it
            self._break(err, number)

    def _take(self, *, stays: bool) -> tuple[int, Callable[[], T]] | None:
        """A task that may be done now, and its doing; None where there is nothing more to do."""
        with self._changed:
            while (number := self._startable()) is None:
                if not stays or not (self._pending or self._running):
                    return None
                if not self._running:
                    raise RuntimeError(f"tasks wait for each other: {list(self._pending)}")
                self._changed.wait()
            do = self._work.begun(number, self._over)
            del self._pending[number]
            self._running.add(number)
            if self._startable() is not None:
                self._help()
            return number, do

    def _help(self) -> None:
        """Have another thread do what may be done besides; without one it waits for its turn."""
        with suppress(RuntimeError):  # the system gives no more threads
            threads.Thread(target=self._do_all, kwargs={"stays": False}, daemon=True).start()

    def _end(self, number: int, result: T) -> None:
        with self._changed:
            self._over[number] = self._work.ended(number, result, self._over)
            self._running.discard(number)
            self._changed.notify_all()

    def _break(self, err: BaseException, number: int | None) -> None:
        """Begin nothing any more, and have those end that are being done."""
        with self._changed:
            self._error = self._error or err
            self._pending.clear()
        self._work.broken()
        with self._changed:
            self._running.discard(-1 if number is None else number)
            self._changed.notify_all()

    def _startable(self) -> int | None:
        """The first task that may be done now; those that are not to be done are over then."""
        looks_again = True
        while looks_again and len(self._running) < self._jobs:
            looks_again = False
            for number in self._pending:
                task = self._tasks[number]
                if not self._over.keys() >= task.after:
                    continue
                skipped = self._work.skipped(number, self._over)
                if skipped is not None:
                    del self._pending[number]
                    self._over[number] = self._work.ended(number, skipped, self._over)
                    # Others may have waited for it.
                    looks_again = True
                    break
                if self._fits(task):
                    return number
                if task.exclusive:
                    # What comes after it does not overtake it: it would wait till last.
                    return None
        return None

    def _fits(self, task: Task) -> bool:
        """Whether it may be done beside those that are being done now."""
        if not self._running:
            return True
        beside = [self._tasks[number] for number in self._running]
        if task.exclusive or any(one.exclusive for one in beside):
            return False
        used = sum(one.memory_bytes for one in beside)
        if not task.memory_bytes or not used:
            return True
        return used + task.memory_bytes <= self._memory_bytes
