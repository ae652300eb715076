"""Services of a real Compose file: hooks around starts and stops, and what people are told."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.composed import Composed, compose_program, service
from tests.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from tests.program import Stophooks

MOMENTS = (
    "on_init",
    "pre_start",
    "post_start",
    "pre_stop",
    "post_stop",
    "pre_restart",
    "post_restart",
    "pre_cleanup",
)


@pytest.fixture
def project(
    engine: docker.DockerClient, stophooks: Stophooks, tmp_path: Path, token: str
) -> Iterator[Composed]:
    path = tmp_path / f"s{token[:16]}"
    path.mkdir()
    composed = Composed(stophooks=stophooks, path=path, client=engine)
    yield composed
    composed.clear()


def hooks(moments: tuple[str, ...], run: str) -> str:
    return "".join(f"{moment}: {{commands: [{{run: '{run}'}}]}}\n" for moment in moments)


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def everything(name: str) -> str:
    """A configuration with every hook, general and one service's own."""
    general = hooks(MOMENTS, 'echo "all ${STOPHOOKS_EVENT#service.} $STOPHOOKS_SERVICES" >> order')
    own = hooks(MOMENTS, 'echo "$STOPHOOKS_SUBJECT_ID ${STOPHOOKS_EVENT#service.}" >> order')
    return f"service:\n{indented(general, 2)}services:\n  {name}:\n    hooks:\n{indented(own, 6)}"


@pytest.mark.scenario("services: The services of a Compose file are shown in its order")
def test_the_services_of_a_compose_file_are_shown_in_its_order(project: Composed) -> None:
    project.write(service("web") + service("db"))

    before = project.status()
    project.compose("up", "-d", "db")
    after = project("status")

    assert before["engine"] == "compose"
    assert before["project"] == project.name
    assert [(one["name"], one["state"]) for one in before["services"]] == [
        ("web", "absent"),
        ("db", "absent"),
    ]
    assert after.stdout.splitlines()[1:] == ["  web  absent", "  db   running"]


@pytest.mark.scenario("services: Two engines in one project need a word")
def test_two_engines_in_one_project_need_a_word(stophooks: Stophooks, tmp_path: Path) -> None:
    for name in ("docker-compose.yml", "supervisord.conf"):
        (tmp_path / name).write_text("")

    done = stophooks("services", "status", cwd=tmp_path)

    assert done.returncode == 3
    assert all(
        word in done.stderr for word in ("docker-compose.yml", "supervisord.conf", "service.engine")
    )


