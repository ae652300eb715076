"""Strict JSON (RFC 8259) with the place of everything in it.

Offsets count characters of the text from 0.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, dumps
from json.decoder import scanstring  # type: ignore[attr-defined]  # missing in the type stubs

from stophooks.errors import StophooksError
from stophooks.typed import Any
from stophooks.values import dataclass

# Far deeper than any configuration, far shallower than Python's recursion limit.
MAX_DEPTH = 64

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LITERALS = {"true": True, "false": False, "null": None}


class JsonTextError(StophooksError):
    """The text is not JSON; ``offset`` is the character where it stops being so."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value of a document and where it stands: ``text[start:end]``.

    ``kind`` is ``object``, ``array``, ``string``, ``number`` or ``literal``. ``value`` is the
    Python value (of a repeated key the last one counts, as in every common parser; ``members``
    shows all of them).
    """

    kind: str
    value: Any
    start: int
    end: int
    members: tuple[Member, ...] = ()
    items: tuple[Node, ...] = ()

    def member(self, key: str) -> Member | None:
        """Return the member that counts for this key, or None."""
        return next((item for item in reversed(self.members) if item.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One ``key: value`` of an object; the key with its quotes is ``text[key_start:key_end]``."""

    key: str
    key_start: int
    key_end: int
    node: Node


def scan(text: str) -> Node:
    """Read the whole text as one value with offsets.

    Raises:
        JsonTextError: The text is not JSON, is nested deeper than `MAX_DEPTH`, or goes on
            after its value.
    """
    node = _value(text, _skip(text, 0), 1)
    end = _skip(text, node.end)
    if end != len(text):
        raise JsonTextError("more text after the end of the document", end)
    return node


def _value(text: str, start: int, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise JsonTextError(f"nested deeper than {MAX_DEPTH} levels", start)
    first = text[start : start + 1]
    if first == "{":
        return _object(text, start, depth)
    if first == "[":
        return _array(text, start, depth)
    if first == '"':
        value, end = _string(text, start)
        return Node(kind="string", value=value, start=start, end=end)
    return _scalar(text, start)


def _object(text: str, start: int, depth: int) -> Node:
    members: list[Member] = []
    position = _skip(text, start + 1)
    while text[position : position + 1] != "}":
        if members:
            position = _skip(text, _expect(text, position, ",", "'}'"))
        if text[position : position + 1] != '"':
            raise JsonTextError(
                "expected a key in double quotes" + _found(text, position), position
            )
        key, key_end = _string(text, position)
        colon = _expect(text, _skip(text, key_end), ":", None)
        node = _value(text, _skip(text, colon), depth + 1)
        members.append(Member(key=key, key_start=position, key_end=key_end, node=node))
        position = _skip(text, node.end)
    value = {member.key: member.node.value for member in members}
    return Node(kind="object", value=value, start=start, end=position + 1, members=tuple(members))


def _array(text: str, start: int, depth: int) -> Node:
    items: list[Node] = []
    position = _skip(text, start + 1)
    while text[position : position + 1] != "]":
        if items:
            position = _skip(text, _expect(text, position, ",", "']'"))
        items.append(_value(text, position, depth + 1))
        position = _skip(text, items[-1].end)
    value = [item.value for item in items]
    return Node(kind="array", value=value, start=start, end=position + 1, items=tuple(items))


def _string(text: str, start: int) -> tuple[str, int]:
    try:
        value, end = scanstring(text, start + 1, True)  # noqa: FBT003 - positional only in C
    except JSONDecodeError as err:
        what = err.msg[:1].lower() + err.msg[1:].removesuffix(" at")
        offset = start if err.msg.startswith("Unterminated") else err.pos
        raise JsonTextError(what, min(offset, len(text))) from err
    return value, end


def _scalar(text: str, start: int) -> Node:
    for word, literal in _LITERALS.items():
        if text.startswith(word, start):
            return Node(kind="literal", value=literal, start=start, end=start + len(word))
    match = _NUMBER.match(text, start)
    if match is None:
        raise JsonTextError(f"expected a value{_found(text, start)}", start)
    try:
        value = float(match[0]) if match[1] or match[2] else int(match[0])
    except ValueError as err:
        raise JsonTextError("a number with too many digits", start) from err
    return Node(kind="number", value=value, start=start, end=match.end())


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _expect(text: str, position: int, wanted: str, other: str | None) -> int:
    if text[position : position + 1] != wanted:
        wish = f"'{wanted}'" + (f" or {other}" if other else "")
        raise JsonTextError(f"expected {wish}{_found(text, position)}", position)
    return position + 1


def _found(text: str, position: int) -> str:
    found = text[position : position + 1]
    return f"; found {dumps(found, ensure_ascii=False)}" if found else "; the text ends here"
