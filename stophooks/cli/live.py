"""What a person sees while commands run, written by a thread of its own.

The engine's calls come from the threads that keep pipes and connections empty; a terminal that
is stopped, or a pager that nobody pages, must stop neither them nor a command's deadline.
"""

from __future__ import annotations

import sys
import threading
from collections import deque

from stophooks.cli import console
from stophooks.models import KIB, human_size
from stophooks.reports import clean, text
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stophooks.models import Command, Result, Stream

# Output that waits to be shown; what comes on top of it is only in the log.
QUEUE_BYTES = 1024 * KIB
# A line that does not end is shown in pieces of this size.
PIECE_BYTES = 8 * KIB


class Live:
    """An observer that shows results as lines on stdout and progress on stderr.

    ``results`` is off where stdout belongs to a document; ``beside`` shows them on stderr too,
    where stdout belongs to a program. ``verbose`` shows output as it comes, each line behind the
    name of its command. ``titles``: results are shown in this order, in which commands that run at
    the same time need not end.
    """

    def __init__(
        self,
        names: list[str],
        *,
        results: bool,
        verbose: bool,
        beside: bool = False,
        titles: Iterable[str] = (),
    ) -> None:
        self._due = deque(titles)
        self._early: list[Result] = []
        self._width = text.name_width(names)
        self._results = results
        self._verbose = verbose
        self._terminal = sys.stderr.isatty() and not verbose
        self._out = console.err if beside else console.out
        self._colour = console.colour(sys.stderr if beside else sys.stdout)
        self._running: list[str] = []
        self._partial: dict[tuple[str, Stream], bytes] = {}
        self._queue: deque[tuple[Callable[[], None], int]] = deque()
        self._queued_bytes = 0
        self._dropped_bytes = 0
        self._over = False
        self._writing = False
        self._failure: console.OutputError | None = None
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._print, name="live", daemon=True)
        self._thread.start()

    def started(self, command: Command) -> None:
        """Show that it runs."""
        self._put(lambda: self._running.append(command.name))

    def output(self, command: Command, stream: Stream, data: bytes) -> None:
        """Show output behind the command's name, unless too much of it waits already."""
        if not self._verbose:
            return
        with self._wake:
            if self._queued_bytes + len(data) > QUEUE_BYTES:
                self._dropped_bytes += len(data)
                return
            dropped, self._dropped_bytes = self._dropped_bytes, 0
        if dropped:
            self._put(lambda: console.err(_dropped(dropped)))
        self._put(lambda: self._stream(command.name, stream, data), len(data))

    def note(self, command: Command, text: str) -> None:
        """Show a line of progress."""
        self._put(lambda: console.err(f"{_name(command.name)}: {clean.line(text)}"))

    def finished(self, result: Result) -> None:
        """Show the result."""
        self._put(lambda: self._finish(result))

    def settle(self, limit_s: float) -> None:
        """Come back when what was told until now is written, or after so many seconds."""
        with self._wake:
            self._wake.wait_for(lambda: not self._queue and not self._writing, limit_s)

    def close(self) -> None:
        """Come back when everything is written.

        Raises:
            OutputError: Standard output could not be written.
        """
        if self._dropped_bytes:
            self._put(lambda: console.err(_dropped(self._dropped_bytes)))
        self._put(lambda: self._catch_up(is_over=True))
        with self._wake:
            self._over = True
            self._wake.notify()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _put(self, job: Callable[[], None], size: int = 0) -> None:
        with self._wake:
            self._queue.append((job, size))
            self._queued_bytes += size
            self._wake.notify()

    def _print(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._over)
                if not self._queue:
                    return
                job, size = self._queue.popleft()
                self._writing = True
            self._show(job)
            with self._wake:
                self._queued_bytes -= size
                self._writing = False
                self._wake.notify_all()

    def _show(self, job: Callable[[], None]) -> None:
        self._status(shown=False)
        try:
            job()
        except console.OutputError as err:
            # The run goes on; who called close() is told.
            self._failure = err
        self._status(shown=True)

    def _status(self, *, shown: bool) -> None:
        """Draw, or wipe, the terminal's last line: what is running now."""
        if self._terminal and self._running:
            names = ", ".join(map(_name, self._running))
            console.raw_err(f"... {names}" if shown else "\r\x1b[K")

    def _finish(self, result: Result) -> None:
        name = result.title
        for key in [key for key in self._partial if key[0] == name]:
            self._lines(name, [self._partial.pop(key)])
        if name in self._running:
            self._running.remove(name)
        if result.title not in self._due:
            self._result(result)
            return
        self._early.append(result)
        self._catch_up()

    def _catch_up(self, *, is_over: bool = False) -> None:
        """Show what is due; at the end everything, as something due may never come."""
        while self._due and self._early:
            title = self._due.popleft()
            one = next((one for one in self._early if one.title == title), None)
            if one is not None:
                self._early.remove(one)
                self._result(one)
            elif not is_over:
                self._due.appendleft(title)
                return

    def _result(self, result: Result) -> None:
        if self._results:
            self._out(text.one(result, width=self._width, colour=self._colour))

    def _stream(self, name: str, stream: Stream, data: bytes) -> None:
        whole = self._partial.pop((name, stream), b"") + data
        *ended, rest = whole.split(b"\n")
        if len(rest) > PIECE_BYTES:
            ended, rest = [*ended, rest], b""
        if rest:
            self._partial[name, stream] = rest
        self._lines(name, ended)

    def _lines(self, name: str, lines: list[bytes]) -> None:
        if lines:
            shown = (clean.text(line.decode("utf-8", "replace")) for line in lines)
            console.err("\n".join(f"{_name(name)} | {line}" for line in shown))


def _name(name: str) -> str:
    return clean.line(name, width=text.NAME_WIDTH)


def _dropped(count: int) -> str:
    return f"... {human_size(count)} not shown: this terminal is slower than the output ..."