@pytest.mark.scenario("services: A project without services says where it looked")
def test_a_project_without_services_says_where_it_looked(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    done = stophooks("services", "start", cwd=tmp_path)

    assert done.returncode == 3
    assert all(
        word in done.stderr
        for word in ("docker-compose.yml", "compose.yaml", "supervisord.conf", "service.file")
    )


@pytest.mark.scenario("services: A service that is not there is named")
def test_a_service_that_is_not_there_is_named(project: Composed) -> None:
    project.write(service("web"))

    for args in (("start", "wbe"), ("stop", "-d", "wbe"), ("logs", "wbe")):
        done = project(*args)

        assert done.returncode == 3
        assert '"wbe"' in done.stderr
        assert "web" in done.stderr
    assert project.containers() == []


@pytest.mark.scenario("services: Containers of another directory are left alone")
def test_containers_of_another_directory_are_left_alone(project: Composed, tmp_path: Path) -> None:
    project.write(service("web"))
    assert project("start").returncode == 0
    other = tmp_path / "elsewhere" / project.name
    other.mkdir(parents=True)
    (other / "docker-compose.yml").write_text(f"services:\n{service('web')}")

    for args in (("start",), ("stop", "--clean"), ("restart",), ("status",)):
        done = project.stophooks("services", *args, cwd=other)

        assert done.returncode == 3
        assert str(project.path) in done.stderr
        assert "service.project_name" in done.stderr
    assert project.states() == {"web": "running"}


@pytest.mark.scenario(
    "services: Every hook of a start, a restart and a clean stop runs in its place"
)
@pytest.mark.scenario("services: There is nothing to start twice")
def test_every_hook_runs_in_its_place(project: Composed) -> None:
    project.write(service("web", "depends_on: [db]") + service("db"), everything("web"))

    started = project("start")
    twice = project("start")
    restarted = project("restart", "web")
    stopped = project("stop", "--clean")

    assert [one.returncode for one in (started, twice, restarted, stopped)] == [0, 0, 0, 0]
    assert twice.stdout == "nothing to start\n"
    assert project.lines() == [
        # start
        "all on_init db web", "all pre_start db web", "web on_init", "web pre_start",
        "web post_start", "all post_start db web",
        # restart web
        "all pre_restart web", "web pre_restart",
        "all pre_stop web", "web pre_stop", "web post_stop", "all post_stop web",
        "all pre_start web", "web pre_start", "web post_start", "all post_start web",
        "web post_restart", "all post_restart web",
        # stop --clean
        "all pre_stop web db", "web pre_stop", "web post_stop", "all post_stop web db",
        "all pre_cleanup web db", "web pre_cleanup",
    ]  # fmt: skip
    assert project.containers() == []


@pytest.mark.scenario("services: A failed general pre_start starts nothing")
@pytest.mark.scenario("services: A hook has a time limit")
def test_a_failed_general_pre_start_starts_nothing(project: Composed) -> None:
    for run in ("exit 1", "sleep 300"):
        hook = f"{{run: {run}, timeout: 1s}}"
        project.write(service("web"), f"service: {{pre_start: {{commands: [{hook}]}}}}")

        done = project("start")

        assert done.returncode == 1
        assert "web: not started: service.pre_start did not pass" in done.stdout
        assert project.containers() == []


@pytest.mark.scenario("services: on_init is done only after a start that worked")
@pytest.mark.scenario("services: A service that ends at once has not started")
def test_on_init_is_done_only_after_a_start_that_worked(project: Composed) -> None:
    config = """
services:
  web:
    hooks:
      on_init: {commands: [{run: echo init >> order}]}
      post_start: {commands: [{run: echo post >> order}]}
"""
    broken = "  web:\n    image: stophooks-test/busybox:1\n    command: sh -c 'sleep 0.8; exit 4'\n"
    project.write(broken, config)

    failed = project("start")
    project.write(service("web"))
    worked = project("start")
    project("stop")
    again = project("start")

    assert [one.returncode for one in (failed, worked, again)] == [1, 0, 0]
    assert "web: did not start: it is exited with exit code 4" in failed.stdout
    assert project.lines() == ["init", "init", "post", "post"]


@pytest.mark.scenario("services: A failure after the start is told and undoes nothing")
def test_a_failure_after_the_start_is_told_and_undoes_nothing(project: Composed) -> None:
    config = "services: {web: {hooks: {post_start: {commands: [{name: tell, run: exit 7}]}}}}"
    project.write(service("web"), config)

    done = project("start")
    status = project("status")

    assert done.returncode == 1
    assert project.states() == {"web": "running"}
    assert "service.post_start: tell did not pass: exit code 7" in status.stdout


@pytest.mark.scenario("services: A missing env_file is an error")
@pytest.mark.parametrize(
    "place",
    ["env_file: gone.env", "hooks: {pre_start: {commands: [{run: x, env_file: gone.env}]}}"],
)
def test_a_missing_env_file_is_an_error(project: Composed, place: str) -> None:
    project.write(service("web"), f"services: {{web: {{{place}}}}}")

    done = project("start")

    assert done.returncode == 3
    assert "gone.env" in done.stderr
    assert project.containers() == []


@pytest.mark.scenario("services: The nearer variable wins")
@pytest.mark.scenario("services: A service's hook runs in the service's directory")
@pytest.mark.scenario("services: General hooks see nothing of a service")
def test_a_services_own_hooks_inherit_and_general_ones_do_not(project: Composed) -> None:
    places = ("compose", "service_file", "service", "hook_file", "hook")
    # Each place says its own name for every variable from its own on.
    said = {
        place: {f"V{number}": place for number in range(index, len(places))}
        for index, place in enumerate(places)
    }
    for place in ("service_file", "hook_file"):
        rows = "".join(f"{key}={value}\n" for key, value in said[place].items())
        (project.path / f"{place}.env").write_text(rows)
    (project.path / "there").mkdir()
    run = 'echo "$V0 $V1 $V2 $V3 $V4 $(basename "$PWD") $STOPHOOKS_SERVICES" >> "$HOME/order"'
    hook = {"run": run, "env_file": "hook_file.env", "env": said["hook"]}
    config = {
        "service": {"pre_start": {"commands": [{"run": run}]}},
        "services": {
            "web": {
                "env_file": "service_file.env",
                "env": said["service"],
                "working_dir": "there",
                "hooks": {
                    "pre_start": {"commands": [hook]},
                    "post_start": {"commands": [{"run": run}]},
                },
            }
        },
    }
    project.write(service("web", f"environment: {json.dumps(said['compose'])}"), json.dumps(config))

    done = project("start")

    assert done.returncode == 0, done.stderr
    assert (project.stophooks.home / "order").read_text().splitlines() == [
        f"     {project.name} web",
        "compose service_file service hook_file hook there web",
        "compose service_file service service service there web",
    ]


@pytest.mark.scenario("services: A service's hook runs as the service's user")
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_a_services_hook_runs_as_the_services_user(project: Composed) -> None:
    config = """
service: {post_start: {commands: [{name: all, run: id -un}]}}
services:
  web:
    user: nobody
    hooks: {pre_start: {commands: [{name: own, run: id -un}, {name: up, run: id -un, user: root}]}}
"""
    project.write(service("web"), config)
    for path in (project.path, *project.path.parents):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)

    done = project("start", "--verbose")

    assert done.returncode == 0, done.stdout + done.stderr
    said = [row for row in done.stderr.splitlines() if " | " in row]
    assert said == ["own | nobody", "up | root", "all | root"]


