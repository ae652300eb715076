"""How much time the agents' settings give a hook."""

from __future__ import annotations

import math

from stophooks.agents.shape import USER
from stophooks.events import SESSION_END, SESSION_START
from stophooks.plan import DEFAULT_DEADLINE_S
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.plan import Plan

# The agent's limit lies this much beyond our own deadline: an agent takes a hook that it had to
# end for a pass. Seconds.
MARGIN_S = 60
# Nobody waits for a check at a session's beginning or end, only for what is noted then. Codex
# gives a session's end at most 3 s, whatever is asked for (0.169.0, measured 2026-11-21). Seconds.
SESSION_S = {SESSION_START.name: 30, SESSION_END.name: 3}


def needed_s(plan: Plan | None, kind: str, scope: str) -> int:
    """The agent's limit that is longer than our deadline for this kind of event, in seconds.

    The user's entry is for every project: those without a deadline of their own take the default.
    """
    if kind in SESSION_S:
        return SESSION_S[kind]
    deadline_s = deadline(plan, kind)
    if scope == USER:
        deadline_s = max(deadline_s, DEFAULT_DEADLINE_S)
    return math.ceil(deadline_s) + MARGIN_S


def deadline(plan: Plan | None, kind: str) -> float:
    """The time for all commands of an event, in seconds."""
    section = plan.section(kind) if plan else None
    return section.deadline_s if section else DEFAULT_DEADLINE_S
