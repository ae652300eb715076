"""Qwen Code: its payloads, its answers and its own variables.

Source: QwenLM/qwen-code, docs/users/features/hooks.md and hookRunner.ts, and Qwen Code 0.24.4 as
measured on 2026-11-21.
"""

from __future__ import annotations

from stophooks.agents import base, signs
from stophooks.agents.base import block
from stophooks.agents.base import message as allow
from stophooks.events import SESSION_END, SESSION_START, STOP, SUBAGENT_STOP, Event
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.shape import Settings

__all__ = ["EVENTS", "NAME", "SIGNS", "TITLE", "allow", "block", "parse", "private", "settings"]

NAME = "qwen"
TITLE = "Qwen Code"
EVENTS = {
    "Stop": STOP.name,
    "SubagentStop": SUBAGENT_STOP.name,
    "SessionStart": SESSION_START.name,
    "SessionEnd": SESSION_END.name,
}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened; the project directory is trusted before ``cwd``."""
    return base.event(
        (NAME, EVENTS),
        payload,
        environ.get("QWEN_PROJECT_DIR"),
        unfinished=base.tasks(payload, "background_tasks"),
    )


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Limit, Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("qwen",),
        folders=("~/.qwen",),
        files={"user": "settings.json", "project": ".qwen/settings.json"},
        # Seconds since 0.24; numbers from here on still mean what they meant before.
        limit=Limit(milliseconds_from=1000),
        switch="disableAllHooks",
        advice="Qwen Code reads the timeout as seconds since version 0.24; an older one would end "
        "the hook at once.",
    )
