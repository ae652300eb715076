"""Read YAML with the place of everything in it."""

from __future__ import annotations

from copy import copy

import yaml

from stophooks.config.document import (
    MAX_NESTING,
    MAX_VALUES,
    Document,
    Path,
    Span,
    SyntaxProblemError,
    quoted,
)
from stophooks.config.yamltree import compose
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stophooks.config.yamltree import Node

# The parser's words for the usual slips, and ours.
_PLAIN_WORDS = {
    "cannot start any token": (
        "this character cannot stand here",
        "indent with spaces, and quote a text that begins with a special character",
    ),
    "mapping values are not allowed": (
        "this colon cannot stand here",
        "quote a text that contains a colon and a space; else mend the indentation",
    ),
    "could not find expected ':'": ("a key without its colon", 'write "key: value"'),
    "expected <block end>": (
        "the indentation fits nothing above",
        "keys of one object begin in the same column",
    ),
    "did not find expected key": (
        "the indentation fits nothing above",
        "keys of one object begin in the same column",
    ),
    "expected ',' or": ("a list or object in brackets that is never closed", None),
    "end of stream": ("a quote that is never closed", None),
    "undefined alias": ("an alias without its anchor", "define it above with &name"),
    "special characters are not allowed": ("a control character", None),
    "unacceptable character": ("a control character", None),
    "unknown escape character": ("an unknown escape", "use single quotes where \\ is meant"),
}


def read_yaml(path: str, text: str, *, tags: frozenset[str] = frozenset()) -> Document:
    """The document in a YAML text.

    Raises:
        SyntaxProblemError: It is not YAML, or not one document of plain values.
    """
    try:
        root = compose(text, tags)
    except yaml.MarkedYAMLError as err:
        raise _syntax_problem(text, err) from err
    except yaml.YAMLError as err:
        position = getattr(err, "position", 0)
        raise SyntaxProblemError(
            "a control character", Span(position, position + 1), hint="remove it"
        ) from err
    if root is None:
        raise SyntaxProblemError("the file is empty", Span(0, 0))
    document = Document(path=path, text=text)
    value = _Expansion(document).value(root, ())
    return Document(path=path, text=text, value=value, keys=document.keys, values=document.values)


class _Expansion:
    """Builds plain values from a tree, aliases and merge keys included, and counts them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._budget = [MAX_VALUES]
        self._merges = 0

    def value(self, node: Node, where: Path) -> Any:
        """The plain value of a node that stands at ``where``."""
        self._spend(node, where)
        if len(where) > MAX_NESTING:
            raise SyntaxProblemError(f"nested deeper than {MAX_NESTING} levels", node.span)
        self._document.values[where] = node.span
        if node.items is not None:
            return [self.value(item, (*where, index)) for index, item in enumerate(node.items)]
        if node.pairs is not None:
            return self._object(node, where)
        return node.scalar

    def _object(self, node: Node, where: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        seen: set[str] = set()
        for key_node, value_node in node.pairs or []:
            if key_node.merge:
                continue
            key = self._key(key_node, where)
            if key in seen:
                raise SyntaxProblemError(
                    f"the key {quoted(key)} is given twice", key_node.span, where=where
                )
            seen.add(key)
            self._document.keys[(*where, key)] = key_node.span
            result[key] = self.value(value_node, (*where, key))
        for key_node, value_node in node.pairs or []:
            if key_node.merge:
                self._merge(value_node, where, result)
        return result

    def _merge(self, source: Node, where: Path, result: dict[str, Any]) -> None:
        """Add what ``<<`` names; what is already there wins."""
        self._merges += 1
        for node in source.items if source.items is not None else [source]:
            self._spend(node, where)
            if node.pairs is None or self._merges > MAX_NESTING:
                raise SyntaxProblemError(
                    '"<<" merges an object or a list of objects', node.span, where=where
                )
            marks = Document(path="", text=self._document.text)
            merged = self._into(marks)._object(node, where)  # noqa: SLF001 - the same class
            self._adopt(marks, where, merged.keys() - result.keys())
            result.update({key: merged[key] for key in merged if key not in result})
        self._merges -= 1

    def _into(self, marks: Document) -> _Expansion:
        """The same expansion, on the same budget, recording its spans elsewhere."""
        other = copy(self)
        other._document = marks  # noqa: SLF001 - the same class
        return other

    def _adopt(self, marks: Document, where: Path, keys: set[str]) -> None:
        """Take over the spans of these keys of the object at ``where``, and all below them."""
        depth = len(where)
        for ours, theirs in (
            (self._document.keys, marks.keys),
            (self._document.values, marks.values),
        ):
            ours.update(
                {path: theirs[path] for path in theirs if len(path) > depth and path[depth] in keys}
            )

    def _spend(self, node: Node, where: Path) -> None:
        self._budget[0] -= 1
        if self._budget[0] < 0:
            raise SyntaxProblemError(
                f"more than {MAX_VALUES:,} values, aliases included", node.span, where=where
            )

    def _key(self, node: Node, where: Path) -> str:
        if isinstance(node.scalar, str):
            return node.scalar
        written = self._document.text[node.span.start : node.span.end].strip()
        if node.items is not None or node.pairs is not None or not written:
            raise SyntaxProblemError("a key that is not a text", node.span, where=where)
        raise SyntaxProblemError(
            f"the key {written} is not a text",
            node.span,
            hint=f"quote it: {quoted(written)}",
            where=where,
        )


def _syntax_problem(text: str, err: yaml.MarkedYAMLError) -> SyntaxProblemError:
    said = f"{err.context or ''} {err.problem or ''}"
    found = next((plain for words, plain in _PLAIN_WORDS.items() if words in said), None)
    message, hint = found or ("this cannot stand here", None)
    mark = err.problem_mark or err.context_mark
    offset = min(mark.index if mark else 0, len(text))
    if text[offset : offset + 1] == "\t":
        message, hint = "a tab cannot indent YAML", "indent with spaces"
    elif "end of stream" in said and err.context_mark:
        offset = err.context_mark.index
    return SyntaxProblemError(f"not valid YAML: {message}", Span(offset, offset + 1), hint=hint)
