"""A plugin file of ours that takes the place of an entry in an agent's settings."""

from __future__ import annotations

import json
import re
from pathlib import Path

from stophooks.agents.places import PROGRAM, SettingsError

_COMMAND = re.compile(r"^const COMMAND = (\".*\");$", re.MULTILINE)
_LIMIT = re.compile(r"^const LIMIT_S = ([0-9]{1,9});$", re.MULTILINE)


def source(name: str) -> str:
    """Return a plugin file as we ship it: the package's own copy, or an editable install's."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "plugins" / name
    return (inside if inside.exists() else package.parent / "plugins" / name).read_text("utf-8")


def installed(text: str | None, name: str, *, command: str, limit_s: int) -> str:
    """Return the plugin file that starts us with this command and this limit.

    Raises:
        SettingsError: There is another file in its place, which is not ours.
    """
    if text is not None and not is_ours(text):
        raise SettingsError(f"it is not the plugin file of {PROGRAM}")
    shipped = source(name)
    shipped = _COMMAND.sub(lambda _: f"const COMMAND = {json.dumps(command)};", shipped)
    return _LIMIT.sub(lambda _: f"const LIMIT_S = {limit_s};", shipped)


def is_ours(text: str) -> bool:
    """Whether a file is such a plugin."""
    return PROGRAM in text.partition("\n")[0] and command(text) is not None


def command(text: str) -> str | None:
    """Return the command with which a plugin file starts us."""
    found = _COMMAND.search(text)
    try:
        return str(json.loads(found[1])) if found else None
    except ValueError:
        return None


def limit_s(text: str) -> int | None:
    """Return the limit, in seconds, in a plugin file."""
    found = _LIMIT.search(text)
    return int(found[1]) if found else None
