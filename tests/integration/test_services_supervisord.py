"""Programs of a real supervisord: what is told of them, started, stopped and cleaned."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.lifecycles.services import supervisordrpc
from stophooks.lifecycles.services.base import (
    ServiceActionError,
    ServicesUnavailableError,
    State,
)
from stophooks.lifecycles.services.supervisordfile import Address
from stophooks.process import Never
from stophooks.values import replace
from tests.running import ended, wait_until
from tests.supervisord import CancelledStop, Supervised

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stophooks.lifecycles.services.base import Service

# Stays up at once, so that a start need not wait for a second.
UP = "command = sleep 600\nstartsecs = 0\n"
IDLE = UP + "autostart = false\n"
WEB = f"[program:web]\n{IDLE}"
CRASHES = "command = sh -c 'echo no luck >&2; exit 1'\nstartretries = 1\n"


@pytest.fixture
def project(tmp_path: Path, token: str) -> Iterator[Supervised]:
    directory, state = tmp_path / "p", tmp_path / "state"
    directory.mkdir()
    state.mkdir()
    made = Supervised(directory=directory, state=state, token=token)
    yield made
    made.end()


@pytest.mark.scenario("services-supervisord: supervisord does not run")
def test_without_supervisord_every_service_is_absent(project: Supervised) -> None:
    project.write(f"[program:b]\n{UP}[program:a]\n{UP}")

    states = project.states()
    project.stop("a", "b")
    cleaned = project.engine().clean(("a", "b"), cancel=Never())

    assert list(states.items()) == [("b", State.ABSENT), ("a", State.ABSENT)]
    assert cleaned == ()
    assert not project.runs()


@pytest.mark.scenario("services-supervisord: First start")
@pytest.mark.scenario("services-supervisord: Program that comes up")
def test_a_first_start_starts_supervisord_and_the_program(project: Supervised) -> None:
    project.write("[program:web]\ncommand = sleep 600\nstartsecs = 1\n")

    project.start("web")

    assert project.states() == {"web": State.RUNNING}
    assert project.of("web").health == "healthy"
    assert os.readlink(f"/proc/{project.pid('')}/cwd") == str(project.directory)
    assert not ended(project.pid("web"))


@pytest.mark.scenario("services-supervisord: Autostart of others")
def test_what_starts_by_itself_and_was_not_asked_for_does_not_stay(project: Supervised) -> None:
    project.write(f"[program:web]\n{UP}[program:other]\n{UP}[program:idle]\n{IDLE}")

    project.start("web")

    assert project.states() == {
        "web": State.RUNNING,
        "other": State.STOPPED,
        "idle": State.CREATED,
    }


def test_an_autostart_is_none_of_ours_where_supervisord_runs(project: Supervised) -> None:
    project.write(f"{WEB}[program:other]\n{UP}")
    project.launch()
    wait_until(lambda: project.states()["other"] is State.RUNNING)

    project.start("web")

    assert project.states() == {"web": State.RUNNING, "other": State.RUNNING}


@pytest.mark.scenario("services-supervisord: Several processes")
def test_a_service_is_all_processes_of_its_program_and_no_others(project: Supervised) -> None:
    many = "process_name = %(program_name)s_%(process_num)02d\nnumprocs = 2\n"
    project.write(
        f"[program:a]\n{IDLE}{many}[program:b]\n{IDLE}[program:c]\n{IDLE}"
        "[group:g]\nprograms = b, c\n[eventlistener:ear]\ncommand = cat\nevents = TICK_3600\n"
    )

    project.start("a", "b")
    started = project.states()
    alive = [line.split()[:2] for line in project.ctl("status").splitlines() if "ear" not in line]
    project.stop("a")

    assert started == {"a": State.RUNNING, "b": State.RUNNING, "c": State.CREATED}
    assert [name for name, state in alive if state == "RUNNING"] == ["a:a_00", "a:a_01", "g:b"]
    assert project.states()["a"] is State.STOPPED
    assert project.states()["b"] is State.RUNNING


@pytest.mark.scenario("services-supervisord: States")
def test_the_states_of_programs_are_those_of_services(project: Supervised) -> None:
    project.write(f"""
