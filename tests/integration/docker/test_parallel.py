"""Several containers of one run at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.containers import Pull
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import DockerExecutor
from stophooks.models import Outcome, Status
from tests.integration.docker.conftest import BUSYBOX, STRANGER, Case, text
from tests.integration.faults.proxy import Action, Proxy, Rule
from tests.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.registry import Registry

PULL = "POST /images/create"
LIMIT_S = 30


def together(case: Case, executor: DockerExecutor, *each: dict[str, Any]) -> list[Outcome]:
    """What becomes of commands that run at the same time through one executor."""
    with ThreadPoolExecutor(len(each)) as pool:
        runs = [
            pool.submit(case.run, **({"script": "echo ran"} | one), executor=executor)
            for one in each
        ]
        outcomes = [one.result(120) for one in runs]
    executor.close()
    return outcomes


@pytest.fixture
def pulled(case: Case, registry: Registry) -> Iterator[list[str]]:
    """Two images that only the registry has, and have to be taken away again."""
    names = [f"{registry.address}/parallel-{number}:1" for number in range(2)]
    for number in range(2):
        registry.push(BUSYBOX, f"parallel-{number}")
    yield names
    there = {tag for one in case.client.api.images() for tag in one["RepoTags"] or ()}
    for name in there & set(names):
        registry.forget(name)


@pytest.mark.scenario("docker-executor: An image is pulled once for all that wait for it")
@pytest.mark.parametrize("pull", [Pull.MISSING, Pull.ALWAYS])
def test_an_image_is_pulled_once_for_all_that_wait(
    case: Case, pulled: list[str], pull: Pull
) -> None:
    with Proxy() as proxy:
        executor = case.executor(environ={"DOCKER_HOST": proxy.url})
        outcomes = together(case, executor, *[{"image": pulled[0], "pull": pull}] * 6)

        assert proxy.count(PULL) == 1
    assert [text(outcome) for outcome in outcomes] == ["ran\n"] * 6
    assert case.recorder.notes.count(f"pulling {pulled[0]}") == 1


@pytest.mark.scenario("docker-executor: Different images are pulled at the same time")
def test_different_images_are_pulled_at_the_same_time(case: Case, pulled: list[str]) -> None:
    # Passed only when both calls are there.
    both = threading.Barrier(2, timeout=LIMIT_S)
    with Proxy(Rule(what=PULL, action=Action.PASS, before=both.wait)) as proxy:
        executor = case.executor(environ={"DOCKER_HOST": proxy.url})
        outcomes = together(case, executor, *[{"image": name} for name in pulled])

    assert not both.broken
    assert [text(outcome) for outcome in outcomes] == ["ran\n"] * 2


@pytest.mark.scenario("docker-executor: A pull that fails is told to all that wait for it")
def test_a_pull_that_fails_is_told_to_all(case: Case, registry: Registry) -> None:
    absent = {"image": f"{registry.address}/absent:1", "pull": Pull.ALWAYS}
    with Proxy() as proxy:
        executor = case.executor(environ={"DOCKER_HOST": proxy.url})
        outcomes = together(case, executor, *[absent] * 4)

        assert proxy.count(PULL) == 1
    assert {(one.status, one.fault) for one in outcomes} == {(Status.UNAVAILABLE, "image-missing")}


@pytest.mark.scenario("docker-executor: The users of an image are read once")
def test_the_users_of_an_image_are_read_once(case: Case, tmp_path: Path) -> None:
    def run(uid: int) -> str:
        executor = DockerExecutor(
            environ, uid, uid, str(case.home), case.run_id, memory_dir=str(tmp_path / "images")
        )
        return "".join(map(text, together(case, executor, *[{"script": "echo $HOME"}] * 3)))

    reads = "GET /containers/stophooks-[0-9a-f]{32}/archive"
    with Proxy() as proxy:
        environ = {"DOCKER_HOST": proxy.url}
        homes = [run(STRANGER), run(STRANGER)]

        assert proxy.count(reads) == 1
    assert homes == ["/home/stophooks\n" * 3] * 2


@pytest.mark.scenario("docker-executor: A command that is cancelled does not end those beside it")
def test_a_command_that_is_cancelled_does_not_end_those_beside_it(case: Case) -> None:
    executor = case.executor()
    cancels = [Cancellation() for _ in range(8)]
    (case.project / "go").mkdir()
    script = "while ! [ -e go/$0 ]; do sleep 0.05; done; echo $0; exit $0"
    with ThreadPoolExecutor(8) as pool:
        runs = [
            pool.submit(
                case.run,
                argv=("/bin/sh", "-c", script, str(number)),
                executor=executor,
                cancel=cancels[number],
            )
            for number in range(8)
        ]
        wait_until(lambda: len(case.running()) == 8)
        cancels[3].request("not this one", grace_s=0.1)
        ended = runs[3].result(LIMIT_S)
        still = [number for number, one in enumerate(runs) if not one.done()]
        for number in range(8):
            (case.project / "go" / str(number)).touch()
        outcomes = [one.result(LIMIT_S) for one in runs]
    executor.close()

    assert (ended.status, ended.reason) == (Status.CANCELLED, "not this one")
    assert still == [0, 1, 2, 4, 5, 6, 7]
    assert [(outcomes[one].exit_code, text(outcomes[one])) for one in still] == [
        (one, f"{one}\n") for one in still
    ]
    assert case.containers() == 0


def test_a_command_cancelled_before_the_engine_has_answered_does_not_speak_for_others(
    case: Case,
) -> None:
    impatient = Cancellation()
    rule = Rule(what="GET /info", action=Action.FREEZE, count=1)
    with Proxy(rule) as proxy, ThreadPoolExecutor(1) as pool:
        executor = case.executor(environ={"DOCKER_HOST": proxy.url})
        first = pool.submit(case.run, "echo ran", executor=executor, cancel=impatient)
        assert rule.hit.wait(LIMIT_S)
        impatient.request("enough")
        second = case.run("echo ran", executor=executor)
        cancelled = first.result(LIMIT_S)
        executor.close()

    assert cancelled.status is Status.CANCELLED
    assert text(second) == "ran\n"
