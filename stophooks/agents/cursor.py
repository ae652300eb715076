"""Cursor: its payloads, its answers and its own variables.

Source: cursor.com/docs/hooks (read as of 2026-11-21); not measured, because it needs an account.
A stop cannot be refused: what it takes is a message that it sends to the model as the person's.
"""

from __future__ import annotations

import sys

from stophooks import jsonvalues
from stophooks.agents import base, signs
from stophooks.agents.base import Reply
from stophooks.agents.base import remark as allow
from stophooks.events import SESSION_END, SESSION_START, STOP, SUBAGENT_STOP, Event
from stophooks.typed import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.base import Agent
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

NAME = "cursor"
TITLE = "Cursor"
EVENTS = {
    "stop": STOP.name,
    "subagentStop": SUBAGENT_STOP.name,
    "sessionStart": SESSION_START.name,
    "sessionEnd": SESSION_END.name,
}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private
_CAPITAL = base.capital(EVENTS)
COMPLETED = "completed"


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened; a turn that was not completed is no stop to ask about."""
    fields = dict(payload)
    if base.text(payload, "session_id") is None:
        fields["session_id"] = payload.get("conversation_id")
    roots = payload.get("workspace_roots")
    status = base.text(payload, "status")
    return base.event(
        (NAME, EVENTS | _CAPITAL),
        fields,
        environ.get("CURSOR_PROJECT_DIR"),
        *(root for root in (roots if isinstance(roots, list) else ()) if isinstance(root, str)),
        unfinished=f"its status is {status}" if status not in {None, COMPLETED} else None,
    )


def block(reason: str) -> Reply:
    """Return the follow-up that goes to the model: any other exit code than 0 means nothing."""
    answer = jsonvalues.dumps({"followup_message": reason})
    return Reply(stdout=answer + "\n", stderr="", exit_code=0)


def variant(environ: Mapping[str, str], *, lent: bool) -> Agent:
    """Return the adapter for this call: it translates an answer to another agent's settings."""
    del environ
    return cast("Agent", _Lent() if lent else sys.modules[__name__])


class _Lent:
    NAME, TITLE, EVENTS, SIGNS = NAME, TITLE, EVENTS, SIGNS
    parse = staticmethod(parse)
    block = staticmethod(base.block_by_json)
    allow = staticmethod(allow)
    private = staticmethod(private)


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Settings  # noqa: PLC0415 -- a stop needs none of this

    # Without this it no longer asks after five follow-ups; our own count ends a loop.
    endless = {"loop_limit": None}
    return Settings(
        programs=("cursor-agent", "cursor"),
        folders=("~/.cursor",),
        files={"user": "hooks.json", "project": ".cursor/hooks.json"},
        grouped=False,
        always={},
        extra={"stop": endless, "subagentStop": endless},
        head={"version": 1},
    )
