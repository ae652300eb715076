"""What a real supervisord's programs do, told once each, and what they have written."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.lifecycles.services.base import LogLine, ServicesUnavailableError, State
from stophooks.process import Never
from tests.running import wait_until
from tests.supervisord import Supervised, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UP = "command = sleep 600\nstartsecs = 0\n"
# Without supervisord's log only what is there when it is looked at can be told.
QUIET = ["logfile = /dev/null", "loglevel = error", "loglevel = debug"]


@pytest.fixture
def project(tmp_path: Path, token: str) -> Iterator[Supervised]:
    directory, state = tmp_path / "p", tmp_path / "state"
    directory.mkdir()
    state.mkdir()
    made = Supervised(directory=directory, state=state, token=token)
    yield made
    made.end()


def watching(project: Supervised) -> Watch:
    """A watch that has begun: what is there before is no news."""
    return Watch(engine=project.engine())


def lines_of(project: Supervised, *names: str) -> list[str]:
    lines: list[LogLine] = []
    project.engine().logs(names, follow=False, write=lines.append, cancel=Never())
    return [f"{line.service}: {line.text}" for line in lines]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("exit 3", "web exit 3"),
        ("exit 0", "web exit 0"),
        ("kill -9 $$", "web exit 137"),
        ("kill -SEGV $$", "web exit 139"),
    ],
)
@pytest.mark.scenario("services-supervisord: End by itself")
def test_an_end_by_itself_is_told_once(project: Supervised, end: str, told: str) -> None:
    script = f"sh -c 'until [ -e gate ]; do sleep 0.05; done; {end}'"
    project.write(f"[program:web]\ncommand = {script}\nstartsecs = 0\nautorestart = false\n")
    project.launch()
    wait_until(lambda: project.states()["web"] is State.RUNNING)

    with watching(project) as watch:
        (project.directory / "gate").touch()
        watch.until(1)
        watch.settle()

    assert watch.short() == [told]
    signalled = watch.changes[0].signal
    assert signalled == (None if "exit" in end else int(told.rsplit(maxsplit=1)[-1]) - 128)
    assert watch.changes[0].instance == "web"
    assert abs(watch.changes[0].at - time.time()) < 60


@pytest.mark.scenario("services-supervisord: Ends and restarts between two looks")
def test_each_of_many_quick_ends_is_told(project: Supervised) -> None:
    script = "sh -c 'test -e gate || exec sleep 600; echo >> count; exit 7'"
    project.write(f"[program:web]\ncommand = {script}\nstartsecs = 0\nautorestart = true\n")
    project.launch()
    wait_until(lambda: project.states()["web"] is State.RUNNING)

    with watching(project) as watch:
        (project.directory / "gate").touch()
        os.kill(project.pid("web"), signal.SIGTERM)
        count = project.directory / "count"
        wait_until(lambda: count.exists() and count.read_text().count("\n") >= 20)
        (project.directory / "gate").unlink()
        watch.settle(1.0)
    ends = count.read_text().count("\n")

    told = watch.short()
    assert told.count("web exit 7") == ends >= 20
    assert told.count("web start automatic") == ends + 1
    assert [one for one in told if "health" not in one][:2] == [
        "web exit 143",
        "web start automatic",
    ]


@pytest.mark.parametrize("by", ["us", "supervisorctl"])
@pytest.mark.scenario("services-supervisord: Stop by anybody")
def test_a_stop_is_told_as_asked_for_by_whomever(project: Supervised, by: str) -> None:
    project.write(f"[program:web]\n{UP}autorestart = true\n")
    project.launch()
    wait_until(lambda: project.states()["web"] is State.RUNNING)

    with watching(project) as watch:
        if by == "us":
            project.stop("web")
        else:
            project.ctl("stop", "web")
        watch.until(1)
        project.start("web")
        watch.until(3)
        watch.settle()

    assert watch.short() == ["web exit asked 143", "web start", "web healthy"]


@pytest.mark.scenario("services-supervisord: Health")
def test_health_is_told_once_and_each_failed_try_is_an_end(project: Supervised) -> None:
    project.write(
        "[program:web]\ncommand = sleep 600\nstartsecs = 1\nautostart = false\n"
        "[program:bad]\ncommand = sh -c 'exit 5'\nstartretries = 2\nautostart = false\n"
    )
    project.launch()

    with watching(project) as watch:
        project.ctl("start", "web")
        project.ctl("start", "bad")
        wait_until(lambda: project.states()["bad"] is State.FAILED)
        watch.settle()

    assert [one for one in watch.short() if one.startswith("web")] == ["web start", "web healthy"]
    assert [one for one in watch.short() if one.startswith("bad")] == [
        "bad start",
        "bad exit 5",
        "bad unhealthy",
        "bad start automatic",
        "bad exit 5",
        "bad start automatic",
        "bad exit 5",
    ]


def test_a_program_that_is_not_there_is_unhealthy_and_never_ends(project: Supervised) -> None:
    tool = project.directory / "tool"
    tool.write_text("#!/bin/sh\nexec sleep 600\n")
    tool.chmod(0o755)
    project.write(f"[program:web]\ncommand = {tool}\nstartsecs = 0\nautorestart = true\n")
    project.launch()
    wait_until(lambda: project.states()["web"] is State.RUNNING)

    with watching(project) as watch:
        tool.unlink()
        os.kill(project.pid("web"), signal.SIGKILL)
        watch.until(2)
        watch.settle()

    assert watch.short() == ["web exit 137", "web unhealthy"]
    assert watch.changes[1].reason == f"can't find command '{tool}'"


@pytest.mark.scenario("services-supervisord: What ran before")
def test_what_ran_before_is_no_news(project: Supervised) -> None:
    project.write(f"[program:web]\n{UP}[program:bad]\ncommand = sh -c 'exit 1'\nstartretries = 0\n")
    project.launch()
    wait_until(lambda: set(project.states().values()) == {State.RUNNING, State.FAILED})

    with watching(project) as watch:
        watch.settle(1.0)

    assert watch.told == []


@pytest.mark.parametrize("quiet", QUIET)
@pytest.mark.scenario("services-supervisord: Log that tells less")
def test_without_a_log_the_processes_tell(project: Supervised, quiet: str) -> None:
    script = "sh -c 'until [ -e gate ]; do sleep 0.05; done; exit 3'"
    project.write(
        f"[program:ends]\ncommand = {script}\nstartsecs = 0\nautorestart = false\n"
        f"[program:stops]\n{UP}[program:back]\n{UP}autorestart = true\n"
        "[program:bad]\ncommand = sh -c 'exit 1'\nstartretries = 0\nautostart = false\n",
        quiet,
    )
    project.launch()
    wait_until(lambda: list(project.states().values()).count(State.RUNNING) == 3)

    with watching(project) as watch:
        (project.directory / "gate").touch()
        watch.until(1)
        project.stop("stops")
        watch.until(2)
        os.kill(project.pid("back"), signal.SIGKILL)
        watch.until(5)
        project.ctl("start", "bad")
        watch.until(8)
        watch.settle()

    codes = {one.split()[0]: one for one in watch.short() if " exit" in one}
    assert codes == {
        "ends": "ends exit 3",
        "stops": "stops exit asked",
        "back": "back exit",
        "bad": "bad exit",
    }
    assert watch.short()[3:5] == ["back start automatic", "back healthy"]
    assert watch.short()[5:] == ["bad start", "bad exit", "bad unhealthy"]
    assert (quiet == "loglevel = debug") == any("loglevel" in one for one in watch.told
                                                if isinstance(one, str))  # fmt: skip


@pytest.mark.scenario("services-supervisord: Log that is rotated")
def test_a_rotated_log_costs_nothing(project: Supervised) -> None:
    script = "sh -c 'sleep 0.3; exit 4'"
    limits = "logfile_maxbytes = 2000\nlogfile_backups = 1"
    project.write(
        f"[program:web]\ncommand = {script}\nstartsecs = 0\nautorestart = true\n"
        f"[program:quiet]\n{UP}",
        limits,
    )
    project.launch()

    with watching(project) as watch:
        wait_until((project.directory / "supervisord.log.1").exists)
        project.engine()._rpc.call("clearLog")  # noqa: SLF001 - no command line has it
        seen = len(watch.changes)
        wait_until(lambda: len(watch.changes) > seen + 12)
        project.stop("web")
        watch.settle()

    told = [one for one in watch.short() if "healthy" not in one]
    assert [one for one in told if one.startswith("quiet")] == []
    starts = [index for index, one in enumerate(told) if " start" in one]
    ends = [index for index, one in enumerate(told) if " exit" in one]
    # Ends and starts take turns: nothing is told twice.
    assert all(abs(one - two) == 1 for one, two in zip(starts, ends, strict=False))
    assert told[-1].startswith("web exit asked")


@pytest.mark.scenario("services-supervisord: supervisord goes and comes")
def test_a_watch_outlives_supervisord(project: Supervised) -> None:
    project.write(f"[program:web]\n{UP}")
    project.launch()
    wait_until(lambda: project.states()["web"] is State.RUNNING)

    with watching(project) as watch:
        project.ctl("shutdown")
        wait_until(lambda: any(isinstance(one, str) for one in watch.told))
        project.launch()
        wait_until(lambda: len(watch.told) >= 5)
        os.kill(project.pid("web"), signal.SIGKILL)
        wait_until(lambda: "web exit 137" in watch.short())
        watch.settle(1.0)

    texts = [one for one in watch.told if isinstance(one, str)]
    assert texts == [
        f"supervisord does not run at {project.directory}/s.sock. Asking again until it answers.",
        "supervisord answers again.",
    ]
    assert watch.short() == [
        "web exit asked 143",
        "web start",
        "web healthy",
        "web exit 137",
        "web start automatic",
        "web healthy",
    ]


def test_a_watch_may_begin_before_supervisord(project: Supervised) -> None:
    project.write(f"[program:web]\n{UP}")
    project.launch()
    wait_until(lambda: project.states()["web"] is State.RUNNING)
    project.ctl("shutdown")
    wait_until(lambda: not project.runs())

    with watching(project) as watch:
        project.launch()
        watch.until(2)
        watch.settle()

    assert watch.short() == ["web start", "web healthy"]


def test_two_groups_with_a_process_of_the_same_name_are_told_apart(project: Supervised) -> None:
    same = f"process_name = same\nautorestart = false\n{UP}"
    project.write(f"[program:a]\n{same}[program:b]\n{same}")
    project.launch()
    wait_until(lambda: set(project.states().values()) == {State.RUNNING})

    with watching(project) as watch:
        os.kill(project.pid("b:same"), signal.SIGKILL)
        watch.until(1)
        watch.settle()

    assert watch.short() == ["b exit"]
    assert watch.changes[0].reason == "ended by a signal"


@pytest.mark.scenario("services-supervisord: Lines")
def test_every_line_is_given_once_whatever_its_bytes(project: Supervised) -> None:
    script = r"printf '\033[1mbold\033[0m\r\n\377\nno end'; printf 'oops\n' >&2; exec sleep 600"
    (project.directory / "say").write_text(f"{script}\n")
    project.write(
        "[program:web]\ncommand = sh say\n"
        "[program:own]\ncommand = sh say\nstdout_logfile = %(here)s/own.log\n"
        "redirect_stderr = true\n"
    )
    project.start("web", "own")

    web, own = lines_of(project, "web"), lines_of(project, "own")
    project.stop("web", "own")

    assert web == ["web: \x1b[1mbold\x1b[0m", "web: \ufffd", "web: no end", "web: oops"]
    assert own == ["own: \x1b[1mbold\x1b[0m", "own: \ufffd", "own: no endoops"]


@pytest.mark.scenario("services-supervisord: Following")
def test_a_follower_sees_each_new_line_once_across_rotations(project: Supervised) -> None:
    script = "n=0; while [ $n -lt 300 ]; do n=$((n+1)); echo line $n; sleep 0.01; done; sleep 600"
    (project.directory / "say").write_text(f"{script}\n")
    project.write(
        "[program:web]\ncommand = sh say\nautostart = false\nstartsecs = 0\n"
        "stdout_logfile = %(here)s/web.log\nstdout_logfile_maxbytes = 2000\n"
        "stdout_logfile_backups = 9\n"
        "[program:auto]\ncommand = sh -c 'echo from auto; sleep 600'\nstartsecs = 0\n"
    )

    with Watch(engine=project.engine(), follows=("web", "auto")) as watch:
        project.start("web", "auto")
        wait_until(lambda: any(line.text == "line 300" for line in watch.lines))

    texts = [line.text for line in watch.lines if line.service == "web"]
    assert texts == [f"line {number}" for number in range(1, 301)]
    assert [line.text for line in watch.lines if line.service == "auto"] == ["from auto"]
    assert (project.directory / "web.log.1").exists()


def test_a_follower_notices_an_emptied_file(project: Supervised) -> None:
    project.write(f"[program:web]\n{UP}stdout_logfile = %(here)s/web.log\n")
    log = project.directory / "web.log"
    log.write_text("first\nsecond\n")

    with Watch(engine=project.engine(), follows=("web",)) as watch:
        wait_until(lambda: len(watch.lines) == 2)
        log.write_text("")
        time.sleep(0.6)
        log.write_text("third\n")
        wait_until(lambda: len(watch.lines) == 3)

    assert [line.text for line in watch.lines] == ["first", "second", "third"]


@pytest.mark.parametrize(
    "where", ["stdout_logfile = NONE\nstderr_logfile = NONE\n",
              "stdout_logfile = /dev/stdout\nstdout_logfile_maxbytes = 0\nredirect_stderr = true\n"]
)  # fmt: skip
@pytest.mark.scenario("services-supervisord: Output that goes elsewhere")
def test_output_that_goes_elsewhere_is_said(project: Supervised, where: str) -> None:
    project.write(f"[program:web]\n{UP}{where}")
    project.start("web")

    with pytest.raises(ServicesUnavailableError, match="no log files of web to be read"):
        lines_of(project, "web")
