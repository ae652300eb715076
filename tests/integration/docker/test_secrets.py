"""Secrets in real containers: who can read them, what is shown of them, and what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.containers import Container
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import DockerExecutor
from stophooks.executors.docker.executor import NO_SHELL
from stophooks.models import Command, Expose, Outcome, Secret, Status
from stophooks.secrets.vault import Vault
from tests.integration.docker.conftest import BUSYBOX, STRANGER, Case, text
from tests.running import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from stophooks.models import Stream
    from tests.program import Stophooks

VALUE = "correct-horse-battery"


def run(case: Case, script: str | None, *secrets: Secret, **options: Any) -> Outcome:
    """Run one command with secrets, as a stranger to the image unless told otherwise."""
    argv, sink = options.pop("argv", None), options.pop("sink", case.recorder)
    container = Container(image=BUSYBOX, network="none", **options)
    command = Command(
        name="case",
        project_dir=str(case.project),
        run=script,
        argv=argv,
        container=container,
        secrets=secrets,
    )
    vault = Vault({"TOKEN": VALUE, "OTHER": "another-value"}, [command])
    executor = DockerExecutor(
        case.environ, STRANGER, STRANGER, str(case.home), case.run_id, vault=vault
    )
    try:
        return executor.run(command, timeout_s=30, sink=sink, cancel=Cancellation())
    finally:
        executor.close()


@pytest.mark.scenario("secrets: A file in a container")
def test_a_secret_is_a_file_in_memory_that_only_its_user_can_read(case: Case) -> None:
    script = """
        stat -c '%a %u %g %s' /run/secrets/TOKEN
        stat -c '%a %u' /run/secrets
        grep ' /run/secrets ' /proc/mounts | cut -d' ' -f3
        sha256sum < /run/secrets/TOKEN | cut -c1-8
        env | grep -c horse
        cat
        cat /run/secrets/TOKEN
    """

    outcome = run(case, script, Secret(name="TOKEN"))

    assert outcome.status is Status.PASSED
    digest = subprocess.run(
        ["sha256sum"], input=VALUE.encode(), capture_output=True, check=True
    ).stdout[:8]
    assert text(outcome).split("\n") == [
        f"400 {STRANGER} {STRANGER} {len(VALUE)}",
        f"700 {STRANGER}",
        "tmpfs",
        digest.decode(),
        "0",
        "***",
    ]


@pytest.mark.scenario("secrets: A file in a container")
@pytest.mark.parametrize("user", ["0:0", "1234", "root"])
def test_a_secret_belongs_to_whoever_runs_and_the_image_may_be_read_only(
    case: Case, user: str
) -> None:
    script = "stat -c '%a %u' /run/secrets/TOKEN; cat /run/secrets/TOKEN >/dev/null; echo $?; id -u"

    outcome = run(case, script, Secret(name="TOKEN"), user=user, read_only=True)

    mode, code, uid = text(outcome).split("\n")[:3]
    assert (mode, code) == (f"400 {uid}", "0")


def test_bytes_of_a_file_arrive_as_they_are_and_a_program_needs_no_script(
    case: Case, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    data = bytes(range(256)) * 200 + b"\n"
    key.write_bytes(data)
    secrets = (Secret(name="KEY", from_file=os.path.realpath(key)), Secret(name="TOKEN"))

    outcome = run(case, None, *secrets, argv=("cp", "/run/secrets/KEY", "/workspace/copy"))

    assert outcome.status is Status.PASSED
    assert (case.project / "copy").read_bytes() == data


@pytest.mark.scenario("secrets: What the engine shows")
def test_the_engine_shows_no_secret_that_is_a_file_and_the_one_that_was_asked_for(
    case: Case,
) -> None:
    seen: list[dict[str, Any]] = []

    class Looking:
        def write(self, _stream: Stream, _data: bytes) -> None:
            threading.Thread(target=look).start()

        def note(self, text: str) -> None:
            pass

    def look() -> None:
        # The engine may pass on output before it says that the container runs.
        wait_until(lambda: bool(case.running()))
        seen.extend(case.client.api.inspect_container(one) for one in case.running())
        (case.project / "seen").touch()

    secrets = (Secret(name="TOKEN"), Secret(name="OTHER", expose=Expose.ENV))
    wait = "echo $OTHER; until [ -e seen ]; do sleep 0.05; done"

    outcome = run(case, wait, *secrets, sink=Looking())

    assert text(outcome) == "***\n"
    assert "OTHER=another-value" in seen[0]["Config"]["Env"]
    assert VALUE not in json.dumps(seen)


@pytest.mark.scenario("secrets: A missing secret")
def test_a_missing_secret_keeps_the_container_from_being_made(case: Case) -> None:
    outcome = run(case, "true", Secret(name="ABSENT"))

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.reason == "The secret ABSENT is missing: the environment variable is not set."
    assert case.containers() == 0


def test_an_image_without_a_shell_is_told_with_what_to_do(case: Case) -> None:
    outcome = run(case, None, Secret(name="TOKEN"), argv=("/x",), tmpfs=(("/bin", ""),))

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.reason is not None
    assert "/bin/sh" in outcome.reason
    assert outcome.remedy == NO_SHELL


@pytest.mark.scenario("secrets: The runner is killed")
def test_after_a_kill_of_the_runner_no_secret_is_left(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path
) -> None:
    (tmp_path / "stophooks.yaml").write_text(
        "stop:\n  commands:\n"
        f"    - {{name: c, image: '{BUSYBOX}', network: none, secrets: [SECRET_OF_TEST],\n"
        "       run: 'cat /run/secrets/* | wc -c > size; touch ready; sleep 60'}\n"
    )
    value = os.urandom(16).hex()
    process = stophooks.start("run", cwd=tmp_path, env={"SECRET_OF_TEST": value})
    wait_until((tmp_path / "ready").exists)
    before = _containers(engine, tmp_path)

    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not _containers(engine, tmp_path))

    assert (tmp_path / "size").read_text() == "32\n"
    assert before
    assert not _holds(value, tmp_path)


def _containers(engine: docker.DockerClient, project: Path) -> list[str]:
    found = engine.api.containers(all=True, filters={"label": "stophooks.run"})
    return [
        one["Id"]
        for one in found
        if any(mount.get("Source") == str(project) for mount in one["Mounts"])
    ]


def _holds(value: str, *directories: Path) -> bool:
    places = [*map(str, directories), "/dev/shm"]
    found = subprocess.run(["grep", "-rlF", value, *places], capture_output=True, check=False)
    return bool(found.stdout)
