"""What happens to real services by itself, and what `stophooks services watch` makes of it."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from stophooks.process import table
from tests.composed import Composed, service
from tests.integration.faults.proxy import Proxy
from tests.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

    from tests.program import Stophooks

TELL = (
    'echo "$0 ${STOPHOOKS_EVENT#service.} $STOPHOOKS_SUBJECT_ID'
    ' $STOPHOOKS_EXIT_CODE:$STOPHOOKS_SIGNAL:$STOPHOOKS_REASON" >> order'
)
MOMENTS = (
    "pre_start",
    "post_start",
    "post_exit",
    "post_healthcheck_success",
    "post_healthcheck_fail",
)
HEALTH = "healthcheck: {test: test ! -e /tmp/sick, interval: 1s, timeout: 20s, retries: 1}"


@pytest.fixture
def project(
    engine: docker.DockerClient, stophooks: Stophooks, tmp_path: Path, token: str
) -> Iterator[Composed]:
    path = tmp_path / f"w{token[:16]}"
    path.mkdir()
    composed = Composed(stophooks=stophooks, path=path, client=engine)
    yield composed
    composed.clear()


def hooks(*moments: str) -> str:
    """General hooks and those of ``web`` for some events, which write down that they ran."""
    general = "\n".join(_hook(moment, "all") for moment in moments)
    own = "\n".join("    " + _hook(moment, "own") for moment in moments)
    return f"service:\n{general}\nservices:\n  web:\n    hooks:\n{own}\n"


def _hook(moment: str, who: str) -> str:
    return f"  {moment}: {{commands: [{{command: [sh, -c, '{TELL}', {who}]}}]}}"


def up(project: Composed, more: str = "", *moments: str) -> None:
    """Start ``web``, by Compose, so that no hook has run, and watch it."""
    project.write(service("web", more), hooks(*moments))
    project.compose("up", "-d")
    if more == HEALTH:
        wait_until(lambda: health(project) == "healthy")
    project.watch()


def health(project: Composed) -> str:
    return str(project.container("web").attrs["State"]["Health"]["Status"])


@pytest.mark.scenario("services: Each change of health is told once")
def test_each_change_of_health_is_told_once(project: Composed) -> None:
    up(project, HEALTH, "post_healthcheck_success", "post_healthcheck_fail")

    project.touch("web", "/tmp/sick")
    wait_until(lambda: len(project.lines()) == 2)
    # Several checks say the same again.
    ends: set[str] = set()
    wait_until(lambda: ends.add(checked(project)) or len(ends) > 3)  # type: ignore[func-returns-value] # it is None
    assert project.container("web").exec_run(["rm", "/tmp/sick"]).exit_code == 0
    wait_until(lambda: len(project.lines()) == 4)

    assert project.lines() == [
        "own post_healthcheck_fail web ::",
        "all post_healthcheck_fail web ::",
        "own post_healthcheck_success web ::",
        "all post_healthcheck_success web ::",
    ]


def checked(project: Composed) -> str:
    """When the last check of ``web`` ended."""
    return str(project.container("web").attrs["State"]["Health"]["Log"][-1]["End"])


@pytest.mark.scenario("services: An exit by itself is told with its code")
@pytest.mark.scenario("services: A stop that was asked for is no exit by itself")
@pytest.mark.scenario("services: A start by a person is no automatic restart")
@pytest.mark.scenario("services: Two cannot watch the same services")
def test_only_an_exit_by_itself_is_told(project: Composed) -> None:
    up(project, "", *MOMENTS)
    (project.path / "stophooks.yaml").rename(project.path / "kept.yaml")

    second = project("watch", "--config", "kept.yaml")
    project("restart")
    project.compose("stop")
    project.compose("start")
    project.compose("restart", "--timeout", "1")
    wait_until(lambda: project.lines("watch.out").count(f"{name(project)}: started") == 3)
    project.touch("web", "/tmp/die")
    wait_until(lambda: len(project.lines()) == 2)

    assert second.returncode == 75
    assert "watched already" in second.stderr
    assert project.lines() == [
        "own post_exit web 3::exited with code 3",
        "all post_exit web 3::exited with code 3",
    ]
    assert project.lines("watch.out").count(asked(project)) == 3


def name(project: Composed) -> str:
    return str(project.container("web").name)


def asked(project: Composed) -> str:
    return f"{name(project)}: ended by signal 9 (asked for)"


@pytest.mark.scenario("services: An exit by a signal is told with the signal")
@pytest.mark.scenario("services: A signal ends the watch")
def test_an_exit_by_a_signal_is_told_with_the_signal(project: Composed) -> None:
    up(project, "", "post_exit")
    watching = project.started[0]

    os.kill(project.client.api.inspect_container(name(project))["State"]["Pid"], signal.SIGKILL)
    wait_until(lambda: len(project.lines()) == 2)
    assert table.current(watching.pid) is not None
    watching.terminate()

    assert watching.wait(timeout=30) == 143
    assert project.lines()[0] == "own post_exit web 137:9:ended by signal 9"

    again = project.watch()
    again.send_signal(signal.SIGINT)

    assert again.wait(timeout=30) == 130


@pytest.mark.scenario("services: A failed pre_start ends an automatic restart")
def test_a_failed_pre_start_ends_an_automatic_restart(project: Composed) -> None:
    config = """
