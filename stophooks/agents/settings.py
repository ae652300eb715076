"""Our entries in an agent's settings file, whatever its shape (see `shape`).

Every function takes a file's text and returns another; bytes that are not ours stay as they are.
"""

from __future__ import annotations

from stophooks import jsontext
from stophooks.agents import places
from stophooks.agents.places import PROGRAM, SettingsError
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.agents.base import Installable
    from stophooks.jsontext import Node

__all__ = [
    "PROGRAM",
    "SettingsError",
    "entries",
    "events",
    "installed",
    "is_disabled",
    "is_left_over",
    "limits",
    "uninstalled",
]

_EMPTY = "{}\n"
_BOM = "\ufeff"


def events(agent: Installable) -> dict[str, str]:
    """Return the events that are installed, the agent's name of each to ours."""
    return dict(agent.settings().events or agent.EVENTS)


def installed(text: str | None, wanted: Mapping[str, dict[str, Any]], agent: Installable) -> str:
    """Return the text with one entry of ours per event, as given; others stay untouched.

    Args:
        text: The file, or None where there is none.
        wanted: The entry by the agent's name of the event.
        agent: Whose file it is.

    Raises:
        SettingsError: The text is not JSON, or has another shape where the entry belongs.
    """
    bom, body = _split(text or "")
    body = body if body.strip() else _EMPTY
    for key, value in agent.settings().head.items():
        root = places.root(body, agent.settings())
        if root.member(key) is None:
            body = jsontext.insert_member(body, root, root, key, value)
    for event, hook in wanted.items():
        body = _add(_drop(body, event, agent, keep=1), event, hook, agent)
    return bom + body


def uninstalled(text: str, original: str | None, agent: Installable) -> str:
    """Return the text without our entries and without what they leave empty.

    ``original`` is what the file was before: where only our entries have come since, the result
    is exactly that.

    Raises:
        SettingsError: See `installed`.
    """
    ours = entries(text, agent)
    if original is not None and ours and _replays(original, text, ours, agent):
        return original
    bom, body = _split(text)
    for event in ours:
        body = _prune(_drop(body, event, agent, keep=0), event, agent)
    return bom + body


def is_left_over(text: str, agent: Installable) -> bool:
    """Whether nothing is in the text but what a file that we made ourselves has besides hooks."""
    value = places.root(_split(text)[1], agent.settings()).value
    return value in ({}, dict(agent.settings().head))


def entries(text: str | None, agent: Installable) -> dict[str, Any]:
    """Return the first entry of ours per event, as it stands in the text.

    Raises:
        SettingsError: See `installed`.
    """
    found: dict[str, Any] = {}
    for event, hook in _ours(text, agent):
        found.setdefault(event, hook)
    return found


def limits(text: str | None, agent: Installable) -> dict[str, float]:
    """Return the largest limit, in seconds, that our entries of each event have in the text.

    Raises:
        SettingsError: See `installed`.
    """
    found: dict[str, float] = {}
    for event, hook in _ours(text, agent):
        limit_s = agent.settings().limit_of(hook)
        if limit_s is not None and limit_s > found.get(event, 0):
            found[event] = limit_s
    return found


def is_disabled(text: str, agent: Installable) -> bool:
    """Whether the file turns every hook off.

    Raises:
        SettingsError: See `installed`.
    """
    switch = agent.settings().switch
    if switch is None or not text.strip():
        return False
    member = places.root(_split(text)[1], agent.settings()).member(switch)
    return member is not None and member.node.value is True


def _split(text: str) -> tuple[str, str]:
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def _ours(text: str | None, agent: Installable) -> Iterator[tuple[str, Any]]:
    body = _split(text or "")[1]
    if not body.strip():
        return
    root = places.root(body, agent.settings())
    for event in events(agent):
        listed = places.event_list(root, agent.settings(), event)
        for place in places.places(root, agent, event):
            if listed is not None:
                yield event, places.hook_at(listed, agent.settings(), event, place).value


def _replays(original: str, text: str, ours: dict[str, Any], agent: Installable) -> bool:
    try:
        return installed(original, ours, agent) == text
    except SettingsError:
        return False


def _add(text: str, event: str, hook: dict[str, Any], agent: Installable) -> str:
    root = places.root(text, agent.settings())
    path = places.keys(agent.settings(), event)
    nodes = places.chain(root, agent.settings(), event)
    missing = path[len(nodes) - 1 :]
    value: Any = {"hooks": [hook]} if agent.settings().grouped else hook
    if missing:
        value = [value]
        for key in reversed(missing[1:]):
            value = {key: value}
        return jsontext.insert_member(text, root, nodes[-1], missing[0], value)
    if not places.places(root, agent, event):
        return jsontext.insert_item(text, root, nodes[-1], value)
    return _update(text, event, hook, agent)


def _update(
    text: str, event: str, wanted: Mapping[str, Any], agent: Installable, path: tuple[str, ...] = ()
) -> str:
    """Return the text with our first entry of the event as wanted, its other keys as they were.

    ``path`` leads to the part of the entry that is meant.
    """
    for key, value in wanted.items():
        root = places.root(text, agent.settings())
        found = _first(root, event, agent)
        for step in path:
            member = found.member(step)
            found = member.node if member else found
        member = found.member(key)
        if member is None:
            text = jsontext.insert_member(text, root, found, key, value)
        elif isinstance(value, dict) and member.node.kind == "object":
            text = _update(text, event, value, agent, (*path, key))
        elif member.node.value != value:
            text = jsontext.replace(text, member.node, value)
    return text


def _first(root: Node, event: str, agent: Installable) -> Node:
    listed = places.chain(root, agent.settings(), event)[-1]
    return places.hook_at(listed, agent.settings(), event, places.places(root, agent, event)[0])


def _drop(text: str, event: str, agent: Installable, *, keep: int) -> str:
    """Return the text without our entries of this event but the first ``keep``."""
    while True:
        root = places.root(text, agent.settings())
        ours = places.places(root, agent, event)
        listed = places.event_list(root, agent.settings(), event)
        if listed is None or len(ours) <= keep:
            return text
        last = ours[-1]
        item = listed.items[last.item]
        if last.hook is None:
            text = jsontext.remove(text, listed, last.item)
            continue
        hooks = places.group_hooks(item, agent.settings(), event)
        if len(hooks.items) == 1 and len(item.members) == 1:
            text = jsontext.remove(text, listed, last.item)
        else:
            text = jsontext.remove(text, hooks, last.hook)


def _prune(text: str, event: str, agent: Installable) -> str:
    """Return the text without the event's list, if it is empty, and without what that empties."""
    nodes = places.chain(places.root(text, agent.settings()), agent.settings(), event)
    path = places.keys(agent.settings(), event)
    if len(nodes) <= len(path) or nodes[-1].items:
        return text
    depth = len(path) - 1
    while depth and len(nodes[depth].members) == 1:
        depth -= 1
    return jsontext.remove(text, nodes[depth], _index(nodes[depth], path[depth]))


def _index(node: Node, key: str) -> int:
    return max(index for index, member in enumerate(node.members) if member.key == key)
