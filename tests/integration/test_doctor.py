"""The doctor on healthy and broken machines, by the real program."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.running import paced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.program import Finished, Stophooks

BUSYBOX = "stophooks-test/busybox:1"
HOST_ONLY = "stop: {commands: [{name: t, run: 'true'}]}"
# The promise is 12 s; the rest is for a machine that does something else as well.
BOUND_S = 15.0
PROBES_BOUND_S = 60.0
MINIMUM = b'{"ApiVersion": "1.41", "OSType": "linux"}'


def in_container(image: str, more: str = "") -> str:
    body = f"name: box, run: 'true', image: '{image}', network: none"
    return f"stop: {{commands: [{{{body}{more}}}]}}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    (directory / ".git").mkdir(parents=True)
    return directory


def configure(project: Path, text: str) -> None:
    (project / "stophooks.yaml").write_text(text)


def findings(done: Finished, about: str) -> list[dict[str, Any]]:
    return [one for one in json.loads(done.stdout)["findings"] if one["about"] == about]


def look(stophooks: Stophooks, project: Path, *args: str, **env: str) -> Finished:
    return stophooks("doctor", "--format", "json", *args, cwd=project, env=env)


def only(found: list[dict[str, Any]], level: str) -> dict[str, Any]:
    (one,) = [finding for finding in found if finding["level"] == level]
    return one


def settings(project: Path, timeout: float | None, *, program: str = "/bin/stophooks") -> Path:
    limit = {} if timeout is None else {"timeout": timeout}
    hook = {"type": "command", "command": f"{program} hook --agent claude", **limit}
    path = project / ".claude/settings.json"
    path.parent.mkdir(exist_ok=True)
    events = ("Stop", "SubagentStop", "SessionStart", "SessionEnd")
    path.write_text(json.dumps({"hooks": {event: [{"hooks": [hook]}] for event in events}}))
    return path


def program(tmp_path: Path) -> str:
    """A program of our name, which the doctor only looks for."""
    path = tmp_path / "bin/stophooks"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def ours(engine: docker.DockerClient) -> set[str]:
    """The containers of doctors; other people's tests use this engine too."""
    rows = engine.api.containers(all=True, filters={"label": "stophooks.run"})
    return {row["Id"] for row in rows if row["Labels"]["stophooks.run"].startswith("probe-")}