services:
  web:
    hooks:
      pre_start: {commands: [{run: "echo pre >> order; test ! -e broken"}]}
      post_start: {commands: [{run: echo post >> order}]}
      post_exit: {commands: [{run: echo exit >> order}]}
"""
    project.write(service("web", "restart: always"), config)
    project.compose("up", "-d")
    project.watch()

    kill(project)
    wait_until(lambda: len(project.lines()) == 3)
    (project.path / "broken").touch()
    kill(project)
    wait_until(lambda: project.said("watch", "pre_start did not pass; it is stopped"))
    wait_until(lambda: project.container("web").status == "exited")

    assert project.lines() == ["exit", "pre", "post", "exit", "pre"]
    assert project.states() == {"web": "exited"}


def kill(project: Composed) -> None:
    """End the program of ``web``, not through the engine."""
    wait_until(lambda: project.container("web").status == "running")
    os.kill(project.client.api.inspect_container(name(project))["State"]["Pid"], signal.SIGKILL)


@pytest.mark.scenario("services: A lost connection loses and repeats nothing")
def test_a_lost_connection_loses_and_repeats_nothing(project: Composed) -> None:
    with Proxy() as proxy:
        project.environ["DOCKER_HOST"] = f"unix://{proxy.path}"
        up(project, "", "post_exit")
        project.touch("web", "/tmp/die")
        wait_until(lambda: len(project.lines()) == 2)
        again(project)

        proxy.die()
        wait_until(lambda: project.said("watch", "Trying again"))
        project.touch("web", "/tmp/die")
        wait_until(lambda: project.container("web").status == "exited")
        assert len(project.lines()) == 2
        proxy.rise()
        wait_until(lambda: len(project.lines()) == 4)
        wait_until(lambda: project.said("watch", "answers again"))
        again(project)
        project.touch("web", "/tmp/die")
        wait_until(lambda: len(project.lines()) == 6)

        assert (
            project.lines()
            == [
                "own post_exit web 3::exited with code 3",
                "all post_exit web 3::exited with code 3",
            ]
            * 3
        )
        project.started[0].terminate()
        project.started[0].wait(timeout=30)


def again(project: Composed) -> None:
    """Start ``web`` anew, without the file that ends it, and wait until that is seen."""
    before = project.lines("watch.out").count(f"{name(project)}: started")
    project.compose("up", "-d", "--force-recreate")
    started = f"{name(project)}: started"
    wait_until(lambda: project.lines("watch.out").count(started) > before)
