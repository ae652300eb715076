"""Read TOML with the place of everything in it.

The standard library's reader says what the values are; a scanner, which may rely on the text
being valid, says where they stand.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date, time

from stophooks.config.document import MAX_NESTING, Document, Path, Span, SyntaxProblemError
from stophooks.typed import Any

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_FILLER = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\r\n]*")
_BASIC = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LITERAL = re.compile(r"'([^']*)'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}", re.DOTALL)
# Key parts joined by dots, more of them than may be nested: the reader needs time and memory that
# grow with the square of their number. Quoted parts are bounded, or this search would do the same.
_PART = r"""(?:[\w-]+|"(?:[^"\\\n]|\\.){0,64}"|'[^'\n]{0,64}')"""
_DOTTED = re.compile(rf"(?<![\w-])(?:{_PART}[ \t]*\.[ \t]*){{{MAX_NESTING + 1}}}")


def read_toml(path: str, text: str) -> Document:
    """The document in a TOML text.

    Raises:
        SyntaxProblemError: It is not TOML, or holds a date, which no configuration can mean.
    """
    if not text.strip():
        raise SyntaxProblemError("the file is empty", Span(0, 0))
    deep = _DOTTED.search(text)
    if deep:
        raise SyntaxProblemError(
            f"nested deeper than {MAX_NESTING} levels", Span(deep.start(), deep.end())
        )
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise _syntax_problem(text, str(err)) from err
    except (RecursionError, ValueError) as err:
        message = "nested too deeply" if isinstance(err, RecursionError) else "an impossible number"
        raise SyntaxProblemError(f"not valid TOML: {message}", Span(0, 0)) from err
    scanner = _Scanner(text)
    scanner.scan()
    document = Document(path=path, text=text, value=value, keys=scanner.keys, values=scanner.values)
    _refuse_dates(document, (), value)
    return document


def _refuse_dates(document: Document, where: Path, value: Any) -> None:
    if len(where) > MAX_NESTING:
        raise SyntaxProblemError(
            f"nested deeper than {MAX_NESTING} levels", document.span(where), where=where
        )
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_dates(document, (*where, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_dates(document, (*where, index), item)
    elif isinstance(value, (date, time)):
        raise SyntaxProblemError(
            "a date or time; no key takes one",
            document.span(where),
            hint="quote it where a text is meant",
            where=where,
        )


def _syntax_problem(text: str, said: str) -> SyntaxProblemError:
    place = _PLACE.search(said)
    message = _PLACE.sub("", said)
    message = message[:1].lower() + message[1:]
    offset = len(text.rstrip())
    if place and place[1]:
        above = text.split("\n")[: int(place[1]) - 1]
        offset = sum(len(line) + 1 for line in above) + int(place[2]) - 1
    return SyntaxProblemError(f"not valid TOML: {message}", Span(offset, offset + 1))


class _Scanner:
    """Finds the spans of all keys and values of a text that is known to be valid TOML."""

    def __init__(self, text: str) -> None:
        self.keys: dict[Path, Span] = {}
        self.values: dict[Path, Span] = {}
        self._text = text
        self._at = 0
        # How many tables each array of tables has so far.
        self._counts: dict[Path, int] = {}

    def scan(self) -> None:
        """Record everything from the first line to the last."""
        table: Path = ()
        self.values[()] = Span(0, 0)
        self._skip(_FILLER)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_FILLER)

    def _header(self) -> Path:
        start = self._at
        array = self._text.startswith("[[", start)
        self._at += 2 if array else 1
        parts = self._key_parts()
        self._at += 2 if array else 1
        where: Path = ()
        for index, (part, span) in enumerate(parts):
            where = (*where, part)
            self.keys.setdefault(where, span)
            last = index == len(parts) - 1
            if last and array:
                self._counts[where] = self._counts.get(where, 0) + 1
            if last:
                self.keys[where] = span
            if where in self._counts:
                where = (*where, self._counts[where] - 1)
        self.values[where] = Span(start, self._at)
        return where

    def _pair(self, table: Path) -> None:
        where = table
        for part, span in self._key_parts():
            where = (*where, part)
            self.keys.setdefault(where, span)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(where)

    def _key_parts(self) -> list[tuple[str, Span]]:
        """A dotted key's parts; ends behind the blanks that follow it."""
        parts = []
        while True:
            self._skip(_BLANK)
            start = self._at
            quote = self._text[start : start + 1]
            pattern = {'"': _BASIC, "'": _LITERAL}.get(quote, _BARE_KEY)
            match = pattern.match(self._text, start)
            written = match[0] if match else ""
            self._at += max(len(written), 1)
            name = next(iter(tomllib.loads(f"{written} = 0"))) if quote in {'"', "'"} else written
            parts.append((name, Span(start, self._at)))
            self._skip(_BLANK)
            if self._text[self._at : self._at + 1] != ".":
                return parts
            self._at += 1

    def _value(self, where: Path) -> None:
        start = self._at
        opening = self._text[start : start + 1]
        if opening == "[":
            self._items(where, "]")
        elif opening == "{":
            self._items(where, "}")
        else:
            self._skip(self._scalar(start))
        end = start + len(self._text[start : self._at].rstrip())
        self.values[where] = Span(start, end)

    def _scalar(self, start: int) -> re.Pattern[str]:
        for opening, pattern in (
            ('"""', _LONG_BASIC),
            ("'''", _LONG_LITERAL),
            ('"', _BASIC),
            ("'", _LITERAL),
        ):
            if self._text.startswith(opening, start):
                return pattern
        return _BARE_VALUE

    def _items(self, where: Path, closing: str) -> None:
        """The items of a list or the pairs of an inline table."""
        self._at += 1
        self._skip(_FILLER)
        index = 0
        while self._at < len(self._text) and self._text[self._at] != closing:
            if closing == "]":
                self._value((*where, index))
            else:
                self._pair(where)
            index += 1
            self._skip(_FILLER)
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at + 1
