"""Who watches a run and who keeps its output."""

from __future__ import annotations

from stophooks import threads
from stophooks.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from stophooks.models import Command, Item, Outcome, Result, Stream
    from stophooks.secrets.mask import Mask


class Log(Protocol):
    """The full output of one command, on disk; ``error`` says why it is not the full one."""

    path: str
    error: str | None

    def write(self, data: bytes) -> None:
        """Append output."""

    def close(self) -> None:
        """Finish the file."""


class Logs(Protocol):
    """Where the logs of one run are made."""

    def open(self, index: int, name: str) -> Log:
        """The log of the command that is the ``index``-th to run, counted from 0.

        Raises:
            StoreError: It cannot be made.
        """


class Memo(Protocol):
    """Knows which commands need not run; both calls are safe across threads, and may take time."""

    def known(self, command: Command, item: Item | None) -> Outcome | None:
        """The outcome of a command that need not run, asked just before it would; else None."""

    def ended(self, command: Command, outcome: Outcome) -> None:
        """Take note of how a command has ended that was not known."""


class Observer(Protocol):
    """Watches a run; every call must return at once.

    Where commands run at the same time, so come the calls, from several threads, and commands end
    in another order than that of the report.
    """

    def started(self, command: Command) -> None:
        """The command is about to run; its name has the item's, if it runs for one."""

    def output(self, command: Command, stream: Stream, data: bytes) -> None:
        """The command has said something."""

    def note(self, command: Command, text: str) -> None:
        """Something is worth a line of progress (an image being pulled …)."""

    def finished(self, result: Result) -> None:
        """The command has ended."""


class Output:
    """Passes one command's output to its log and to the observer."""

    def __init__(
        self, command: Command, log: Log | None, observer: Observer | None, mask: Mask
    ) -> None:
        self._command = command
        self._mask = mask
        self._log = log
        self._observer = observer
        self._lock = threads.Lock()

    def write(self, stream: Stream, data: bytes) -> None:
        """Take output from any thread."""
        with self._lock:
            if self._log is not None:
                self._log.write(data)
            if self._observer is not None:
                self._observer.output(self._command, stream, data)

    def note(self, text: str) -> None:
        """Take progress."""
        if self._observer is not None:
            self._observer.note(self._command, self._mask.text(text))
