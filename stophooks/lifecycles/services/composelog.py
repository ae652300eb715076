"""What Compose shows as the log of services, line by line."""

from __future__ import annotations

import re
from datetime import datetime

from stophooks.lifecycles.services.base import LogLine
from stophooks.models import Stream
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stophooks.executors.docker.observed import Seen

# As ``logs --no-color --timestamps`` of Compose 1.29 and 2.26 writes it.
_LINE = re.compile(r"(?:\x1b\[[0-9;]*[A-Za-z])*(\S+)\s+\| (\S+Z) ?(.*)", re.DOTALL)
_NUMBER = re.compile(r"[-_]\d+$")
_FRACTION = re.compile(r"(\.\d{6})\d*")


class Lines:
    """Makes lines of what Compose prints, each once however often Compose begins again."""

    def __init__(self, project: str, write: Callable[[LogLine], None]) -> None:
        self._project = project
        self._write = write
        self._service: dict[str, str] = {}
        self._last: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._rest = b""

    def begin(self, seen: Sequence[Seen]) -> None:
        """Compose begins: with everything that these have written until now."""
        self._service = {_short(one.name, self._project): one.service for one in seen}
        self._before = dict(self._last)

    def take(self, stream: Stream, data: bytes) -> None:
        """Take a piece of output; Compose's own messages are none of a service's."""
        if stream is not Stream.STDOUT:
            return
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._line(line)

    def end(self) -> None:
        """Take what has no end."""
        rest, self._rest = self._rest, b""
        if rest:
            self._line(rest)

    def _line(self, line: bytes) -> None:
        found = _LINE.fullmatch(line.decode("utf-8", "replace").rstrip("\r"))
        if found is None:
            return
        name, moment, text = found.groups()
        # Docker writes all moments with the same number of digits.
        if moment <= self._before.get(name, ""):
            return
        self._last[name] = moment
        service = self._service.get(name) or _NUMBER.sub("", name)
        self._write(LogLine(service=service, text=text, at=_seconds(moment)))


def _seconds(moment: str) -> float | None:
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", moment)).timestamp()
    except ValueError:
        return None


def _short(name: str, project: str) -> str:
    """A container's name as Compose shows it beside its output."""
    for mark in "-_":
        name = name.removeprefix(project + mark)
    return name
