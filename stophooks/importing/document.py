"""The whole text of an imported configuration, and what a person is told of it."""

from __future__ import annotations

from stophooks.importing import scalars
from stophooks.importing.tree import Block, Items, Pair, Remark, losses
from stophooks.importing.writer import LOST, render
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.importing.tree import Value


def text(tree: Block, *, tool: str, file: str) -> str:
    """The text of the file; ``file`` is the name of the tool's."""
    head = f"Made from {file} by `stophooks import {tool}`."
    if losses(tree):
        head += f'\nWhat stophooks cannot do is a comment that begins with "{LOST.strip()}".'
    return render(tree, head=head)


def summary(tree: Block, *, file: str) -> str:
    """How many commands there are and how much has no equal, each of it on a line."""
    number = sum(1 for _ in _commands(tree))
    count = losses(tree)
    made = f"{scalars.printable(file)}: {number} {'command' if number == 1 else 'commands'}"
    if not count:
        return f"{made}, and nothing without an equal."
    what = "1 thing has" if count == 1 else f"{count} things have"
    rows = "".join(f"\n  {line}" for line in lost(tree))
    return f"{made}; {what} no equal and became a comment:{rows}"


def lost(value: Value | Remark | Pair, where: str = "") -> Iterator[str]:
    """A line for each comment about something without an equal, with the place it stands at."""
    if isinstance(value, Remark):
        if value.lost:
            yield scalars.printable(f"{where}: {value.text}" if where else value.text)
    elif isinstance(value, Pair):
        yield from lost(value.value, f"{where}.{value.key}" if where else value.key)
    elif isinstance(value, Block):
        for part in value.parts:
            yield from lost(part, where)
    elif isinstance(value, Items):
        index = 0
        for item in value.parts:
            yield from lost(item, where if isinstance(item, Remark) else f"{where}[{index}]")
            index += not isinstance(item, Remark)


def _commands(value: Value | Remark | Pair, key: str = "") -> Iterator[Value]:
    if isinstance(value, Pair):
        yield from _commands(value.value, value.key)
    elif isinstance(value, Block):
        for part in value.parts:
            yield from _commands(part)
    elif isinstance(value, Items) and key == "commands":
        yield from value.values
