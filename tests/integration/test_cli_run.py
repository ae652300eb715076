"""`stophooks run`: what is run, what is shown, and what the exit code says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.program import Stophooks

LIMIT_S = 20.0


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Write a configuration; returns its directory."""

    def write(text: str) -> Path:
        directory = tmp_path / "project"
        directory.mkdir(exist_ok=True)
        (directory / "stophooks.yaml").write_text(text)
        return directory

    return write


MIXED = """\
stop:
  commands:
    - {name: good, run: echo fine}
    - {name: bad, run: echo broken >&2; exit 1}
"""


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + LIMIT_S
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline, f"{path} was never written"
        time.sleep(0.02)
    return path.read_text().strip()


@pytest.mark.scenario("cli: Every command passes")
def test_passing_commands_exit_0(stophooks: Stophooks, project: Callable[[str], Path]) -> None:
    done = stophooks("run", cwd=project("stop: {commands: [{name: good, run: 'true'}]}"))

    assert done.returncode == 0
    assert re.fullmatch(r"PASS    good +\d+ m?s  host\n1 passed in .*s\n", done.stdout)
    assert done.stderr == ""


@pytest.mark.scenario("cli: A blocking command fails")
@pytest.mark.scenario("cli: Results for a person")
def test_a_failing_command_exits_1_and_is_shown_with_its_output(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    done = stophooks("run", cwd=project(MIXED))

    rows = done.stdout.splitlines()
    assert done.returncode == 1
    assert rows[0].startswith("PASS    good  ")
    assert rows[1].startswith("FAIL    bad  ")
    assert rows[1].endswith("host  exit code 1")
    assert rows[2:5] == [
        "          $ echo broken >&2; exit 1",
        "          stderr:",
        "          | broken",
    ]
    log = rows[5].removeprefix("          Full output: ")
    assert Path(log).read_text() == "broken\n"
    assert rows[6].startswith("1 passed, 1 failed in ")


@pytest.mark.scenario("cli: Only a warning fails")
def test_a_warning_exits_0(stophooks: Stophooks, project: Callable[[str], Path]) -> None:
    done = stophooks(
        "run", cwd=project("stop: {commands: [{name: style, run: exit 1, severity: warn}]}")
    )

    assert done.returncode == 0
    assert done.stdout.startswith("WARN    style")


@pytest.mark.scenario("cli: A blocking command cannot run")
def test_a_machine_without_an_engine_exits_3(
    stophooks: Stophooks, project: Callable[[str], Path], tmp_path: Path
) -> None:
    text = "stop: {commands: [{name: good, run: 'true'}, {name: box, run: 'true', image: 'a:1'}]}"

    done = stophooks(
        "run", cwd=project(text), env={"DOCKER_HOST": f"unix://{tmp_path}/nothing.sock"}
    )

    assert done.returncode == 3
    assert "CANNOT  box" in done.stdout
    assert "nothing.sock" in done.stdout
    assert "PASS    good" in done.stdout


@pytest.mark.scenario("cli: Results for a program")
def test_json_is_the_only_thing_on_stdout(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    directory = project(MIXED)

    done = stophooks("run", "stop", "--format", "json", cwd=directory)

    document = json.loads(done.stdout)
    assert done.returncode == 1
    keys = ["event", "project", "subject", "run", "passed", "duration_s", "results"]
    assert list(document) == keys
    assert (document["event"], document["project"]) == ("stop", str(directory))
    assert document["passed"] is False
    assert [item["status"] for item in document["results"]] == ["passed", "failed"]
    assert document["results"][1]["stderr"]["text"] == "broken"


@pytest.mark.scenario("cli: Output as it comes")
def test_verbose_shows_output_behind_the_name_while_the_command_runs(
    stophooks: Stophooks, project: Callable[[str], Path], tmp_path: Path
) -> None:
    # The command goes on only when the test has read its first line.
    gate = tmp_path / "gate"
    directory = project(
        f"stop: {{commands: [{{name: slow, run: 'echo first; until test -e {gate}; do :; done; "
        "printf last'}]}"
    )
    process = stophooks.start("run", "--verbose", cwd=directory)
    assert process.stderr is not None

    first = process.stderr.readline()
    gate.touch()
    _, rest = process.communicate(timeout=LIMIT_S)

    assert (first, rest) == (b"slow | first\n", b"slow | last\n")
    assert process.returncode == 0


@pytest.mark.scenario("cli: Output faster than its reader")
def test_a_reader_that_stands_still_does_not_stop_the_deadline(
    stophooks: Stophooks, project: Callable[[str], Path], tmp_path: Path
) -> None:
    done_file = tmp_path / "done"
    directory = project(
        "stop:\n  commands:\n    - {name: flood, run: 'yes', timeout: 1s}\n"
        f"    - {{name: after, run: 'echo yes > {done_file}'}}\n"
    )
    process = stophooks.start("run", "-v", cwd=directory)

    # Nobody reads stderr, and yet the next command begins.
    wait_for(done_file)
    stdout, stderr = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 1
    assert stdout.startswith(b"TIMEOUT flood")
    assert b"iB not shown: this terminal is slower than the output ...\n" in stderr


@pytest.mark.scenario("cli: Only some commands")
def test_only_the_named_command_is_run(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    done = stophooks("run", "--only", "good", cwd=project(MIXED))

    assert done.returncode == 0
    assert "bad" not in done.stdout


@pytest.mark.scenario("cli: An unknown command is named")
def test_an_unknown_name_gets_the_nearest_one(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    done = stophooks("run", "--only", "god", cwd=project(MIXED))

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == (
        'stophooks: --only: there is no command "god" in the stop section. Did you mean "good"?\n'
    )


def test_an_unknown_event_names_those_that_exist(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    done = stophooks("run", "never", cwd=project(MIXED))

    assert done.returncode == 3
    assert done.stderr == (
        'stophooks: run: there is no event "never". There is: stop, subagent_stop.\n'
    )


@pytest.mark.scenario("cli: A dry run")
def test_a_dry_run_runs_nothing_and_writes_nothing(
    stophooks: Stophooks, project: Callable[[str], Path], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    directory = project(f"stop: {{commands: [{{name: t, run: touch {mark}, image: 'a:1'}}]}}")

    done = stophooks("run", "--dry-run", cwd=directory)

    assert done.returncode == 0
    assert f"    $ touch {mark}\n" in done.stdout
    assert not mark.exists()
    assert list(stophooks.state.iterdir()) == []


@pytest.mark.scenario("cli: No hooks")
def test_no_hooks_runs_nothing_and_says_so(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    done = stophooks("run", "--no-hooks", cwd=project(MIXED))

    assert done.returncode == 0
    assert done.stdout == (
        "SKIP    good         -  host  skipped: --no-hooks\n"
        "SKIP    bad          -  host  skipped: --no-hooks\n"
        "2 skipped in 0 s\n"
    )
    assert done.stderr == "Nothing was run and nothing was checked: --no-hooks.\n"


@pytest.mark.scenario("cli: The event has no section")
def test_an_event_without_a_section_cannot_run(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    done = stophooks("run", "subagent_stop", cwd=project(MIXED))

    assert done.returncode == 3
    assert done.stderr == (
        "stophooks: Nothing to run: stophooks.yaml has no subagent_stop section.\n"
    )


def test_a_given_configuration_needs_no_working_directory_of_its_own(
    stophooks: Stophooks, project: Callable[[str], Path], tmp_path: Path
) -> None:
    directory = project("stop: {commands: [{name: where, run: 'test -e stophooks.yaml'}]}")

    done = stophooks("run", "--config", f"{directory.name}/stophooks.yaml", cwd=tmp_path)

    assert done.returncode == 0


def test_an_invalid_configuration_runs_nothing(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    done = stophooks("run", cwd=project("stop: {commands: [{name: a, rnu: 'true'}]}"))

    assert done.returncode == 3
    assert done.stdout == ""
    assert "Nothing was run." in done.stderr


@pytest.mark.scenario("cli: A signal interrupts a run")
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_ends_everything_and_is_told_by_the_exit_code(
    stophooks: Stophooks,
    project: Callable[[str], Path],
    tmp_path: Path,
    *,
    sent: signal.Signals,
    code: int,
    times: int,
) -> None:
    pid_file = tmp_path / "pid"
    directory = project(
        f"stop: {{commands: [{{name: t, run: 'sleep 60 & echo $! > {pid_file}; wait'}}]}}"
    )
    process = stophooks.start("run", cwd=directory)
    child = int(wait_for(pid_file))
    assert Path(f"/proc/{child}").exists()

    for _ in range(times):
        process.send_signal(sent)
    stdout, stderr = process.communicate(timeout=LIMIT_S)

    assert process.returncode == code
    assert stdout.startswith(b"STOPPED t ")
    assert f"cancelled by {sent.name}".encode() in stdout
    assert stderr == b""
    assert not Path(f"/proc/{child}").exists()


def test_a_signal_that_the_caller_ignores_stays_ignored(
    stophooks: Stophooks, project: Callable[[str], Path], tmp_path: Path
) -> None:
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    directory = project(
        f"stop: {{commands: [{{name: t, run: 'echo yes > {begun}; "
        f"until test -e {gate}; do sleep 0.05; done'}}]}}"
    )
    process = subprocess.Popen(
        ["sh", "-c", f"trap '' HUP; exec {stophooks.python} -m stophooks run"],
        cwd=directory,
        env=stophooks.environment(),
        stdout=subprocess.PIPE,
    )
    wait_for(begun)

    process.send_signal(signal.SIGHUP)
    gate.touch()
    stdout, _ = process.communicate(timeout=LIMIT_S)

    assert (process.returncode, stdout[:4]) == (0, b"PASS")


@pytest.mark.scenario("cli: The reader goes away")
def test_a_reader_that_goes_away_is_no_complaint(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    process = stophooks.start("run", cwd=project(MIXED))
    assert process.stdout is not None

    process.stdout.close()
    _, stderr = subprocess.Popen.communicate(process, timeout=LIMIT_S)

    assert process.returncode == 1
    assert stderr == b""


def test_an_agents_own_variables_do_not_reach_a_command(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    directory = project("stop: {commands: [{name: t, run: 'test -z \"$CLAUDECODE\"'}]}")

    done = stophooks("run", cwd=directory, env={"CLAUDECODE": "1"})

    assert done.returncode == 0


def test_a_terminal_shows_what_is_running_and_wipes_it(
    stophooks: Stophooks, project: Callable[[str], Path]
) -> None:
    master, slave = os.openpty()
    process = subprocess.Popen(
        [stophooks.python, "-m", "stophooks", "run"],
        cwd=project("stop: {commands: [{name: good, run: 'true'}]}"),
        env=stophooks.environment({"TERM": "xterm"}),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 4096):
            shown += piece
    except OSError:
        pass  # Linux ends a terminal without writers with EIO.
    os.close(master)

    assert process.wait(LIMIT_S) == 0
    assert shown.startswith(b"... good\r\x1b[K\x1b[32mPASS    \x1b[0mgood")
