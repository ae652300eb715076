"""Factory droid: its payloads, its answers and its own variables.

Source: docs.factory.ai, hooks reference, and droid 0.225.2 as measured on 2026-11-21.
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

NAME = "droid"
TITLE = "Factory droid"
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
    found = environ.get("FACTORY_PROJECT_DIR") or environ.get("DROID_PROJECT_DIR")
    return base.event((NAME, EVENTS), payload, found)


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("droid",),
        folders=("~/.factory",),
        files={"user": "hooks.json", "project": ".factory/hooks.json"},
        keys=(),
    )
