"""What the project itself says of a session's end, and what is told of it."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cleanups import SESSION, Scene, lives, pid_in, without_engine
from tests.running import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.program import Stophooks

IMAGE = "stophooks-test/busybox:1"
SERVICE = f"services:\n  web:\n    image: {IMAGE}\n    command: sleep 300\n"


@pytest.fixture
def scene(stophooks: Stophooks, tmp_path: Path) -> Iterator[Scene]:
    project = tmp_path / "project"
    project.mkdir()
    one = Scene(stophooks=stophooks, project=project)
    yield one
    one.clear()


@pytest.mark.scenario("cleanup: Commands run in the project's directory")
def test_commands_run_in_the_project_s_directory(scene: Scene) -> None:
    scene.config("cleanup:\n  commands: [{run: 'pwd > place; env > seen'}]\n")
    below = scene.project / "below"
    below.mkdir()

    done = scene("--session", "S", "--level", "purge", cwd=below)

    assert done.returncode == 0, done
    assert (scene.project / "place").read_text().strip() == str(scene.project)
    seen = scene.seen()
    assert seen[SESSION] == "S"
    assert seen["STOPHOOKS_CLEANUP_LEVEL"] == "purge"
    assert seen["STOPHOOKS_PROJECT_DIR"] == str(scene.project)
    assert seen["STOPHOOKS_EVENT"] == "cleanup"


@pytest.mark.scenario("cleanup: A script is the whole part")
@pytest.mark.parametrize("config", [None, "stop:\n  commands: [{run: 'true'}]\n", "cleanup: {}\n"])
@pytest.mark.parametrize("level", ["stop", "purge"])
def test_a_script_is_the_whole_part(scene: Scene, config: str | None, level: str) -> None:
    if config is not None:
        scene.config(config)
    scene.script("pwd > place; env > seen; echo cleaned")
    (scene.project / "compose.yml").write_text(SERVICE)
    below = scene.project
    if config is not None:
        below = scene.project / "below/it"
        below.mkdir(parents=True)

    done = scene.document("--level", level, cwd=below, env=without_engine(scene))

    assert done["own"]["by"] == "script"
    assert [one["name"] for one in done["own"]["results"]] == ["on-cleanup"]
    assert (scene.project / "place").read_text().strip() == str(scene.project)
    seen = scene.seen()
    assert seen[SESSION] == scene.session
    assert seen["STOPHOOKS_CLEANUP_LEVEL"] == level
    assert seen["STOPHOOKS_PROJECT_DIR"] == str(scene.project)


@pytest.mark.scenario("cleanup: Commands keep the script from running")
def test_commands_keep_the_script_from_running(scene: Scene) -> None:
    scene.config("cleanup:\n  commands: [{run: touch by-command}]\n")
    scene.script("touch by-script")

    done = scene.of_session()

    assert done.returncode == 0, done
    assert (scene.project / "by-command").exists()
    assert not (scene.project / "by-script").exists()


@pytest.mark.scenario("cleanup: A command in a container")
def test_a_command_runs_in_a_container(engine: docker.DockerClient, scene: Scene) -> None:
    del engine
    scene.config(
        f"cleanup:\n  commands:\n    - {{image: {IMAGE}, network: none, run: 'env > seen'}}\n"
    )

    done = scene.of_session()

    assert done.returncode == 0, done
    seen = scene.seen()
    assert seen["STOPHOOKS_PROJECT_DIR"] == "/workspace"
    assert seen[SESSION] == scene.session


@pytest.mark.scenario("cleanup: Variables of clsecure")
def test_the_variables_of_clsecure_are_there(scene: Scene) -> None:
    scene.config("cleanup: {compat: clsecure}\n")
    scene.script("env > seen")

    scene.of_session("--level", "purge")

    seen = scene.seen()
    assert seen["CLSECURE_SESSION"] == scene.session
    assert seen["CLSECURE_CLEANUP_LEVEL"] == "purge"
    assert seen["CLSECURE_PROJECT_DIR"] == str(scene.project)


@pytest.mark.scenario("cleanup: Without hooks only the rest is done")
def test_without_hooks_only_the_rest_is_done(scene: Scene) -> None:
    scene.script("touch ran")
    process = scene.process()

    done = scene.of_session("--no-hooks")

    assert done.returncode == 0, done
    assert not (scene.project / "ran").exists()
    assert not lives(process)


@pytest.mark.scenario("cleanup: A script outside the project is not run")
def test_a_script_in_a_directory_of_a_like_name_is_not_run(scene: Scene) -> None:
    evil = scene.project.parent / "project-evil"
    evil.mkdir()
    outside = evil / "on-cleanup"
    outside.write_text("#!/bin/sh\ntouch ran\n")
    outside.chmod(0o755)
    (scene.project / ".stophooks").mkdir()
    (scene.project / ".stophooks/on-cleanup").symlink_to(outside)

    done = scene.of_session()

    assert done.returncode == 1
    assert f"it leads out of the project, to {outside}" in done.stdout
    assert not (scene.project / "ran").exists()


@pytest.mark.scenario("cleanup: Only a regular file is a script")
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("directory", "it is not a regular file"),
        ("fifo", "it is not a regular file"),
        ("link", "it is a link that leads nowhere"),
        ("plain", "it is not executable. Make it so: chmod +x /"),
    ],
)
def test_only_an_executable_regular_file_is_a_script(scene: Scene, kind: str, why: str) -> None:
    path = scene.project / ".stophooks/on-cleanup"
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path, 0o755)
    elif kind == "link":
        path.symlink_to("nowhere")
    else:
        path.write_text("#!/bin/sh\ntouch ran\n")
    process = scene.process()

    done = scene.of_session()

    assert done.returncode == 1
    assert why in done.stdout
    assert "Nothing else was brought down in its place." in done.stdout
    assert not (scene.project / "ran").exists()
    assert not lives(process)


@pytest.mark.scenario("cleanup: A project behind a link has its script")
@pytest.mark.parametrize("by", ["directory", "configuration"])
def test_a_project_behind_a_link_has_its_script(scene: Scene, by: str) -> None:
    scene.config("cleanup: {}\n")
    scene.script("touch ran")
    link = scene.project.parent / "link"
    link.symlink_to(scene.project)

    if by == "directory":
        done = scene.of_session(cwd=link, env={"PWD": str(link)})
    else:
        done = scene.of_session("--config", str(link / "stophooks.yaml"), cwd=link.parent)

    assert done.returncode == 0, done
    assert (scene.project / "ran").exists()


@pytest.mark.scenario("cleanup: A command that ignores SIGTERM is ended")
def test_a_script_that_ignores_sigterm_is_ended(scene: Scene) -> None:
    scene.script("trap '' TERM; echo $$ > pid; while :; do sleep 1; done")
    process = scene.process()

    done = scene.document("--timeout", "5s")

    pid = int((scene.project / "pid").read_text())
    result = done["own"]["results"][0]
    assert result["status"] == "timed_out"
    assert result["reason"] == "timed out after 5 s"
    assert 5 <= result["duration_s"] < 15
    assert not done["passed"]
    assert ended(pid)
    assert not lives(process)


def test_the_configuration_limits_the_script_too(scene: Scene) -> None:
    scene.config("cleanup: {default_timeout: 6s}\n")
    scene.script("exec sleep 100")

    result = scene.document()["own"]["results"][0]

    assert result["reason"] == "timed out after 6 s"


def test_the_limit_of_the_command_line_counts_for_commands(scene: Scene) -> None:
    scene.config("cleanup:\n  commands: [{run: sleep 100, timeout: 50s}]\n")

    result = scene.document("--timeout", "5s")["own"]["results"][0]

    assert result["reason"] == "timed out after 5 s"


@pytest.mark.scenario("cleanup: Exit code 124 is a failure")
def test_exit_code_124_is_a_failure(scene: Scene) -> None:
    scene.script("exit 124")

    done = scene.of_session()
    result = scene.document()["own"]["results"][0]

    assert done.returncode == 1
    assert result["status"] == "failed"
    assert result["exit_code"] == 124


@pytest.mark.scenario("cleanup: A limit that is not allowed is an error")
@pytest.mark.parametrize(
    "args",
    [
        ("--timeout", "4s"),
        ("--timeout", "301s"),
        ("--timeout", "0"),
        ("--timeout", "soon"),
        ("--timeout", "30"),
        ("--level", "all"),
        ("--level", ""),
        ("--session", ""),
    ],
)
def test_a_value_that_is_not_allowed_is_an_error(scene: Scene, args: tuple[str, str]) -> None:
    scene.script("touch ran")

    done = scene(*args)

    assert done.returncode == 3
    assert args[0] in done.stderr
    assert args[1] in done.stderr
    assert not (scene.project / "ran").exists()


@pytest.mark.parametrize("limit", ["4s", "10m", "null", "0s"])
def test_a_limit_of_the_configuration_that_is_not_allowed_is_an_error(
    scene: Scene, limit: str
) -> None:
    scene.config(f"cleanup:\n  commands: [{{run: touch ran, timeout: {limit}}}]\n")

    done = scene.of_session()

    assert done.returncode == 3
    assert "cleanup.commands[0].timeout" in done.stderr
    assert not (scene.project / "ran").exists()


@pytest.mark.scenario("cleanup: Ctrl-C ends the command and not the cleanup")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_and_not_the_cleanup(
    scene: Scene, number: signal.Signals, code: int
) -> None:
    scene.script("trap '' INT TERM; echo $$ > pid; while :; do sleep 1; done")
    process, slow = scene.process(), scene.trap("slow")
    running = scene.stophooks.start("cleanup", "--session", scene.session, cwd=scene.project)
    pid = pid_in(scene.project / "pid")
    assert lives(process)

    running.send_signal(number)
    wait_until(lambda: ended(pid))
    running.send_signal(number)
    out, _ = running.communicate(timeout=60)

    assert running.returncode == code
    assert b"cancelled" in out
    assert not lives(process)
    assert not lives(slow)
    assert scene.polite.read_text() == "ended by itself"


@pytest.mark.scenario("cleanup: Remaining commands run after an interrupt")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_remaining_commands_run_after_an_interrupt(
    scene: Scene, number: signal.Signals, code: int
) -> None:
    scene.config(
        "cleanup:\n  commands:\n"
        "    - {name: first, run: 'echo $$ > pid; exec sleep 100'}\n"
        "    - {name: well, run: touch well, if: success}\n"
        "    - {name: ill, run: touch ill, if: failure}\n"
        "    - {name: always, run: touch always, if: always}\n"
        "    - {name: plain, run: touch plain}\n"
    )
    process = scene.process()
    args = ("cleanup", "--session", scene.session, "--format", "json")
    running = scene.stophooks.start(*args, cwd=scene.project)
    pid = pid_in(scene.project / "pid")
    assert lives(process)

    running.send_signal(number)
    out, _ = running.communicate(timeout=60)

    results = json.loads(out)["own"]["results"]
    statuses = [one["status"] for one in results]
    assert running.returncode == code
    assert statuses == ["cancelled", "cancelled", "cancelled", "passed", "passed"]
    assert ended(pid)
    made = {path.name for path in scene.project.iterdir()}
    assert made & {"well", "ill", "always", "plain"} == {"always", "plain"}
    assert not lives(process)


@pytest.mark.scenario("cleanup: A remaining command ends in time")
def test_a_remaining_command_ends_in_time(scene: Scene) -> None:
    scene.config(
        "cleanup:\n  commands:\n"
        "    - {run: 'echo $$ > pid; exec sleep 100'}\n"
        "    - {run: 'trap \"\" TERM; echo $$ > last; while :; do sleep 1; done', if: always}\n"
    )
    args = ("cleanup", "--timeout", "5s", "--format", "json")
    running = scene.stophooks.start(*args, cwd=scene.project)
    pid_in(scene.project / "pid")

    running.send_signal(signal.SIGTERM)
    last = pid_in(scene.project / "last")
    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=60)

    results = json.loads(out)["own"]["results"]
    assert running.returncode == 143
    assert [one["status"] for one in results] == ["cancelled", "timed_out"]
    assert ended(last)


@pytest.mark.scenario("cleanup: The report for a program")
def test_the_report_for_a_program(scene: Scene) -> None:
    scene.script("echo done")
    process = scene.process()

    found = scene.document(env=without_engine(scene))

    assert found["project"] == str(scene.project)
    assert found["session"] == scene.session
    assert found["level"] == "stop"
    assert found["passed"] is True
    assert found["own"]["results"][0]["stdout"]["text"] == "done"
    assert found["processes"] == {
        "not_looked_for": None,
        "found": [],
        "ended": [{"pid": process.pid, "name": "sleep"}],
        "killed": [],
        "left": [],
    }
    assert "No engine answers" in found["containers"]["not_looked_for"]


@pytest.mark.scenario("cleanup: A dry run does nothing")
def test_a_dry_run_does_nothing(scene: Scene) -> None:
    scene.script("touch ran")
    process = scene.process()

    done = scene.of_session("--dry-run")
    status = scene.stophooks("status", cwd=scene.project)

    assert done.returncode == 0, done
    assert "\n  would run   on-cleanup (host, 30 s)\n" in done.stdout
    assert f"1 would be ended (sleep (pid {process.pid}))" in done.stdout
    assert not (scene.project / "ran").exists()
    assert lives(process)
    assert "cleanup" not in status.stdout
    assert not [path for path in scene.stophooks.state.rglob("*") if path.is_file()]


def test_a_dry_run_names_an_invalid_script(scene: Scene) -> None:
    scene.script("touch ran", mode=0o644)

    done = scene.of_session("--dry-run", "--level", "purge")

    assert done.returncode == 1
    assert "it is not executable" in done.stdout


def test_a_dry_run_names_the_compose_file(scene: Scene) -> None:
    (scene.project / "compose.yml").write_text(SERVICE)

    done = scene.of_session("--dry-run", "--level", "purge", env=without_engine(scene))

    wanted = f"`down -v --remove-orphans` of {scene.project}/compose.yml"
    assert f"Compose would be asked for {wanted}" in done.stdout
    assert "whether that would be refused is not known: No engine answers" in done.stdout
    assert "\n  would run   compose (host, 30 s)\n" in done.stdout


@pytest.mark.scenario("cleanup: The status tells of the last cleanup")
def test_the_status_tells_of_the_last_cleanup(scene: Scene) -> None:
    scene.script("exit 3")
    process = scene.process()

    scene.of_session("--level", "purge")
    text = scene.stophooks("status", cwd=scene.project).stdout
    found = json.loads(scene.stophooks("status", "--format", "json", cwd=scene.project).stdout)

    assert f", level purge, session {scene.session}\n" in text
    assert "cleanup: NOT all was done, " in text
    assert "  on-cleanup: exit code 3\n" in text
    assert f"  processes: 1 ended (sleep (pid {process.pid}))\n" in text
    assert found["cleanup"]["state"] == "done"
    assert found["cleanup"]["own"]["results"][0]["happened"] == "exit code 3"


def test_the_status_tells_of_a_cleanup_that_goes_on_and_of_one_that_broke_off(
    scene: Scene,
) -> None:
    scene.script("echo $$ > pid; exec sleep 100")
    running = scene.stophooks.start("cleanup", cwd=scene.project)
    pid_in(scene.project / "pid")

    during = scene.stophooks("status", cwd=scene.project).stdout
    running.kill()
    running.communicate()
    after = scene.stophooks("status", cwd=scene.project).stdout

    assert "cleanup: is going on, " in during
    assert "cleanup: did NOT come to its end, " in after


@pytest.mark.scenario("cleanup: A broken configuration leaves the rest to be done")
def test_a_broken_configuration_leaves_the_rest_to_be_done(scene: Scene) -> None:
    scene.config("cleanup:\n  comands: []\n")
    scene.script("touch ran")
    process = scene.process()

    done = scene.of_session()
    again = scene.of_session("--format", "json")

    assert done.returncode == again.returncode == 3
    assert 'unknown key "comands"' in done.stderr
    assert "nothing of the project's own was run" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("NOT all was done")
    assert json.loads(again.stdout)["passed"] is False
    assert "has problems" in json.loads(again.stdout)["own"]["problem"]
    assert not (scene.project / "ran").exists()
    assert not lives(process)


def history(scene: Scene) -> list[dict[str, Any]]:
    done = scene.stophooks("history", "--format", "json", cwd=scene.project)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.scenario("cleanup: Every cleanup is in the history once")
def test_every_cleanup_is_in_the_history_once(scene: Scene) -> None:
    process = scene.process()
    scene.of_session()
    only_processes = history(scene)
    scene.script("exit 0", mode=0o644)
    scene.of_session()
    scene.config("cleanup:\n  commands: [{name: tidy, run: 'exit 4'}]\n")
    scene.of_session()
    scene.of_session("--dry-run")

    commands, invalid, first = history(scene)
    text = scene.stophooks("history", cwd=scene.project).stdout

    assert [first] == only_processes
    assert first["event"] == "cleanup"
    assert first["subject"]["id"] == scene.session
    assert first["project"] == str(scene.project)
    assert first["passed"] is True
    assert first["reason"] is None
    assert first["results"] == first["removed"] == first["left"] == []
    assert first["ended"] == [{"pid": process.pid, "name": "sleep"}]
    assert first["run"]
    assert invalid["passed"] is False
    assert "it is not executable" in invalid["problem"]
    assert [one["exit_code"] for one in commands["results"]] == [4]
    assert f"    ended: sleep (pid {process.pid})\n" in text
    assert "  did not pass  " in text
    assert "  1 of 1 did not pass  " in text


def test_debug_shows_the_output_of_commands(scene: Scene) -> None:
    scene.script("echo working on it")

    done = scene.of_session("--debug")

    assert "working on it" in done.stderr
    assert "debug: cleanup: on-cleanup: pass" in done.stderr


def test_a_cleanup_takes_no_turn_from_a_run(scene: Scene) -> None:
    scene.config("stop:\n  commands: [{run: 'touch began; sleep 30'}]\n")
    scene.script("touch ran")
    run = scene.stophooks.start("run", cwd=scene.project)
    wait_until((scene.project / "began").exists)

    began = time.monotonic()
    done = scene.of_session()
    took = time.monotonic() - began
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=20)

    assert done.returncode == 0, done
    assert took < 20


@pytest.mark.scenario("cleanup: Two cleanups take turns")
def test_two_cleanups_of_a_project_run_one_after_the_other(scene: Scene) -> None:
    scene.script("test ! -e at-work && touch at-work && sleep 1 && rm at-work")

    both = [scene.stophooks.start("cleanup", cwd=scene.project) for _ in range(2)]
    for one in both:
        one.communicate(timeout=60)

    assert [one.returncode for one in both] == [0, 0]
