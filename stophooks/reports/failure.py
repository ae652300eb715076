"""One result that did not pass, as the lines that tell it: the same for an agent and a person."""

from __future__ import annotations

from enum import IntEnum

from stophooks.models import Severity, Status, Stream, human_duration
from stophooks.reports.cases import Told, told
from stophooks.reports.clean import Lines, line, lines, middle, text
from stophooks.reports.excerpt import excerpt, share, size
from stophooks.reports.words import REASON_WIDTH, happened, never_began
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.models import Command, Outcome, Result

# A script is shown to be recognised, not to be read.
COMMAND_LINES = 5
COMMAND_WIDTH = 200
MESSAGE_WIDTH = 600
# Of each line of text where there is no room for all of it.
BRIEF_WIDTH = 150
# Where there is room for names only.
NAME_WIDTH = 60
HAPPENED_WIDTH = 100
# The failing cases may take one part of these of the room for output, and more if there is more.
CASES_PARTS = 2


class Detail(IntEnum):
    """How much is told about a failure beside its output, from least to most."""

    NAME = 0
    TITLE = 1
    BRIEF = 2
    MESSAGES = 3
    FULL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Lines around an output; of both as much is shown as there is room.

    ``script`` is shown whole in full detail only, else by ``first_line``.
    """

    name: str
    title: str
    messages: tuple[str, ...]
    script: tuple[str, ...]
    first_line: tuple[str, ...]
    below: tuple[str, ...]
    log: tuple[str, ...]
    streams: tuple[tuple[Stream, Lines], ...]
    max_lines: int | None
    cases: Told | None = None

    def rows(self, detail: Detail, output: Sequence[str] = ()) -> list[str]:
        """The lines that tell it in this detail, with its name or title as the first."""
        if detail < Detail.BRIEF:
            return [self.name if detail is Detail.NAME else self.title]
        width = BRIEF_WIDTH if detail is Detail.BRIEF else None
        script = self.script if detail is Detail.FULL else self.first_line
        above = [*_cut(self.messages, width), *script]
        return [self.title, *above, *output, *_cut(self.below, width), *self.log]

    def body(self, output_bytes: int) -> list[str]:
        """The lines under the title in full detail, with at most ``output_bytes`` of output."""
        return self.rows(Detail.FULL, self.output(output_bytes))[1:]

    def wanted_bytes(self, limit: int) -> int:
        """Bytes that all of the output takes, or as much of it as ``limit`` has room for."""
        cases = self.cases.wanted_bytes if self.cases else 0
        return min(limit, cases + self._labels + sum(self._wants(limit - self._labels)))

    def output(self, room: int) -> list[str]:
        """What is shown of the output, a label above each stream, in at most ``room`` bytes."""
        rows = self._case_rows(room)
        left = room - byte_count(rows) - self._labels
        for (stream, shown), max_bytes, max_lines in zip(
            self.streams, share(left, self._wants(left)), self._lines_each, strict=True
        ):
            part = excerpt(shown, max_bytes=max_bytes, max_lines=max_lines)
            rows += [_label(stream), *part] if part else []
        return rows

    def _case_rows(self, room: int) -> list[str]:
        """The failing cases, in what the output leaves of the room, or at least in half of it."""
        if self.cases is None:
            return []
        output = self._labels + sum(self._wants(max(room - self._labels, 0)))
        return self.cases.rows(max(room - output, room // CASES_PARTS))

    @property
    def _labels(self) -> int:
        return sum(byte_count((_label(stream),)) for stream, _ in self.streams)

    @property
    def _lines_each(self) -> list[int]:
        counts = [shown.count for _, shown in self.streams]
        return counts if self.max_lines is None else share(self.max_lines, counts)

    def _wants(self, limit: int) -> list[int]:
        return [
            size(shown, limit=limit, max_lines=most)
            for (_, shown), most in zip(self.streams, self._lines_each, strict=True)
        ]


def failure(result: Result) -> Failure:
    """What there is to tell about a result; its texts are clean and bounded."""
    command, outcome = result.command, result.outcome
    wanted = (
        (Stream.STDOUT, outcome.stdout, command.show_stdout),
        (Stream.STDERR, outcome.stderr, command.show_stderr),
    )
    streams = ((stream, lines(tail)) for stream, tail, show in wanted if show)
    return Failure(
        name=_name(result),
        title=_title(result),
        messages=tuple(_messages(result)),
        script=_script(command, COMMAND_LINES),
        first_line=_script(command, 1),
        below=tuple(_below(outcome)),
        log=_log(outcome),
        streams=tuple((stream, shown) for stream, shown in streams if shown),
        max_lines=command.max_output_lines,
        cases=told(outcome.cases) if outcome.cases else None,
    )


def byte_count(rows: Sequence[str]) -> int:
    """Bytes of the lines in UTF-8, with a newline each."""
    return sum(len(row.encode()) + 1 for row in rows)


def _label(stream: Stream) -> str:
    return f"  {stream}:"


def _cut(rows: tuple[str, ...], width: int | None) -> tuple[str, ...]:
    return rows if width is None else tuple(middle(row, width) for row in rows)


def _kind(result: Result) -> str:
    return "warning: " if result.command.severity is Severity.WARN else ""


def _name(result: Result) -> str:
    name = line(result.title, width=NAME_WIDTH)
    return f"{_kind(result)}{name}: {line(happened(result), width=HAPPENED_WIDTH)}"


def _title(result: Result) -> str:
    name = line(result.title, width=100)
    where = line(result.command.where, width=150)
    outcome = result.outcome
    timed = outcome.status in {Status.FAILED, Status.CANCELLED} and not never_began(outcome)
    after = f" after {human_duration(outcome.duration_s)}" if timed else ""
    if _was_looked_at(outcome):
        return f"{_kind(result)}{name}: {happened(result)}"
    return f"{_kind(result)}{name}: {happened(result)}{after} ({where})"


def _messages(result: Result) -> list[str]:
    command, outcome = result.command, result.outcome
    # The title already says that a command's own time was over, or why it never began.
    known = (outcome.reason or "").startswith("timed out") or never_began(outcome)
    known = known or _was_looked_at(outcome)
    said = [(None if known else outcome.reason, REASON_WIDTH), (outcome.remedy, REASON_WIDTH)]
    said += [(command.message, MESSAGE_WIDTH)]
    return [f"  {line(words, width=width)}" for words, width in said if words]


def _script(command: Command, most: int) -> tuple[str, ...]:
    if not command.show_command:
        return ()
    body = [row for row in text(command.line).split("\n") if row.strip()]
    rows = [line(row, width=COMMAND_WIDTH) for row in body[:most]]
    more = len(body) - len(rows)
    rows += [f"... and {more} more {'line' if more == 1 else 'lines'}"] * bool(more)
    return tuple(f"  {' ' if index else '$'} {row}" for index, row in enumerate(rows))


def _below(outcome: Outcome) -> list[str]:
    said = ["Its memory was exhausted."] if outcome.oom else []
    said += [line(note, width=REASON_WIDTH) for note in outcome.notes]
    said += ["It wrote nothing."] * (_is_silent(outcome) and outcome.exit_code is not None)
    return [f"  {row}" for row in said]


def _log(outcome: Outcome) -> tuple[str, ...]:
    if _is_silent(outcome) or not outcome.log_path:
        return ()
    return (f"  Full output: {line(outcome.log_path, width=1000)}",)


def _was_looked_at(outcome: Outcome) -> bool:
    """Whether nothing was run, and what failed is that something is not as it should be."""
    return outcome.status is Status.FAILED and outcome.exit_code is None


def _is_silent(outcome: Outcome) -> bool:
    return not (outcome.stdout.total_bytes or outcome.stderr.total_bytes)
