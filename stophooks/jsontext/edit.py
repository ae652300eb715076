"""Edits of a JSON text that leave every other byte as it was.

No edit parses a document and prints it again: each one splices text, in the layout that the
document already has, so removing what was inserted restores the bytes before it.
"""

from __future__ import annotations

import json
import re

from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.jsontext.scanner import Node

DEFAULT_INDENT = "  "

_NEWLINE = re.compile(r"\r\n|\n|\r")
_LAST_LINE = re.compile(r"(?:\r\n|\n|\r)([ \t]*)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How a document is laid out; ``indent`` None means that it stands on one line."""

    indent: str | None
    newline: str
    colon: str
    comma: str


def insert_member(text: str, root: Node, target: Node, key: str, value: Any) -> str:
    """Return the text with a new last member in the object ``target`` of the document ``root``."""
    layout = _layout(text, root)
    name = json.dumps(key, ensure_ascii=False) + layout.colon
    return _insert(text, target, layout, lambda at: name + _render(value, layout, at))


def insert_item(text: str, root: Node, target: Node, value: Any) -> str:
    """Return the text with a new last item in the array ``target`` of the document ``root``."""
    layout = _layout(text, root)
    return _insert(text, target, layout, lambda at: _render(value, layout, at))


def remove(text: str, target: Node, index: int) -> str:
    """Return the text without the member or item at ``index`` of the container ``target``."""
    spans = _spans(target)
    start, end = spans[index]
    if len(spans) == 1:
        return text[: target.start + 1] + text[target.end - 1 :]
    if index < len(spans) - 1:
        return text[:start] + text[spans[index + 1][0] :]
    return text[: spans[index - 1][1]] + text[end:]


def replace(text: str, node: Node, value: Any) -> str:
    """Return the text with another value, on one line, in the place of ``node``."""
    return text[: node.start] + json.dumps(value, ensure_ascii=False) + text[node.end :]


def _insert(text: str, target: Node, layout: _Layout, render: Callable[[str], str]) -> str:
    spans = _spans(target)
    if not spans:
        return _fill(text, target, layout, render)
    previous_end = spans[-2][1] if len(spans) > 1 else target.start
    gap = text[previous_end : spans[-1][0]].lstrip(",{[")
    line = _LAST_LINE.search(gap)
    if line:
        added = "," + layout.newline + line[1] + render(line[1])
    else:
        added = layout.comma + render(_line_indent(text, spans[-1][0]))
    return text[: spans[-1][1]] + added + text[spans[-1][1] :]


def _fill(text: str, target: Node, layout: _Layout, render: Callable[[str], str]) -> str:
    outer = _line_indent(text, target.start)
    if layout.indent is None:
        inside = render(outer)
    else:
        inner = outer + layout.indent
        inside = layout.newline + inner + render(inner) + layout.newline + outer
    return text[: target.start + 1] + inside + text[target.end - 1 :]


def _render(value: Any, layout: _Layout, at: str) -> str:
    if layout.indent is None:
        separators = (layout.comma, layout.colon)
        return json.dumps(value, ensure_ascii=False, separators=separators)
    printed = json.dumps(
        value, ensure_ascii=False, indent=layout.indent, separators=(",", layout.colon)
    )
    return printed.replace("\n", layout.newline + at)


def _layout(text: str, root: Node) -> _Layout:
    newline = _NEWLINE.search(text)
    colon = text[root.members[0].key_end : root.members[0].node.start] if root.members else ": "
    if _NEWLINE.search(colon):
        colon = ": "
    return _Layout(
        indent=_indent(text, root),
        newline=newline[0] if newline else "\n",
        colon=colon,
        comma=", " if colon.endswith(" ") else ",",
    )


def _indent(text: str, root: Node) -> str | None:
    spans = _spans(root)
    if not spans:
        return DEFAULT_INDENT
    line = _LAST_LINE.search(text[root.start + 1 : spans[0][0]])
    if line is None:
        return None
    outer = _line_indent(text, root.start)
    return line[1].removeprefix(outer) or DEFAULT_INDENT


def _line_indent(text: str, position: int) -> str:
    start = max(text.rfind("\n", 0, position), text.rfind("\r", 0, position)) + 1
    line = text[start:position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _spans(target: Node) -> list[tuple[int, int]]:
    if target.kind == "object":
        return [(member.key_start, member.node.end) for member in target.members]
    return [(item.start, item.end) for item in target.items]
