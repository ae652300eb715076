"""What a look at a project's files gives."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from stophooks.inputs.records import Records


class UnknownError(Exception):
    """It cannot be told, or not in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What the files hold at one moment.

    ``id`` is the same for two trees exactly if their paths, bytes, executable bits, link targets
    and the commit that they stand on are the same. ``root`` is absolute: the repository's root,
    else the project. ``records`` are the listings that the id stands for; ``began`` and ``ended``
    stand for all that says when a file was written, at the look's beginning and for the next look.
    """

    id: str
    root: str
    began: str = field(repr=False, compare=False)
    ended: str = field(repr=False, compare=False)
    records: Records = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Paths relative to a tree's root, sorted: those that are new or other, those that are gone."""

    present: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
