"""Claude Code: its payloads, its answers and its own variables.

Source: code.claude.com/docs/en/hooks (read as of 2.1.240) and Claude Code 2.1.329 as measured on
2026-11-21.
"""

from __future__ import annotations

import os

from stophooks.agents import base, signs
from stophooks.agents.base import block
from stophooks.agents.base import message as allow
from stophooks.events import SESSION_END, SESSION_START, STOP, SUBAGENT_STOP, Event
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.shape import Settings

__all__ = [
    "EVENTS",
    "NAME",
    "SIGNS",
    "TITLE",
    "allow",
    "block",
    "hand_on",
    "parse",
    "private",
    "settings",
]

NAME = "claude"
TITLE = "Claude Code"
EVENTS = {
    "Stop": STOP.name,
    "SubagentStop": SUBAGENT_STOP.name,
    "SessionStart": SESSION_START.name,
    "SessionEnd": SESSION_END.name,
}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private
# The file whose content its shell reads before each command; only a session's start has it.
_ENV_FILE = "CLAUDE_ENV_FILE"


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened.

    The project directory that the agent was started in is trusted before ``cwd``, because the
    model can change the latter.
    """
    return base.event(
        (NAME, EVENTS),
        payload,
        environ.get("CLAUDE_PROJECT_DIR"),
        unfinished=base.tasks(payload, "background_tasks"),
    )


def hand_on(variables: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Have the programs that its model starts get these variables, where it offers a way.

    Raises:
        OSError: The file that it offers cannot be written.
    """
    import shlex  # noqa: PLC0415 -- a stop needs none of this

    path = environ.get(_ENV_FILE, "")
    if not os.path.isabs(path):
        return
    with open(path, "a+", encoding="utf-8", errors="surrogatepass") as file:
        file.seek(0)
        known = file.read()
        # Other hooks write there too, and a session begins anew each time it is compacted.
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        new = "".join(line for line in lines if line not in known)
        file.write(("\n" if known and not known.endswith("\n") and new else "") + new)


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("claude",),
        folders=("$CLAUDE_CONFIG_DIR", "~/.claude"),
        files={
            "user": "settings.json",
            "project": ".claude/settings.json",
            "local": ".claude/settings.local.json",
        },
        switch="disableAllHooks",
    )