@contextmanager
def mute(path: Path) -> Iterator[str]:
    """An engine that accepts connections and says nothing; its address."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    yield f"unix://{path}"
    listener.close()


@contextmanager
def slow(path: Path, *, answer_s: float) -> Iterator[str]:
    """An engine that answers everything with as little as it may, so many seconds later."""
    end = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            end.wait(answer_s)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(MINIMUM)

        def address_string(self) -> str:
            return "a socket"

        def log_message(self, *_: object) -> None:
            pass

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    with Server(str(path), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"unix://{path}"
        end.set()
        server.shutdown()
        serving.join()


@pytest.mark.scenario("doctor: Everything is in order")
def test_a_healthy_machine_has_no_problem(
    stophooks: Stophooks, project: Path, engine: docker.DockerClient, tmp_path: Path
) -> None:
    configure(project, in_container(BUSYBOX))
    settings(project, 600, program=program(tmp_path))
    before = ours(engine)

    done = stophooks("doctor", cwd=project)

    assert done.returncode == 0, done.stdout
    assert "PROBLEM" not in done.stdout
    assert f"ok       the image {BUSYBOX} is there" in done.stdout
    assert "the hook is installed in the project settings" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("No problem")
    assert ours(engine) == before
    assert not list(stophooks.state.rglob("*"))


@pytest.mark.scenario("doctor: Findings for a program")
def test_findings_for_a_program_are_one_document(
    stophooks: Stophooks, project: Path, engine: docker.DockerClient
) -> None:
    assert engine
    configure(project, HOST_ONLY)

    done = look(stophooks, project, PATH="/usr/bin:/bin")

    document = json.loads(done.stdout)
    assert set(document) == {"version", "ok", "findings", "probe"}
    assert document["ok"] is True
    assert document["probe"] is None
    keys = {"level", "about", "text", "where", "remedy"}
    assert all(set(one) == keys for one in document["findings"])
    assert {one["about"] for one in document["findings"]} == {
        "program",
        "configuration",
        "agents",
        "state",
        "engine",
    }


@pytest.mark.scenario("doctor: There is no configuration")
def test_a_missing_configuration_is_a_warning(stophooks: Stophooks, project: Path) -> None:
    done = look(stophooks, project)

    found = only(findings(done, "configuration"), "warn")
    assert found["remedy"] == "Write one: stophooks init"


@pytest.mark.scenario("doctor: The configuration has problems")
def test_a_broken_configuration_is_a_problem(stophooks: Stophooks, project: Path) -> None:
    configure(project, "stop:\n  commands:\n    - run: make\n      timeout: 5x\n      imagee: a\n")

    done = look(stophooks, project)

    found = only(findings(done, "configuration"), "problem")
    assert done.returncode == 3
    assert "2 problems, the first at line 4:" in found["text"]
    assert found["remedy"] == "See all of them: stophooks validate"
    assert found["where"] == str(project / "stophooks.yaml")


@pytest.mark.scenario("doctor: The state directory cannot be written")
def test_the_fallback_of_the_state_directory_is_named(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    done = look(stophooks, project, XDG_STATE_HOME=str(in_the_way), TMPDIR=str(temporary))

    found = only(findings(done, "state"), "warn")
    assert found["where"] == f"{in_the_way}/stophooks"
    assert f"{temporary}/stophooks-{os.getuid()}" in found["text"]


@pytest.mark.scenario("doctor: The store cannot be read")
def test_a_store_that_is_no_database_is_a_problem_and_stays(
    stophooks: Stophooks, project: Path
) -> None:
    database = stophooks.state / "stophooks/state.db"
    database.parent.mkdir()
    database.write_bytes(b"no database" * 100)

    done = look(stophooks, project)

    found = only(findings(done, "state"), "problem")
    assert done.returncode == 3
    assert found["where"] == str(database)
    assert database.read_bytes() == b"no database" * 100
    assert [path.name for path in database.parent.iterdir()] == ["state.db"]


@pytest.mark.scenario("doctor: No engine answers")
def test_a_missing_engine_is_a_problem_for_who_needs_it(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    configure(project, in_container(BUSYBOX))

    done = look(stophooks, project, DOCKER_HOST=f"unix://{tmp_path}/none.sock")

    found = only(findings(done, "engine"), "problem")
    assert done.returncode == 3
    assert f"unix://{tmp_path}/none.sock (from DOCKER_HOST)" in found["text"]
    assert "systemctl start docker" in found["remedy"]


@pytest.mark.scenario("doctor: No command needs an engine")
def test_a_missing_engine_is_a_warning_for_who_does_not(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    configure(project, HOST_ONLY)

    done = look(stophooks, project, DOCKER_HOST=f"unix://{tmp_path}/none.sock")

    assert done.returncode == 0
    assert only(findings(done, "engine"), "warn")["text"].endswith("No command here needs one.")


@pytest.mark.scenario("doctor: The context does not exist")
def test_a_missing_context_is_named_and_nobody_else_is_asked(
    stophooks: Stophooks, project: Path
) -> None:
    configure(project, in_container(BUSYBOX))

    done = look(stophooks, project, DOCKER_HOST="", DOCKER_CONTEXT="nowhere")

    (found,) = findings(done, "engine")
    assert done.returncode == 3
    assert found["text"] == (
        'The Docker context "nowhere", named by DOCKER_CONTEXT, does not exist.'
    )
    assert "docker context use" in found["remedy"]


@pytest.mark.scenario("doctor: The engine does not answer")
def test_a_mute_engine_is_given_up_on(stophooks: Stophooks, project: Path, tmp_path: Path) -> None:
    configure(project, in_container(BUSYBOX))
    began = time.monotonic()

    with mute(tmp_path / "mute.sock") as address:
        done = look(stophooks, project, DOCKER_HOST=address)

    assert time.monotonic() - began < paced(BOUND_S)
    assert done.returncode == 3
    assert "did not answer" in only(findings(done, "engine"), "problem")["text"]


def test_an_engine_that_takes_its_time_for_each_answer_is_given_up_on(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    configure(project, in_container(BUSYBOX))
    began = time.monotonic()

    with slow(tmp_path / "slow.sock", answer_s=4.5) as address:
        done = look(stophooks, project, DOCKER_HOST=address)

    assert time.monotonic() - began < paced(BOUND_S)
    assert done.returncode == 3
    assert "did not answer" in only(findings(done, "engine"), "problem")["text"]


@pytest.mark.scenario("doctor: The engine's socket is closed to the user")
def test_a_closed_socket_is_told_with_its_remedy(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    configure(project, in_container(BUSYBOX))
    # Root may open everything, unless it gives that right away.
    dropped = "--bounding-set=-dac_override,-dac_read_search"
    prefix = [shutil.which("setpriv") or "setpriv", dropped] if os.geteuid() == 0 else []

    with mute(tmp_path / "closed.sock") as address:
        (tmp_path / "closed.sock").chmod(0)
        done = subprocess.run(
            [*prefix, stophooks.python, "-m", "stophooks", "doctor", "--format", "json"],
            cwd=project,
            env=stophooks.environment({"DOCKER_HOST": address}),
            capture_output=True,
            text=True,
            check=False,
        )

    document = json.loads(done.stdout)
    found = only([one for one in document["findings"] if one["about"] == "engine"], "problem")
    assert done.returncode == 3
    assert "Permission denied" in found["text"]
    assert "usermod -aG docker" in found["remedy"]


@pytest.mark.scenario("doctor: An image is missing")
@pytest.mark.parametrize(
    ("policy", "level", "said", "code"),
    [
        ("", "warn", "is pulled by the first run", 0),
        (", pull: never", "problem", "`pull` is never", 3),
    ],
)
def test_a_missing_image_is_told_with_what_a_pull_would_do(
    stophooks: Stophooks,
    project: Path,
    engine: docker.DockerClient,
    *,
    policy: str,
    level: str,
    said: str,
    code: int,
) -> None:
    configure(project, in_container("stophooks-test/none:1", policy))

    done = look(stophooks, project)

    found = [one for one in findings(done, "engine") if "none:1" in one["text"]]
    assert done.returncode == code
    assert (len(found), found[0]["level"]) == (1, level)
    assert said in found[0]["text"]
    assert "docker pull stophooks-test/none:1" in found[0]["remedy"]
    assert not engine.images.list(name="stophooks-test/none")


@pytest.mark.scenario("doctor: The engine cannot keep what is asked for")
def test_what_the_engine_cannot_keep_is_a_problem_of_that_command(
    stophooks: Stophooks, project: Path, engine: docker.DockerClient
) -> None:
    assert engine
    configure(project, in_container(BUSYBOX, ", cpus: 4096"))

    done = look(stophooks, project)

    found = only(findings(done, "engine"), "problem")
    assert done.returncode == 3
    assert found["text"].startswith('the command "box": `cpus` asks for 4096')
    assert found["remedy"].startswith("Write at most")


@pytest.mark.scenario("doctor: Containers were left behind")
def test_containers_of_runs_are_named(
    stophooks: Stophooks, project: Path, engine: docker.DockerClient
) -> None:
    configure(project, HOST_ONLY)
    left = engine.containers.create(BUSYBOX, "true", labels={"stophooks.run": "killed-1"})

    try:
        done = look(stophooks, project)
    finally:
        left.remove(force=True)

    (found,) = [one for one in findings(done, "engine") if "killed-1" in one["text"]]
    assert left.name in found["text"]


@pytest.mark.scenario("doctor: The hook is not installed")
def test_no_hook_and_no_agent_is_a_warning(stophooks: Stophooks, project: Path) -> None:
    configure(project, HOST_ONLY)

    done = look(stophooks, project, PATH="/usr/bin:/bin")

    found = only(findings(done, "agents"), "warn")
    assert found["remedy"].startswith("Install it: stophooks install claude|codex|")


@pytest.mark.scenario("doctor: An agent on this machine has no hook")
def test_an_agent_without_the_hook_is_a_warning(stophooks: Stophooks, project: Path) -> None:
    configure(project, HOST_ONLY)
    folder = stophooks.home / ".claude"
    folder.mkdir(parents=True)

    done = look(stophooks, project, PATH="/usr/bin:/bin")

    found = only(findings(done, "agent claude"), "warn")
    assert f"it is on this machine ({folder})" in found["text"]
    assert found["remedy"] == "Install it: stophooks install claude"
    assert not findings(done, "agent codex")


@pytest.mark.scenario("doctor: The hook is of an older version")
def test_a_hook_that_is_called_too_seldom_is_a_warning(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    configure(project, HOST_ONLY)
    path = settings(project, 600, program=program(tmp_path))
    told = json.loads(path.read_text())
    del told["hooks"]["SessionStart"]
    path.write_text(json.dumps(told))

    done = look(stophooks, project)

    found = only(findings(done, "agent claude"), "warn")
    assert found["text"] == "the hook is not called at SessionStart"
    assert found["remedy"] == "Install it again: stophooks install claude --project"


@pytest.mark.scenario("doctor: The hook is of an older version")
def test_a_plugin_file_that_was_changed_is_a_warning(stophooks: Stophooks, project: Path) -> None:
    configure(project, HOST_ONLY)
    stophooks("install", "opencode", cwd=project)
    path = project / ".opencode/plugin/stophooks.js"
    before = look(stophooks, project)
    path.write_text(path.read_text() + "// more\n")

    done = look(stophooks, project)

    assert [one["level"] for one in findings(before, "agent opencode")] == ["ok"]
    found = only(findings(done, "agent opencode"), "warn")
    assert found["text"] == "the plugin file is of another version, or was changed"


# What `codex app-server` 0.169.0 answered for these entries, 2026-11-21.
TRUSTED = {
    "stop": "d9f3d670af3a9905d5edc6abd45fb10b1fcf115d32b08ee19d894075414bdf83",
    "subagent_stop": "883572f9e98f73a9b9138914204718b5250fc1f2adf4fae4a733626b4d5b485f",
    "session_start": "090d6dd2b6c77cde170676e98887b46bbe15c0a80c4bcb786dc99fbb69472d2e",
    "session_end": "e086d6c51fc43532ad00feb6b27f40a7416703980b7f018f98c507080c4a0b83",
}


@pytest.mark.scenario("doctor: An agent skips a hook that is not trusted")
@pytest.mark.parametrize("changed", [False, True])
def test_a_hook_that_codex_does_not_trust_is_a_warning(
    stophooks: Stophooks, project: Path, tmp_path: Path, *, changed: bool
) -> None:
    configure(project, HOST_ONLY)
    path = f"{program(tmp_path).removesuffix('/stophooks')}:/usr/bin:/bin"
    stophooks("install", "codex", cwd=project, env={"PATH": path})
    file = project / ".codex/hooks.json"
    lines = [
        f'[hooks.state."{file}:{event}:0:0"]\ntrusted_hash = "sha256:{digest}"\n'
        for event, digest in TRUSTED.items()
    ]
    config = stophooks.home / ".codex/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("".join(lines))
    if changed:
        file.write_text(file.read_text().replace('"timeout": 600', '"timeout": 601'))

    done = look(stophooks, project, PATH=path)

    found = findings(done, "agent codex")
    assert [one["level"] for one in found] == (["warn"] if changed else ["ok"])
    if changed:
        assert found[0]["text"] == "the hook is not known to be trusted at Stop, SubagentStop"
        assert "enter /hooks and trust" in found[0]["remedy"]


def test_an_installed_hook_is_ok(stophooks: Stophooks, project: Path) -> None:
    configure(project, HOST_ONLY)
    installed = stophooks("install", "claude", "--local", cwd=project)

    done = look(stophooks, project)

    found = only(findings(done, "agent claude"), "ok")
    assert installed.returncode == 0
    assert found["where"] == str(project / ".claude/settings.local.json")
    assert "Stop 600 s, SubagentStop 600 s, SessionStart 30 s" in found["text"]


@pytest.mark.scenario("doctor: The agent would end the hook first")
@pytest.mark.parametrize(
    ("limit", "level", "said"),
    [
        (300, "problem", "after 5 m, before the deadline of 20 m"),
        (1230, "warn", "after 20 m 30 s, soon after the deadline of 20 m"),
        (None, "warn", "no limit of its own"),
    ],
)
def test_a_limit_below_the_deadline_is_told(
    stophooks: Stophooks,
    project: Path,
    tmp_path: Path,
    *,
    limit: float | None,
    level: str,
    said: str,
) -> None:
    configure(
        project, f"stop: {{deadline: 20m, commands: [{{run: 'true'}}]}}\nsubagent_{HOST_ONLY}"
    )
    path = settings(project, limit, program=program(tmp_path))

    done = look(stophooks, project)

    found = next(one for one in findings(done, "agent claude") if "Stop " in one["text"])
    assert (found["level"], found["where"]) == (level, str(path))
    assert found["text"].startswith("Stop ")
    assert said in found["text"]
    assert found["remedy"] == "Install it again: stophooks install claude --project"


@pytest.mark.scenario("doctor: The hook's program is gone")
def test_a_hook_whose_program_is_gone_is_a_problem(stophooks: Stophooks, project: Path) -> None:
    configure(project, HOST_ONLY)
    settings(project, 600, program="/gone/stophooks")

    done = look(stophooks, project)

    found = only(findings(done, "agent claude"), "problem")
    assert done.returncode == 3
    assert found["text"] == "the hook's program is not there: /gone/stophooks"


def test_a_program_that_only_a_shell_can_find_is_not_judged(
    stophooks: Stophooks, project: Path
) -> None:
    configure(project, HOST_ONLY)
    settings(project, 600, program='"$CLAUDE_PROJECT_DIR"/.venv/bin/stophooks')

    done = look(stophooks, project)

    assert [one["level"] for one in findings(done, "agent claude")] == ["ok"]


@pytest.mark.scenario("doctor: Hooks are turned off")
def test_hooks_that_are_turned_off_are_a_problem(stophooks: Stophooks, project: Path) -> None:
    configure(project, HOST_ONLY)
    path = project / ".claude/settings.local.json"
    path.parent.mkdir()
    path.write_text('{"disableAllHooks": true}')

    done = look(stophooks, project)

    found = only(findings(done, "agent claude"), "problem")
    assert found["where"] == str(path)
    assert "disableAllHooks" in found["text"]


@pytest.mark.parametrize("text", ["{broken", "[]", '{"hooks": []}'])
def test_settings_that_nobody_can_read_are_a_problem(
    stophooks: Stophooks, project: Path, text: str
) -> None:
    configure(project, HOST_ONLY)
    path = project / ".claude/settings.json"
    path.parent.mkdir()
    path.write_text(text)

    done = look(stophooks, project)

    assert done.returncode == 3
    assert only(findings(done, "agent claude"), "problem")["where"] == str(path)


@pytest.mark.scenario("doctor: A healthy engine")
@pytest.mark.scenario("doctor: Nothing is left of the probes")
@pytest.mark.scenario("doctor: Probes for a program")
@pytest.mark.scenario("doctor: The image of the probes")
def test_probes_hold_on_a_healthy_engine_and_leave_nothing(
    stophooks: Stophooks, project: Path, engine: docker.DockerClient, tmp_path: Path
) -> None:
    configure(project, in_container(BUSYBOX))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    before = ours(engine)

    done = look(stophooks, project, "--probe", TMPDIR=str(temporary))

    probe = json.loads(done.stdout)["probe"]
    results = probe["results"]
    broken = [one for one in results if one["verdict"] in {"fails", "unknown"}]
    assert broken == []
    assert done.returncode == 0
    assert probe["image"] == BUSYBOX
    assert probe["duration_s"] < PROBES_BOUND_S
    assert sum(one["verdict"] == "holds" for one in results) >= 40
    keys = {"name", "theme", "expects", "verdict", "seen", "duration_s"}
    assert all(set(one) == keys for one in results)
    assert ours(engine) == before
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in project.iterdir()) == [".git", "stophooks.yaml"]


@pytest.mark.scenario("doctor: There is no image to probe with")
def test_an_image_that_is_not_there_is_not_pulled(
    stophooks: Stophooks, project: Path, engine: docker.DockerClient
) -> None:
    configure(project, HOST_ONLY)

    done = stophooks("doctor", "--probe", "--image", "stophooks-test/none:1", cwd=project)

    assert done.returncode == 3
    assert done.stderr == (
        "stophooks: Nothing to probe with: stophooks-test/none:1 is not on this engine. Get an "
        "image with a /bin/sh that runs here (`docker pull stophooks-test/none:1`), and name it "
        "with --image.\n"
    )
    assert not engine.images.list(name="stophooks-test/none")


def test_without_an_engine_there_is_nothing_to_probe(
    stophooks: Stophooks, project: Path, tmp_path: Path
) -> None:
    configure(project, HOST_ONLY)

    done = look(stophooks, project, "--probe", DOCKER_HOST=f"unix://{tmp_path}/none.sock")

    assert done.returncode == 3
    assert only(findings(done, "engine"), "problem")
    assert json.loads(done.stdout)["probe"] is None


def test_an_image_without_probes_is_refused(stophooks: Stophooks, project: Path) -> None:
    done = stophooks("doctor", "--image", BUSYBOX, cwd=project)

    assert done.returncode == 3
    assert "Add --probe." in done.stderr
