"""What another tool's file names and is not there: left out, so that the rest can be used."""

from __future__ import annotations

from stophooks.importing.base import shown
from stophooks.importing.tree import Block, Items, Pair, Remark, Value
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# By our key: what it names, and what is so without it.
_NAMED = {
    "env_file": "there is no such file; its variables are not set",
    "working_dir": "there is no such directory; without it the project's own is used",
}


def without(tree: Block, is_there: Callable[[str, str], bool]) -> Block:
    """The same with a remark for each file and directory that is not there.

    ``is_there`` is asked with our key, ``env_file`` or ``working_dir``, and the path it has.
    """
    return Block(tuple(_part(part, "", is_there) for part in tree.parts))


def _part(part: Pair | Remark, parent: str, is_there: Callable[[str, str], bool]) -> Pair | Remark:
    # The names in `env` are variables; a service may be called so, too.
    if isinstance(part, Remark) or (part.key == "env" and parent != "services"):
        return part
    given = part.value
    if part.key in _NAMED and isinstance(given, str) and not is_there(part.key, given):
        return Remark(text=f"{part.key}: {shown(given)} ({_NAMED[part.key]})")
    return Pair(part.key, _value(given, part.key, is_there))


def _value(value: Value, key: str, is_there: Callable[[str, str], bool]) -> Value:
    if isinstance(value, Block):
        return Block(tuple(_part(part, key, is_there) for part in value.parts))
    if isinstance(value, Items):
        return Items(
            tuple(
                part if isinstance(part, Remark) else _value(part, key, is_there)
                for part in value.parts
            )
        )
    return value