[program:created]
{IDLE}
[program:stopped]
{UP}
[program:starting]
command = sleep 600
startsecs = 600
[program:running]
{UP}
[program:restarting]
command = sh -c 'exit 1'
startretries = 600
[program:exited]
command = sh -c 'exit 3'
startsecs = 0
autorestart = false
[program:killed]
command = sh -c 'kill -9 $$'
startsecs = 0
autorestart = false
[program:failed]
command = /no/such/program
startretries = 0
""")
    project.launch()
    wait_until(lambda: project.states()["stopped"] is State.RUNNING)
    project.ctl("stop", "stopped")
    found: dict[str, Service] = {}

    def as_named() -> bool:
        found.update({one.name: one for one in project.engine().services()})
        # A program that is tried again is starting in between.
        states = {name: str(one.state) for name, one in found.items()}
        return states == {name: name for name in states} | {"killed": "exited"}

    wait_until(as_named)

    assert found["exited"].exit_code == 3
    assert found["killed"].exit_code is None
    assert found["running"].exit_code is None
    assert {name: one.health for name, one in found.items()} == {
        "created": None,
        "stopped": None,
        "starting": "starting",
        "running": "healthy",
        "restarting": "unhealthy",
        "exited": None,
        "killed": None,
        "failed": "unhealthy",
    }


@pytest.mark.scenario("services-supervisord: Program that comes up at the second try")
def test_a_program_that_comes_up_at_the_second_try_has_started(project: Supervised) -> None:
    project.write("[program:web]\ncommand = sh -c 'test -e tried && exec sleep 600; touch tried'\n")

    project.start("web")

    assert project.states() == {"web": State.RUNNING}
    assert (project.directory / "tried").exists()


@pytest.mark.scenario("services-supervisord: Program that comes up at the second try")
def test_an_error_of_the_first_try_does_not_count_either(project: Supervised) -> None:
    in_the_way = project.directory / "web.log"
    in_the_way.mkdir()
    project.write(f"{WEB}stdout_logfile = %(here)s/web.log\n")
    project.launch()
    timer = threading.Timer(0.5, in_the_way.rmdir)
    timer.start()

    project.start("web")
    timer.join()

    assert project.states() == {"web": State.RUNNING}


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (CRASHES, "bad: Exited too quickly (process log may have details)"),
        ("command = /no/such\n", "bad: NO_FILE: can't find command '/no/such'"),
        (f"command = {__file__}\n", "bad: NOT_EXECUTABLE: command at "),
    ],
)
@pytest.mark.scenario("services-supervisord: Program that never comes up")
def test_a_program_that_never_comes_up_is_named_and_others_start(
    project: Supervised, command: str, why: str
) -> None:
    project.write(f"[program:bad]\n{command}autostart = false\n{WEB}")

    with pytest.raises(ServiceActionError) as raised:
        project.start("bad", "web")

    assert str(raised.value).startswith(why)
    assert "web" not in str(raised.value)
    assert project.states()["web"] is State.RUNNING


def test_programs_start_in_the_order_of_their_priority_and_stop_against_it(
    project: Supervised,
) -> None:
    script = "command = sh -c 'echo +%(program_name)s >> order; trap \"echo -%(program_name)s >> "
    script += "order; exit\\\" TERM; sleep 600 & wait'\nautostart = false\nstartsecs = 1\n"
    script = script.replace('\\"', '"')
    project.write(f"[program:b]\n{script}priority = 20\n[program:a]\n{script}priority = 10\n")

    project.start("a", "b")
    project.stop("a", "b")

    order = (project.directory / "order").read_text().split()
    assert sorted(order[:2]) == ["+a", "+b"]
    assert sorted(order[2:]) == ["-a", "-b"]
    log = (project.directory / "supervisord.log").read_text()
    assert log.index("spawned: 'a'") < log.index("spawned: 'b'")


@pytest.mark.scenario("services-supervisord: Program that the file has since")
def test_the_file_as_it_is_now_counts_at_a_start(project: Supervised) -> None:
    project.write(f"{WEB}[program:other]\n{UP}")
    project.launch()
    wait_until(lambda: project.states()["other"] is State.RUNNING)
    other = project.pid("other")
    changed = "command = sleep 601\nstartsecs = 0\nenvironment = NEW=1\n"
    project.write(
        f"[program:web]\n{changed}[program:new]\n{UP}[program:newer]\n{UP}[program:other]\n{changed}"
    )

    before = project.states()
    project.start("web", "new")

    assert before["new"] is State.ABSENT
    assert project.states() == {
        "web": State.RUNNING,
        "new": State.RUNNING,
        "newer": State.ABSENT,
        "other": State.RUNNING,
    }
    assert project.pid("other") == other
    web = project.pid("web")
    with open(f"/proc/{web}/environ", "rb") as file:
        assert b"NEW=1" in file.read().split(b"\0")


def test_a_file_that_became_unreadable_for_supervisord_starts_nothing(project: Supervised) -> None:
    project.write(WEB)
    project.launch()
    project.write(f"{WEB}[program:bad]\npriority = 1\n")

    with pytest.raises(ServiceActionError, match="does not specify a command"):
        project.start("web")


@pytest.mark.scenario("services-supervisord: supervisord of another file")
def test_a_supervisord_of_another_file_is_recognised(project: Supervised) -> None:
    project.write(WEB)
    project.launch()
    other = replace(project, name="other.conf")
    other.write(f"{WEB}[program:mine]\n{UP}")

    with pytest.raises(ServiceActionError, match=r"mine: .* it was started with another file"):
        other.start("mine")


@pytest.mark.scenario("services-supervisord: Stop")
def test_a_stopped_service_stays_stopped(project: Supervised) -> None:
    project.write(
        f"[program:web]\n{UP}autorestart = true\n"
        "[program:trying]\ncommand = sh -c 'exit 1'\nstartretries = 600\n"
    )
    project.launch()
    wait_until(lambda: project.states()["trying"] is State.RESTARTING)
    web = project.pid("web")

    project.stop("web", "trying")

    assert ended(web)
    assert project.states() == {"web": State.STOPPED, "trying": State.STOPPED}
    time.sleep(1.2)  # supervisord would have tried again within a second
    assert project.states() == {"web": State.STOPPED, "trying": State.STOPPED}


@pytest.mark.scenario("services-supervisord: Program that ignores its stop signal")
def test_a_program_that_ignores_its_stop_signal_is_gone(project: Supervised) -> None:
    script = "sh -c \"trap '' TERM; touch ready; while :; do sleep 1; done\""
    project.write(f"[program:deaf]\ncommand = {script}\nstopwaitsecs = 1\nstopasgroup = true\n")
    project.start("deaf")
    pid = project.pid("deaf")
    assert not ended(pid)

    project.stop("deaf")

    assert ended(pid)


def test_a_start_that_is_cancelled_comes_back_at_once(project: Supervised) -> None:
    project.write("[program:web]\ncommand = sleep 600\nstartsecs = 600\n")
    project.launch()
    cancel = CancelledStop()
    threading.Timer(0.3, cancel.request).start()
    began = time.monotonic()

    project.engine().start(("web",), cancel=cancel)

    assert time.monotonic() - began < 10


@pytest.mark.scenario("services-supervisord: supervisord stays in the foreground")
def test_a_supervisord_of_the_foreground_is_somebody_elses_to_start(project: Supervised) -> None:
    project.write(WEB, "nodaemon = true")

    with pytest.raises(ServicesUnavailableError, match="somebody else has to start it"):
        project.start("web")

    assert not project.runs()


@pytest.mark.scenario("services-supervisord: supervisord is not installed")
def test_a_supervisord_that_is_not_installed_is_named(
    project: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(WEB)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(ServicesUnavailableError, match="Debian's package supervisor"):
        project.start("web")


@pytest.mark.scenario("services-supervisord: supervisord that does not come up")
def test_a_supervisord_that_does_not_come_up_is_quoted(project: Supervised) -> None:
    project.write(f"{WEB}[program:bad]\npriority = 1\n")

    with pytest.raises(ServiceActionError, match="does not specify a command"):
        project.start("web")


@pytest.mark.scenario("services-supervisord: Clean")
def test_a_supervisord_of_ours_that_is_idle_is_cleaned_away(project: Supervised) -> None:
    project.write(WEB)
    project.start("web")
    project.stop("web")
    pid = project.pid("")

    told = project.engine().clean(("web",), cancel=Never())

    assert told == (f"supervisord (pid {pid})",)
    assert not project.runs()
    wait_until(lambda: ended(pid))
    assert project.states() == {"web": State.ABSENT}


@pytest.mark.scenario("services-supervisord: Clean while another program runs")
def test_a_supervisord_that_has_work_goes_on(project: Supervised) -> None:
    project.write(f"{WEB}[program:other]\n{UP}")
    project.start("web", "other")
    project.stop("web")

    assert project.engine().clean(("web",), cancel=Never()) == ()
    assert project.states()["other"] is State.RUNNING


@pytest.mark.scenario("services-supervisord: Clean of somebody else's supervisord")
def test_a_supervisord_of_somebody_else_goes_on(project: Supervised) -> None:
    project.write(WEB)
    project.start("web")
    project.stop("web")
    project.ctl("shutdown")
    wait_until(lambda: not project.runs())
    project.launch()

    assert project.engine().clean(("web",), cancel=Never()) == ()
    assert project.runs()


@pytest.mark.scenario("services-supervisord: File without a socket")
def test_a_file_without_a_socket_is_refused(project: Supervised) -> None:
    project.file.write_text("[supervisord]\n[program:web]\ncommand = sleep 600\n")

    with pytest.raises(ServicesUnavailableError, match=r"Add a section \[unix_http_server\]"):
        project.engine()


@pytest.mark.scenario("services-supervisord: Password")
def test_a_password_of_the_file_is_used(project: Supervised) -> None:
    project.write(f"{WEB}[unix_http_server]\nusername = me\npassword = s:cret\n")
    project.start("web")
    project.write(f"{WEB}[unix_http_server]\nusername = me\npassword = wrong\n")

    with pytest.raises(ServicesUnavailableError, match="another username and password"):
        project.engine().services()

    project.write(f"{WEB}[unix_http_server]\nusername = me\npassword = s:cret\n")
    assert project.states() == {"web": State.RUNNING}


@pytest.mark.scenario("services-supervisord: Port instead of a socket")
def test_a_port_will_do_as_well(project: Supervised) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    project.write(WEB)
    text = project.file.read_text()
    project.file.write_text(
        text.replace("[unix_http_server]\nfile = %(here)s/s.sock",
                     f"[inet_http_server]\nport = 127.0.0.1:{port}")
        .replace("unix://%(here)s/s.sock", f"http://127.0.0.1:{port}")
    )  # fmt: skip

    project.start("web")

    assert project.states() == {"web": State.RUNNING}


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\nno xml", b"nonsense\r\n\r\n"])
@pytest.mark.scenario("services-supervisord: Answer that does not come")
def test_an_answer_that_is_none_is_said_in_time(
    project: Supervised, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(supervisordrpc, "ANSWER_S", 0.5)
    project.write(WEB)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(f"{project.directory}/s.sock")
    server.listen()

    kept = []

    def serve() -> None:
        connection, _ = server.accept()
        kept.append(connection)
        asked = b""
        while b"</methodCall>" not in asked:
            asked += connection.recv(65536)
        if answer:
            connection.sendall(answer)
            connection.close()

    with server:
        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(ServicesUnavailableError, match=f"{project.directory}/s[.]sock"):
            project.engine().services()
    kept[0].close()


@pytest.mark.skipif(os.geteuid() != 0, reason="root has to become somebody else here")
@pytest.mark.scenario("services-supervisord: Socket of another user")
def test_a_socket_of_another_user_is_an_error(project: Supervised) -> None:
    project.write(WEB)
    project.launch()
    address = Address(path=f"{project.directory}/s.sock")
    for path in (project.directory, *project.directory.parents):
        if path.stat().st_mode & 0o005 != 0o005:
            path.chmod(path.stat().st_mode | 0o005)

    os.setresuid(65534, 65534, 0)
    try:
        with pytest.raises(
            ServicesUnavailableError, match=r"may not talk to supervisord at .*sock"
        ):
            supervisordrpc.Rpc(address).infos()
    finally:
        os.setresuid(0, 0, 0)
