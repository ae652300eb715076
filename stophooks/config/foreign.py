"""Files of other tools, read by the rules that hold for ours: small, plain, bounded values."""

from __future__ import annotations

import re

from stophooks.config.document import SyntaxProblemError, located
from stophooks.config.files import read_text
from stophooks.config.parse import parse
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection

    from stophooks.models import Problem

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """What another tool's file says; the value is None where there is a problem, or is not read."""

    text: str
    value: Any = None
    problem: Problem | None = None


def read(path: str, *, parsed: bool, tags: Collection[str] = ()) -> Foreign:
    """The text of a file and, where it is to be parsed, what it says.

    The format is told by the name's ending: JSON, JSON with comments, TOML, else YAML.

    Args:
        path: The file.
        parsed: Whether it is in one of the formats.
        tags: YAML tags that the tool has; a scalar with one is a text that begins with it.

    Raises:
        FileUnusableError: There is no text to be read.
    """
    text = read_text(path)
    if not parsed:
        return Foreign(text=text)
    is_jsonc = path.endswith(".jsonc")
    try:
        document = parse(
            path.removesuffix("c") if is_jsonc else path,
            _bare(text) if is_jsonc else text,
            tags=frozenset(tags),
        )
    except SyntaxProblemError as err:
        problem = located(path, text, err.span, err.message, where=err.where, hint=err.hint)
        return Foreign(text=text, problem=problem)
    return Foreign(text=text, value=document.value)


def _bare(text: str) -> str:
    """JSON with comments without them and without last commas; everything keeps its place."""
    blank = _COMMENT.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
    return _LAST_COMMA.sub(lambda match: match[1] or " ", blank)
