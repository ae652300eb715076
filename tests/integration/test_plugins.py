from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stophooks import __version__
from stophooks.agents import INSTALLABLE, settings
from stophooks.cli.limits import needed_s

if TYPE_CHECKING:
    from tests.program import Stophooks

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
DAY_S = 24 * 60 * 60
# The agent, its plugin's description, and the variable for the plugin's folder in its commands.
KINDS = {
    "claude": (".claude-plugin/plugin.json", "${CLAUDE_PLUGIN_ROOT}"),
    "codex": (".codex-plugin/plugin.json", "${PLUGIN_ROOT}"),
    "gemini": ("gemini-extension.json", "${extensionPath}"),
}
STOPS = {"claude": "Stop", "codex": "Stop", "gemini": "AfterAgent"}

for_each_plugin = pytest.mark.parametrize("agent", KINDS)


def read(path: Path) -> dict[str, Any]:
    told = json.loads(path.read_text("utf-8"))
    assert isinstance(told, dict)
    return told


def hooks(agent: str) -> dict[str, dict[str, Any]]:
    """The one hook of each event in a plugin."""
    told = read(PLUGINS / agent / "hooks/hooks.json")["hooks"]
    return {event: group["hooks"][0] for event, (group,) in told.items()}


def ask(
    agent: str, event: str, payload: dict[str, Any], env: dict[str, str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    """Start a plugin's hook as its agent does."""
    command = hooks(agent)[event]["command"].replace(KINDS[agent][1], str(PLUGINS / agent))
    return subprocess.run(
        ["sh", "-c", command],
        cwd=cwd,
        env=env,
        input=json.dumps(payload, separators=(",", ":")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@for_each_plugin
def test_a_plugin_has_our_name_and_version(agent: str) -> None:
    manifest = read(PLUGINS / agent / KINDS[agent][0])

    assert (manifest["name"], manifest["version"]) == ("stophooks", __version__)


@pytest.mark.parametrize(
    ("marketplace", "agent"),
    [(".claude-plugin/marketplace.json", "claude"), (".agents/plugins/marketplace.json", "codex")],
)
def test_a_marketplace_names_a_plugin_that_is_there(marketplace: str, agent: str) -> None:
    (plugin,) = read(ROOT / marketplace)["plugins"]

    source = plugin["source"]
    path = source if isinstance(source, str) else source["path"]
    assert (ROOT / path).resolve() == PLUGINS / agent


@pytest.mark.scenario("install: The plugins ask at the same events")
@for_each_plugin
def test_a_plugin_asks_when_an_installed_hook_would(agent: str) -> None:
    adapter = INSTALLABLE[agent]

    found = hooks(agent)

    assert list(found) == list(settings.events(adapter))
    for event, kind in settings.events(adapter).items():
        limit_s = adapter.settings().limit_of(found[event])
        is_stop = kind.endswith("stop")
        assert limit_s == (DAY_S if is_stop else needed_s(None, kind, "user"))
        asked = f'sh "{KINDS[agent][1]}/hooks/ask.sh" {agent} {"stop" if is_stop else "session"}'
        assert found[event]["command"] == asked


def test_the_plugins_share_one_script() -> None:
    scripts = {(PLUGINS / agent / "hooks/ask.sh").read_bytes() for agent in KINDS}

    assert len(scripts) == 1


@pytest.mark.scenario("install: A plugin hands the question over")
@for_each_plugin
def test_a_plugin_s_hook_answers_as_ours(stophooks: Stophooks, tmp_path: Path, agent: str) -> None:
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    (bin_dir / "stophooks").symlink_to(Path(stophooks.python).parent / "stophooks")
    (tmp_path / ".git").mkdir()
    (tmp_path / "stophooks.yaml").write_text("stop: {commands: [{name: fails, run: exit 3}]}\n")
    payload = {"hook_event_name": STOPS[agent], "session_id": "1", "cwd": str(tmp_path)}

    env = stophooks.environment({"PATH": f"{bin_dir}:/usr/bin:/bin"})
    done = ask(agent, STOPS[agent], payload, env, tmp_path)

    assert done.returncode == 2
    assert json.loads(done.stdout)["decision"] == "block"
    assert "fails: exit code 3" in done.stderr


@pytest.mark.scenario("install: A plugin without the program refuses a stop once")
@for_each_plugin
@pytest.mark.parametrize("home", ["there", "missing"])
def test_a_plugin_without_the_program_blocks_once(tmp_path: Path, agent: str, home: str) -> None:
    env = {"PATH": "/usr/bin:/bin"} | ({"HOME": str(tmp_path)} if home == "there" else {})
    payload = {"session_id": "a-1", "hook_event_name": STOPS[agent], "stop_hook_active": False}
    # With a home the session is enough to know that this one was refused before.
    more = payload if home == "there" else payload | {"stop_hook_active": True}

    first = ask(agent, STOPS[agent], payload, env, tmp_path)
    again = ask(agent, STOPS[agent], more, env, tmp_path)
    other = ask(agent, STOPS[agent], payload | {"session_id": "b-2"}, env, tmp_path)

    reason = json.loads(first.stdout)["reason"]
    assert reason == (
        "stophooks is not on PATH, so the checks of this project did not run. Tell the person: "
        "install stophooks (for example with pipx, from its checkout), or remove its plugin from "
        f"{agent}."
    )
    assert (first.returncode, first.stderr) == (2, f"{reason}\n")
    assert (again.returncode, again.stdout, again.stderr) == (1, "", f"{reason}\n")
    assert other.returncode == 2
    assert not Path("/nonexistent").exists()  # root could make any directory


@pytest.mark.scenario("install: Sessions in turn without the program are refused once each")
@for_each_plugin
def test_sessions_that_stop_in_turn_are_refused_once_each(tmp_path: Path, agent: str) -> None:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    payloads = [{"session_id": session, "hook_event_name": STOPS[agent]} for session in "ab" * 2]

    codes = [ask(agent, STOPS[agent], each, env, tmp_path).returncode for each in payloads]

    assert codes == [2, 2, 1, 1]


@for_each_plugin
def test_a_session_begins_without_the_program_too(tmp_path: Path, agent: str) -> None:
    done = ask(agent, "SessionStart", {}, {"PATH": "/usr/bin:/bin"}, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
