"""What can still be checked of a misshapen document: the rest of it, its faults taken out."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

from stophooks.config.check import faults
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.config.document import Path

# A value that is taken out can make its object incomplete, which is taken out in the next round.
_ROUNDS = 10
# They stand for what is missing or misshapen, so that the rest of its command is looked at.
_RUN = ":"
_IMAGE = "image:1"
# Takes the place of an item until all are known, as the others keep their numbers by it.
_GONE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A value that the schema allows, and how to find its places in the file.

    ``mended`` are the places of the commands that are not as they are written; ``kept`` tells,
    for each list that lost items, the numbers that the others have in the file.
    """

    value: Any = None
    mended: frozenset[Path] = frozenset()
    kept: Mapping[Path, tuple[int, ...]] = field(default_factory=dict)

    def written(self, where: Path) -> Path:
        """Where the file has what this value has at ``where``."""
        place: Path = ()
        for step in where:
            numbers = self.kept.get(place)
            place += (numbers[step] if numbers and isinstance(step, int) else step,)
        return place


def sound(value: Any) -> Sound | None:
    """The part of a document's value that the schema allows; None if nothing is left of it."""
    tree = deepcopy(value)
    mended: set[Path] = set()
    for _ in range(_ROUNDS):
        kept: dict[Path, tuple[int, ...]] = {}
        part = Sound(value=_without_gone(tree, (), kept), mended=frozenset(mended), kept=kept)
        found = [(part.written(tuple(fault.absolute_path)), fault) for fault in faults(part.value)]
        if not found:
            return part
        if any(not place for place, fault in found if fault.validator != "additionalProperties"):
            return None
        for place, fault in found:
            mended.add(command_place(place))
            _mend(tree, place, fault)
    return None


def command_place(place: Path) -> Path:
    """The place of the command that a place is in, or the place itself where it is in none."""
    for index, (key, number) in enumerate(pairwise(place)):
        if key == "commands" and isinstance(number, int):
            return place[: index + 2]
    return place


def _mend(tree: Any, place: Path, fault: Any) -> None:
    target = _at(tree, place)
    if target is None or target is _GONE:
        # Went with another fault.
        return
    rule = fault.validator
    if "propertyNames" in fault.absolute_schema_path:
        target.pop(fault.instance, None)
    elif rule == "additionalProperties":
        for key in set(target) - set(fault.schema["properties"]):
            del target[key]
    elif rule == "oneOf" and isinstance(target, dict):
        _one_of(target, [branch["required"][0] for branch in fault.validator_value])
    elif rule == "dependentRequired":
        target["image"] = _IMAGE
    else:
        _take_out(tree, place)


def _one_of(command: dict[str, Any], keys: list[str]) -> None:
    """Leave a command with exactly one thing to run."""
    for key in [key for key in command if key in keys][1:]:
        del command[key]
    if not set(keys) & set(command):
        command["run"] = _RUN


def _take_out(tree: Any, place: Path) -> None:
    command = command_place(place)
    if place[len(command) : len(command) + 1] == ("command",):
        # The arguments mean something only all together.
        place = place[: len(command) + 1]
    parent = _at(tree, place[:-1])
    step: Any = place[-1]
    if isinstance(parent, dict):
        parent.pop(step, None)
    elif place == command:
        parent[step] = {"run": _RUN}
    elif isinstance(parent, list):
        parent[step] = _GONE


def _at(tree: Any, place: Path) -> Any:
    """The value at a place, or None where there is nothing any more."""
    for step in place:
        known = step in tree if isinstance(tree, dict) else isinstance(tree, list)
        if not known:
            return None
        tree = tree[step]
    return tree


def _without_gone(tree: Any, place: Path, kept: dict[Path, tuple[int, ...]]) -> Any:
    if isinstance(tree, dict):
        return {key: _without_gone(item, (*place, key), kept) for key, item in tree.items()}
    if not isinstance(tree, list):
        return tree
    numbers = tuple(number for number, item in enumerate(tree) if item is not _GONE)
    if len(numbers) < len(tree):
        kept[place] = numbers
    return [_without_gone(tree[number], (*place, number), kept) for number in numbers]
