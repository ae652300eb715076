"""Where an agent's settings file has its hooks, and which of them are ours."""

from __future__ import annotations

import os
import shlex

from stophooks import jsontext
from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.agents.base import Installable
    from stophooks.agents.shape import Settings
    from stophooks.jsontext import Node

PROGRAM = "stophooks"
_HOOKS = "hooks"


class SettingsError(StophooksError):
    """The text is not a settings file that an entry can be added to; says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one hook of ours stands: its index in the event's list, and in its group if any."""

    item: int
    hook: int | None


def is_ours(command: object, *, agent: str) -> bool:
    """Whether a hook's command is one that `stophooks install` writes, wherever the program is."""
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return False
    if words[-3:] != ["hook", "--agent", agent]:
        return False
    return [os.path.basename(word) for word in words[-4:-3]] == [PROGRAM]


def root(text: str, settings: Settings) -> Node:
    """Return the document.

    Raises:
        SettingsError: It is not JSON, not an object, or has a key that the agent refuses.
    """
    try:
        node = jsontext.scan(text)
    except jsontext.JsonTextError as err:
        line = text.count("\n", 0, err.offset) + 1
        column = err.offset - text.rfind("\n", 0, err.offset)
        raise SettingsError(f"line {line}, column {column}: {err.message}") from err
    if node.kind != "object":
        raise SettingsError(f"it is one {node.kind}, not an object")
    known = settings.root_keys
    odd = [member.key for member in node.members if known is not None and member.key not in known]
    if odd:
        raise SettingsError(
            f'it has the key "{odd[0]}", and the agent reads no hook of a file with another key '
            f"than {' and '.join(sorted(known or ()))}"
        )
    return node


def keys(settings: Settings, event: str) -> tuple[str, ...]:
    """Return the keys that lead from the root to the list with the hooks of an event."""
    return settings.keys if settings.trigger else (*settings.keys, event)


def chain(node: Node, settings: Settings, event: str) -> list[Node]:
    """Return the nodes on the way to the event's list, from the root on, as far as they are there.

    Raises:
        SettingsError: One of them is of another kind.
    """
    path = keys(settings, event)
    nodes = [node]
    for depth, key in enumerate(path, start=1):
        kind = "array" if depth == len(path) else "object"
        found = _member(nodes[-1], key, kind, ".".join(path[:depth]))
        if found is None:
            break
        nodes.append(found)
    return nodes


def event_list(node: Node, settings: Settings, event: str) -> Node | None:
    """Return the list with the hooks of an event, or None where there is none."""
    nodes = chain(node, settings, event)
    return nodes[-1] if len(nodes) > len(keys(settings, event)) else None


def places(node: Node, agent: Installable, event: str) -> list[Place]:
    """Return where our hooks of an event are, in their order."""
    found = event_list(node, agent.settings(), event)
    return [
        place
        for item in range(len(found.items) if found else 0)
        for place in _in_item(found, agent, event, item)
    ]


def hook_at(listed: Node, settings: Settings, event: str, place: Place) -> Node:
    """Return the hook at a place of an event's list."""
    item = listed.items[place.item]
    return item if place.hook is None else group_hooks(item, settings, event).items[place.hook]


def group_hooks(group: Node, settings: Settings, event: str) -> Node:
    """Return a group's list of hooks.

    Raises:
        SettingsError: It has none.
    """
    where = ".".join(keys(settings, event)) + "[]"
    hooks = _member(group, _HOOKS, "array", f"{where}.{_HOOKS}")
    if hooks is None:
        raise SettingsError(f"{where} has no list of hooks")
    for hook in hooks.items:
        _expect(hook, "object", f"{where}.{_HOOKS}[]")
    return hooks


def _in_item(listed: Node | None, agent: Installable, event: str, at: int) -> list[Place]:
    settings = agent.settings()
    if listed is None:
        return []
    item = listed.items[at]
    _expect(item, "object", ".".join(keys(settings, event)) + "[]")
    if not settings.grouped:
        meant = settings.trigger is None or item.value.get(settings.trigger) == event
        ours = meant and is_ours(settings.command_of(item.value), agent=agent.NAME)
        return [Place(item=at, hook=None)] if ours else []
    return [
        Place(item=at, hook=index)
        for index, hook in enumerate(group_hooks(item, settings, event).items)
        if is_ours(settings.command_of(hook.value), agent=agent.NAME)
    ]


def _member(node: Node, key: str, kind: str, where: str) -> Node | None:
    member = node.member(key)
    if member is not None:
        _expect(member.node, kind, where)
    return member.node if member else None


def _expect(node: Node, kind: str, where: str) -> None:
    if node.kind != kind:
        raise SettingsError(f"{where} is one {node.kind}, not an {kind}")
