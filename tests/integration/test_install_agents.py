from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.program import Stophooks

NAMES = "claude, codex, gemini, qwen, copilot, droid, cursor, kiro, opencode"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    (directory / ".git").mkdir(parents=True)
    (directory / "stophooks.yaml").write_text("stop:\n  commands:\n    - run: 'true'\n")
    return directory


@pytest.fixture
def path(stophooks: Stophooks, tmp_path: Path) -> str:
    """A PATH on which our program is for good, and no agent."""
    stable = tmp_path / "bin"
    stable.mkdir()
    (stable / "stophooks").symlink_to(Path(stophooks.python).parent / "stophooks")
    return f"{stable}:/usr/bin:/bin"


def grouped(agent: str, events: dict[str, int], **more: str) -> dict[str, Any]:
    return {
        event: [
            {
                "hooks": [
                    {
                        **more,
                        "type": "command",
                        "command": f"stophooks hook --agent {agent}",
                        "timeout": timeout,
                    }
                ]
            }
        ]
        for event, timeout in events.items()
    }


FOUR = {"Stop": 600, "SubagentStop": 600, "SessionStart": 30, "SessionEnd": 3}
CURSOR: dict[str, dict[str, int | None]] = {
    "stop": {"timeout": 600, "loop_limit": None},
    "subagentStop": {"timeout": 600, "loop_limit": None},
    "sessionStart": {"timeout": 30},
    "sessionEnd": {"timeout": 3},
}
FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "claude": (".claude/settings.json", {"hooks": grouped("claude", FOUR)}),
    "codex": (".codex/hooks.json", {"hooks": grouped("codex", FOUR)}),
    "gemini": (
        ".gemini/settings.json",
        {
            "hooks": grouped(
                "gemini",
                {"AfterAgent": 600_000, "SessionStart": 30_000, "SessionEnd": 3_000},
                name="stophooks",
            )
        },
    ),
    "qwen": (".qwen/settings.json", {"hooks": grouped("qwen", FOUR)}),
    "copilot": (
        ".github/hooks/stophooks.json",
        {
            "version": 1,
            "hooks": {
                event: [
                    {
                        "type": "command",
                        "bash": "stophooks hook --agent copilot",
                        "timeoutSec": timeout,
                    }
                ]
                for event, timeout in {
                    "agentStop": 600,
                    "subagentStop": 600,
                    "sessionStart": 30,
                    "sessionEnd": 3,
                }.items()
            },
        },
    ),
    "droid": (".factory/hooks.json", grouped("droid", FOUR)),
    "cursor": (
        ".cursor/hooks.json",
        {
            "version": 1,
            "hooks": {
                event: [{"command": "stophooks hook --agent cursor", **limits}]
                for event, limits in CURSOR.items()
            },
        },
    ),
    "kiro": (
        ".kiro/hooks/stophooks.json",
        {
            "version": "v1",
            "hooks": [
                {
                    "name": "stophooks",
                    "enabled": True,
                    "trigger": "Stop",
                    "action": {"type": "command", "command": "stophooks hook --agent kiro"},
                    "timeout": 600,
                }
            ],
        },
    ),
}
PLUGIN = ".opencode/plugin/stophooks.js"


@pytest.mark.scenario("install: Every agent gets its own file and form")
@pytest.mark.parametrize("agent", FILES)
def test_an_agent_gets_what_it_reads(
    stophooks: Stophooks, project: Path, path: str, agent: str
) -> None:
    place, wanted = FILES[agent]

    done = stophooks("install", agent, cwd=project, env={"PATH": path})

    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        f"Installed in {project / place}:",
    )
    assert (project / place).read_text() == json.dumps(wanted, indent=2) + "\n"


@pytest.mark.scenario("install: Each scope has its file")
@pytest.mark.parametrize(
    ("agent", "place"),
    [
        ("codex", ".codex/hooks.json"),
        ("copilot", ".copilot/hooks/stophooks.json"),
        ("droid", ".factory/hooks.json"),
        ("opencode", ".config/opencode/plugin/stophooks.js"),
    ],
)
def test_the_person_s_own_file_is_in_the_home(
    stophooks: Stophooks, project: Path, agent: str, place: str
) -> None:
    stophooks("install", agent, "--user", cwd=project)

    assert (stophooks.home / place).is_file()


@pytest.mark.scenario("install: Each scope has its file")
@pytest.mark.parametrize(
    ("agent", "variable", "place"),
    [
        ("claude", "CLAUDE_CONFIG_DIR", "settings.json"),
        ("codex", "CODEX_HOME", "hooks.json"),
        ("copilot", "COPILOT_HOME", "hooks/stophooks.json"),
        ("opencode", "XDG_CONFIG_HOME", "opencode/plugin/stophooks.js"),
    ],
)
def test_a_variable_moves_the_person_s_own_file(
    stophooks: Stophooks, tmp_path: Path, agent: str, variable: str, place: str
) -> None:
    moved = tmp_path / "moved"

    stophooks("install", agent, "--user", cwd=tmp_path, env={variable: str(moved)})

    assert (moved / place).is_file()


