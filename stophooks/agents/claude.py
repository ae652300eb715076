"""Claude Code: its Stop and SubagentStop payloads, its answers and its own variables.

Source: code.claude.com/docs/en/hooks (read as of 2.1.240) and Claude Code 2.1.329 as measured on
2026-11-21.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from stophooks.agents.base import Reply, block
from stophooks.events import STOP, SUBAGENT_STOP, Event

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EVENTS", "NAME", "SETTINGS", "allow", "block", "parse", "private"]

NAME = "claude"
EVENTS = {"Stop": STOP.name, "SubagentStop": SUBAGENT_STOP.name}
# Where its settings lie: for the person below the home directory, else below the project.
SETTINGS = {
    "user": ".claude/settings.json",
    "project": ".claude/settings.json",
    "local": ".claude/settings.local.json",
}
# The message is cut at 10,000 characters by the agent; well below that it stays whole.
NOTE_CHARACTERS = 8000
# No system opens a longer path (PATH_MAX of Linux).
PATH_LIMIT = 4096


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened.

    A payload without an event's name counts as a stop. An event of another name keeps that name:
    no section answers to it. The project directory that the agent was started in is trusted
    before ``cwd``, because the model can change the latter.
    """
    name = _text(payload, "hook_event_name")
    found = (environ.get("CLAUDE_PROJECT_DIR"), _text(payload, "cwd"))
    return Event(
        kind=EVENTS.get(name, name) if name else STOP.name,
        agent=NAME,
        session=_text(payload, "session_id"),
        helper=_text(payload, "agent_id"),
        directories=tuple(path for path in found if path and _is_path(path)),
    )


def allow(note: str | None) -> Reply:
    """Let the agent stop; ``note`` is shown to the person and not to the model."""
    if not note:
        return Reply(stdout="", stderr="", exit_code=0)
    message = json.dumps({"systemMessage": note[:NOTE_CHARACTERS]}, ensure_ascii=True)
    return Reply(stdout=message + "\n", stderr="", exit_code=0)


def private(name: str) -> bool:
    """Whether the variable is Claude Code's own.

    Its messaging token would let a check speak as the agent, and with its session's marks a check
    that starts an agent of its own would be taken for a child of this one. What a person sets for
    the project's own use of the API (``ANTHROPIC_API_KEY`` …) is not of that kind and stays.
    """
    return name.startswith("CLAUDE_") or name in {"CLAUDECODE", "AI_AGENT"}


def _is_path(text: str) -> bool:
    return os.path.isabs(text) and len(text) < PATH_LIMIT


def _text(payload: Mapping[str, Any], key: str) -> str | None:
    value = payload.get(key)
    return value if isinstance(value, str) and value and "\0" not in value else None
