"""What a wrong key or value was probably meant to be."""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import islice

from stophooks.config.document import MAX_PROBLEMS, quoted
from stophooks.config.known import ELSEWHERE, ELSEWHERE_IN_MOUNT
from stophooks.config.units import amount_hint, duration_hint
from stophooks.typed import Any

# What YAML 1.1 reads as a boolean although it looks like a word.
_YAML_WORDS = {"yes", "no", "on", "off"}
_GROUP_NAME = re.compile(r"[0-9]{1,10}:[A-Za-z_][A-Za-z0-9_.-]{0,40}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_OWNERS = {
    "StopCommand": "a command",
    "StopSection": "a section such as stop",
    "Mount": "a mount",
    "CleanupSection": "cleanup",
    "Task": "task",
    "Workspace": "workspace",
    "ServiceEvents": "service",
    "Service": "a service",
}
# As many keys as fit on one line.
_FEW = 8


def key_meant(key: str, known: list[str]) -> str | None:
    """The key of ours that a wrong one is a slip or another spelling of, or None."""
    snake = _snake(key)
    if snake in known:
        return snake
    if snake in _foreign(known):
        return None
    close = get_close_matches(snake, known, n=1, cutoff=0.65)
    return close[0] if close else None


def key_hint(key: str, known: list[str], schema: dict[str, Any]) -> str | None:
    """What to write instead of another tool's key, or where a key of ours belongs."""
    snake = _snake(key)
    hint = _foreign(known).get(snake)
    if hint:
        return hint
    for name, owner in _OWNERS.items():
        if snake in schema["$defs"][name]["properties"]:
            return f"{snake} is a key of {owner}"
    return f"the keys here are {', '.join(known)}" if len(known) <= _FEW else None


def keys_intended(given: dict[str, Any], schema: Any, root: dict[str, Any]) -> set[str]:
    """The keys that an object has, and those that its unknown keys were probably meant to be."""
    known = list(schema.get("properties", ()))
    keys = set(given)
    for key in islice((key for key in given if key not in known), MAX_PROBLEMS):
        keys.add(key_meant(key, known) or "")
        keys.update(re.findall(r"\bwrite ([a-z_]+)", key_hint(key, known, root) or ""))
    return keys


def word_meant(value: Any, names: list[str]) -> str:
    """The allowed word that a wrong one is a slip of, as the end of a message, or nothing."""
    close = get_close_matches(str(value), names, n=1) or get_close_matches(
        str(value).lower(), names, n=1
    )
    return f'; did you mean "{close[0]}"?' if close else ""


def value_hint(value: Any, *, shown: str, types: set[str], kind: str | None) -> str | None:
    """How to write what was probably meant by a wrong value.

    Args:
        value: The value.
        shown: The value as it is written in the file.
        types: The types that the schema allows.
        kind: What the schema says about the value beyond its type.
    """
    if kind == "duration":
        return duration_hint(value, nullable="null" in types)
    if kind in {"size", "cpus"}:
        return amount_hint(value, kind=kind, nullable="null" in types)
    if isinstance(value, str):
        return _text_hint(value, types, kind)
    if isinstance(value, (bool, int, float)):
        return _scalar_hint(value, shown, types)
    if value is None and "boolean" in types and "string" in types:
        return 'for an empty text write ""'
    return 'begin each item with "- "' if value and types == {"array"} else None


def _text_hint(value: str, types: set[str], kind: str | None) -> str | None:
    if kind == "assignment" and _VARIABLE.fullmatch(value):
        return f'to hand on this machine\'s value write "{value}=${{{value}}}"'
    if kind == "user" and _GROUP_NAME.fullmatch(value):
        return f'write the group\'s number too: "{value.partition(":")[0]}:1000"'
    if types == {"boolean"} and value.lower() in {"true", "false"}:
        return f"write {value.lower()} without quotes"
    if types == {"integer"} and re.fullmatch(r"[0-9]{1,9}", value):
        return f"write {value} without quotes"
    return f"write a list: [{quoted(value)}]" if types == {"array"} else None


def _scalar_hint(value: float, shown: str, types: set[str]) -> str | None:
    if isinstance(value, bool) and shown.lower() in _YAML_WORDS and "string" in types:
        return f'YAML reads {shown} as {str(value).lower()}; quote it: "{shown}"'
    return f'quote it: "{shown}"' if types == {"string"} else None


def _foreign(known: list[str]) -> dict[str, str]:
    return ELSEWHERE_IN_MOUNT if "readonly" in known else ELSEWHERE


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).replace("-", "_").lower()
