"""The page about agents says of each of them what its adapter does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stophooks.agents import AGENTS
from stophooks.events import SESSION_EVENTS, STOP_EVENTS

PAGE = (Path(__file__).parents[2] / "docs/agents.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| `(\w+)` \| (.+) \|$", re.MULTILINE)
KINDS = (*STOP_EVENTS, *SESSION_EVENTS)


def rows() -> dict[str, list[str]]:
    """By agent: its title, and the cells behind its name."""
    return {name: [title, *cells.split(" | ")] for title, name, cells in ROW.findall(PAGE)}


def test_every_agent_has_its_row() -> None:
    assert list(rows()) == list(AGENTS)


@pytest.mark.parametrize("agent", AGENTS)
def test_the_row_names_the_agents_events(agent: str) -> None:
    title, *cells = rows()[agent]
    named = {kind: f"`{name}`" for name, kind in AGENTS[agent].EVENTS.items()}

    assert title == AGENTS[agent].TITLE
    assert cells[:4] == [named.get(kind, "\u2013") for kind in KINDS]


@pytest.mark.parametrize("agent", AGENTS)
def test_the_page_names_the_fields_that_tell(agent: str) -> None:
    assert [name for name in AGENTS[agent].SIGNS.fields if f"`{name}`" not in PAGE] == []
