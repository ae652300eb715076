"""The tree of a YAML text: what is written where, aliases not yet followed.

It is made of the parser's events, so that its depth is bounded before anything grows. Scalars are
read as YAML 1.2 reads them (``010`` is ten, ``12:30`` and ``2024-01-01`` are texts), except that
``yes``, ``no``, ``on`` and ``off`` are booleans, as in YAML 1.1: most people and tools expect that
of them.
"""

from __future__ import annotations

import re

import yaml

from stophooks.config.document import (
    MAX_NESTING,
    MAX_VALUES,
    Span,
    SyntaxProblemError,
    quoted,
)
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NULLS = {"", "~", "null", "Null", "NULL"}
_INTEGER = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"


@dataclass(slots=True)
class Node:
    """One value as written: a scalar, or a list or object with its children."""

    span: Span
    tag: str = ""
    scalar: Any = None
    items: list[Node] | None = None
    pairs: list[tuple[Node, Node]] | None = None
    merge: bool = False
    pending: Node | None = field(default=None, repr=False)
    open: bool = False


def compose(text: str, tags: frozenset[str] = frozenset()) -> Node | None:
    """The tree of the only document in a text; None when there is none.

    A scalar with one of the ``tags`` is a text that begins with its tag.

    Raises:
        SyntaxProblemError: There is a second one, it is too deep, or means nothing here.
        yaml.YAMLError: The text is not YAML.
    """
    root: Node | None = None
    stack: list[Node] = []
    anchors: dict[str, Node] = {}
    nodes = 0
    events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise SyntaxProblemError("a second document; only one is read", _span(event))
        if isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            node = stack.pop()
            node.open = False
            node.span = Span(node.span.start, _span(event).end)
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        node = _node(event, anchors, tags)
        nodes += 1
        # Every value may have a key; more need not be kept to be refused.
        if nodes > 2 * MAX_VALUES:
            raise SyntaxProblemError(f"more than {MAX_VALUES:,} values", node.span)
        if stack:
            _attach(stack[-1], node)
        else:
            root = node
        if node.open and not isinstance(event, yaml.AliasEvent):
            stack.append(node)
            if len(stack) > MAX_NESTING:
                raise SyntaxProblemError(f"nested deeper than {MAX_NESTING} levels", node.span)
    return root


def _span(event: Any) -> Span:
    return Span(event.start_mark.index, event.end_mark.index)


def _node(event: Any, anchors: dict[str, Node], tags: frozenset[str]) -> Node:
    span = _span(event)
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise SyntaxProblemError("an alias without its anchor", span)
        if anchors[event.anchor].open:
            raise SyntaxProblemError("an alias inside of what it stands for", span)
        return anchors[event.anchor]
    tag = event.tag or ""
    if isinstance(event, yaml.ScalarEvent):
        plain = event.implicit[0]
        node = Node(span, tag=tag, merge=plain and event.value == _MERGE)
        if tag in tags:
            node.scalar = f"{tag} {event.value}"
        else:
            node.scalar = _scalar(event.value, "!" if not plain and not tag else tag, span)
    elif isinstance(event, yaml.SequenceStartEvent):
        node = Node(span, tag=_structure(tag, "seq", span), items=[], open=True)
    else:
        node = Node(span, tag=_structure(tag, "map", span), pairs=[], open=True)
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _attach(parent: Node, node: Node) -> None:
    if parent.items is not None:
        parent.items.append(node)
    elif parent.pending is None:
        parent.pending = node
    elif parent.pairs is not None:
        parent.pairs.append((parent.pending, node))
        parent.pending = None


def _structure(tag: str, kind: str, span: Span) -> str:
    if tag not in {"", "!", _TAG + kind}:
        raise _unknown_tag(tag, span)
    return tag


def _scalar(text: str, tag: str, span: Span) -> Any:
    """The value of a scalar; quoted ones come with the tag ``!``."""
    if tag in {"!", _TAG + "str"}:
        return text
    if tag not in {"", *(_TAG + kind for kind in ("int", "float", "bool", "null"))}:
        raise _unknown_tag(tag, span)
    if text in _NULLS:
        return None
    if text.lower() in _BOOLEANS and text in {text.lower(), text.title(), text.upper()}:
        return _BOOLEANS[text.lower()]
    if _INFINITE.fullmatch(text):
        raise SyntaxProblemError("not a number with an end", span)
    try:
        if _INTEGER.fullmatch(text):
            return int(text, {"0x": 16, "0o": 8}.get(text[:2], 10))
        return float(text) if _FLOAT.fullmatch(text) else text
    except ValueError as err:
        raise SyntaxProblemError("a number with too many digits", span) from err


def _unknown_tag(tag: str, span: Span) -> SyntaxProblemError:
    shown = tag.replace(_TAG, "!!")
    return SyntaxProblemError(f"the tag {quoted(shown)} means nothing here", span)
