from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from stophooks.agents import INSTALLABLE, places, settings
from tests.unit.test_jsontext import VALUES, layouts

if TYPE_CHECKING:
    from stophooks.agents.base import Installable

# All but the one that has a plugin in the place of settings.
AGENTS = [agent for agent in INSTALLABLE.values() if agent.settings().copied is None]
CLAUDE = INSTALLABLE["claude"]
COMMAND = "stophooks hook --agent claude"

# For every agent; one that goes wrong in general is found soon enough.
FEW = 15

for_each_agent = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.NAME)


def command(agent: Installable, program: str = "stophooks") -> str:
    return f"{program} hook --agent {agent.NAME}"


def wanted(agent: Installable, program: str = "stophooks", limit_s: float = 600) -> dict[str, Any]:
    shape = agent.settings()
    return {
        event: shape.entry(event, command(agent, program), limit_s)
        for event in settings.events(agent)
    }


def install(text: str | None, agent: Installable = CLAUDE) -> str:
    return settings.installed(text, wanted(agent), agent)


def files(agent: Installable) -> st.SearchStrategy[dict[str, Any]]:
    """Any settings that the agent could have, with hooks of others in its own shape."""
    shape = agent.settings()
    others = st.sampled_from(["make", "./x 'y z'", "echo {"])
    hook = st.builds(lambda text: shape.entry("Other", text, 5), others)
    item: st.SearchStrategy[Any] = hook
    if shape.grouped:
        item = st.fixed_dictionaries(
            {"hooks": st.lists(hook, max_size=3)}, optional={"matcher": st.text()}
        )
    listed = st.lists(item, max_size=3)
    events = st.fixed_dictionaries(
        {}, optional={**dict.fromkeys(settings.events(agent), listed), "Other": VALUES}
    )
    if not shape.keys:
        return events
    rest = st.dictionaries(
        st.text().filter(lambda key: key != "hooks" and key not in shape.head), VALUES, max_size=4
    )
    if shape.root_keys is not None:
        rest = st.fixed_dictionaries({}, optional={"description": st.text()})
    hooks = listed if shape.trigger else events
    return st.builds(
        lambda some, more: {**dict(some[:1]), **more, **dict(some[1:])},
        rest.map(lambda found: list(found.items())),
        st.fixed_dictionaries({}, optional={"hooks": hooks}),
    )


@pytest.mark.scenario("install: Every other byte of the settings stays")
@for_each_agent
@tries(max_examples=FEW)
@given(data=st.data(), bom=st.sampled_from(["", "\ufeff"]))
def test_an_installation_only_inserts(agent: Installable, data: st.DataObject, bom: str) -> None:
    text = data.draw(layouts(files(agent)))

    after = install(bom + text, agent)

    rest = iter(after)
    assert all(char in rest for char in bom + text)
    told = json.loads(after.removeprefix("\ufeff"))
    assert _take_ours(told, agent) == wanted(agent)
    assert list(told)[: len(json.loads(text))] == list(json.loads(text))
    assert _without_empty(told, agent) == _without_empty(json.loads(text), agent)


@pytest.mark.scenario("install: Uninstalling restores the file")
@for_each_agent
@tries(max_examples=FEW)
@given(data=st.data(), bom=st.sampled_from(["", "\ufeff"]))
def test_an_uninstallation_with_the_original_at_hand_restores_it(
    agent: Installable, data: st.DataObject, bom: str
) -> None:
    text = bom + data.draw(layouts(files(agent)))

    assert settings.uninstalled(install(text, agent), text, agent) == text


@pytest.mark.parametrize(
    "odd", ["", "\n", "{ }", "{\n}\n", '{"hooks": {}}', '{"hooks":{"Stop":[ ]}}']
)
def test_odd_empty_settings_are_restored_too(odd: str) -> None:
    assert settings.uninstalled(install(odd), odd, CLAUDE) == odd


@for_each_agent
@tries(max_examples=FEW)
@given(data=st.data())
def test_an_uninstallation_without_the_original_leaves_what_others_have(
    agent: Installable, data: st.DataObject
) -> None:
    text = data.draw(layouts(files(agent)))

    after = settings.uninstalled(install(text, agent), None, agent)

    left, before = json.loads(after), json.loads(text)
    assert _without_empty(left, agent) == _without_empty(before, agent)
    if not agent.settings().head and _has_hooks_everywhere(before, agent):
        assert after == text


