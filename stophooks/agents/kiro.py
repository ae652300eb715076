"""Kiro CLI: its payloads and its answers; it is not known to set variables.

Source: kiro.dev/docs/hooks and kiro.dev/docs/cli/hooks (read as of 2026-11-21); not measured,
because it needs an account. Version 2 names its events in small letters, version 3 in capitals.
"""

from __future__ import annotations

from stophooks.agents import base, signs
from stophooks.agents.base import block_by_json as block
from stophooks.events import SESSION_START, STOP, Event
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.base import Reply
    from stophooks.agents.shape import Settings

__all__ = ["EVENTS", "NAME", "SIGNS", "TITLE", "allow", "block", "parse", "private", "settings"]

NAME = "kiro"
TITLE = "Kiro CLI"
EVENTS = {"stop": STOP.name, "agentSpawn": SESSION_START.name}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private
_CAPITAL = base.capital(EVENTS)
# With exit code 0 it drops what stands on stderr; with this one it shows it as a warning.
_WARNING_EXIT = 1


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened."""
    del environ
    return base.event((NAME, EVENTS | _CAPITAL), payload)


def allow(note: str | None) -> Reply:
    """Let the agent stop; the person is shown ``note`` as a warning."""
    return base.remark(note, exit_code=_WARNING_EXIT)


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("kiro-cli", "kiro"),
        folders=("~/.kiro",),
        files={"user": "hooks/stophooks.json", "project": ".kiro/hooks/stophooks.json"},
        grouped=False,
        trigger="trigger",
        command=("action", "command"),
        always={
            "name": "stophooks",
            "enabled": True,
            "trigger": "",
            "action": {"type": "command"},
        },
        head={"version": "v1"},
        events={"Stop": STOP.name},
        advice="Only Kiro CLI 3 reads this file; in Kiro's editor a stop cannot be refused.",
    )
