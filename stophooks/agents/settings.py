"""Our entries in an agent's settings file of the shape ``{"hooks": {EVENT: [{"hooks": [...]}]}}``.

Every function takes a file's text and returns another; bytes that are not ours stay as they are.
Source of the shape: code.claude.com/docs/en/hooks (read as of 2.1.240); several agents share it.
"""

from __future__ import annotations

import math
import os
import shlex
from typing import TYPE_CHECKING, Any

from stophooks import jsontext
from stophooks.errors import StophooksError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.jsontext import Node

PROGRAM = "stophooks"
EMPTY = "{}\n"
_BOM = "\ufeff"


class SettingsError(StophooksError):
    """The text is not a settings file that an entry can be added to; says where and why."""


def entry(command: str, timeout_s: float) -> dict[str, Any]:
    """Return one hook as a settings file has it; ``timeout_s`` is the agent's limit for it."""
    return {"type": "command", "command": command, "timeout": timeout_s}


def installed(text: str | None, entries: Mapping[str, dict[str, Any]], *, agent: str) -> str:
    """Return the text with one entry of ours per event, as given; others stay untouched.

    Args:
        text: The file, or None where there is none.
        entries: The wanted entry by the agent's name of the event.
        agent: The agent's name as in ``--agent``.

    Raises:
        SettingsError: The text is not JSON, or has another shape where the entry belongs.

    """
    bom, body = _split(text or "")
    body = body if body.strip() else EMPTY
    for event, wanted in entries.items():
        body = _add(_drop(body, event, agent, keep=1), event, wanted, agent)
    return bom + body


def uninstalled(text: str, original: str | None, events: Mapping[str, str], *, agent: str) -> str:
    """Return the text without our entries and without what they leave empty.

    ``original`` is what the file was before: where only our entries have come since, the result
    is exactly that.

    Raises:
        SettingsError: See `installed`.

    """
    bom, body = _split(text)
    ours = _ours_by_event(body, events, agent)
    if original is not None and ours and _replays(original, text, ours, agent):
        return original
    for event in ours:
        body = _drop(body, event, agent, keep=0)
        body = _prune(body, event)
    return bom + body


def has_entries(text: str | None, events: Mapping[str, str], *, agent: str) -> bool:
    """Whether an entry of ours is in the text."""
    return bool(text and text.strip() and _ours_by_event(_split(text)[1], events, agent))


def entries(text: str | None, events: Mapping[str, str], *, agent: str) -> dict[str, Any]:
    """Return the first entry of ours per event, as it stands in the text.

    Raises:
        SettingsError: See `installed`.

    """
    return _ours_by_event(_split(text)[1], events, agent) if text and text.strip() else {}


def is_disabled(text: str) -> bool:
    """Whether the file turns every hook off.

    Raises:
        SettingsError: See `installed`.

    """
    member = _root(_split(text)[1]).member("disableAllHooks") if text.strip() else None
    return member is not None and member.node.value is True


def timeouts(text: str | None, events: Mapping[str, str], *, agent: str) -> dict[str, float]:
    """Return the largest limit, in seconds, that our entries of each event have in the text.

    Raises:
        SettingsError: See `installed`.

    """
    if not text or not text.strip():
        return {}
    root = _root(_split(text)[1])
    found: dict[str, float] = {}
    for event in events:
        groups = _groups(root, event)
        for group, hook in _places(groups, event, agent):
            hooks = _hooks(groups.items[group], event) if groups else None
            limit = hooks.items[hook].value.get("timeout") if hooks else None
            if isinstance(limit, int | float) and found.get(event, 0) < limit < math.inf:
                found[event] = limit
    return found


def is_ours(command: object, *, agent: str) -> bool:
    """Whether a hook's command is one that `stophooks install` writes, wherever the program is."""
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return False
    if words[-3:] != ["hook", "--agent", agent]:
        return False
    return [os.path.basename(word) for word in words[-4:-3]] == [PROGRAM]


def _split(text: str) -> tuple[str, str]:
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def _replays(original: str, text: str, ours: dict[str, Any], agent: str) -> bool:
    try:
        return installed(original, ours, agent=agent) == text
    except SettingsError:
        return False


