"""Texts, numbers and truth values as YAML that our own reader takes for the same value."""

from __future__ import annotations

import re

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.importing.tree import Scalar

# In a block, YAML 1.2 (chapters 5.3, 7.3.3) leaves these unquoted; fewer than it allows.
_PLAIN = re.compile(r"[A-Za-z0-9_./$(^~][^\n]*")
_PLAIN_IN_BRACKETS = re.compile(r"[A-Za-z0-9_./$(^~+-][A-Za-z0-9_./$()^~+=@% -]*")
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_.-]*")
# What begins like a number or a date is one to some reader.
_NUMBER_LIKE = re.compile(r"[-+]?[.0-9][-+.0-9xoA-Fa-f_:eETZ ]*")
_WORDS = {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_STOPS = (": ", " #", "\t")
# What no YAML text may hold, what ends a line in some reader, and what nobody sees.
_UNPRINTABLE = re.compile(
    r"[^\t\n\x20-\x7e\xa0-\u2027\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|[\u200b-\u200f\u202a-\u202e\u2060-\u206f]"
)
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_QUOTED = re.compile(rf'{_UNPRINTABLE.pattern}|[\n\t"\\]')


def lines(head: str, value: Scalar, indent: str) -> Iterator[str]:
    """The lines of a value behind ``head``; a text of several lines becomes a literal block."""
    if isinstance(value, str) and "\n" in value and _fits_a_block(value):
        yield f"{head} {_header(value)}"
        # The last newline is said by the header.
        for line in value.removesuffix("\n").split("\n"):
            yield f"{indent}  {line}" if line else ""
    else:
        yield f"{head} {inline(value)}"


def inline(value: Scalar, *, in_brackets: bool = False) -> str:
    """A value on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _is_plain(value, in_brackets=in_brackets) else quoted(value)
    return repr(value)


def key(text: str) -> str:
    """A key of an object."""
    plain = _PLAIN_KEY.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else quoted(text)


def quoted(text: str) -> str:
    """A text in double quotes."""
    return f'"{_QUOTED.sub(_escape, text)}"'


def printable(text: str) -> str:
    """A text for a comment: what cannot be printed is escaped."""
    return _UNPRINTABLE.sub(_escape, text).replace("\t", " ")


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _SHORT.get(char) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")  # noqa: PLR2004 - the last of four digits


def _is_plain(text: str, *, in_brackets: bool) -> bool:
    pattern = _PLAIN_IN_BRACKETS if in_brackets else _PLAIN
    return (
        bool(pattern.fullmatch(text))
        and not _NUMBER_LIKE.fullmatch(text)
        and text.lower() not in _WORDS
        and not any(stop in text for stop in _STOPS)
        and not text.endswith((" ", ":"))
        and not text.startswith(("- ", "--- ", "... "))
        and text not in {"-", "---", "..."}
        and not _UNPRINTABLE.search(text)
    )


def _fits_a_block(text: str) -> bool:
    # Blank lines at its end would be taken together with those that follow it.
    return not _UNPRINTABLE.search(text) and bool(text.strip()) and not text.endswith("\n\n")


def _header(text: str) -> str:
    """``|`` with what a reader cannot see from the lines: where they begin, how they end."""
    begins = "2" if text.startswith((" ", "\n", "\t")) else ""
    ends = "" if text.endswith("\n") else "-"
    return f"|{begins}{ends}"