@pytest.mark.scenario("install: Installing twice changes nothing")
@for_each_agent
@tries(max_examples=FEW)
@given(data=st.data())
def test_a_second_installation_changes_nothing(agent: Installable, data: st.DataObject) -> None:
    once = install(data.draw(layouts(files(agent))), agent)

    assert install(once, agent) == once


@for_each_agent
def test_a_new_file_is_pretty_and_uninstalls_to_what_nobody_needs(agent: Installable) -> None:
    text = install(None, agent)

    assert text == json.dumps(json.loads(text), indent=2) + "\n"
    rest = settings.uninstalled(text, None, agent)
    assert settings.is_left_over(rest, agent)
    assert json.loads(rest) == dict(agent.settings().head)


@pytest.mark.scenario("install: An older entry is brought up to date")
@for_each_agent
def test_an_older_entry_is_updated_where_it_stands(agent: Installable) -> None:
    older = wanted(agent, "'/old dir/stophooks'", 90)
    text = settings.installed('{\n  "description": "a"\n}', older, agent)

    updated = install(text, agent)

    assert updated == text.replace("'/old dir/stophooks'", "stophooks").replace("90", "600")


def test_a_missing_timeout_is_added_and_other_keys_stay() -> None:
    text = '{"hooks":{"Stop":[{"hooks":[{"command":"stophooks hook --agent claude","x":1}]}]}}'

    updated = install(text)

    hook = json.loads(updated)["hooks"]["Stop"][0]["hooks"][0]
    assert hook == {"command": COMMAND, "x": 1, "type": "command", "timeout": 600}


@pytest.mark.scenario("install: A limit that is larger already stays")
@for_each_agent
@pytest.mark.parametrize("limit_s", [5, 600, 999, 1000, 1260.5, 86400])
def test_a_limit_is_read_as_it_was_written(agent: Installable, limit_s: float) -> None:
    text = settings.installed(None, wanted(agent, limit_s=limit_s), agent)

    assert settings.limits(text, agent) == dict.fromkeys(settings.events(agent), limit_s)


@pytest.mark.parametrize(
    ("found", "longest"),
    [([90, 1200.5, 600], {"Stop": 1200.5}), (["x", None, [1], True], {}), ([10**400], {})],
)
def test_the_longest_limit_of_ours_is_found(found: list[Any], longest: dict[str, float]) -> None:
    hooks = [{"command": COMMAND, "timeout": limit} for limit in found]
    text = json.dumps({"hooks": {"Stop": [{"hooks": [*hooks, {"command": "x", "timeout": 9999}]}]}})

    assert settings.limits(text, CLAUDE) == longest


def test_an_endless_limit_is_none() -> None:
    text = json.dumps({"hooks": {"Stop": [{"hooks": [{"command": COMMAND, "timeout": 1}]}]}})

    assert settings.limits(text.replace("1}", "1e999}"), CLAUDE) == {}


@for_each_agent
def test_entries_that_are_there_twice_become_one(agent: Installable) -> None:
    once = install(None, agent)
    told = json.loads(once)
    for event in settings.events(agent):
        listed = _listed(told, agent, event)
        listed.append(listed[0])

    assert json.loads(install(json.dumps(told), agent)) == json.loads(once)


@pytest.mark.scenario("install: Hooks of others survive uninstalling")
def test_hooks_added_by_others_to_our_group_survive() -> None:
    told = json.loads(install('{"a": 1}'))
    told["hooks"]["Stop"][0]["hooks"].append({"type": "command", "command": "make"})
    told["hooks"]["Stop"].append({"hooks": [{"type": "command", "command": "ls"}]})

    after = json.loads(settings.uninstalled(json.dumps(told), '{"a": 1}', CLAUDE))

    assert after == {
        "a": 1,
        "hooks": {
            "Stop": [
                {"hooks": [{"type": "command", "command": "make"}]},
                {"hooks": [{"type": "command", "command": "ls"}]},
            ]
        },
    }