@pytest.mark.scenario("install: A scope that an agent does not have is refused")
def test_an_agent_without_local_settings_says_so(stophooks: Stophooks, project: Path) -> None:
    done = stophooks("install", "codex", "--local", cwd=project)

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "stophooks: Codex CLI has no settings for --local. Take --user or --project.\n"
    )
    assert sorted(os.listdir(project)) == [".git", "stophooks.yaml"]


@pytest.mark.scenario("install: A plugin file takes the place of settings")
def test_the_plugin_file_starts_our_program(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "my own"
    odd.mkdir()
    (odd / "stophooks").symlink_to(Path(stophooks.python).parent / "stophooks")
    config = project / "stophooks.yaml"
    config.write_text(config.read_text().replace("stop:\n", "stop:\n  deadline: 20m\n"))
    env = {"PATH": f"{odd}:/usr/bin:/bin"}

    done = stophooks("install", "opencode", "--user", cwd=project, env=env)
    again = stophooks("install", "opencode", "--user", cwd=project, env=env)

    plugin = stophooks.home / ".config/opencode/plugin/stophooks.js"
    lines = plugin.read_text().splitlines()
    assert done.returncode == 0
    assert again.stdout == f"Already installed in {plugin}; nothing was changed.\n"
    assert f"const COMMAND = \"'{odd}/stophooks' hook --agent opencode\";" in lines
    assert "const LIMIT_S = 1260;" in lines


@pytest.mark.scenario("install: Another file in the plugin's place is left alone")
@pytest.mark.parametrize("name", ["install", "uninstall"])
def test_a_plugin_of_somebody_else_stays(stophooks: Stophooks, project: Path, name: str) -> None:
    plugin = project / PLUGIN
    plugin.parent.mkdir(parents=True)
    plugin.write_text("export const mine = 1;\n")

    done = stophooks(name, "opencode", cwd=project)

    assert plugin.read_text() == "export const mine = 1;\n"
    assert os.listdir(plugin.parent) == ["stophooks.js"]
    if name == "install":
        assert done.returncode == 3
        assert f"{plugin} cannot be added to: it is not the plugin file of stophooks" in done.stderr


@pytest.mark.scenario("install: A file that its agent would refuse is left alone")
def test_a_file_that_codex_would_refuse_stays(stophooks: Stophooks, project: Path) -> None:
    path = project / ".codex/hooks.json"
    path.parent.mkdir()
    path.write_text('{"$schema": "x"}')

    done = stophooks("install", "codex", cwd=project)

    assert (done.returncode, path.read_text()) == (3, '{"$schema": "x"}')
    assert 'it has the key "$schema"' in done.stderr


@pytest.mark.scenario("install: A dry run shows the change and makes none")
def test_a_dry_run_shows_a_diff(stophooks: Stophooks, project: Path, path: str) -> None:
    settings = project / ".kiro/hooks/stophooks.json"

    shown = stophooks("install", "kiro", "--dry-run", cwd=project, env={"PATH": path})

    written = json.dumps(FILES["kiro"][1], indent=2).splitlines()
    assert shown.stdout.splitlines() == [
        "--- /dev/null",
        f"+++ {settings}",
        f"@@ -0,0 +1,{len(written)} @@",
        *(f"+{line}" for line in written),
    ]
    assert sorted(os.listdir(project)) == [".git", "stophooks.yaml"]


@pytest.mark.scenario("install: A dry run shows the change and makes none")
def test_a_dry_run_of_uninstalling_shows_what_would_go(
    stophooks: Stophooks, project: Path, path: str
) -> None:
    settings = project / ".claude/settings.json"
    settings.parent.mkdir()
    settings.write_text('{"a": 1}')
    stophooks("install", "claude", cwd=project, env={"PATH": path})
    installed = settings.read_bytes()

    shown = stophooks("uninstall", "claude", "--dry-run", cwd=project)

    assert shown.stdout.splitlines()[:2] == [f"--- {settings}", f"+++ {settings}"]
    assert '+{"a": 1}' in shown.stdout
    assert "\\ No newline at end of file" in shown.stdout
    assert settings.read_bytes() == installed


@pytest.mark.scenario("install: The agents that are found get the hook")
def test_all_means_the_agents_that_are_found(
    stophooks: Stophooks, project: Path, path: str, tmp_path: Path
) -> None:
    program = tmp_path / "bin/qwen"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (stophooks.home / ".factory").mkdir(parents=True)

    done = stophooks("install", "--all", cwd=project, env={"PATH": path})

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[:9] == [
        f"claude: not found (no `claude` on PATH, no {stophooks.home}/.claude)",
        f"codex: not found (no `codex` on PATH, no {stophooks.home}/.codex)",
        f"gemini: not found (no `gemini` on PATH, no {stophooks.home}/.gemini)",
        f"qwen: found ({program})",
        f"copilot: not found (no `copilot` on PATH, no {stophooks.home}/.copilot)",
        f"droid: found ({stophooks.home}/.factory)",
        f"cursor: not found (no `cursor-agent` or `cursor` on PATH, no {stophooks.home}/.cursor)",
        f"kiro: not found (no `kiro-cli` or `kiro` on PATH, no {stophooks.home}/.kiro)",
        f"opencode: not found (no `opencode` on PATH, no {stophooks.home}/.config/opencode)",
    ]
    assert sorted(os.listdir(project)) == [".factory", ".git", ".qwen", "stophooks.yaml"]


@pytest.mark.scenario("install: Nothing to install into is an error")
def test_all_without_any_agent_is_an_error(stophooks: Stophooks, project: Path, path: str) -> None:
    done = stophooks("install", "--all", cwd=project, env={"PATH": path})

    assert done.returncode == 3
    assert done.stderr == f"stophooks: no agent to install into was found. Name one of {NAMES}.\n"


@pytest.mark.scenario("install: What one agent's file refuses does not keep the others")
def test_the_others_are_installed(stophooks: Stophooks, project: Path, path: str) -> None:
    broken = project / ".gemini/settings.json"
    broken.parent.mkdir()
    broken.write_text("{")

    done = stophooks("install", "gemini", "droid", cwd=project, env={"PATH": path})

    assert done.returncode == 3
    assert f"stophooks: gemini: {broken} cannot be added to: line 1, column 2" in done.stderr
    assert json.loads((project / ".factory/hooks.json").read_text()) == FILES["droid"][1]
    assert broken.read_text() == "{"


@pytest.mark.scenario("install: Every agent is uninstalled from")
@pytest.mark.scenario("install: Uninstalling restores the file")
def test_all_agents_are_uninstalled_from(stophooks: Stophooks, project: Path) -> None:
    names = [*FILES, "opencode"]
    installed = stophooks("install", *names, cwd=project)
    there = sorted(os.listdir(project))

    done = stophooks("uninstall", "--all", cwd=project)

    assert (installed.returncode, done.returncode) == (0, 0)
    assert there == [
        ".claude",
        ".codex",
        ".cursor",
        ".factory",
        ".gemini",
        ".git",
        ".github",
        ".kiro",
        ".opencode",
        ".qwen",
        "stophooks.yaml",
    ]
    assert [name for _, _, files in os.walk(project) for name in files] == ["stophooks.yaml"]


@pytest.mark.scenario("install: A command line that means no agent is refused")
@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), f"no agent is named. Name one or several, or give --all. Known: {NAMES}."),
        (("claude", "--all"), "--all and a name exclude each other. Leave one of them."),
    ],
)
@pytest.mark.parametrize("name", ["install", "uninstall"])
def test_it_must_be_clear_who_is_meant(
    stophooks: Stophooks, project: Path, name: str, args: tuple[str, ...], words: str
) -> None:
    done = stophooks(name, *args, cwd=project)

    assert (done.returncode, done.stderr) == (3, f"stophooks: {words}\n")
    assert sorted(os.listdir(project)) == [".git", "stophooks.yaml"]


