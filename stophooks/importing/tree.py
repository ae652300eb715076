"""A configuration of ours as it is to be written: keys in their order, and the comments between."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A comment where it stands; ``lost`` says that it is about something without an equal.

    ``body`` is what could stand there, written out as a comment too.
    """

    text: str
    lost: bool = True
    body: Block | Items | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and its value."""

    key: str
    value: Value


@dataclass(frozen=True, slots=True)
class Block:
    """An object: its pairs in their order, and the comments between them."""

    parts: tuple[Pair | Remark, ...] = ()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs without the comments."""
        return tuple(part for part in self.parts if isinstance(part, Pair))


@dataclass(frozen=True, slots=True)
class Items:
    """A list: its values in their order, and the comments between them."""

    parts: tuple[Value | Remark, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        """The values without the comments."""
        return tuple(part for part in self.parts if not isinstance(part, Remark))


Value = Scalar | Block | Items


def losses(value: Value | Remark | Pair) -> int:
    """How many comments below a value are about something without an equal."""
    if isinstance(value, Remark):
        return int(value.lost)
    if isinstance(value, Pair):
        return losses(value.value)
    if isinstance(value, (Block, Items)):
        return sum(losses(part) for part in value.parts)
    return 0


def block(*parts: Pair | Remark | None) -> Block:
    """An object of the parts that are there."""
    return Block(tuple(part for part in parts if part is not None))


def only_remarks(parts: Iterable[Block | Remark]) -> tuple[Remark, ...]:
    """The comments of parts that hold nothing else."""
    return tuple(part for part in parts if isinstance(part, Remark))


def texts(values: tuple[str, ...] | list[str]) -> Items:
    """A list of texts."""
    return Items(tuple(values))


def note(text: str) -> Remark:
    """A comment that explains; nothing was lost."""
    return Remark(text=text, lost=False)
