"""A configuration of ours as YAML with comments; the same one always gives the same text."""

from __future__ import annotations

import textwrap

from stophooks.importing import scalars
from stophooks.importing.tree import Block, Items, Pair, Remark
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.importing.tree import Value

_STEP = "  "
# Columns of a comment with its indentation; text that is not ours is never folded.
_COLUMNS = 98
_LEAST_COLUMNS = 40
# Columns of a list in brackets.
_BRACKETS = 80
# What a person can look for.
LOST = "no equal: "


def render(tree: Block, *, head: str) -> str:
    """The whole text; ``head`` is the comment at its top."""
    rows = [*_comment(head, "")]
    before: Pair | Remark = Remark(text=head)
    for part in tree.parts:
        # What explains the next part stands at it, and what is lost stands together.
        explains = isinstance(before, Remark) and not before.lost
        together = isinstance(before, Remark) and isinstance(part, Remark) and before.text != head
        rows += [] if explains or together else [""]
        rows += _part(part, "")
        before = part
    return "\n".join(rows).rstrip("\n") + "\n"


def _block(block: Block, indent: str) -> Iterator[str]:
    for part in block.parts:
        yield from _part(part, indent)


def _part(part: Pair | Remark, indent: str) -> Iterator[str]:
    if isinstance(part, Remark):
        yield from _remark(part, indent)
    else:
        yield from _valued(f"{indent}{scalars.key(part.key)}:", part.value, indent)


def _valued(head: str, value: Value, indent: str) -> Iterator[str]:
    if isinstance(value, Block):
        yield head if value.pairs else f"{head} {{}}"
        yield from _block(value, indent + _STEP)
    elif isinstance(value, Items):
        short = _in_brackets(value)
        if short is not None and len(head) + len(short) < _BRACKETS:
            yield f"{head} {short}"
        else:
            yield head if value.values else f"{head} []"
            yield from _items(value, indent + _STEP)
    else:
        yield from scalars.lines(head, value, indent)


def _in_brackets(items: Items) -> str | None:
    """A list of short values on one line; None where it needs more."""
    values = [part for part in items.parts if not isinstance(part, (Block, Items, Remark))]
    if len(values) < len(items.parts) or any(isinstance(v, str) and "\n" in v for v in values):
        return None
    return f"[{', '.join(scalars.inline(value, in_brackets=True) for value in values)}]"


def _items(items: Items, indent: str) -> Iterator[str]:
    apart = any(isinstance(part, Block) for part in items.parts)
    for index, part in enumerate(items.parts):
        if index and apart:
            yield ""
        if isinstance(part, Remark):
            yield from _remark(part, indent)
        elif isinstance(part, Block) and part.pairs:
            yield from _dashed(part, indent)
        else:
            yield from _valued(f"{indent}-", part, indent)


def _dashed(block: Block, indent: str) -> Iterator[str]:
    """An object of a list: comments before its first key stand above the dash."""
    first = next(at for at, part in enumerate(block.parts) if isinstance(part, Pair))
    yield from _block(Block(block.parts[:first]), indent)
    rows = _block(Block(block.parts[first:]), indent + _STEP)
    yield f"{indent}- {next(rows).removeprefix(indent + _STEP)}"
    yield from rows


def _remark(remark: Remark, indent: str) -> Iterator[str]:
    yield from _comment((LOST if remark.lost else "") + remark.text, indent)
    if isinstance(remark.body, Block):
        rows = _block(remark.body, "")
    else:
        rows = _items(remark.body, "") if remark.body else iter(())
    for row in rows:
        yield f"{indent}#   {scalars.printable(row)}".rstrip()


def _comment(text: str, indent: str) -> Iterator[str]:
    width = max(_COLUMNS - len(indent), _LEAST_COLUMNS)
    for line in scalars.printable(text).split("\n"):
        for row in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False):
            yield f"{indent}# {row}"
