"""supervisord's own log as a source of events.

supervisord sends events only to programs of its own file. Its log has every start and end, with the
exit code or the signal, in order, also of what came and went between two looks.
"""

from __future__ import annotations

import re
import signal
import time
from enum import StrEnum

from stophooks.models import KIB, MIB, SIGNAL_BASE
from stophooks.values import dataclass

# How much of the end of the log is asked for: as a rule, and where that does not reach far enough.
USUAL_BYTES = 4 * KIB
MOST_BYTES = 1 * MIB
# So much of what was read last is looked for in what is read next; each line has its own time.
_ANCHOR = 400
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ([A-Z]{4}) (.*)")
# What supervisord says (its process.py, 4.2.5, read 2026-11-30).
_SPAWNED = re.compile(r"spawned: '(.+)' with pid (\d+)")
_ENDED = re.compile(
    r"(exited|stopped): (.+?) \((?:exit status (\d+)|terminated by ([^;()]+?))"
    r"(?: \(core dumped\))?(?:; (?:not )?expected)?\)"
)
_UP = re.compile(r"success: (.+) entered RUNNING state, .*")
_GAVE_UP = re.compile(r"gave up: (.+) entered FATAL state, .*")
# At these levels the log has what programs print, which may look like anything.
_LOUD = frozenset({"DEBG", "TRAC", "BLAT"})


class Word(StrEnum):
    """What a line says of a process."""

    SPAWNED = "spawned"
    EXITED = "exited"
    STOPPED = "stopped"
    UP = "up"
    GAVE_UP = "gave up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line about one process; ``exit_code`` is 128 + ``signal`` where a signal ended it."""

    word: Word
    name: str
    pid: int = 0
    exit_code: int | None = None
    signal: int | None = None


class Log:
    """What of the log is new.

    ``is_loud`` says that the log is of no use: it has the output of programs too.
    """

    def __init__(self) -> None:
        self._anchor: str | None = None
        self._stamp = ""
        self.is_loud = False

    def begin(self, text: str | None) -> None:
        """Take the end of the log as it is now, None where there is none: it is no news."""
        self._stamp = _now()
        if text is not None:
            self._anchor = text[-_ANCHOR:]
            self._notice(_lines(text))

    def reaches(self, text: str) -> bool:
        """Whether the end of the log, as it is now, reaches back to what was read before."""
        return self._anchor is not None and self._anchor in text

    def take(self, text: str) -> list[Said]:
        """What is new in the end of the log, in order.

        Where what was read last is not in it, it is another log, and its lines have to be newer.
        """
        # An empty log is found at the beginning of what follows.
        at = -1 if self._anchor is None else text.rfind(self._anchor) if self._anchor else 0
        new = text if at < 0 else text[at + len(self._anchor or "") :]
        whole = new[: new.rfind("\n") + 1]
        lines = _lines(whole)
        if at < 0:
            lines = [line for line in lines if line[0] > self._stamp]
        self._anchor = text[: len(text) - len(new) + len(whole)][-_ANCHOR:]
        self._notice(lines)
        if self.is_loud:
            return []
        return [said for *_, line in lines if (said := _said(line)) is not None]

    def _notice(self, lines: list[tuple[str, str, str]]) -> None:
        self.is_loud = self.is_loud or any(level in _LOUD for _, level, _ in lines)
        if lines:
            self._stamp = lines[-1][0]


def _now() -> str:
    """The time as supervisord writes it, which is that of this machine."""
    now = time.time()
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))},{int(now % 1 * 1000):03}"


def _lines(text: str) -> list[tuple[str, str, str]]:
    """The whole lines: when, at which level, and what."""
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    return [(one[1], one[2], one[3]) for one in found if one]


def _said(line: str) -> Said | None:
    if found := _SPAWNED.fullmatch(line):
        return Said(word=Word.SPAWNED, name=found[1], pid=int(found[2]))
    if found := _ENDED.fullmatch(line):
        number = _signal(found[4])
        code = int(found[3]) if found[3] else None if number is None else SIGNAL_BASE + number
        return Said(word=Word(found[1]), name=found[2], exit_code=code, signal=number)
    if found := _UP.fullmatch(line):
        return Said(word=Word.UP, name=found[1])
    if found := _GAVE_UP.fullmatch(line):
        return Said(word=Word.GAVE_UP, name=found[1])
    return None


def _signal(name: str | None) -> int | None:
    """The number of ``SIGKILL`` or ``signal 64``."""
    if name is None:
        return None
    number = name.removeprefix("signal ")
    if number.isdecimal():
        return int(number)
    return int(signal.Signals[name]) if name in signal.Signals.__members__ else None
