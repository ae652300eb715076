"""GitHub Copilot CLI: its payloads in both spellings, its answers and its own variables.

Source: docs.github.com, hooks-reference, and Copilot CLI 1.0.102 as measured on 2026-11-21. An
event named ``agentStop`` comes with ``sessionId`` …, one named ``Stop`` (as in the settings of
another agent, which it reads too) with ``session_id`` …. Visual Studio Code calls the same hooks.
"""

from __future__ import annotations

import sys

from stophooks.agents import base, signs
from stophooks.agents.base import block
from stophooks.agents.base import message as allow
from stophooks.events import SESSION_END, SESSION_START, STOP, SUBAGENT_STOP, Event
from stophooks.typed import TYPE_CHECKING, Any, cast
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.base import Agent, Reply
    from stophooks.agents.shape import Settings

__all__ = [
    "EVENTS",
    "NAME",
    "SIGNS",
    "TITLE",
    "allow",
    "block",
    "parse",
    "private",
    "settings",
    "variant",
]

NAME = "copilot"
TITLE = "Copilot CLI"
EVENTS = {
    "agentStop": STOP.name,
    "subagentStop": SUBAGENT_STOP.name,
    "sessionStart": SESSION_START.name,
    "sessionEnd": SESSION_END.name,
}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private
_CAPITAL = base.capital(EVENTS) | {"Stop": STOP.name}
# It shows what is on stderr at this exit code as a warning, and stops: only JSON keeps it. Every
# other answer stays in its log. Visual Studio Code, though, takes the code for a block.
_WARNING_EXIT = 2
_SPELLINGS = {
    "sessionId": "session_id",
    "agentId": "agent_id",
    "hookEventName": "hook_event_name",
}


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened.

    A payload in the first spelling does not name its event: what only one kind of event has in it
    tells. A helper's end is announced twice, as a stop and as a helper's: only the latter counts.
    """
    fields = {_SPELLINGS.get(key, key): value for key, value in payload.items()}
    fields.setdefault("hook_event_name", _event(payload))
    found = base.event((NAME, EVENTS | _CAPITAL), fields, environ.get("COPILOT_PROJECT_DIR"))
    if found.kind == STOP.name and found.helper is not None:
        return replace(found, unfinished="it is a helper that stops, and not the agent")
    return found


def _event(payload: Mapping[str, Any]) -> str:
    if "agentName" in payload:
        return "subagentStop"
    if "stopReason" in payload or "stop_hook_active" in payload:
        return "agentStop"
    if "source" in payload or "initialPrompt" in payload:
        return "sessionStart"
    return "sessionEnd" if "reason" in payload else "agentStop"


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Limit, Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("copilot",),
        folders=("$COPILOT_HOME", "~/.copilot"),
        files={"user": "hooks/stophooks.json", "project": ".github/hooks/stophooks.json"},
        grouped=False,
        command=("bash",),
        limit=Limit(key="timeoutSec"),
        head={"version": 1},
        advice="Copilot CLI runs the hooks of a project only in a folder that you trust.",
    )


def variant(environ: Mapping[str, str], *, lent: bool) -> Agent:
    """Return the adapter for this call: the program in a terminal shows notes in a way of its own.

    ``lent`` makes no difference: it obeys the same answers from another agent's settings.
    """
    del lent
    here = sys.modules[__name__] if environ.get("COPILOT_CLI") != "1" else _Terminal()
    return cast("Agent", here)


class _Terminal:
    NAME, TITLE, EVENTS, SIGNS = NAME, TITLE, EVENTS, SIGNS
    parse = staticmethod(parse)
    block = staticmethod(block)
    private = staticmethod(private)

    @staticmethod
    def allow(note: str | None) -> Reply:
        return base.remark(note, exit_code=_WARNING_EXIT)
