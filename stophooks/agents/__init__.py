"""The agents that can ask whether they may stop, by the name given to ``--agent``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stophooks.agents import claude

if TYPE_CHECKING:
    from stophooks.agents.base import Agent, Installable

AGENTS: dict[str, Agent] = {"claude": claude}
INSTALLABLE: dict[str, Installable] = {"claude": claude}