def _ours_by_event(text: str, events: Mapping[str, str], agent: str) -> dict[str, Any]:
    found = {}
    for event in events:
        groups = _groups(_root(text), event)
        places = _places(groups, event, agent)
        if groups is not None and places:
            group, hook = places[0]
            found[event] = _hooks(groups.items[group], event).items[hook].value
    return found


def _add(text: str, event: str, wanted: dict[str, Any], agent: str) -> str:
    root = _root(text)
    hooks = _member(root, "hooks", "object", "hooks")
    group = {"hooks": [wanted]}
    if hooks is None:
        return jsontext.insert_member(text, root, root, "hooks", {event: [group]})
    groups = _groups(root, event)
    if groups is None:
        return jsontext.insert_member(text, root, hooks, event, [group])
    places = _places(groups, event, agent)
    if not places:
        return jsontext.insert_item(text, root, groups, group)
    return _update(text, event, places[0], wanted)


def _update(text: str, event: str, place: tuple[int, int], wanted: dict[str, Any]) -> str:
    """Return the text with the entry at this place as wanted, its other keys as they were."""
    for key, value in wanted.items():
        root = _root(text)
        groups = _groups(root, event)
        if groups is None:
            return text
        found = _hooks(groups.items[place[0]], event).items[place[1]]
        member = found.member(key)
        if member is None:
            text = jsontext.insert_member(text, root, found, key, value)
        elif member.node.value != value:
            text = jsontext.replace(text, member.node, value)
    return text


def _drop(text: str, event: str, agent: str, *, keep: int) -> str:
    """Return the text without our entries of this event but the first ``keep``."""
    while True:
        groups = _groups(_root(text), event)
        places = _places(groups, event, agent)
        if groups is None or len(places) <= keep:
            return text
        group, hook = places[-1]
        hooks = _hooks(groups.items[group], event)
        if len(hooks.items) == 1 and len(groups.items[group].members) == 1:
            text = jsontext.remove(text, groups, group)
        else:
            text = jsontext.remove(text, hooks, hook)


def _prune(text: str, event: str) -> str:
    root = _root(text)
    hooks = _member(root, "hooks", "object", "hooks")
    groups = _groups(root, event)
    if hooks is None or groups is None or groups.items:
        return text
    if len(hooks.members) == 1:
        return jsontext.remove(text, root, _index(root, "hooks"))
    return jsontext.remove(text, hooks, _index(hooks, event))


def _index(node: Node, key: str) -> int:
    return max(index for index, member in enumerate(node.members) if member.key == key)


def _root(text: str) -> Node:
    try:
        root = jsontext.scan(text)
    except jsontext.JsonTextError as err:
        line = text.count("\n", 0, err.offset) + 1
        column = err.offset - text.rfind("\n", 0, err.offset)
        raise SettingsError(f"line {line}, column {column}: {err.message}") from err
    if root.kind != "object":
        raise SettingsError(f"it is one {root.kind}, not an object")
    return root


def _groups(root: Node, event: str) -> Node | None:
    hooks = _member(root, "hooks", "object", "hooks")
    return _member(hooks, event, "array", f"hooks.{event}") if hooks else None


def _places(groups: Node | None, event: str, agent: str) -> list[tuple[int, int]]:
    """Return where our entries are: the index of the group and of the hook in it."""
    return [
        (at, index)
        for at, group in enumerate(groups.items if groups else ())
        for index, hook in enumerate(_hooks(group, event).items)
        if is_ours(hook.value.get("command"), agent=agent)
    ]


def _hooks(group: Node, event: str) -> Node:
    where = f"hooks.{event}[]"
    if group.kind != "object":
        raise SettingsError(f"{where} is one {group.kind}, not an object")
    hooks = _member(group, "hooks", "array", f"{where}.hooks")
    if hooks is None:
        raise SettingsError(f"{where} has no list of hooks")
    for hook in hooks.items:
        if hook.kind != "object":
            raise SettingsError(f"{where}.hooks[] is one {hook.kind}, not an object")
    return hooks


def _member(node: Node, key: str, kind: str, where: str) -> Node | None:
    member = node.member(key)
    if member is not None and member.node.kind != kind:
        raise SettingsError(f"{where} is one {member.node.kind}, not an {kind}")
    return member.node if member else None
