"""Whatever an agent sends, it is an event of some agent, or of none; nothing else comes of it."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stophooks.agents import AGENTS, adapter
from stophooks.agents.recognise import UnknownAgentError, recognise
from stophooks.events import STOP_EVENTS
from tests import payloads

RECORDED = [payloads.fields(value) for value in vars(payloads).values() if isinstance(value, bytes)]
FIELDS = sorted({name for payload in RECORDED for name in payload})
NAMES = sorted({name for agent in AGENTS.values() for name in agent.EVENTS})
VARIABLES = sorted(
    {
        name
        for agent in AGENTS.values()
        for name in (agent.SIGNS.session, *agent.SIGNS.variables, "CURSOR_PROJECT_DIR")
        if name
    }
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("/srv")
VALUES = st.recursive(
    LEAVES | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    base=st.sampled_from([{}, *RECORDED]),
    changes=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), VALUES, max_size=6),
    environ=st.dictionaries(st.sampled_from(VARIABLES), st.sampled_from(["", "1", "/srv"])),
)
def test_any_payload_is_an_event_or_nobodys(
    base: dict[str, Any], changes: dict[str, Any], environ: dict[str, str]
) -> None:
    payload = base | changes
    before = repr(payload)

    events = [adapter(name, environ).parse(payload, environ) for name in AGENTS]
    try:
        recognised = recognise(payload, environ).agent
    except UnknownAgentError:
        recognised = "claude"

    assert [event.agent for event in events] == list(AGENTS)
    assert recognised in AGENTS
    for event in events:
        assert event.kind
        assert event.unfinished is None or event.kind in STOP_EVENTS
        assert all(os.path.isabs(path) for path in event.directories)
        assert all(one is None or isinstance(one, str) for one in (event.session, event.helper))
    assert repr(payload) == before
