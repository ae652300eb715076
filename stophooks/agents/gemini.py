"""Gemini CLI: its payloads, its answers and its own variables.

Source: google-gemini/gemini-cli, docs/hooks/reference.md and hookRunner.ts (2026-08-21, 5411f11),
and Gemini CLI 0.61.0 as measured on 2026-11-21.
"""

from __future__ import annotations

from stophooks.agents import base, signs
from stophooks.agents.base import block
from stophooks.agents.base import message as allow
from stophooks.events import SESSION_END, SESSION_START, STOP, Event
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.shape import Settings

__all__ = ["EVENTS", "NAME", "SIGNS", "TITLE", "allow", "block", "parse", "private", "settings"]

NAME = "gemini"
TITLE = "Gemini CLI"
EVENTS = {
    "AfterAgent": STOP.name,
    "SessionStart": SESSION_START.name,
    "SessionEnd": SESSION_END.name,
}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened; the project directory is trusted before ``cwd``."""
    return base.event((NAME, EVENTS), payload, environ.get("GEMINI_PROJECT_DIR"))


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Limit, Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("gemini",),
        folders=("~/.gemini",),
        files={"user": "settings.json", "project": ".gemini/settings.json"},
        limit=Limit(per_second=1000),
        always={"name": "stophooks", "type": "command"},
        advice="Gemini CLI runs the hooks of a project only in a folder that you trusted when it "
        "asked; `--skip-trust` comes too late for them, GEMINI_CLI_TRUST_WORKSPACE=true does not.",
    )
