"""OpenCode: what our own plugin file sends and reads; the agent itself runs no commands.

The plugin (plugins/opencode/stophooks.js) asks at ``session.idle`` and passes the answer on.
Source of the events: opencode.ai/docs/plugins and OpenCode 1.18.33 as measured on 2026-11-21.
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

NAME = "opencode"
TITLE = "OpenCode"
EVENTS = {
    "session.idle": STOP.name,
    "session.created": SESSION_START.name,
    "session.deleted": SESSION_END.name,
}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened; the plugin asks for no helper, which it cannot send back to work."""
    del environ
    return base.event((NAME, EVENTS), payload)


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("opencode",),
        folders=("$XDG_CONFIG_HOME/opencode", "~/.config/opencode"),
        files={"user": "plugin/stophooks.js", "project": ".opencode/plugin/stophooks.js"},
        copied="opencode/stophooks.js",
    )