@pytest.mark.scenario("services: A detached start comes back at once and is told about later")
@pytest.mark.scenario("services: Two actions do not mix")
def test_a_detached_start_is_told_about_later(project: Composed) -> None:
    config = """
service: {pre_stop: {commands: [{run: echo stop >> order}]}}
services:
  web:
    hooks:
      pre_start: {commands: [{run: "until test -e go; do sleep 0.1; done; echo pre >> order"}]}
      post_start: {commands: [{name: tell, run: "echo why; echo post >> order; exit 7"}]}
"""
    project.write(service("web"), config)

    done = project("start", "-d")
    during = project.status()["last_action"]
    stopping = project.start("stop")
    wait_until(lambda: project.said("stop", "Waiting for another action"))
    (project.path / "go").touch()
    stopped = stopping.wait(timeout=60)
    after = project("status")

    assert (done.returncode, during["verb"], during["running"]) == (0, "start", True)
    assert stopped == 0
    assert project.lines() == ["pre", "post", "stop"]
    assert "service.post_start: tell did not pass: exit code 7" in after.stdout
    logged = project("logs").stdout.splitlines()
    assert logged[-2:] == [
        "web (post_start) | why",
        "web (post_start) | did not pass: exit code 7",
    ]


@pytest.mark.scenario("services: An interrupted action stops where it is")
def test_an_interrupted_action_stops_where_it_is(project: Composed) -> None:
    config = """
service: {pre_start: {commands: [{name: slow, run: "touch began; sleep 300"}]}}
"""
    project.write(service("web"), config)

    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
        starting = project.start("start")
        wait_until((project.path / "began").exists)
        (project.path / "began").unlink()
        starting.send_signal(number)

        assert starting.wait(timeout=30) == code
        assert project.containers() == []
        told = project("status").stdout.splitlines()[-2:]
        assert any("failed" in row or "broken off" in row for row in told)


@pytest.mark.scenario("services: Lines of hooks are marked and can be left out")
def test_lines_of_hooks_are_marked_and_can_be_left_out(project: Composed) -> None:
    config = """
service: {post_start: {commands: [{run: "echo everything is up"}]}}
services:
  web:
    hooks:
      pre_start: {commands: [{run: "echo before; echo 'web | forged'"}]}
      post_start: {commands: [{run: "printf 'no end'"}]}
"""
    project.write(service("web"), config)
    project("start")

    whole, plain, own = project("logs"), project("logs", "--no-hook"), project("logs", "web")

    assert whole.stdout.splitlines() == [
        "web (pre_start) | before",
        "web (pre_start) | web | forged",
        "web | hello from web",
        "web (post_start) | no end",
        "* (post_start) | everything is up",
    ]
    assert plain.stdout == "web | hello from web\n"
    assert own.stdout.splitlines() == whole.stdout.splitlines()[:-1]


@pytest.mark.scenario("services: Following goes on when a service starts again")
def test_following_goes_on_when_a_service_starts_again(project: Composed) -> None:
    project.write(
        service("web"),
        "services: {web: {hooks: {post_stop: {commands: [{run: echo between}]}}}}",
    )
    following = project.start("logs", "--follow")
    project("start")
    wait_until(lambda: project.said("logs", "hello from web"))

    project("stop")
    wait_until(lambda: project.said("logs", "between"))
    project("start")
    wait_until(lambda: project.lines("logs.out").count("web | hello from web") == 2)
    following.terminate()

    assert following.wait(timeout=30) == 143
    assert project.lines("logs.out") == [
        "web | hello from web",
        "web (post_stop) | between",
        "web | hello from web",
    ]


