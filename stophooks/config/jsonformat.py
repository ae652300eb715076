"""Read JSON with the place of everything in it."""

from __future__ import annotations

from stophooks.config.document import Document, Path, Span, SyntaxProblemError, quoted
from stophooks.jsontext import JsonTextError, Node, scan


def read_json(path: str, text: str) -> Document:
    """The document in a JSON text.

    Raises:
        SyntaxProblemError: It is not JSON, or a key is given twice.
    """
    if not text.strip():
        raise SyntaxProblemError("the file is empty", Span(0, 0))
    try:
        root = scan(text)
    except JsonTextError as err:
        hint = "JSON has no comments; YAML has" if _at_comment(text, err.offset) else None
        raise SyntaxProblemError(
            f"not valid JSON: {err.message}", Span(err.offset, err.offset + 1), hint=hint
        ) from err
    document = Document(path=path, text=text, value=root.value)
    _mark(document, (), root)
    return document


def _mark(document: Document, where: Path, node: Node) -> None:
    """Record the spans of a value and all below it; the scanner has bounded the depth."""
    document.values[where] = Span(node.start, node.end)
    for index, item in enumerate(node.items):
        _mark(document, (*where, index), item)
    for member in node.members:
        step = (*where, member.key)
        span = Span(member.key_start, member.key_end)
        if step in document.keys:
            raise SyntaxProblemError(
                f"the key {quoted(member.key)} is given twice", span, where=where
            )
        document.keys[step] = span
        _mark(document, step, member.node)


def _at_comment(text: str, offset: int) -> bool:
    return text[offset : offset + 2] in {"//", "/*"} or text[offset : offset + 1] == "#"
