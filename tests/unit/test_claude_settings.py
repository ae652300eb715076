from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stophooks.agents import settings
from stophooks.agents.claude import EVENTS
from tests.unit.test_jsontext import VALUES, layouts

COMMAND = "stophooks hook --agent claude"
ENTRIES = {event: settings.entry(COMMAND, 600) for event in EVENTS}

HOOKS = st.fixed_dictionaries(
    {"type": st.just("command"), "command": st.sampled_from(["make", "./x 'y z'", "echo {"])},
    optional={"timeout": st.integers(), "x": VALUES},
)
GROUPS = st.fixed_dictionaries(
    {"hooks": st.lists(HOOKS, max_size=3)}, optional={"matcher": st.text()}
)
SETTINGS = st.dictionaries(
    st.text().filter(lambda key: key != "hooks"), VALUES, max_size=4
).flatmap(
    lambda rest: st.fixed_dictionaries(
        {key: st.just(value) for key, value in rest.items()},
        optional={
            "hooks": st.fixed_dictionaries(
                {},
                optional={
                    "Stop": st.lists(GROUPS, max_size=3),
                    "SubagentStop": st.lists(GROUPS, max_size=3),
                    "PreToolUse": VALUES,
                },
            )
        },
    )
)


def install(text: str | None, entries: dict[str, dict[str, Any]] = ENTRIES) -> str:
    return settings.installed(text, entries, agent="claude")


def uninstall(text: str, original: str | None = None) -> str:
    return settings.uninstalled(text, original, EVENTS, agent="claude")


@pytest.mark.scenario("agent-claude: Every other byte of the settings stays")
@given(layouts(SETTINGS), st.sampled_from(["", "\ufeff"]))
def test_an_installation_only_inserts(text: str, bom: str) -> None:
    before = bom + text

    after = install(before)

    rest = iter(after)
    assert all(char in rest for char in before)
    told = json.loads(after.removeprefix("\ufeff"))
    for event in EVENTS:
        assert told["hooks"][event].pop() == {"hooks": [ENTRIES[event]]}
    assert list(told)[: len(json.loads(text))] == list(json.loads(text))
    assert _without_empty(told) == _without_empty(json.loads(text))


@given(layouts(SETTINGS), st.sampled_from(["", "\ufeff"]))
def test_an_uninstallation_with_the_original_at_hand_restores_it(text: str, bom: str) -> None:
    assert uninstall(install(bom + text), bom + text) == bom + text


@pytest.mark.parametrize(
    "odd", ["", "\n", "{ }", "{\n}\n", '{"hooks": {}}', '{"hooks":{"Stop":[ ]}}']
)
def test_odd_empty_settings_are_restored_too(odd: str) -> None:
    assert uninstall(install(odd), odd) == odd


@given(layouts(SETTINGS))
def test_an_uninstallation_without_the_original_restores_all_but_empty_containers(
    text: str,
) -> None:
    after = uninstall(install(text))

    hooks = json.loads(text).get("hooks", {"": [0]})
    if hooks and all(hooks.values()):
        assert after == text
    assert _without_empty(json.loads(after)) == _without_empty(json.loads(text))


@given(layouts(SETTINGS))
def test_a_second_installation_changes_nothing(text: str) -> None:
    once = install(text)

    assert install(once) == once


def test_a_new_file_is_pretty_and_uninstalls_to_an_empty_object() -> None:
    text = install(None)

    assert json.loads(text) == {"hooks": {event: [{"hooks": [ENTRIES[event]]}] for event in EVENTS}}
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
    assert uninstall(text) == settings.EMPTY


def test_an_older_entry_is_updated_where_it_stands() -> None:
    older = {
        event: settings.entry("'/old dir/stophooks' hook --agent claude", 90) for event in EVENTS
    }
    text = install('{"a": 1}', older)

    updated = install(text)

    assert updated == text.replace("'/old dir/stophooks'", "stophooks").replace("90", "600")


def test_a_missing_timeout_is_added_and_other_keys_stay() -> None:
    text = '{"hooks":{"Stop":[{"hooks":[{"command":"stophooks hook --agent claude","x":1}]}]}}'

    updated = install(text, {"Stop": ENTRIES["Stop"]})

    hook = json.loads(updated)["hooks"]["Stop"][0]["hooks"][0]
    assert hook == {"command": COMMAND, "x": 1, "type": "command", "timeout": 600}


@pytest.mark.parametrize(
    ("found", "longest"),
    [([90, 1200.5, 600], {"Stop": 1200.5}), (["x", None, [1]], {}), ([10**400], {"Stop": 10**400})],
)
def test_the_longest_limit_of_ours_is_found(found: list[Any], longest: dict[str, float]) -> None:
    hooks = [{"command": COMMAND, "timeout": limit} for limit in found]
    text = json.dumps({"hooks": {"Stop": [{"hooks": [*hooks, {"command": "x", "timeout": 9999}]}]}})

    assert settings.timeouts(text, EVENTS, agent="claude") == longest


def test_an_endless_limit_is_none() -> None:
    text = json.dumps({"hooks": {"Stop": [{"hooks": [{"command": COMMAND, "timeout": 1}]}]}})

    assert settings.timeouts(text.replace("1}", "1e999}"), EVENTS, agent="claude") == {}


def test_entries_that_are_there_twice_become_one() -> None:
    group = {"hooks": [ENTRIES["Stop"], {"type": "command", "command": "make"}, ENTRIES["Stop"]]}
    text = json.dumps({"hooks": {"Stop": [group, {"hooks": [ENTRIES["Stop"]]}]}})

    updated = install(text, {"Stop": ENTRIES["Stop"]})

    assert json.loads(updated)["hooks"]["Stop"] == [{"hooks": group["hooks"][:2]}]


@pytest.mark.scenario("agent-claude: Hooks of others survive uninstalling")
def test_hooks_added_by_others_to_our_group_survive() -> None:
    told = json.loads(install('{"a": 1}'))
    told["hooks"]["Stop"][0]["hooks"].append({"type": "command", "command": "make"})
    told["hooks"]["Stop"].append({"hooks": [{"type": "command", "command": "ls"}]})

    after = json.loads(uninstall(json.dumps(told), '{"a": 1}'))

    assert after == {
        "a": 1,
        "hooks": {
            "Stop": [
                {"hooks": [{"type": "command", "command": "make"}]},
                {"hooks": [{"type": "command", "command": "ls"}]},
            ]
        },
    }


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
    assert settings.is_ours(command, agent="claude") is ours


def _without_empty(told: Any) -> Any:
    hooks = {event: groups for event, groups in told.get("hooks", {}).items() if groups != []}
    return {**{key: value for key, value in told.items() if key != "hooks"}, "hooks": hooks}
