from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.program import Finished, Stophooks

SETTINGS = """{
    "permissions": {"allow": ["Bash(ls:*)"]},\r
    "hooks": {
        "Stop": [ {"hooks": [{"type": "command", "command": "echo hi"}]} ],
        "PreToolUse": []
    },

    "last":   1e2}"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    (directory / ".git").mkdir(parents=True)
    (directory / "stophooks.yaml").write_text("stop:\n  commands:\n    - run: 'true'\n")
    return directory


def install(stophooks: Stophooks, project: Path, *args: str, **env: str) -> Finished:
    return stophooks("install", "claude", *args, cwd=project, env=env)


def entry(path: Path, event: str) -> dict[str, object]:
    (group,) = [
        group
        for group in json.loads(path.read_text())["hooks"][event]
        if "stophooks" in json.dumps(group)
    ]
    return dict(group["hooks"][0])


def settings(project: Path, text: str | bytes = SETTINGS) -> Path:
    path = project / ".claude/settings.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("flag", "place"),
    [
        (None, "project/.claude/settings.json"),
        ("--project", "project/.claude/settings.json"),
        ("--local", "project/.claude/settings.local.json"),
        ("--user", "home/.claude/settings.json"),
    ],
)
@pytest.mark.scenario("install: Each scope has its file")
def test_each_scope_has_its_file(
    stophooks: Stophooks, project: Path, tmp_path: Path, flag: str | None, place: str
) -> None:
    below = project / "src"
    below.mkdir()

    done = install(stophooks, below, *([flag] if flag else []))

    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        f"Installed in {tmp_path / place}:",
    )
    assert list(json.loads((tmp_path / place).read_text())["hooks"]) == [
        "Stop",
        "SubagentStop",
        "SessionStart",
        "SessionEnd",
    ]


@pytest.mark.scenario("install: Uninstalling restores the file")
@pytest.mark.parametrize("text", [SETTINGS, "", "{ }", '{"a":1}', '\ufeff{\r\n\t"a": 1\r\n}\r\n'])
def test_uninstalling_restores_every_byte(stophooks: Stophooks, project: Path, text: str) -> None:
    path = settings(project, text)
    path.chmod(0o640)

    installed = install(stophooks, project)
    between = path.read_bytes()
    removed = stophooks("uninstall", "claude", cwd=project)

    assert (installed.returncode, removed.returncode) == (0, 0)
    assert f"Before it was as in {path}.stophooks-backup." in installed.stdout
    assert between != text.encode()
    assert path.read_bytes() == text.encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [item.name for item in path.parent.iterdir()] == ["settings.json"]


def test_uninstalling_removes_a_file_that_was_not_there(
    stophooks: Stophooks, project: Path
) -> None:
    install(stophooks, project)

    done = stophooks("uninstall", "claude", cwd=project)

    path = project / ".claude/settings.json"
    assert done.stdout == f"Removed {path}: nothing else was in it.\n"
    assert not path.exists()


def test_settings_that_were_changed_since_keep_the_changes(
    stophooks: Stophooks, project: Path
) -> None:
    path = settings(project)
    install(stophooks, project)
    path.write_text(path.read_text().replace("echo hi", "echo ho"))

    done = stophooks("uninstall", "claude", cwd=project)

    assert path.read_text() == SETTINGS.replace("echo hi", "echo ho").replace("\r\n", "\n")
    assert f"{path}.stophooks-backup is as the file was before" in done.stdout


def test_uninstalling_what_is_not_installed_changes_nothing(
    stophooks: Stophooks, project: Path
) -> None:
    done = stophooks("uninstall", "claude", cwd=project)

    path = project / ".claude/settings.json"
    assert done.stdout == f"Not installed in {path}; nothing was changed.\n"
    assert (done.returncode, path.exists()) == (0, False)


@pytest.mark.scenario("install: Installing twice changes nothing")
def test_a_second_installation_says_so(stophooks: Stophooks, project: Path) -> None:
    path = settings(project)
    install(stophooks, project)
    before = path.stat()

    done = install(stophooks, project)

    assert done.stdout == f"Already installed in {path}; nothing was changed.\n"
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.scenario("install: The agent's limit lies beyond our deadline")
@pytest.mark.scenario("install: An older entry is brought up to date")
def test_the_timeout_follows_the_deadline(stophooks: Stophooks, project: Path) -> None:
    path = settings(project)
    install(stophooks, project)
    before = path.read_text()
    config = project / "stophooks.yaml"
    config.write_text(config.read_text().replace("stop:\n", "stop:\n  deadline: 20m\n"))

    done = install(stophooks, project)

    assert done.stdout.splitlines()[0] == f"Updated in {path}:"
    assert entry(path, "Stop")["timeout"] == 1260
    assert entry(path, "SubagentStop")["timeout"] == 600
    assert path.read_text() == before.replace("600", "1260", 1)
    stophooks("uninstall", "claude", cwd=project)
    assert path.read_bytes() == SETTINGS.encode()


@pytest.mark.scenario("install: The user's entry has room for every project")
def test_a_short_deadline_does_not_shorten_the_user_s_entry(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    config = project / "stophooks.yaml"
    config.write_text(config.read_text().replace("stop:\n", "stop:\n  deadline: 90s\n"))

    install(stophooks, project, "--user")
    install(stophooks, project, "--project")

    assert entry(tmp_path / "home/.claude/settings.json", "Stop")["timeout"] == 600
    assert entry(project / ".claude/settings.json", "Stop")["timeout"] == 150


@pytest.mark.scenario("install: A limit that is larger already stays")
@pytest.mark.parametrize(("flag", "needed"), [("--project", 150), ("--user", 600)])
def test_a_larger_timeout_stays(
    stophooks: Stophooks, project: Path, flag: str, needed: int
) -> None:
    base = stophooks.home if flag == "--user" else project
    path = base / ".claude/settings.json"
    config = project / "stophooks.yaml"
    short = config.read_text()
    config.write_text(short.replace("stop:\n", "stop:\n  deadline: 20m\n"))
    install(stophooks, project, flag)
    before = path.read_bytes()
    config.write_text(short.replace("stop:\n", "stop:\n  deadline: 90s\n"))

    done = install(stophooks, project, flag)

    assert path.read_bytes() == before
    assert entry(path, "Stop")["timeout"] == 1260
    assert done.stderr == (
        f"Stop: the timeout of 1260 s that is there stays; {needed} s would do.\n"
    )


@pytest.mark.scenario("install: The backup is as closed as the settings")
def test_the_backup_of_private_settings_is_private(stophooks: Stophooks, project: Path) -> None:
    path = settings(project)
    path.chmod(0o600)

    install(stophooks, project)

    backup = path.with_name("settings.json.stophooks-backup")
    assert backup.read_bytes() == SETTINGS.encode()
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_configuration_with_problems_does_not_keep_us_from_installing(
    stophooks: Stophooks, project: Path
) -> None:
    (project / "stophooks.yaml").write_text("stop: 5\n")

    done = install(stophooks, project)

    assert done.returncode == 0
    assert "stophooks.yaml has problems, so the default deadline is taken." in done.stderr
    assert entry(project / ".claude/settings.json", "Stop")["timeout"] == 600


def _directory(path: Path) -> None:
    path.mkdir()


def _fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.scenario("install: Settings that cannot be read are left alone")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        ('{"a": 1,\n}', "cannot be added to: line 2, column 1: expected a key in double quotes"),
        ("[]", "cannot be added to: it is one array, not an object"),
        ('{"hooks": {"Stop": {}}}', "cannot be added to: hooks.Stop is one object, not an array"),
        (b'{"a": "\xff"}', "is not UTF-8 text (byte 7)"),
        (_fifo, "is not a regular file"),
        (_directory, "is not a regular file"),
    ],
)
def test_what_cannot_be_read_is_left_alone(
    stophooks: Stophooks, project: Path, make: str | bytes | Callable[[Path], None], words: str
) -> None:
    path = project / ".claude/settings.json"
    if isinstance(make, str | bytes):
        settings(project, make)
    else:
        path.parent.mkdir()
        make(path)
    before = path.read_bytes() if path.is_file() else b""

    done = install(stophooks, project)

    assert done.returncode == 3
    assert done.stderr.startswith(f"stophooks: {path} {words}")
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert [item.name for item in path.parent.iterdir()] == ["settings.json"]


def test_uninstalling_from_what_cannot_be_read_changes_nothing(
    stophooks: Stophooks, project: Path
) -> None:
    path = settings(project, "{")

    done = stophooks("uninstall", "claude", cwd=project)

    assert done.returncode == 3
    assert f"{path} cannot be read: line 1, column 2" in done.stderr
    assert path.read_text() == "{"


@pytest.mark.scenario("install: A settings file that is a link stays one")
def test_a_link_stays_a_link(stophooks: Stophooks, project: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text(SETTINGS)
    real.chmod(0o600)
    link = project / ".claude/settings.json"
    link.parent.mkdir()
    link.symlink_to("../../dotfiles.json")

    done = install(stophooks, project)

    assert done.returncode == 0
    assert link.is_symlink()
    assert entry(real, "Stop")["type"] == "command"
    assert real.stat().st_mode & 0o777 == 0o600


def test_settings_that_cannot_be_written_stay(stophooks: Stophooks, project: Path) -> None:
    (project / ".claude").write_text("a file in the way")

    done = install(stophooks, project)

    assert done.returncode == 3
    assert "cannot read" in done.stderr or "cannot write" in done.stderr


def test_the_shared_settings_name_a_program_that_is_on_every_path(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    stable = tmp_path / "bin"
    stable.mkdir()
    (stable / "stophooks").symlink_to(Path(stophooks.python).parent / "stophooks")
    path = f"{stable}:{os.environ['PATH']}"

    install(stophooks, project, PATH=path)
    install(stophooks, project, "--local", PATH=path)

    shared = entry(project / ".claude/settings.json", "Stop")
    own = entry(project / ".claude/settings.local.json", "Stop")
    assert shared["command"] == "stophooks hook --agent claude"
    assert own["command"] == f"{stable}/stophooks hook --agent claude"


def test_a_program_of_a_virtual_environment_is_named_by_its_path(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv/bin"
    venv.mkdir(parents=True)
    (tmp_path / "venv/pyvenv.cfg").touch()
    shutil.copy(Path(stophooks.python).parent / "stophooks", venv)

    done = install(stophooks, project, PATH=f"{venv}:/usr/bin:/bin")

    command = entry(project / ".claude/settings.json", "Stop")["command"]
    own = Path(stophooks.python).parent / "stophooks"
    assert command == f"{own} hook --agent claude"
    assert "a path that only this machine knows" in done.stderr


@pytest.mark.scenario("install: The entry works from a path with spaces")
def test_a_shell_can_start_the_entry(stophooks: Stophooks, project: Path, tmp_path: Path) -> None:
    odd = tmp_path / "my 'own' $HOME"
    odd.mkdir()
    (odd / "stophooks").symlink_to(Path(stophooks.python).parent / "stophooks")
    (project / "stophooks.yaml").write_text("stop:\n  commands:\n    - run: touch ran\n")
    install(stophooks, project, "--local", PATH=f"{odd}:/usr/bin:/bin")
    command = entry(project / ".claude/settings.local.json", "Stop")["command"]

    done = subprocess.run(
        ["sh", "-c", str(command)],
        cwd=project,
        env=stophooks.environment(),
        input=b"{}",
        timeout=30,
        check=False,
    )

    assert (done.returncode, (project / "ran").exists()) == (0, True)


def test_hooks_that_are_switched_off_are_mentioned(stophooks: Stophooks, project: Path) -> None:
    path = settings(project, '{"disableAllHooks": true}')

    done = install(stophooks, project)

    assert done.stderr.splitlines()[-1] == f"`disableAllHooks` is true in {path}: no hook runs."


def test_a_project_without_a_configuration_gets_the_hint(
    stophooks: Stophooks, project: Path
) -> None:
    (project / "stophooks.yaml").unlink()
    below = project / "src"
    below.mkdir()

    done = install(stophooks, below)

    assert done.stderr.splitlines()[-1].startswith(
        "There is no configuration yet: `stophooks init`"
    )
    assert (project / ".claude/settings.json").is_file()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("hal",), 'unknown agent "hal". Known: claude, codex, gemini'),
        (("claude", "--user", "--local"), "only one of --user, --project and --local"),
    ],
)
@pytest.mark.parametrize("name", ["install", "uninstall"])
def test_what_makes_no_sense_is_refused(
    stophooks: Stophooks, project: Path, name: str, args: tuple[str, ...], words: str
) -> None:
    done = stophooks(name, *args, cwd=project)

    assert (done.returncode, words in done.stderr) == (3, True)


def test_the_documentation_shows_what_is_written(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    stable = tmp_path / "bin"
    stable.mkdir()
    (stable / "stophooks").symlink_to(Path(stophooks.python).parent / "stophooks")
    page = (Path(__file__).parents[2] / "docs/agents.md").read_text()

    install(stophooks, project, PATH=f"{stable}:{os.environ['PATH']}")

    shown = page.partition("```json\n")[2].partition("```")[0]
    assert (project / ".claude/settings.json").read_text() == shown
