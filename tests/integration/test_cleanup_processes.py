"""Whatever a session left running goes, and nothing else does."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cleanups import SESSION, Scene, lives, pid_in, without_engine
from tests.running import ended, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.program import Stophooks

IMAGE = "stophooks-test/busybox:1"
LABEL = "stophooks.session"


@pytest.fixture
def scene(stophooks: Stophooks, tmp_path: Path) -> Iterator[Scene]:
    project = tmp_path / "project"
    project.mkdir()
    one = Scene(stophooks=stophooks, project=project)
    yield one
    one.clear()


@pytest.fixture
def user() -> Iterator[str]:
    """A user of this machine, without any processes."""
    name = f"sh{uuid.uuid4().hex[:8]}"
    subprocess.run(["useradd", "--no-create-home", name], check=True)
    yield name
    subprocess.run(["userdel", name], check=True, capture_output=True)


@pytest.mark.scenario("cleanup: Processes of the session are ended")
def test_processes_of_the_session_are_ended(scene: Scene) -> None:
    plain = scene.process()
    file = scene.project / "child"
    # The child lives in a session of its own too; only its parent tells whose it is.
    parent = scene.process(
        "sh", "-c", 'env -i setsid sh -c "echo \\$\\$ > $0; exec sleep 300" & wait', str(file)
    )
    child = pid_in(file)
    other = scene.process(**{SESSION: scene.session + "x"})
    nobody = scene.process(SOMETHING=scene.session)
    assert lives(plain)
    assert lives(parent)
    assert not ended(child)

    done = scene.of_session()

    assert done.returncode == 0, done
    assert not lives(plain)
    assert not lives(parent)
    assert ended(child)
    assert lives(other)
    assert lives(nobody)


@pytest.mark.scenario("cleanup: A process of an agent's session is known by the agent's variable")
@pytest.mark.parametrize(
    "name",
    ["CLAUDE_CODE_SESSION_ID", "GEMINI_SESSION_ID", "QWEN_CODE_SESSION_ID", "CODEX_THREAD_ID"],
)
def test_an_agent_s_own_variable_tells(scene: Scene, name: str) -> None:
    process = scene.process(**{name: scene.session})
    other = scene.process(**{name: "another"})
    assert lives(process)

    scene.of_session()

    assert not lives(process)
    assert lives(other)


@pytest.mark.scenario("cleanup: There is time to end")
def test_a_process_has_time_to_end(scene: Scene) -> None:
    process = scene.trap("slow")

    done = scene.document()

    assert scene.polite.read_text() == "ended by itself"
    assert [one["pid"] for one in done["processes"]["ended"]] == [process.pid]
    assert done["processes"]["killed"] == []


@pytest.mark.scenario("cleanup: SIGKILL follows")
def test_a_process_that_ignores_sigterm_is_killed_after_five_seconds(scene: Scene) -> None:
    process = scene.trap("ignore")
    assert lives(process)

    done = scene.document()

    assert not lives(process)
    assert [one["pid"] for one in done["processes"]["killed"]] == [process.pid]
    assert done["processes"]["ended"] == []
    assert 5 <= done["duration_s"] < 15
    assert done["passed"]


def test_a_stopped_process_is_ended_politely(scene: Scene) -> None:
    process = scene.trap("slow")
    os.kill(process.pid, 19)

    scene.of_session()

    assert not lives(process)
    assert scene.polite.exists()


@pytest.mark.scenario("cleanup: The rest is done after a failure")
@pytest.mark.parametrize(
    ("script", "mode"),
    [
        pytest.param("exit 1", 0o755, id="fails"),
        pytest.param("exec sleep 100", 0o755, id="runs out of time"),
        pytest.param("exit 0", 0o644, id="is invalid"),
        pytest.param(None, 0, id="is nothing"),
        pytest.param("kill -9 $$", 0o755, id="is killed"),
    ],
)
def test_the_rest_is_done_after_a_failure(scene: Scene, script: str | None, mode: int) -> None:
    if script is not None:
        scene.script(script, mode=mode)
    process = scene.process()
    assert lives(process)

    done = scene.of_session("--timeout", "5s")

    assert done.returncode == (0 if script is None else 1)
    assert not lives(process)


def test_the_rest_is_done_where_nothing_can_be_remembered(scene: Scene) -> None:
    scene.script("touch ran")
    process = scene.process()
    nowhere = scene.project.parent / "a-file"
    nowhere.touch()

    done = scene.of_session(env={"XDG_STATE_HOME": str(nowhere), "TMPDIR": str(nowhere)})

    assert done.returncode == 0, done
    assert (scene.project / "ran").exists()
    assert not lives(process)


@pytest.mark.scenario("cleanup: Who calls it is spared")
def test_who_calls_it_is_spared(scene: Scene) -> None:
    program = f"{sys.executable} -m stophooks cleanup"
    shell = subprocess.Popen(
        ["sh", "-c", f"sleep 300 & echo $! > pid; {program}; echo $? > code; exec sleep 300"],
        cwd=scene.project,
        env=scene.stophooks.environment({SESSION: scene.session}),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    scene.started.append(shell)
    code = pid_in(scene.project / "code")

    assert code == 0
    assert ended(pid_in(scene.project / "pid"))
    assert lives(shell)


@pytest.mark.scenario("cleanup: What reads the output is spared")
def test_what_reads_the_output_is_spared(scene: Scene) -> None:
    program = f"{sys.executable} -m stophooks cleanup"
    line = (
        f"sleep 300 & echo $! > pid; {program} 2>&1 | {{ cat; echo $? > cat; }} | tee log; "
        'echo "${PIPESTATUS[*]}" > codes'
    )
    shell = subprocess.Popen(
        ["bash", "-c", line],
        cwd=scene.project,
        env=scene.stophooks.environment({SESSION: scene.session}),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    scene.started.append(shell)
    assert shell.wait(timeout=60) == 0

    log = (scene.project / "log").read_text().splitlines()
    # 143 where SIGTERM ended one.
    assert (scene.project / "codes").read_text().split() == ["0", "0", "0"]
    assert (scene.project / "cat").read_text().strip() == "0"
    assert ended(pid_in(scene.project / "pid"))
    assert "1 ended (sleep (pid" in "\n".join(log)
    assert log[-1].startswith("Done in ")


@pytest.mark.scenario("cleanup: Without a session nothing of it is looked for")
def test_without_a_session_nothing_of_it_is_looked_for(scene: Scene) -> None:
    scene.script("touch ran")
    process = scene.process()

    done = scene(env=without_engine(scene))

    assert done.returncode == 0, done
    assert (scene.project / "ran").exists()
    assert lives(process)
    for what in ("processes", "containers"):
        assert f"{what}: NOT looked for: no session is named (--session)" in done.stdout


@pytest.mark.parametrize(
    "env",
    [
        {SESSION: "it"},
        {"CLAUDE_CODE_SESSION_ID": "it", "CLAUDECODE": "1"},
        {"session_id": "it", "FACTORY_PROJECT_DIR": "/srv"},
    ],
)
def test_the_session_of_the_caller_is_the_default(scene: Scene, env: dict[str, str]) -> None:
    done = scene("--dry-run", env=env | without_engine(scene))

    assert done.stdout.splitlines()[0].endswith("level stop, session it")


def test_a_variable_that_may_be_anybody_s_names_no_session(scene: Scene) -> None:
    done = scene("--dry-run", env={"session_id": "it"} | without_engine(scene))

    assert done.stdout.splitlines()[0].endswith("level stop")


@pytest.mark.scenario("cleanup: Containers of the session are removed")
def test_containers_of_the_session_are_removed(engine: docker.DockerClient, scene: Scene) -> None:
    made = [
        engine.containers.create(IMAGE, command, labels={LABEL: session})
        for command, session in (
            ("sleep 300", scene.session),
            ("true", scene.session),
            ("sleep 300", scene.session + "x"),
        )
    ]
    for container in made:
        container.start()

    try:
        done = scene.document()
        left = {one.id for one in engine.containers.list(all=True)}
    finally:
        for container in made:
            if container.id in {one.id for one in engine.containers.list(all=True)}:
                container.remove(force=True)

    assert [container.id in left for container in made] == [False, False, True]
    assert sorted(done["containers"]["removed"]) == sorted(str(one.name) for one in made[:2])
    assert done["passed"]


@pytest.mark.scenario("cleanup: A user's processes are ended")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_user_s_processes_are_ended(scene: Scene, user: str) -> None:
    # The directories of pytest are closed to others.
    scene.project = Path(tempfile.mkdtemp(dir="/var/tmp"))
    scene.project.chmod(0o777)
    scene.script("id -un > who")
    uid = pwd.getpwnam(user).pw_uid
    processes = [
        subprocess.Popen(["sleep", "300"], cwd="/", env={}, user=uid, start_new_session=True)
        for _ in range(2)
    ]
    scene.started += processes
    other = scene.process(SOMETHING="else")
    assert all(lives(process) for process in processes)

    done = scene("--user", user)

    who = scene.project / "who"
    assert done.returncode == 0, done
    assert who.read_text().strip() == user
    shutil.rmtree(scene.project)
    assert not any(lives(process) for process in processes)
    assert lives(other)


@pytest.mark.scenario("cleanup: Not everybody's processes can be ended")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nobody-here", 'there is no user "nobody-here" on this machine'),
        ("root", '"root" is root'),
        ("toor", '"toor" is root'),
    ],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root is told more than that it takes root")
def test_not_everybody_s_processes_can_be_ended(scene: Scene, name: str, why: str) -> None:
    scene.script("touch ran")
    if name == "toor":
        subprocess.run(
            ["useradd", "--non-unique", "--uid", "0", "--no-create-home", name], check=True
        )

    try:
        done = scene("--user", name)
    finally:
        if name == "toor":
            subprocess.run(["sed", "-i", "/^toor:/d", "/etc/passwd", "/etc/shadow"], check=True)
            subprocess.run(["groupdel", "-f", name], check=False, capture_output=True)

    assert done.returncode == 3
    assert why in done.stderr
    assert not (scene.project / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="a caller who is not root is made by root")
def test_only_root_ends_another_user_s_processes(scene: Scene) -> None:
    uid = pwd.getpwnam("nobody").pw_uid
    # The first call imports everything: this user need not be able to read where it is.
    code = (
        "import os, sys; from stophooks.cli import main\n"
        "uid, *args = sys.argv[1:]\n"
        "sys.argv = ['stophooks', 'cleanup', '--dry-run']; main(); os.setuid(int(uid))\n"
        "sys.argv = ['stophooks', *args]; sys.exit(main())"
    )

    done = scene.stophooks.python_code(
        code, str(uid), "cleanup", "--user", "nobody", cwd=scene.project
    )

    assert done.returncode == 3
    assert "--user: only root may end another user's processes" in done.stderr


def test_a_family_that_forks_all_the_time_is_ended(scene: Scene) -> None:
    storm = "import os, time\nwhile True:\n  if os.fork() == 0: time.sleep(0.2); os._exit(0)\n"
    ready = scene.project / "ready"
    code = f"import signal\nsignal.signal(15, signal.SIG_IGN)\nopen({str(ready)!r}, 'w')\n{storm}"
    code = code.replace("  if", "  time.sleep(0.01)\n  if")
    process = scene.process(sys.executable, "-c", code)
    wait_until(ready.exists)

    done = scene.document()

    assert not lives(process)
    assert done["processes"]["left"] == []
    assert not _marked(scene.session)


def _marked(session: str) -> list[str]:
    """Who bears the mark now."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if f"{SESSION}={session}".encode() in file.read().split(b"\0"):
                    found.append(name)
        except OSError:
            continue
    return found
