"""One result that did not pass, as the lines that tell it: the same for an agent and a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stophooks.models import Severity, Status, Stream, human_duration
from stophooks.reports.clean import Lines, line, lines, text
from stophooks.reports.excerpt import excerpt, share, size
from stophooks.reports.words import happened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.models import Outcome, Result

# A script is shown to be recognised, not to be read.
COMMAND_LINES = 5
COMMAND_WIDTH = 200
MESSAGE_WIDTH = 600
REASON_WIDTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Fixed lines around an output of which as much is shown as there is room."""

    title: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    streams: tuple[tuple[Stream, Lines], ...]
    max_lines: int | None

    @property
    def fixed_bytes(self) -> int:
        """Bytes that everything but the output takes, with a blank line before it."""
        labels = (_label(stream) for stream, _ in self.streams)
        return byte_count(("", self.title, *self.above, *labels, *self.below))

    def wanted_bytes(self, limit: int) -> int:
        """Bytes that all of the output takes, counted no further than ``limit``."""
        return min(limit, sum(size(shown, limit=limit) for _, shown in self.streams))

    def body(self, output_bytes: int) -> list[str]:
        """The lines under the title, with at most ``output_bytes`` bytes of output."""
        return [*self.above, *self._output(output_bytes), *self.below]

    def _output(self, room: int) -> list[str]:
        counts = [shown.count for _, shown in self.streams]
        lines_each = counts if self.max_lines is None else share(self.max_lines, counts)
        bytes_each = share(room, [size(shown, limit=room) for _, shown in self.streams])
        rows: list[str] = []
        for (stream, shown), max_bytes, max_lines in zip(
            self.streams, bytes_each, lines_each, strict=True
        ):
            part = excerpt(shown, max_bytes=max_bytes, max_lines=max_lines)
            rows += [_label(stream), *part] if part else []
        return rows


def failure(result: Result) -> Failure:
    """What there is to tell about a result; its texts are clean and bounded."""
    command, outcome = result.command, result.outcome
    wanted = (
        (Stream.STDOUT, outcome.stdout, command.show_stdout),
        (Stream.STDERR, outcome.stderr, command.show_stderr),
    )
    streams = ((stream, lines(tail)) for stream, tail, show in wanted if show)
    return Failure(
        title=_title(result),
        above=tuple(_above(result)),
        below=tuple(_below(outcome)),
        streams=tuple((stream, shown) for stream, shown in streams if shown),
        max_lines=command.max_output_lines,
    )


def byte_count(rows: Sequence[str]) -> int:
    """Bytes of the lines in UTF-8, with a newline each."""
    return sum(len(row.encode()) + 1 for row in rows)


def _label(stream: Stream) -> str:
    return f"  {stream}:"


def _title(result: Result) -> str:
    kind = "warning: " if result.command.severity is Severity.WARN else ""
    name = line(result.command.name, width=100)
    where = line(result.command.where, width=150)
    status = result.outcome.status
    took = human_duration(result.outcome.duration_s)
    after = f" after {took}" if status in {Status.FAILED, Status.CANCELLED} else ""
    return f"{kind}{name}: {happened(result)}{after} ({where})"


def _above(result: Result) -> list[str]:
    command, outcome = result.command, result.outcome
    # The title already says that a command's own time was over.
    known = (outcome.reason or "").startswith("timed out")
    said = [(None if known else outcome.reason, REASON_WIDTH), (outcome.remedy, REASON_WIDTH)]
    said += [(command.message, MESSAGE_WIDTH)]
    rows = [f"  {line(words, width=width)}" for words, width in said if words]
    return rows + (_script(command.line) if command.show_command else [])


def _script(script: str) -> list[str]:
    body = [row for row in text(script).split("\n") if row.strip()]
    rows = [line(row, width=COMMAND_WIDTH) for row in body[:COMMAND_LINES]]
    more = len(body) - len(rows)
    rows += [f"... and {more} more {'line' if more == 1 else 'lines'}"] * bool(more)
    return [f"  {' ' if index else '$'} {row}" for index, row in enumerate(rows)]


def _below(outcome: Outcome) -> list[str]:
    said = ["Its memory was exhausted."] if outcome.oom else []
    said += [line(note, width=REASON_WIDTH) for note in outcome.notes]
    silent = not (outcome.stdout.total_bytes or outcome.stderr.total_bytes)
    if silent and outcome.exit_code is not None:
        said.append("It wrote nothing.")
    elif outcome.log_path and not silent:
        said.append(f"Full output: {line(outcome.log_path, width=1000)}")
    return [f"  {row}" for row in said]
