"""Removals that take their time, or never come to an end: who waits for them, and who is told."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.proxy import Action, Proxy, Rule
from tests.integration.faults.test_fault_calls import CALLS
from tests.integration.test_hook_answers import message, payload, silent
from tests.integration.test_watchdog import IMAGE, containers, watchdogs_in
from tests.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.program import Finished, Stophooks

# Longer than everything else of a stop takes on a busy machine; seconds.
SLOW_S = 6.0
# A stop whose watchdog ends as soon as it is started, and whose patience with a removal is short.
UNWATCHED = """
import os, sys
from stophooks.executors.docker import removal
from stophooks.process import orphan
orphan.NAP_S = 0.01
removal.REMOVE_BOUND_S, os.environ["DOCKER_HOST"] = float(sys.argv[1]), sys.argv[2]
sys.executable, sys.argv = "/bin/false", ["stophooks", "hook", "--agent", "claude"]
from stophooks.__main__ import main
main()
"""


def slow(seconds: float = SLOW_S) -> Proxy:
    """An engine that takes its time over every removal."""
    return Proxy(Rule(what=CALLS["remove"], action=Action.DELAY, seconds=seconds))


@pytest.fixture
def place(tmp_path: Path, engine: docker.DockerClient) -> Iterator[Path]:
    """A project; what a test leaves of its containers goes at its end."""
    place = tmp_path / "project"
    (place / ".git").mkdir(parents=True)
    project(place)
    yield place
    for name in containers(engine, place):
        subprocess.run(["docker", "rm", "-fv", name], capture_output=True, check=False)


def project(place: Path, script: str = "true", **options: object) -> None:
    command = {"image": IMAGE, "network": "none", "run": script, "name": "box", **options}
    (place / "stophooks.json").write_text(json.dumps({"stop": {"commands": [command]}}))


def stop(stophooks: Stophooks, place: Path, **env: str) -> Finished:
    return stophooks("hook", "--agent", "claude", cwd=place, stdin=payload(), env=env)


@pytest.mark.scenario("watchdog: An agent does not wait for a removal")
@pytest.mark.parametrize("script", ["true", "exit 3"])
def test_an_agent_does_not_wait_for_a_removal(
    stophooks: Stophooks, engine: docker.DockerClient, place: Path, tmp_path: Path, script: str
) -> None:
    project(place, script)
    with slow() as proxy:
        began = time.monotonic()

        answer = stop(stophooks, place, DOCKER_HOST=proxy.url)

        assert time.monotonic() - began < SLOW_S
        assert silent(answer) if script == "true" else "box: exit code 3" in answer.stdout
        assert len(containers(engine, place)) == 1
        wait_until(lambda: not containers(engine, place))
        wait_until(lambda: not watchdogs_in(tmp_path))


def test_an_engine_is_asked_once_for_the_image_of_several_commands(
    stophooks: Stophooks, engine: docker.DockerClient, place: Path, tmp_path: Path
) -> None:
    command = {"image": IMAGE, "network": "none", "run": "true"}
    commands = [{"name": name, **command} for name in ("one", "two", "three")]
    (place / "stophooks.json").write_text(json.dumps({"stop": {"jobs": 3, "commands": commands}}))
    with Proxy() as proxy:
        assert silent(stop(stophooks, place, DOCKER_HOST=proxy.url))

        wait_until(lambda: not containers(engine, place))
        wait_until(lambda: not watchdogs_in(tmp_path))
        assert proxy.count(CALLS["create"]) == 3
        # Before the commands, and after them: it may be another one by then.
        assert proxy.count(CALLS["image inspect"]) == 2
        assert proxy.count(CALLS["info"]) == 1


@pytest.mark.scenario("watchdog: There is no watchdog to take over")
def test_without_a_watchdog_the_removal_is_waited_for(
    stophooks: Stophooks, engine: docker.DockerClient, place: Path
) -> None:
    with slow(2.0) as proxy:
        answer = stophooks.python_code(UNWATCHED, "20", proxy.url, cwd=place, stdin=payload())

        assert silent(answer)
        assert proxy.count(CALLS["remove"]) == 1
        assert containers(engine, place) == []


@pytest.mark.scenario("watchdog: There is no watchdog to take over")
def test_a_watchdog_that_was_killed_takes_over_nothing(
    stophooks: Stophooks, engine: docker.DockerClient, place: Path, tmp_path: Path
) -> None:
    project(place, "touch ready; until [ -e gate ]; do sleep 0.02; done")
    with slow(2.0) as proxy:
        run = stophooks.start("hook", cwd=place, env={"DOCKER_HOST": proxy.url})
        assert run.stdin is not None
        run.stdin.write(payload())
        run.stdin.close()
        wait_until((place / "ready").exists)
        (watchdog,) = watchdogs_in(tmp_path)
        subprocess.run(["kill", "-KILL", str(watchdog)], check=True)
        wait_until(lambda: not watchdogs_in(tmp_path))
        (place / "gate").touch()

        assert run.wait(30) == 0
        assert containers(engine, place) == []


@pytest.mark.scenario("watchdog: Whoever waits for a run waits for its removals")
def test_a_person_waits_for_the_removal(
    stophooks: Stophooks, engine: docker.DockerClient, place: Path
) -> None:
    with slow(2.0) as proxy:
        done = stophooks("run", cwd=place, env={"DOCKER_HOST": proxy.url})

        assert done.returncode == 0, done
        assert containers(engine, place) == []


@pytest.mark.scenario("watchdog: Whoever waits for a run waits for its removals")
def test_a_command_that_was_ended_is_gone_before_the_answer(
    stophooks: Stophooks, engine: docker.DockerClient, place: Path
) -> None:
    project(place, "sleep 60", timeout="1s")
    # Once all is to end, no call gets as much as two seconds.
    with slow(1.0) as proxy:
        answer = stop(stophooks, place, DOCKER_HOST=proxy.url)

        assert "timed out after 1 s" in answer.stdout
        assert containers(engine, place) == []


@pytest.mark.scenario("watchdog: A container that the watchdog gave up is told once")
@pytest.mark.parametrize("teller", ["hook", "run"])
def test_what_could_not_be_removed_is_told_once(
    stophooks: Stophooks, engine: docker.DockerClient, place: Path, teller: str
) -> None:
    with Proxy(Rule(what=CALLS["remove"], action=Action.FREEZE)) as proxy:
        answer = stophooks.python_code(UNWATCHED, "1", proxy.url, cwd=place, stdin=payload())
    assert silent(answer)
    (name,) = containers(engine, place)

    first, second = (told(stophooks, place, teller) for _ in range(2))

    assert (
        f"LEAK: the container {name} of an earlier run could not be removed. The next run that "
        f"uses its engine tries again; or remove it with `docker rm -f {name}`."
    ) in first
    assert "LEAK" not in second


def told(stophooks: Stophooks, place: Path, teller: str) -> str:
    """What the agent's person, or who runs it by hand, is told."""
    if teller == "run":
        return stophooks("run", cwd=place).stderr
    return message(stop(stophooks, place))
