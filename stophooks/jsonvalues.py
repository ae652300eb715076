"""JSON without the import of `json`, which loads `re` to find blanks between tokens.

CPython's scanner and encoder are compiled, and `json` is what calls them. Where they are not to be
had, or find anything wrong, the standard library's own functions say what.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_BLANKS = " \t\n\r"
_CONSTANTS = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}


class _Context:
    """How `json.loads` has its scanner read."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = _CONSTANTS.__getitem__


def _compiled() -> tuple[Callable[[str, int], tuple[Any, int]], Callable[..., Any]] | None:
    try:
        from _json import encode_basestring_ascii, make_encoder, make_scanner  # noqa: PLC0415 -- may be missing
    except ImportError:
        return None

    def encoder(*, sort_keys: bool, compact: bool) -> Callable[[Any, int], tuple[str, ...]]:
        colon, comma = (":", ",") if compact else (": ", ", ")
        return make_encoder(
            *({}, _refused, encode_basestring_ascii, None, colon, comma),
            *(sort_keys, False, True),  # no keys are skipped; NaN is allowed
        )

    scanner: Callable[[Any], Any] = make_scanner
    try:
        encoder(sort_keys=False, compact=False)
        return scanner(_Context()), encoder
    except (TypeError, AttributeError):
        # Another version's, which asks for something else.
        return None


def _refused(value: object) -> Any:
    raise TypeError(f"a {type(value).__name__} has no JSON form")


_scan, _encoder = _compiled() or (None, None)


def loads(text: str) -> Any:
    """The value in a text.

    Raises:
        ValueError: It is not JSON, or there is more behind it.
        RecursionError: It is nested too deeply.
    """
    value, end = first(text)
    if text[end:].strip(_BLANKS):
        import json  # noqa: PLC0415 -- for its words

        return json.loads(text)
    return value


def first(text: str) -> tuple[Any, int]:
    """The first value in a text, and where it ends.

    Raises:
        ValueError: It begins with none.
        RecursionError: It is nested too deeply.
    """
    start = len(text) - len(text.lstrip(_BLANKS))
    if _scan is not None:
        try:
            return _scan(text, start)
        except (StopIteration, SystemError):
            # The second one is Python 3.11's, which wants to raise an error of a module that is
            # not imported.
            pass
    import json  # noqa: PLC0415 -- for its words

    return json.JSONDecoder().raw_decode(text, start)


def dumps(value: Any, *, sort_keys: bool = False, compact: bool = False) -> str:
    """The text of a value, in ASCII; ``compact``: without blanks.

    Raises:
        TypeError: Something in it has no JSON form.
        ValueError: It contains itself.
    """
    if _encoder is None:
        import json  # noqa: PLC0415 -- see above

        return json.dumps(
            value, sort_keys=sort_keys, separators=(",", ":") if compact else (", ", ": ")
        )
    return "".join(_encoder(sort_keys=sort_keys, compact=compact)(value, 0))
