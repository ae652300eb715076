"""Commands at the same time, through the real program: order, output, ends, and whose is what."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.process import table
from tests.running import ended, paced, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.program import Stophooks

# A command of its own directory that leaves, in its file of pids: a child, one in a session of its
# own, a daemon forked twice, one that ignores SIGTERM and one with an emptied environment, which
# has a session of its own and no parent either.
DAEMONS = """\
cd {name}
sh -c 'echo $$ >> pids; exec sleep 60' &
setsid sh -c 'echo $$ >> pids; exec sleep 60' &
(setsid sh -c '(sh -c "echo \\$\\$ >> pids; exec sleep 60" &)' &)
(setsid sh -c 'trap "" TERM INT HUP; echo $$ >> pids; sleep 60; :' &)
(env -i /usr/bin/setsid /bin/sh -c 'echo $$ >> pids; exec /bin/sleep 60' &)
until [ "$(wc -l < pids)" = {count} ]; do sleep 0.01; done
"""
# So many write their number; the deaf one has a child besides.
COUNT = 5
PROCESSES = COUNT + 1
# A daemon that has lost every sign of where it comes from, the limit that it inherits too.
UNMARKED = """\
cd {name}
(env -i /usr/bin/setsid /bin/bash -c '
  ulimit -S -x unlimited; echo $$ >> pids; exec /bin/sleep 60' &)
until [ -s pids ]; do sleep 0.01; done
"""
STORM = """\
cd {name}
echo 'sh ./next & exec sh ./next' > next
echo $$ >> pids
env -i /usr/bin/setsid /bin/sh -c 'n=0; while :; do n=$((n+1)); (/bin/sleep 0.01 &) ; done' &
while :; do (setsid sh -c '(sleep 0.01 &)' &); done
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory, with one for each of three commands."""
    for name in ("a", "b", "c"):
        (tmp_path / "project" / name).mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture
def begin(stophooks: Stophooks, project: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a run of a section."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*commands: Mapping[str, object], **rules: object) -> subprocess.Popen[bytes]:
        write(project, *commands, **rules)
        process = stophooks.start("run", "--format", "json", cwd=project)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def write(project: Path, *commands: Mapping[str, object], **rules: object) -> None:
    value = {"stop": {"jobs": 3, **rules, "commands": commands}}
    (project / "stophooks.json").write_text(json.dumps(value))


def daemons(name: str, then: str, script: str = DAEMONS, **options: object) -> dict[str, object]:
    """A command that leaves daemons and then does something else in its directory."""
    run = script.format(name=name, count=COUNT) + then
    return {"name": name, "run": run, **options}


def until(path: str) -> str:
    return f"until [ -e {path} ]; do sleep 0.01; done"


def pids(project: Path, name: str) -> list[int]:
    path = project / name / "pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def alive(project: Path, name: str) -> list[int]:
    return [pid for pid in pids(project, name) if not ended(pid)]


def are_up(project: Path, *names: str) -> bool:
    return all(len(pids(project, name)) == COUNT for name in names)


def document(process: subprocess.Popen[bytes]) -> dict[str, dict[str, object]]:
    """The results of a run that has ended, by name."""
    out, _ = process.communicate(timeout=60)
    return {one["name"]: one for one in json.loads(out)["results"]}


@pytest.mark.scenario("parallel: Three at the same time")
def test_three_commands_run_at_the_same_time(stophooks: Stophooks, project: Path) -> None:
    meet = "touch {0}; until [ -e a.1 ] && [ -e b.1 ] && [ -e c.1 ]; do sleep 0.01; done"
    write(
        project,
        *({"name": name, "run": meet.format(f"{name}.1"), "timeout": "20s"} for name in "abc"),
    )

    done = stophooks("run", cwd=project)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.scenario("parallel: Results are in the order of the configuration")
def test_results_are_shown_in_the_order_of_the_configuration(
    stophooks: Stophooks, project: Path
) -> None:
    commands = [
        {"name": "a", "run": until("b.over")},
        {"name": "b", "run": f"{until('c.over')}; touch b.over"},
        {"name": "c", "run": "touch c.over; exit 3"},
    ]
    write(project, *commands)

    shown = stophooks("run", cwd=project)
    for path in project.glob("*.over"):
        path.unlink()
    found = stophooks("run", "--format", "json", cwd=project)

    rows = re.findall(r"^(PASS|FAIL) +(\w)", shown.stdout, re.MULTILINE)
    assert rows == [("PASS", "a"), ("PASS", "b"), ("FAIL", "c")]
    assert [one["name"] for one in json.loads(found.stdout)["results"]] == ["a", "b", "c"]


@pytest.mark.scenario("parallel: Output is not mixed within a line")
def test_lines_of_several_commands_are_not_mixed(stophooks: Stophooks, project: Path) -> None:
    script = "for i in $(seq 40); do printf {0}; sleep 0.00$i; printf '{0}\\n'; done; printf {0}"
    write(project, *({"name": name, "run": script.format(name * 3)} for name in "abc"))

    done = stophooks("run", "--verbose", cwd=project)

    rows = done.stderr.splitlines()
    wanted = {f"{name} | {name * 6}" for name in "abc"}
    ends = {f"{name} | {name * 3}" for name in "abc"}
    assert set(rows) == wanted | ends
    assert len(rows) == 3 * 41
    assert rows != sorted(rows)


@pytest.mark.scenario("parallel: A need that is left out of the run")
def test_only_leaves_needs_out(stophooks: Stophooks, project: Path) -> None:
    write(project, {"name": "a", "run": "false"}, {"name": "b", "run": "true", "needs": ["a"]})

    whole = stophooks("run", cwd=project)
    part = stophooks("run", "--only", "b", cwd=project)

    assert whole.returncode == 1
    assert "not run: a did not pass (needs)" in whole.stdout
    assert part.returncode == 0


def test_a_dry_run_says_what_a_command_waits_for(stophooks: Stophooks, project: Path) -> None:
    needing = [{"name": "c", "run": "x", "needs": ["a"]}]
    needing += [{"name": "d", "run": "x", "needs": ["a", "b", "c"], "if": "success"}]
    write(project, {"name": "a", "run": "x"}, {"name": "b", "run": "x"}, *needing)

    fired = stophooks("fire", "stop", "--subject=session:s", "--dry-run", cwd=project)
    listed = stophooks("list", cwd=project)

    assert fired.stdout.splitlines()[-2:] == [
        "  would run   c (host, 5 m, if a goes well)",
        "  would run   d (host, 5 m, if nothing before it fails, if a, b and c go well)",
    ]
    assert "runs: needs a\n" in listed.stdout
    assert ", jobs 3\n" in listed.stdout


def test_items_of_an_event_are_shown_in_order(stophooks: Stophooks, project: Path) -> None:
    slow = 'case "$STOPHOOKS_ITEM_NAME" in x) until [ -e y.over ]; do sleep 0.01; done ;; '
    slow += "y) touch y.over ;; esac"
    commands = [{"name": "a", "run": slow, "for_each": "repos"}]
    value = {"workspace": {"post_create": {"jobs": 4, "commands": commands}}}
    (project / "stophooks.json").write_text(json.dumps(value))
    (project / "x").mkdir()
    items = [f"--item=repo:{name}:{project}/x" for name in "xy"]

    fired = stophooks(
        "fire", "workspace.post_create", f"--subject=workspace:w:{project}", *items, cwd=project
    )

    assert [row.split("  ")[2] for row in fired.stdout.splitlines()[:2]] == ["a [x]", "a [y]"]


@pytest.mark.scenario("parallel: The deadline ends all at once")
def test_the_deadline_ends_all_at_once(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    run = begin(
        *(daemons(name, "trap '' TERM; sleep 60") for name in "abc"),
        {"name": "d", "run": "true"},
        deadline="3s",
    )
    wait_until(lambda: are_up(project, *"abc"))

    found = document(run)

    assert {one["status"] for one in found.values()} == {"timed_out"}
    assert {one["started"] for one in found.values()} == {True, False}
    assert not any(alive(project, name) for name in "abc")
    assert max(float(str(one["duration_s"])) for one in found.values()) < paced(3 + 2 + 1)


@pytest.mark.scenario("parallel: A signal ends all at once")
def test_a_signal_ends_all_at_once(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    run = begin(*(daemons(name, "sleep 60") for name in "abc"), {"name": "d", "run": "true"})
    wait_until(lambda: are_up(project, *"abc"))
    assert len(alive(project, "a")) == COUNT

    run.send_signal(signal.SIGTERM)
    found = document(run)

    assert {one["status"] for one in found.values()} == {"cancelled"}
    assert run.returncode == 128 + signal.SIGTERM
    assert not any(alive(project, name) for name in "abc")


@pytest.mark.scenario("parallel: A timeout of one among three")
def test_a_timeout_of_one_leaves_the_others_alone(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    run = begin(
        daemons("a", until("../go")),
        daemons("b", "sleep 60", timeout="2s"),
        daemons("c", until("../go")),
    )
    wait_until(lambda: are_up(project, *"abc"))
    assert len(alive(project, "b")) == COUNT
    began = time.monotonic()

    wait_until(lambda: not alive(project, "b"))
    took_s = time.monotonic() - began
    others = [len(alive(project, name)) for name in "ac"]
    (project / "go").touch()
    found = document(run)

    assert took_s < paced(2 + 2 + 1)
    assert others == [COUNT, COUNT]
    assert {name: one["status"] for name, one in found.items()} == {
        "a": "passed",
        "b": "timed_out",
        "c": "passed",
    }
    assert not any(alive(project, name) for name in "abc")


@pytest.mark.scenario("parallel: A daemon of one that has passed")
def test_what_one_leaves_behind_is_ended_when_it_has_passed(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    run = begin(daemons("a", until("../go")), daemons("b", until("../a/pids")))
    wait_until(lambda: are_up(project, *"ab"))

    wait_until(lambda: not alive(project, "b"))
    others = len(alive(project, "a"))
    (project / "go").touch()
    found = document(run)

    assert others == COUNT
    for name in "ab":
        assert str(found[name]["notes"]).count("that the command left running") == 1
        assert f"ended {PROCESSES} processes" in str(found[name]["notes"])
    assert not any(alive(project, name) for name in "ab")


@pytest.mark.scenario("parallel: Processes that keep appearing beside others")
def test_a_storm_is_ended_and_nobody_beside_it(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    run = begin(
        daemons("a", until("../go")), daemons("b", "", STORM, timeout="1s"), daemons("c", "")
    )
    wait_until(lambda: are_up(project, "a"))

    wait_until(lambda: bool(pids(project, "b")) and not alive(project, "b"))
    wait_until(lambda: not in_directory(project / "b"))
    others = len(alive(project, "a"))
    (project / "go").touch()
    found = document(run)

    assert others == COUNT
    assert found["b"]["status"] == "timed_out"
    assert not found["b"]["notes"]
    assert not in_directory(project)


def in_directory(directory: Path) -> list[int]:
    """The processes that stand in a directory or below it."""
    found = []
    for pid in table.scan_proc():
        try:
            place = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if f"{place}/".startswith(f"{directory}/") and not ended(pid):
            found.append(pid)
    return found


@pytest.mark.scenario("parallel: A daemon that nothing tells")
def test_a_daemon_without_any_sign_is_ended_with_the_run(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    run = begin(
        daemons("a", until("../go")),
        daemons("b", until("../over"), UNMARKED, timeout="1s"),
        daemons("c", until("../go")),
    )
    wait_until(lambda: are_up(project, *"ac") and bool(pids(project, "b")))
    log = project.parent / "state/stophooks/logs"
    wait_until(lambda: not in_directory(project / "b") or has_ended(log, "b"))

    while_they_run = len(alive(project, "a")), len(alive(project, "c"))
    (project / "go").touch()
    found = document(run)

    assert while_they_run == (COUNT, COUNT)
    assert found["b"]["status"] == "timed_out"
    assert not any(alive(project, name) for name in "abc")


def has_ended(logs: Path, name: str) -> bool:
    """Whether a command's log is not written any more."""
    files = list(logs.glob(f"*/*-{name}.log"))
    return bool(files) and not any(is_open(path) for path in files)


def is_open(path: Path) -> bool:
    wanted = str(path)
    for pid in table.scan_proc():
        try:
            names = os.listdir(f"/proc/{pid}/fd")
            if any(os.readlink(f"/proc/{pid}/fd/{name}") == wanted for name in names):
                return True
        except OSError:
            continue
    return False


@pytest.mark.scenario("parallel: A daemon that may stay, beside others")
def test_a_daemon_that_may_stay_outlives_the_run(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    run = begin(daemons("a", until("../go")), daemons("b", "", keep_children=True), jobs=2)
    wait_until(lambda: are_up(project, *"ab"))
    log = project.parent / "state/stophooks/logs"
    wait_until(lambda: has_ended(log, "b"))
    kept = alive(project, "b")

    (project / "go").touch()
    found = document(run)
    left = alive(project, "b")
    for pid in in_directory(project / "b"):
        os.kill(pid, signal.SIGKILL)

    assert len(kept) == COUNT
    assert left == kept
    assert found["b"]["status"] == "passed"
    assert not alive(project, "a")


@pytest.mark.scenario("parallel: Runs inside runs")
def test_a_run_inside_a_run_ends_what_is_its_own(
    begin: Callable[..., subprocess.Popen[bytes]], stophooks: Stophooks, project: Path
) -> None:
    inner = project / "inner"
    for name in ("a", "b"):
        (inner / name).mkdir(parents=True)
    write(inner, daemons("a", until("../../go")), daemons("b", ""))
    nested = f"cd {inner} && {stophooks.python} -m stophooks run --format json > out.json"
    run = begin({"name": "nested", "run": nested}, daemons("a", until("../go")), daemons("b", ""))
    wait_until(lambda: are_up(inner, *"ab") and are_up(project, *"ab"))

    wait_until(lambda: not alive(inner, "b") and not alive(project, "b"))
    others = len(alive(inner, "a")), len(alive(project, "a"))
    (project / "go").touch()
    found = document(run)

    assert others == (COUNT, COUNT)
    assert {one["status"] for one in found.values()} == {"passed"}
    said = json.loads((inner / "out.json").read_text())["results"]
    assert [f"ended {PROCESSES} processes" in str(one["notes"]) for one in said] == [True, True]
    assert not in_directory(project)


@pytest.mark.scenario("parallel: The runner is killed with three commands")
def test_nothing_is_left_of_three_commands_when_the_runner_is_killed(
    begin: Callable[..., subprocess.Popen[bytes]], project: Path
) -> None:
    (project / "d").mkdir()
    run = begin(
        daemons("d", "", keep_children=True),
        *(daemons(name, "sleep 60", needs=["d"]) for name in "ab"),
        daemons("c", "sleep 60"),
    )
    wait_until(lambda: are_up(project, *"abcd"))
    # What a descendant without any mark needs to be seen at least once.
    time.sleep(0.5)
    assert [len(alive(project, name)) for name in "abcd"] == [COUNT] * 4

    run.kill()
    wait_until(lambda: not any(alive(project, name) for name in "abc"))

    # The watchdog has ended by then, and has let these be.
    wait_until(lambda: not in_directory(project / "a"))
    left = alive(project, "d")
    for pid in in_directory(project / "d"):
        os.kill(pid, signal.SIGKILL)
    assert len(left) == COUNT
