"""What every format's reader gives back, and how much of it."""

from __future__ import annotations

import json

from stophooks.models import MIB, Case
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator

# A larger file is not read: one JSON text of it takes up to twenty times as much memory.
MAX_BYTES = 4 * MIB
# Nobody mends more at a time, and no more fit into an answer.
MAX_CASES = 50
# Of each text of a case, in characters.
FILE_WIDTH, NAME_WIDTH, MESSAGE_WIDTH = 300, 200, 600


class NotUnderstoodError(Exception):
    """The data is not of this format; the text says in what."""


@dataclass(slots=True)
class Found:
    """Failing cases as they are met: all are counted, the first are kept, cut to a width."""

    total: int = 0
    first: list[Case] = field(default_factory=list)

    def add(
        self, *, file: object = None, line: object = None, name: object = None, message: object = ""
    ) -> None:
        """Take one case; a value of another type than is expected is left out."""
        self.total += 1
        if len(self.first) < MAX_CASES:
            self.first.append(
                Case(
                    file=_text(file, FILE_WIDTH) or None,
                    line=line if _is_line(line) else None,  # type: ignore[arg-type]
                    name=_text(name, NAME_WIDTH) or None,
                    message=_text(message, MESSAGE_WIDTH),
                )
            )


def document(data: bytes) -> Any:
    """The JSON document that the bytes are.

    Raises:
        NotUnderstoodError: They are none.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as err:
        raise NotUnderstoodError("it is not JSON") from err


def documents(data: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects, each on a line of its own; other lines are not the tool's.

    Raises:
        NotUnderstoodError: There is none.
    """
    is_any = False
    for row in data.splitlines():
        if row.lstrip().startswith(b"{"):
            try:
                value = json.loads(row)
            except (ValueError, RecursionError):
                continue
            is_any = True
            yield value
    if not is_any and data.strip():
        raise NotUnderstoodError("no line of it is a JSON object")


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def part(value: object, *keys: str) -> Any:
    """What is at the end of the keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: object, width: int) -> str:
    return value[:width] if isinstance(value, str) else ""


def _is_line(value: object) -> bool:
    most = 10**9
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < most
