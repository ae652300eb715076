"""What a person reads before adopting a project's checks: how they differ from those in force."""

from __future__ import annotations

import difflib
import hashlib
from json import dumps

from stophooks.plan import to_json
from stophooks.reports.clean import line
from stophooks.secrets.mask import Mask
from stophooks.secrets.names import is_key
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.plan import Plan

# Of one line of the difference; a profile of system calls is one line.
WIDTH = 400


def difference(before: Plan | None, now: Plan | None, mask: Mask | None = None) -> str:
    """The unified difference of two plans as JSON, empty where they are the same.

    Nothing that decides what runs is left out. Of variables with the name of a key, and of what is
    too long for a line, a digest is shown: that it changed, and not to what. What ``mask`` knows is
    taken out of the lines that differ.
    """
    rows = difflib.unified_diff(
        _rows(before), _rows(now), fromfile="in force", tofile="now", lineterm=""
    )
    hide = mask or Mask()
    # Only now: a change of what is masked is a change.
    return "\n".join(_short(hide.text(row), row) for row in rows)


def files(title: str, changes: Mapping[str, str]) -> str:
    """The files that changed, each with what became of it; empty where none did."""
    if not changes:
        return ""
    rows = [f"  {word}: {line(path, width=1000)}" for path, word in changes.items()]
    return "\n".join((f"{title}:", *rows))


def _rows(plan: Plan | None) -> Sequence[str]:
    if plan is None:
        return []
    return dumps(_shown(to_json(plan)), indent=1).split("\n")


def _shown(value: Any) -> Any:
    """The plan without what is never decided by a person: absent values, and keys' contents."""
    if isinstance(value, dict):
        kept = {key: _shown(item) for key, item in value.items() if item not in (None, [], ())}
        if "env" in kept:
            kept["env"] = [f"{name}={_value(name, text)}" for name, text in value["env"]]
        if "run" in kept:
            # Line by line, so that the difference shows the one that changed.
            kept["run"] = str(value["run"]).split("\n")
        return kept
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in value]
    return value


def _value(name: str, text: str) -> str:
    return f"({_digest(text)})" if is_key(name) else text


def _short(shown: str, row: str) -> str:
    return shown if len(row) <= WIDTH else f"{shown[:WIDTH]}... ({len(row)}, {_digest(row)})"


def _digest(text: str) -> str:
    return "sha256 " + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
