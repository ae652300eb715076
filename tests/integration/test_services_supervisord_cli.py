"""The real command line with programs of a real supervisord."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stophooks.lifecycles.services.base import State
from tests.running import ended, wait_until
from tests.supervisord import Supervised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.program import Stophooks

UP = "command = sh -c 'echo %(program_name)s speaks; exec sleep 600'\nstartsecs = 0\n"
ROOT = os.geteuid() == 0
USER = "www-data" if ROOT else pwd.getpwuid(os.geteuid()).pw_name
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
def project(stophooks: Stophooks) -> Iterator[Supervised]:
    """A directory that another user's hooks can enter and write in."""
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o777)
        found = Supervised(
            directory=Path(made), state=stophooks.state / "stophooks", token=stophooks.token
        )
        yield found
        found.end()


def hooks(project: Supervised, text: str) -> None:
    (project.directory / "stophooks.yaml").write_text(text)


def order(project: Supervised) -> list[str]:
    path = project.directory / "order"
    return path.read_text().splitlines() if path.exists() else []


def watching(stophooks: Stophooks, project: Supervised) -> tuple[subprocess.Popen[bytes], Path]:
    """A watch that has begun, and the file that it tells."""
    told = project.state / "watch.err"
    told.parent.mkdir(exist_ok=True)
    with told.open("wb") as file:
        watch = subprocess.Popen(
            [stophooks.python, "-m", "stophooks", "services", "watch"],
            cwd=project.directory,
            env=stophooks.environment(),
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    wait_until(lambda: f"Watching the programs of {project.file}.\n" in told.read_text())
    return watch, told


@pytest.mark.scenario("services-supervisord: Hooks of a start, a restart and a clean stop")
def test_every_hook_runs_in_its_place(stophooks: Stophooks, project: Supervised) -> None:
    program = "command = sh -c 'echo $$ > pid; exec sleep 600'\nstartsecs = 1\n"
    project.write(
        f"[program:web]\n{program}user = {USER}\ndirectory = %(here)s/web\n"
        'environment = COLOUR="blue",SHAPE="round"\n'
    )
    web = project.directory / "web"
    web.mkdir()
    web.chmod(0o777)
    section = "".join(
        f"  {moment}: {{commands: [{{run: 'echo all {moment} >> order'}}]}}\n" for moment in MOMENTS
    )
    # Each hook tells whether the program runs at that moment.
    own = "".join(
        f"      {moment}: {{commands: [{{run: 'kill -0 $(cat pid) && is=up || is=down; echo web "
        f"{moment} $is $(id -un) $(basename $PWD) $COLOUR $SHAPE >> ../order'}}]}}\n"
        for moment in MOMENTS
    )
    hooks(
        project,
        f"service:\n{section}services:\n  web:\n    env: {{SHAPE: square}}\n    hooks:\n{own}",
    )
    (project.directory / "order").touch(mode=0o666)
    (project.directory / "order").chmod(0o666)

    started = stophooks("services", "start", cwd=project.directory)
    first = order(project)
    restarted = stophooks("services", "restart", cwd=project.directory)
    second = order(project)[len(first) :]
    stopped = stophooks("services", "stop", "--clean", cwd=project.directory)
    third = order(project)[len(first) + len(second) :]

    def web_hook(moment: str, is_up: str) -> str:
        return f"web {moment} {is_up} {USER} web blue square"

    assert started.returncode == restarted.returncode == stopped.returncode == 0
    assert first == [
        "all on_init",
        "all pre_start",
        web_hook("on_init", "down"),
        web_hook("pre_start", "down"),
        web_hook("post_start", "up"),
        "all post_start",
    ]
    assert second == [
        "all pre_restart",
        web_hook("pre_restart", "up"),
        "all pre_stop",
        web_hook("pre_stop", "up"),
        web_hook("post_stop", "down"),
        "all post_stop",
        "all pre_start",
        web_hook("pre_start", "down"),
        web_hook("post_start", "up"),
        "all post_start",
        web_hook("post_restart", "up"),
        "all post_restart",
    ]
    assert third == [
        "all pre_stop",
        web_hook("pre_stop", "up"),
        web_hook("post_stop", "down"),
        "all post_stop",
        "all pre_cleanup",
        web_hook("pre_cleanup", "down"),
    ]
    assert not project.runs()


@pytest.mark.scenario("services-supervisord: A gate before a program")
def test_a_program_behind_a_failed_gate_does_not_run(
    stophooks: Stophooks, project: Supervised
) -> None:
    project.write(f"[program:web]\n{UP}[program:other]\n{UP}")
    hooks(project, "services: {web: {hooks: {pre_start: {commands: [{run: exit 3}]}}}}\n")

    ran = stophooks("services", "start", cwd=project.directory)
    status = stophooks("services", "status", cwd=project.directory)

    assert ran.returncode == 1
    assert "web: not started: service.pre_start of web did not pass" in ran.stderr
    assert project.states()["other"] is State.RUNNING
    assert project.states()["web"] in {State.STOPPED, State.CREATED}
    assert "other  running" in status.stdout


@pytest.mark.scenario("services-supervisord: A watch over programs")
def test_a_watch_fires_each_hook_once(stophooks: Stophooks, project: Supervised) -> None:
    project.write(f"[program:web]\n{UP}autorestart = true\n")
    own = "".join(
        f"      {moment}: {{commands: [{{run: 'echo {moment} $STOPHOOKS_EXIT_CODE "
        "$STOPHOOKS_SIGNAL $STOPHOOKS_PRIOR_STATUS >> order'}]}\n"
        for moment in ("post_exit", "pre_start", "post_start", "post_healthcheck_success")
    )
    hooks(project, f"services:\n  web:\n    hooks:\n{own}")
    assert stophooks("services", "start", cwd=project.directory).returncode == 0
    (project.directory / "order").unlink()

    watch, told = watching(stophooks, project)
    os.kill(project.pid("web"), signal.SIGKILL)
    wait_until(lambda: len(order(project)) >= 4)
    watch.send_signal(signal.SIGTERM)
    watch.communicate(timeout=20)

    assert sorted(order(project)) == [
        "post_exit 137 9 failure",
        "post_healthcheck_success success",
        "post_start success",
        "pre_start success",
    ]
    assert "web: ended by signal 9\n" in told.read_text()
    assert "web: started again by its engine\n" in told.read_text()
    assert watch.returncode == 128 + signal.SIGTERM


@pytest.mark.scenario("services-supervisord: A failed gate at an automatic restart")
def test_a_failed_gate_stops_a_program_that_was_restarted(
    stophooks: Stophooks, project: Supervised
) -> None:
    project.write(f"[program:web]\n{UP}autorestart = true\n")
    hooks(project, "services: {web: {hooks: {pre_start: {commands: [{run: test ! -e bad}]}}}}\n")
    assert stophooks("services", "start", cwd=project.directory).returncode == 0
    (project.directory / "bad").touch()

    watch, told = watching(stophooks, project)
    pid = project.pid("web")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: ended(pid) and project.states()["web"] is State.STOPPED)
    watch.terminate()
    watch.communicate(timeout=20)

    assert "web: pre_start did not pass; it is stopped\n" in told.read_text()
    assert project.states()["web"] is State.STOPPED