@for_each_agent
def test_hooks_added_by_others_after_ours_survive(agent: Installable) -> None:
    told = json.loads(install(None, agent))
    other = agent.settings().entry("Other", "make", 5)
    item = {"hooks": [other]} if agent.settings().grouped else other
    event = next(iter(settings.events(agent)))
    _listed(told, agent, event).append(item)

    after = json.loads(settings.uninstalled(json.dumps(told), None, agent))

    assert _listed(after, agent, event) == [item]


@pytest.mark.scenario("install: Settings that cannot be read are left alone")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1, column 2: expected a key in double quotes; the text ends here"),
        ('{\n  // no\n  "a": 1}', 'line 2, column 3: expected a key in double quotes; found "/"'),
        ("[]", "it is one array, not an object"),
        ('{"hooks": []}', "hooks is one array, not an object"),
        ('{"hooks": {"Stop": {}}}', "hooks.Stop is one object, not an array"),
        ('{"hooks": {"Stop": ["x"]}}', "hooks.Stop[] is one string, not an object"),
        ('{"hooks": {"Stop": [{}]}}', "hooks.Stop[] has no list of hooks"),
        ('{"hooks": {"Stop": [{"hooks": 1}]}}', "hooks.Stop[].hooks is one number, not an array"),
        (
            '{"hooks": {"Stop": [{"hooks": [1]}]}}',
            "hooks.Stop[].hooks[] is one number, not an object",
        ),
    ],
)
def test_settings_of_another_shape_are_refused(text: str, message: str) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        install(text)

    assert str(refused.value) == message


@pytest.mark.scenario("install: A file that its agent would refuse is left alone")
def test_a_key_that_codex_refuses_is_named() -> None:
    with pytest.raises(settings.SettingsError, match=r'it has the key "\$schema", and the agent'):
        install('{"$schema": "x"}', INSTALLABLE["codex"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("droid", '{"Stop": {}}', "Stop is one object, not an array"),
        ("copilot", '{"hooks": {"agentStop": [[]]}}', "hooks.agentStop[] is one array"),
        ("cursor", '{"hooks": []}', "hooks is one array, not an object"),
        ("kiro", '{"hooks": {}}', "hooks is one object, not an array"),
        ("kiro", '{"hooks": [1]}', "hooks[] is one number, not an object"),
    ],
)
def test_other_shapes_are_refused_in_their_own_words(name: str, text: str, message: str) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        install(text, INSTALLABLE[name])

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (COMMAND, True),
        ("'/a b/stophooks' hook --agent claude", True),
        ("python3 -m stophooks hook --agent claude", True),
        ("/usr/bin/nostophooks hook --agent claude", False),
        ("stophooks hook --agent codex", False),
        ("stophooks run stop", False),
        ("hook --agent claude", False),
        ("echo 'unclosed", False),
        (7, False),
    ],
)
def test_our_entry_is_known_by_its_command(command: object, ours: bool) -> None:
    assert places.is_ours(command, agent="claude") is ours


def _listed(told: dict[str, Any], agent: Installable, event: str) -> list[Any]:
    found: Any = told
    for key in places.keys(agent.settings(), event):
        found = found[key]
    assert isinstance(found, list)
    return found


def _take_ours(told: dict[str, Any], agent: Installable) -> dict[str, Any]:
    """Take our entries out of where they belong, at the end, and what the file needs with them."""
    ours = {}
    for event in reversed(settings.events(agent)):
        last = _listed(told, agent, event).pop()
        if agent.settings().grouped:
            (last,) = last["hooks"]
        ours[event] = last
    return {event: ours[event] for event in settings.events(agent)}


def _without_empty(told: Any, agent: Installable) -> Any:
    """The settings without empty lists of hooks, which come and go with ours."""
    head = agent.settings().head
    rest = {key: value for key, value in told.items() if key not in head}
    if not agent.settings().keys:
        return {event: groups for event, groups in rest.items() if groups != []}
    hooks = rest.pop("hooks", {})
    if isinstance(hooks, dict):
        hooks = {event: groups for event, groups in hooks.items() if groups != []}
    return rest, hooks or None


def _has_hooks_everywhere(told: dict[str, Any], agent: Installable) -> bool:
    found = told.get("hooks", {"": [0]}) if agent.settings().keys else told
    return bool(found) and all(value != [] for value in dict(found).values())
