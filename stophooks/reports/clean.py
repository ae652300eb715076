"""Make text out of whatever a program wrote: valid, printable, bounded, without any power left.

A terminal's escape sequences, a spinner's carriage returns and invisible characters that reorder
or hide text must reach neither a model nor a person's terminal.
"""

from __future__ import annotations

from stophooks import patterns
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.models import Tail

# What one line may be at most, in characters; a minified bundle is one line of a megabyte.
MAX_LINE = 500
# Under this many characters there is no room to say how much is missing.
_SHORT = 80

# ECMA-48: CSI, the five control strings (ended by BEL or ST, here also by the end of the line, so
# that an unterminated one hides no more than its own line), and two-character escapes.
_ESCAPES = patterns.compiled(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = patterns.compiled(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+")
# Unicode TR36 and CVE-2021-42574: direction overrides and isolates, zero-width and tag characters,
# line separators that only some programs take for one, and lone surrogates.
_INVISIBLE = patterns.compiled(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A stream as clean lines; between ``head`` and ``tail`` ``cut_bytes`` were never kept.

    Where nothing is missing all lines are in ``tail`` and ``cut_bytes`` is 0.
    """

    head: tuple[str, ...]
    tail: tuple[str, ...]
    cut_bytes: int

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.head or self.tail)

    @property
    def count(self) -> int:
        """How many lines there are to show."""
        return len(self.head) + len(self.tail)


def text(raw: str) -> str:
    """The printable part of a text: of control characters only newline and tab remain."""
    if raw.isascii() and raw.isprintable():
        return raw
    plain = _ESCAPES.sub("", raw) if "\x1b" in raw or not raw.isascii() else raw
    plain = _collapse(plain)
    plain = _CONTROLS.sub("", plain)
    return plain if plain.isascii() else _INVISIBLE.sub("", plain)


def line(raw: str, *, width: int = MAX_LINE) -> str:
    """A text as one clean line of at most ``width`` characters."""
    return middle(" ".join(text(raw).split()), width)


def middle(raw: str, width: int) -> str:
    """A line cut in its middle to at most ``width`` characters, saying how much is missing."""
    if len(raw) <= width:
        return raw
    if width < _SHORT:
        return raw[: max(width - 3, 0)] + "..."[:width]
    keep = width - len(_left_out(len(raw)))
    return raw[: keep // 2] + _left_out(len(raw) - keep) + raw[len(raw) - (keep - keep // 2) :]


def _left_out(count: int) -> str:
    return f" [... {count} characters left out ...] "


def lines(stream: Tail) -> Lines:
    """A captured stream as clean lines, without blank ones at its ends."""
    if stream.cut_bytes <= 0:
        whole = text((stream.head + stream.tail).decode("utf-8", "replace"))
        return Lines(head=(), tail=_split(whole), cut_bytes=0)
    # A character that the gap cuts in two is dropped on both sides.
    import codecs  # noqa: PLC0415 -- hardly any output is cut
    import re  # noqa: PLC0415 -- the same

    head = codecs.getincrementaldecoder("utf-8")("replace").decode(stream.head)
    tail = re.sub(rb"\A[\x80-\xbf]{1,3}", b"", stream.tail).decode("utf-8", "replace")
    return Lines(head=_split(text(head)), tail=_split(text(tail)), cut_bytes=stream.cut_bytes)


def _split(cleaned: str) -> tuple[str, ...]:
    stripped = cleaned.strip("\n")
    return tuple(stripped.split("\n")) if stripped.strip() else ()


def _collapse(raw: str) -> str:
    """Lines as a terminal leaves them: what a carriage return or a backspace overwrote is gone."""
    if "\r" in raw:
        states = (body.rstrip("\r").rpartition("\r")[2] for body in raw.split("\n"))
        raw = "\n".join(states)
    return _overstrike(raw) if "\b" in raw else raw


def _overstrike(raw: str) -> str:
    kept: list[str] = []
    for char in raw:
        if char != "\b":
            kept.append(char)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)
