"""Turn the text of a configuration into a document: values, and where each one is written."""

from __future__ import annotations

import math
import re
from functools import partial

from stophooks.config.document import (
    MAX_NESTING,
    MAX_VALUES,
    Document,
    Path,
    Span,
    SyntaxProblemError,
)
from stophooks.typed import Any

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def parse(path: str, text: str, *, tags: frozenset[str] = frozenset()) -> Document:
    """The document in ``text``, read as the format that the ending of ``path`` names.

    A YAML scalar with one of the ``tags`` is a text that begins with its tag; ours has none.

    Raises:
        SyntaxProblemError: It is not that format, or holds what no configuration can mean.
    """
    # Each format's reader is imported only for its own files: start-up time counts at each stop.
    if path.endswith(".json"):
        from stophooks.config.jsonformat import read_json as read  # noqa: PLC0415 - see above
    elif path.endswith(".toml"):
        from stophooks.config.tomlformat import read_toml as read  # noqa: PLC0415 - see above
    else:
        from stophooks.config.yamlformat import read_yaml  # noqa: PLC0415 - see above

        read = partial(read_yaml, tags=tags)
    document = read(path, text)
    _check_values(document)
    return document


def _check_values(document: Document) -> None:
    """Refuse what JSON cannot say or no process can be given, wherever it stands."""
    stack: list[tuple[Path, Any]] = [((), document.value)]
    # A long text that many aliases name is one text.
    checked: set[int] = set()
    count = 0
    while stack:
        where, value = stack.pop()
        count += 1
        if count > MAX_VALUES:
            _refuse(document, where, f"more than {MAX_VALUES:,} values")
        if len(where) > MAX_NESTING:
            _refuse(document, where, f"nested deeper than {MAX_NESTING} levels")
        if isinstance(value, dict):
            for key in value:
                _check_text(document, (*where, key), key)
            stack += [((*where, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            stack += [((*where, index), item) for index, item in enumerate(value)]
        elif isinstance(value, str) and id(value) not in checked:
            checked.add(id(value))
            _check_text(document, where, value)
        elif isinstance(value, float) and not math.isfinite(value):
            _refuse(document, where, "not a number with an end")


def _check_text(document: Document, where: Path, text: str) -> None:
    if "\0" in text:
        _refuse(document, where, "a NUL character, which no program can be given")
    if _SURROGATE.search(text):
        _refuse(document, where, "half of a character (a lone surrogate)")


def _refuse(document: Document, where: Path, message: str) -> None:
    span = document.span(where)
    raise SyntaxProblemError(message, Span(span.start, span.end), where=where)