@pytest.mark.scenario("install: Trust that is needed is said")
def test_codex_is_said_to_skip_what_is_not_trusted(
    stophooks: Stophooks, project: Path, path: str
) -> None:
    done = stophooks("install", "codex", cwd=project, env={"PATH": path})

    assert done.stderr == (
        "Codex CLI skips a hook, without a word, until you trust it: start `codex` here, enter "
        "/hooks and trust the new ones. Every change of an entry needs that again; `stophooks "
        "doctor` says which are not trusted.\n"
    )


@pytest.mark.scenario("install: A hook that two agents run is said")
@pytest.mark.parametrize("scope", ["--project", "--local"])
def test_copilot_is_said_to_run_the_hook_of_claude_too(
    stophooks: Stophooks, project: Path, path: str, scope: str
) -> None:
    stophooks("install", "claude", scope, cwd=project)
    name = "settings.json" if scope == "--project" else "settings.local.json"

    done = stophooks("install", "copilot", cwd=project, env={"PATH": path})

    assert done.stderr.splitlines()[0] == (
        f"Copilot CLI may also run the hook in {project}/.claude/{name}, which is Claude Code's: "
        "only one of the two calls at a stop runs the checks."
    )


@pytest.mark.scenario("install: A second place of the hook is said")
@pytest.mark.parametrize(
    ("agent", "place"), [("droid", ".factory/hooks.json"), ("opencode", PLUGIN)]
)
def test_a_second_place_is_named(
    stophooks: Stophooks, project: Path, path: str, agent: str, place: str
) -> None:
    stophooks("install", agent, cwd=project, env={"PATH": path})

    done = stophooks("install", agent, "--user", cwd=project, env={"PATH": path})

    title = {"droid": "Factory droid", "opencode": "OpenCode"}[agent]
    assert done.returncode == 0
    assert done.stderr == (
        f"The hook is in {project / place} too, so {title} asks twice at a stop. "
        f"Leave one: `stophooks uninstall {agent} --project` takes that one out.\n"
    )