@pytest.mark.scenario("services-supervisord: Logs with hooks")
def test_logs_hold_the_hooks_lines_unless_they_are_left_out(
    stophooks: Stophooks, project: Supervised
) -> None:
    project.write(f"[program:web]\n{UP}stdout_logfile = %(here)s/web.log\n")
    hooks(project, "services: {web: {hooks: {post_start: {commands: [{run: echo hooked}]}}}}\n")
    assert stophooks("services", "start", cwd=project.directory).returncode == 0
    wait_until(lambda: "speaks" in (project.directory / "web.log").read_text())

    both = stophooks("services", "logs", cwd=project.directory)
    own = stophooks("services", "logs", "--no-hook", cwd=project.directory)

    assert own.stdout == "web | web speaks\n"
    assert both.stdout == "web | web speaks\nweb (post_start) | hooked\n"


def test_hooks_lines_are_shown_where_a_program_has_no_log(
    stophooks: Stophooks, project: Supervised
) -> None:
    project.write(f"[program:web]\n{UP}stdout_logfile = NONE\nstderr_logfile = NONE\n")
    hooks(project, "services: {web: {hooks: {post_start: {commands: [{run: echo hooked}]}}}}\n")
    assert stophooks("services", "start", cwd=project.directory).returncode == 0

    shown = stophooks("services", "logs", cwd=project.directory)

    assert shown.returncode == 3
    assert shown.stdout == "web (post_start) | hooked\n"
    assert "There are no log files of web" in shown.stderr


def test_a_start_in_the_background_starts_supervisord_too(
    stophooks: Stophooks, project: Supervised
) -> None:
    project.write(f"[program:web]\n{UP}")

    ran = stophooks("services", "start", "-d", cwd=project.directory)
    wait_until(lambda: project.runs() and project.states()["web"] is State.RUNNING)
    status = stophooks("services", "status", cwd=project.directory)

    assert ran.returncode == 0
    assert "web  running, healthy" in status.stdout