@pytest.mark.scenario("services: A clean stop keeps named volumes only")
def test_a_clean_stop_keeps_named_volumes_only(project: Composed) -> None:
    before = project.volumes()
    project.write(
        service("web", "volumes: ['data:/data', '/anonymous']"), volumes="volumes: {data: {}}\n"
    )
    project("start")
    during = project.volumes() - before
    (project.path / "stophooks.yaml").write_text("service: {}\n")

    stopped = project("stop")
    kept = project.volumes() - before
    cleaned = project("stop", "--clean")

    assert (stopped.returncode, cleaned.returncode) == (0, 0)
    assert len(during) == len(kept) == 2
    assert project.volumes() - before == {f"{project.name}_data"}
    assert project.containers() == []
    assert not project.client.networks.list(names=[f"{project.name}_default"])


@pytest.mark.scenario("services: on_init and pre_cleanup around Compose")
def test_on_init_and_pre_cleanup_around_compose(project: Composed) -> None:
    config = """
service: {project_name: NAME}
services:
  web:
    hooks:
      on_init: {commands: [{run: "COMPOSE run --rm web sh -c 'echo made > /data/file'"}]}
      pre_cleanup: {commands: [{run: "COMPOSE down -v"}]}
"""
    project.project_name = f"{project.path.name}-other"
    before = project.volumes()
    project.write(
        service("web", "volumes: ['data:/data']"),
        config.replace("COMPOSE", " ".join(compose_program())).replace("NAME", project.name),
        "volumes: {data: {}}\n",
    )

    started = project("start")
    found = project.container("web").exec_run(["cat", "/data/file"]).output
    project("restart")
    stopped = project("stop", "--clean")

    assert (started.returncode, stopped.returncode) == (0, 0), started.stdout + stopped.stdout
    assert found == b"made\n"
    assert project.volumes() == before
    assert project.containers() == []


@pytest.mark.scenario("services: A dry run tells the steps and leaves everything as it was")
def test_a_dry_run_tells_the_steps_and_leaves_everything_as_it_was(project: Composed) -> None:
    project.write(service("web", "depends_on: [db]") + service("db"), everything("web"))
    before = sorted(map(str, project.path.parent.rglob("*")))

    done = project("start", "--dry-run")
    values = json.loads(project("start", "--dry-run", "--format", "json").stdout)

    assert done.returncode == 0
    assert [row for row in done.stdout.splitlines() if not row.startswith(" ")] == [
        f"service.on_init, for service {project.name}:",
        f"service.pre_start, for service {project.name}:",
        "would start: db",
        "service.on_init of web, for service web:",
        "service.pre_start of web, for service web:",
        "would start: web",
        "service.post_start of web, for service web:",
        f"service.post_start, for service {project.name}:",
    ]
    assert [one["do"] for one in values["steps"]] == [
        "fire", "fire", "spawn", "fire", "fire", "spawn", "fire", "fire",
    ]  # fmt: skip
    assert sorted(map(str, project.path.parent.rglob("*"))) == before
    assert project.containers() == []


def test_no_hooks_starts_and_stops_without_them(project: Composed) -> None:
    project.write(service("web"), everything("web"))

    done = project("start", "--no-hooks")

    assert done.returncode == 0
    assert project.states() == {"web": "running"}
    assert project.lines() == []


def test_what_compose_finds_fault_with_is_told_in_its_words(project: Composed) -> None:
    project.write("  web:\n    image: stophooks-test/busybox:1\n    colour: blue\n")

    done = project("start")

    assert done.returncode == 3
    assert "docker-compose.yml" in done.stderr
    assert "colour" in done.stderr
    assert "Traceback" not in done.stderr
    (project.path / "docker-compose.yml").unlink()


def test_what_the_engine_cannot_start_fails_its_service_alone(project: Composed) -> None:
    config = "services: {web: {hooks: {post_start: {commands: [{run: touch up}]}}}}"
    broken = "  web:\n    image: stophooks-test/busybox:1\n    command: [/not/there]\n"
    project.write(broken + service("db"), config)

    done = project("start")

    assert done.returncode == 1
    assert "started: db" in done.stdout
    assert "web: did not start: `" in done.stdout
    assert "/not/there" in done.stdout
    assert not (project.path / "up").exists()
