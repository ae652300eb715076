"""What every importer is given and gives, and how it reads another tool's values."""

from __future__ import annotations

import json

from stophooks.errors import StophooksError
from stophooks.importing.tree import Remark
from stophooks.models import KIB
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from stophooks.importing.tree import Block

# As many as a file that is read may have.
_MOST_CHARACTERS = 256 * KIB
# Longest value that a comment repeats, in characters.
_MAX_SHOWN = 60


class ForeignFileError(StophooksError):
    """The file is not of the tool that was named, or holds what the tool itself refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Another tool's file.

    ``value`` is what it says, ``text`` how it says it. ``path`` is where our configuration finds
    it; ``runs`` says of the importer's ``program`` beside it whether it can be run: None where
    nothing is there.
    """

    path: str
    text: str = ""
    value: Any = None
    runs: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """How one tool's file becomes a configuration of ours.

    ``file`` is what the tool calls its file. ``parsed`` says whether it is YAML, JSON or TOML;
    ``tags`` are tags of the tool's own that its YAML may hold: such a value is a text that begins
    with the tag. ``program`` is the name of what the tool runs without being told, beside its file.
    """

    file: str
    convert: Callable[[Source], Block]
    parsed: bool = True
    tags: frozenset[str] = frozenset()
    program: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """An object of another tool's file, and the place it has there. Null counts as absent."""

    values: Mapping[str, Any]
    where: str = ""

    def __contains__(self, key: str) -> bool:
        """Whether there is a value."""
        return self.values.get(key) is not None

    def place(self, key: str) -> str:
        """Where the value of a key stands."""
        return f"{self.where}.{key}" if self.where else key

    def text(self, key: str) -> str | None:
        """The text of a key; a number or a truth value counts as the word for it."""
        value = self.values.get(key)
        if isinstance(value, (int, float)):
            return shown(value)
        if value is not None and not isinstance(value, str):
            raise wrong(self.place(key), "a text", value)
        return value

    def flag(self, key: str) -> bool | None:
        """The truth value of a key."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise wrong(self.place(key), "true or false", value)
        return value

    def whole(self, key: str) -> int | None:
        """The whole number of a key."""
        value = self.values.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise wrong(self.place(key), "a whole number", value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a key, which may be a single one."""
        value = self.values.get(key)
        found = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(item, (str, int, float)) for item in found):
            raise wrong(self.place(key), "a text or a list of texts", value)
        return tuple(item if isinstance(item, str) else shown(item) for item in found)

    def table(self, key: str) -> Table:
        """The object of a key; empty where there is none."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, dict):
            raise wrong(self.place(key), "an object", value)
        return Table(value or {}, self.place(key))

    def tables(self, key: str) -> tuple[Table, ...]:
        """The objects in the list of a key."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, list):
            raise wrong(self.place(key), "a list", value)
        return tuple(self._item(key, index, item) for index, item in enumerate(value or ()) if item)

    def _item(self, key: str, index: int, item: Any) -> Table:
        where = f"{self.place(key)}[{index}]"
        if not isinstance(item, dict):
            raise wrong(where, "an object", item)
        return Table(item, where)

    def chosen(self) -> Table:
        """The same without what is false: the tool does not do it."""
        return Table({k: v for k, v in self.values.items() if v is not False}, self.where)

    def remarks(self, known: Collection[str], reasons: Mapping[str, str]) -> Iterator[Remark]:
        """A remark for each key that is neither known nor null, in their order."""
        for key, value in self.values.items():
            if key not in known and value is not None:
                reason = reasons.get(key, "unknown here")
                yield Remark(text=f"{key}: {shown(value)} ({reason})")


def root(source: Source, tool: str, keys: Collection[str]) -> Table:
    """The whole file, which has to be an object with at least one of the tool's keys.

    Raises:
        ForeignFileError: It is something else.
    """
    value = source.value
    if not isinstance(value, dict) or not any(key in value for key in keys):
        few = ", ".join(list(keys)[:4])
        raise ForeignFileError(
            f"it is not a configuration of {tool}, which has some of the keys {few}"
        )
    if _size(value) > _MOST_CHARACTERS:
        raise ForeignFileError("with its aliases it is larger than 256 KiB")
    return Table(value)


def _size(value: Any) -> int:
    """How many characters all texts of a value have, those of aliases each time they are named."""
    if isinstance(value, dict):
        return sum(len(key) + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(_size(item) for item in value)
    return len(value) if isinstance(value, str) else 1


def wrong(where: str, expected: str, value: Any) -> ForeignFileError:
    """The error for a value of another form than the tool takes."""
    return ForeignFileError(f"{where}: expected {expected}; got {shown(value)}")


def shown(value: Any) -> str:
    """A value for a comment or a message: short, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
