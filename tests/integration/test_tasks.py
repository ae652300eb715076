"""Tasks: what runs around a program, in which order, and what is left when it ends badly."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.running import ended, wait_until
from tests.tasks import Place, end, holding, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.program import Stophooks

FREE = "No resource is held."
BUSY = 75


@pytest.fixture
def place(stophooks: Stophooks, tmp_path: Path) -> Place:
    return Place(tmp_path / "project", stophooks)


@pytest.mark.scenario("tasks: Everything runs in its order")
def test_everything_runs_in_its_order(place: Place) -> None:
    place.config("""\
task:
  pre_start: {commands: [{run: echo task.pre_start >> log}]}
  post_complete: {commands: [{run: echo task.post_complete >> log}]}
  on_error: {commands: [{run: echo task.on_error >> log}]}
  resources:
    db:
      pre_start: {commands: [{run: echo db.config.pre_start >> log}]}
      post_complete: {commands: [{run: echo db.config.post_complete >> log}]}
""")
    place.task("resources: [db, browser]")
    place.scripts("browser", "db")

    done = place.run()

    assert done.returncode == 0, done.stderr
    assert place.ran == [
        "task.pre_start",
        "db.config.pre_start",
        "db.pre_start",
        "browser.pre_start",
        "program",
        "browser.post_complete",
        "db.config.post_complete",
        "db.post_complete",
        "task.post_complete",
    ]
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A script gets the task's file")
def test_a_script_gets_the_tasks_file(place: Place) -> None:
    place.task("id: T-1\nresources: browser")
    place.script(
        "browser",
        "pre_start",
        'echo "$1 $STOPHOOKS_EVENT $STOPHOOKS_SUBJECT_ID $STOPHOOKS_ITEM_NAME $PWD" > told',
    )

    done = place.run(program="env > program-told")

    assert done.returncode == 0, done.stderr
    path = place.directory / "T.md"
    assert (place.directory / "told").read_text() == (
        f"{path} task.pre_start T-1 browser {place.directory}\n"
    )
    told = (place.directory / "program-told").read_text().splitlines()
    assert {
        "STOPHOOKS_SUBJECT_KIND=task",
        "STOPHOOKS_SUBJECT_ID=T-1",
        f"STOPHOOKS_SUBJECT_PATH={path}",
        f"STOPHOOKS_PROJECT_DIR={place.directory}",
    } <= set(told)


@pytest.mark.scenario("tasks: What runs for a resource is told with it")
def test_what_runs_for_a_resource_is_told_with_it(place: Place) -> None:
    own = "commands: [{run: 'echo $STOPHOOKS_ITEM_KIND:$STOPHOOKS_ITEM_NAME >> log'}]"
    place.config(f"""\
task:
  pre_start: {{{own}}}
  resources:
    browser: {{pre_start: {{{own}}}}}
    db: {{pre_start: {{{own}}}}}
""")
    place.task("resources: [browser, db]")
    place.script("db", "pre_start", "echo $STOPHOOKS_ITEM_NAME >> log")

    done = place.run("--format", "json")
    text = place.run()
    dry = place.run("--dry-run")
    listed = place.stophooks("task", "hooks", "list", cwd=place.directory)
    history = place.stophooks("history", "--format", "json", cwd=place.directory)

    items = [one["item"] for event in json.loads(done.stdout)["events"] for one in event["results"]]
    assert [item and (item["kind"], item["name"]) for item in items] == [
        None,
        ("resource", "browser"),
        ("resource", "db"),
        ("resource", "db"),
    ]
    names = ["task.pre_start[0]", "task.pre_start[0] [browser]", "task.pre_start[0] [db]"]
    names.append("pre_start.sh [db]")
    passed = [row for row in text.stderr.splitlines() if row.startswith("PASS")]
    for rows in (passed, [row for row in dry.stdout.splitlines() if "would run  " in row]):
        assert len(rows) == len(names)
        assert all(f" {name} " in row for name, row in zip(names, rows, strict=True))
    assert "  pre_start: task.pre_start[0] [browser]\n" in listed.stdout
    assert history.stdout.count('"item": "browser"') == 2
    assert place.ran[:5] == [":", "resource:browser", "resource:db", "db.pre_start", "db"]


@pytest.mark.scenario("tasks: The program has the caller's streams")
def test_the_program_has_the_callers_streams(place: Place) -> None:
    place.task("resources: browser")
    place.script("browser", "pre_start", "echo from a hook")
    data = bytes(range(256)) * 1000

    process = place.stophooks.start(
        *place.words(program="cat; printf error >&2; exit 7"), cwd=place.directory
    )
    stdout, stderr = process.communicate(data, timeout=60)

    assert stdout == data
    assert stderr.count(b"error") == 1
    assert b'task "T" failed' in stderr
    assert stderr.endswith(b"sh: exit code 7\n")
    assert process.returncode == 1


@pytest.mark.scenario("tasks: A program that fails is followed by on_error")
def test_a_program_that_fails_is_followed_by_on_error(place: Place) -> None:
    place.config(
        "task:\n  on_error: {commands: [{run: "
        "'echo task.on_error $STOPHOOKS_PRIOR_STATUS $STOPHOOKS_EXIT_CODE >> log'}]}\n"
    )
    place.task("resources: [db, browser]")
    place.scripts("browser", "db")

    done = place.run(program="exit 9")

    assert done.returncode == 1
    assert "sh: exit code 9" in done.stderr
    assert place.ran == [
        "db.pre_start",
        "browser.pre_start",
        "browser.on_error",
        "db.on_error",
        "task.on_error failure 9",
    ]
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A timeout ends the whole program")
def test_a_timeout_ends_the_whole_program(place: Place) -> None:
    place.task("resources: browser")
    place.scripts("browser")
    # Without a `timeout` program anywhere: only what this needs is on the PATH.
    tools = place.directory / "bin"
    tools.mkdir()
    for name in ("sh", "sleep", "setsid", "echo"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    program = "trap '' TERM; setsid sleep 300 & echo $! > child; echo $$ > self; sleep 300"

    done = place.run("--timeout", "1s", program=program, env={"PATH": str(tools)})

    assert done.returncode == 1
    assert "sh: timed out after 1 s" in done.stderr
    assert place.ran == ["browser.pre_start", "browser.on_error"]
    pids = [int((place.directory / name).read_text()) for name in ("child", "self")]
    assert all(ended(pid) for pid in pids)
    assert place.held() == FREE


@pytest.mark.scenario("tasks: An interrupt is followed by on_error")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_is_followed_by_on_error(place: Place, number: signal.Signals) -> None:
    place.task("resources: browser")
    place.scripts("browser")
    gate = place.directory / "gate"
    os.mkfifo(gate)
    place.script("browser", "on_error", "read line < gate; echo over >> log")
    process = place.stophooks.start(
        *place.words(program="echo $$ > pid; sleep 300"), cwd=place.directory
    )
    wait_until((place.directory / "pid").exists)
    pid = int(wait_for(place.directory / "pid"))
    assert not ended(pid)

    process.send_signal(number)
    wait_until(lambda: "browser.on_error" in place.ran)
    # Again, while it cleans up: it goes on all the same.
    process.send_signal(number)
    gate.write_text("go on\n")
    _, stderr = process.communicate(timeout=60)

    assert process.returncode == 128 + number, stderr
    assert f"cancelled by {number.name}".encode() in stderr
    assert place.ran == ["browser.pre_start", "browser.on_error", "over"]
    assert ended(pid)
    assert place.held() == FREE


@pytest.mark.scenario("tasks: An interrupt before the program keeps it from starting")
def test_an_interrupt_before_the_program_keeps_it_from_starting(place: Place) -> None:
    place.task("resources: [db, browser]")
    place.scripts("browser", "db")
    place.script("db", "pre_start", "sleep 300")
    process = place.stophooks.start(*place.words(program="echo ran >> log"), cwd=place.directory)
    wait_until(lambda: "db.pre_start" in place.ran)

    process.terminate()
    process.communicate(timeout=60)

    assert process.returncode == 143
    assert place.ran == ["db.pre_start", "db.on_error"]


@pytest.mark.scenario("tasks: A failed post_complete does not keep the others from running")
def test_a_failed_post_complete_does_not_keep_the_others_from_running(place: Place) -> None:
    place.task("resources: [a, b, c]")
    place.scripts("a", "b", "c")
    place.script("b", "post_complete", "exit 3")

    done = place.run()

    assert done.returncode == 1
    assert "task.post_complete of b did not pass" in done.stderr
    assert place.ran[4:] == [
        "c.post_complete",
        "b.post_complete",
        "a.post_complete",
        "c.on_error",
        "b.on_error",
        "a.on_error",
    ]
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A resource that says busy is left alone")
def test_a_resource_that_says_busy_is_left_alone(place: Place) -> None:
    place.task("resources: [a, b, c]")
    place.scripts("a", "b", "c")
    place.script("b", "pre_start", f"exit {BUSY}")

    done = place.run()

    assert done.returncode == BUSY
    assert "task.pre_start of b says busy (exit code 75)" in done.stderr
    assert place.ran == ["a.pre_start", "b.pre_start", "a.on_error"]
    assert place.held() == FREE


@pytest.mark.scenario("tasks: Where nothing was done nothing is cleaned up")
@pytest.mark.parametrize("general", ["", "pre_start: {commands: [{run: exit 75}]}, "])
def test_where_nothing_was_done_nothing_is_cleaned_up(place: Place, general: str) -> None:
    place.config(f"task: {{{general}on_error: {{commands: [{{run: echo general >> log}}]}}}}\n")
    place.task("resources: [a, b]")
    place.script("a", "on_error")
    place.script("b", "pre_start", f"exit {BUSY}")
    place.script("b", "on_error")

    done = place.run()

    assert done.returncode == BUSY
    assert place.ran == ([] if general else ["b.pre_start"])


@pytest.mark.scenario("tasks: What did something before it said busy is cleaned up")
def test_what_did_something_before_it_said_busy_is_cleaned_up(place: Place) -> None:
    place.config("task: {resources: {a: {pre_start: {commands: [{run: echo a.config >> log}]}}}}\n")
    place.task("resources: a")
    place.scripts("a")
    place.script("a", "pre_start", f"exit {BUSY}")

    done = place.run()

    assert done.returncode == BUSY
    assert place.ran == ["a.config", "a.pre_start", "a.on_error"]


@pytest.mark.scenario("tasks: A broken pre_start is no busy one")
@pytest.mark.parametrize("body", ["exit 1", "exit 74", "no-such-program", "kill -9 $$"])
def test_a_broken_pre_start_is_no_busy_one(place: Place, body: str) -> None:
    place.task("resources: [a, b, c]")
    place.scripts("a", "b", "c")
    place.script("b", "pre_start", body)

    done = place.run()

    assert done.returncode == 1
    assert "task.pre_start of b did not pass" in done.stderr
    assert place.ran == ["a.pre_start", "b.pre_start", "b.on_error", "a.on_error"]
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A failing on_error changes no exit code")
@pytest.mark.parametrize(("program", "code"), [("exit 5", 1), ("kill -9 $$", 1)])
def test_a_failing_on_error_changes_no_exit_code(place: Place, program: str, code: int) -> None:
    place.task("resources: [a, b]")
    place.scripts("a", "b")
    place.script("b", "on_error", f"exit {BUSY}")

    done = place.run(program=program)

    assert done.returncode == code
    assert place.ran[-2:] == ["b.on_error", "a.on_error"]


@pytest.mark.scenario("tasks: A busy lock is told with its holder")
def test_a_busy_lock_is_told_with_its_holder(place: Place) -> None:
    place.task("id: first\nresources: [a, b]")
    place.scripts("a", "b", "c")
    holder = holding(place)
    place.task("id: second\nresources: [c, a]")

    done = place.run()

    assert done.returncode == BUSY
    assert done.stdout == ""
    assert done.stderr == (
        f'task "second" was not started: a is held by task "first" (pid {holder.pid}). '
        "Try again later (--wait waits).\n"
    )
    assert place.ran == ["a.pre_start", "b.pre_start"]
    # The one that was free is as free as before.
    place.task("id: third\nresources: c")
    assert place.run().returncode == 0
    end(holder)


@pytest.mark.scenario("tasks: A task waits for its resources")
def test_a_task_waits_for_its_resources(place: Place) -> None:
    place.task("id: first\nresources: a")
    holder = holding(place)
    place.task("id: second\nresources: a")
    waiter = place.stophooks.start(
        *place.words("--wait", "5m", program="echo second >> log"), cwd=place.directory
    )
    assert waiter.stderr is not None
    said = waiter.stderr.readline()

    assert said == f'Waiting: a is held by task "first" (pid {holder.pid}).\n'.encode()
    assert place.ran == []
    end(holder)
    waiter.communicate(timeout=60)
    assert waiter.returncode == 0
    assert place.ran == ["second"]


@pytest.mark.scenario("tasks: Waiting comes to an end")
def test_waiting_comes_to_an_end(place: Place) -> None:
    place.task("id: first\nresources: a")
    holder = holding(place)
    place.task("id: second\nresources: a")
    place.scripts("a")

    in_vain = place.run("--wait", "0.3s")
    waiter = place.stophooks.start(
        *place.words("--wait", "5m", program="true"), cwd=place.directory
    )
    assert waiter.stderr is not None
    waiter.stderr.readline()
    waiter.terminate()
    waiter.communicate(timeout=60)

    assert in_vain.returncode == BUSY
    assert in_vain.stderr.endswith(" Waited for 0.3 s; try again later.\n")
    assert waiter.returncode == 143
    assert place.ran == []
    assert holder.poll() is None
    end(holder)


@pytest.mark.scenario("tasks: A task waits for what says that it is busy")
def test_a_task_waits_for_what_says_that_it_is_busy(place: Place) -> None:
    place.task("id: waiter\nresources: [a, b]")
    place.scripts("a", "b")
    free = place.directory / "free"
    place.script("b", "pre_start", f"test -e '{free}' || exit {BUSY}")
    waiter = place.stophooks.start(
        *place.words("--wait", "5m", program="echo program >> log"), cwd=place.directory
    )
    wait_until(lambda: place.ran.count("b.pre_start") > 2)
    wait_until(lambda: place.held() == FREE)

    free.touch()
    _, stderr = waiter.communicate(timeout=60)

    assert waiter.returncode == 0, stderr
    # Once, however often it was tried.
    assert stderr.count(b"Waiting: task.pre_start of b says busy (exit code 75).\n") == 1
    assert place.ran[:4] == ["a.pre_start", "b.pre_start", "a.on_error", "a.pre_start"]
    after = ["a.pre_start", "b.pre_start", "program", "b.post_complete", "a.post_complete"]
    assert place.ran[-5:] == after
    assert place.held() == FREE


@pytest.mark.scenario("tasks: Waiting for what says that it is busy comes to an end")
def test_waiting_for_what_says_that_it_is_busy_comes_to_an_end(place: Place) -> None:
    place.task("resources: a")
    place.script("a", "pre_start", f"exit {BUSY}")

    in_vain = place.run("--wait", "1s")
    tries = len(place.ran)
    waiter = place.stophooks.start(
        *place.words("--wait", "5m", program="echo program >> log"), cwd=place.directory
    )
    wait_until(lambda: len(place.ran) > tries + 1)
    waiter.terminate()
    waiter.communicate(timeout=60)

    assert in_vain.returncode == BUSY
    assert tries > 1
    assert in_vain.stderr.endswith(
        'task "T" was not started: task.pre_start of a says busy (exit code 75). '
        "Waited for 1 s; try again later.\n"
    )
    assert waiter.returncode == 143
    assert "program" not in place.ran
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A killed task leaves nothing and holds nothing")
def test_a_killed_task_leaves_nothing_and_holds_nothing(place: Place) -> None:
    place.task("id: first\nresources: a")
    holder = holding(place)
    pid = int((place.directory / "pid").read_text())
    assert not ended(pid)
    assert place.held().startswith('a: alive: task "first"')

    holder.kill()
    holder.wait()

    wait_until(lambda: ended(pid))
    holder.communicate()
    assert place.held().startswith('a: dead: task "first"')
    place.task("id: second\nresources: a")
    done = place.run()
    assert done.returncode == 0
    assert 'a: taken over from task "first"' in done.stderr
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A task gives up no other's lock")
@pytest.mark.parametrize("program", ["true", "false"])
def test_a_task_gives_up_no_others_lock(place: Place, program: str) -> None:
    place.task("id: first\nresources: a")
    place.scripts("a")
    go = place.directory / "go"
    os.mkfifo(go)
    first = place.stophooks.start(
        *place.words(program=f"echo > started; read line < go; {program}"), cwd=place.directory
    )
    wait_until((place.directory / "started").exists)
    cleared = place.stophooks("locks", "clear", "a", "--force", cwd=place.directory)
    assert cleared.stdout.startswith('cleared: a: alive: task "first"')
    place.task("id: second\nresources: a")
    second = holding(place)

    go.write_text("go\n")
    _, stderr = first.communicate(timeout=60)

    assert b"a: somebody took its lock away by force while the task ran" in stderr
    assert place.held().startswith('a: alive: task "second"')
    assert second.poll() is None
    end(second)


@pytest.mark.scenario("tasks: A name that leads elsewhere is refused")
@pytest.mark.parametrize("name", ["../../evil", "..", "a/b", "/etc", ".hidden", "-rf", "a b"])
def test_a_name_that_leads_elsewhere_is_refused(place: Place, name: str) -> None:
    place.task(f"resources: ['{name}']")
    evil = place.directory.parent / "evil"
    evil.mkdir()
    (evil / "pre_start.sh").write_text(f"#!/bin/sh\necho evil >> '{place.log}'\n")
    (evil / "pre_start.sh").chmod(0o755)

    done = place.run()

    assert done.returncode == 3
    assert f'"{name}" cannot be a resource\'s name' in done.stderr
    assert place.ran == []


@pytest.mark.scenario("tasks: A script that cannot be run is told before anything runs")
def test_a_script_that_cannot_be_run_is_told_before_anything_runs(place: Place) -> None:
    place.task("resources: [a, b, c, d]")
    place.scripts("a")
    weak = place.script("b", "on_error", mode=0o644)
    outside = place.directory / "outside.sh"
    outside.write_text("#!/bin/sh\n")
    outside.chmod(0o755)
    for name, target in (("c", outside), ("d", "gone.sh")):
        (place.directory / "hooks" / name).mkdir()
        (place.directory / "hooks" / name / "post_complete.sh").symlink_to(target)

    done = place.run()

    assert done.returncode == 3
    hooks = place.directory / "hooks"
    assert done.stderr == (
        f"stophooks: {weak} is not executable. If it is to run: chmod +x {weak}\n"
        f"{hooks}/c/post_complete.sh leads out of {hooks}, to {outside}. "
        "Put a script of its own there.\n"
        f"{hooks}/d/post_complete.sh leads to {hooks}/d/gone.sh, which is not there. "
        "Mend the link or remove it.\n"
        "Nothing was run.\n"
    )
    assert place.ran == []
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A task may clean up by itself")
@pytest.mark.parametrize("program", ["true", "exit 4"])
def test_a_task_may_clean_up_by_itself(place: Place, program: str) -> None:
    place.task("resources: a\ncleanup_required: false")
    place.scripts("a")

    done = place.run(program=program)

    assert done.returncode == (program != "true")
    assert place.ran == ["a.pre_start"]
    assert place.held() == FREE


@pytest.mark.scenario("tasks: A program that never ran has cleaned up nothing")
def test_a_program_that_never_ran_has_cleaned_up_nothing(place: Place) -> None:
    place.task("resources: [a, b]\ncleanup_required: false")
    place.scripts("a", "b")
    place.script("b", "pre_start", "exit 1")

    done = place.run()

    assert done.returncode == 1
    assert place.ran == ["a.pre_start", "b.pre_start", "b.on_error", "a.on_error"]


@pytest.mark.scenario("tasks: The task bounds its cleaning up")
def test_the_task_bounds_its_cleaning_up(place: Place) -> None:
    place.config(
        "task: {resources: {b: {post_complete: {commands: [{run: sleep 300, timeout: 5m}]}}}}\n"
    )
    place.task("resources: [a, b]\ncleanup_timeout: 0.5s")
    place.script("a", "post_complete", "trap '' TERM; sleep 300")

    done = place.run(program="true")

    assert done.returncode == 1
    assert done.stderr.count("timed out after 0.5 s") == 2


@pytest.mark.scenario("tasks: A program that is not there is told before anything runs")
def test_a_program_that_is_not_there_is_told_before_anything_runs(place: Place) -> None:
    place.task("resources: a")
    place.scripts("a")

    done = place.stophooks("task", "run", "T.md", "--", "no-such-program", cwd=place.directory)

    assert done.returncode == 3
    assert "there is no program no-such-program" in done.stderr
    for name in ("./weak", "weak"):
        (place.directory / "weak").write_text("#!/bin/sh\n")
        path = {"PATH": f"{place.directory}:{os.environ['PATH']}"}
        weak = place.stophooks("task", "run", "T.md", "--", name, cwd=place.directory, env=path)
        assert weak.returncode == 3
        assert "weak is not executable. If it is to run: chmod +x " in weak.stderr
    assert place.ran == []


@pytest.mark.scenario("tasks: A dry run has no effect")
def test_a_dry_run_has_no_effect(place: Place) -> None:
    place.config("""\
task:
  pre_start: {commands: [{name: general, run: echo x >> log}]}
  resources: {a: {on_error: {commands: [{name: mend, run: echo x >> log}]}}}
""")
    place.task("id: 7\nresources: [a, b]")
    place.script("a", "pre_start")
    root = place.directory.parent
    before = sorted(root.rglob("*"))

    done = place.run("--dry-run")
    as_json = place.run("--dry-run", "--format", "json")

    assert done.stdout == (
        f'task "7", {place.directory}/T.md\n'
        "would hold: a, b\n"
        "task.pre_start, for task 7:\n"
        "  would run   general (host, 30 s)\n"
        "task.pre_start of a, for task 7:\n"
        "  would run   pre_start.sh [a] (host, 30 s)\n"
        "would run the program: sh -c 'echo program >> log'\n"
        "and only after a failure, for what was begun:\n"
        "task.on_error of a, for task 7:\n"
        "  would run   mend [a] (host, 30 s)\n"
    )
    assert [one["event"] for one in json.loads(as_json.stdout)["events"]] == [
        "task.pre_start",
        "task.pre_start",
        "task.on_error",
    ]
    assert (done.returncode, as_json.returncode) == (0, 0)
    assert sorted(root.rglob("*")) == before


@pytest.mark.scenario("tasks: Without hooks the program runs alone")
def test_without_hooks_the_program_runs_alone(place: Place) -> None:
    place.task("resources: a")
    place.scripts("a")

    done = place.run("--no-hooks", program="echo program >> log; exit 3")
    disabled = place.run(env={"STOPHOOKS_DISABLE": "1"})

    assert (done.returncode, disabled.returncode) == (1, 0)
    assert done.stderr.startswith("No hooks are run: --no-hooks.\n")
    assert disabled.stderr.startswith("No hooks are run: STOPHOOKS_DISABLE=1.\n")
    assert place.ran == ["program", "program"]


@pytest.mark.scenario("tasks: A program reads what came of it")
def test_a_program_reads_what_came_of_it(place: Place) -> None:
    place.task("id: 7\ntitle: Seven\nresources: a")
    place.scripts("a")

    done = place.run("--format", "json", program="echo out; exit 3")

    told = json.loads(done.stdout)
    assert done.returncode == told["exit_code"] == 1
    assert "out\n" in done.stderr
    assert told["status"] == "failed"
    assert told["task"]["title"] == "Seven"
    assert (told["program"]["exit_code"], told["program"]["started"]) == (3, True)
    assert [(one["resource"], one["event"]) for one in told["events"]] == [
        ("a", "task.pre_start"),
        ("a", "task.on_error"),
    ]


@pytest.mark.scenario("tasks: Debugging shows where everything ran")
def test_debugging_shows_where_everything_ran(place: Place) -> None:
    place.task("resources: a")
    place.script("a", "pre_start")

    done = place.run("--debug", "--timeout", "5m", program="exit 3")

    rows = [row for row in done.stderr.splitlines() if row.startswith("debug: ")]
    assert len(rows) == 2
    assert "task.pre_start: pre_start.sh [a]: " in rows[0]
    assert "(timeout 30 s)" in rows[0]
    assert f"in {place.directory}" in rows[0]
    assert rows[1].startswith("debug: program: exit code 3; after ")
    assert rows[1].endswith(f"(timeout 5 m); in {place.directory}; $ sh -c 'exit 3'")


@pytest.mark.scenario("tasks: Two projects have resources of their own")
def test_two_projects_have_resources_of_their_own(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", place.stophooks)
    for one in (place, other):
        one.task("id: it\nresources: a")
    holder = holding(place)

    alone = other.run()
    first_shared = holding(other, "--shared")
    shared = place.run("--shared")

    assert alone.returncode == 0
    assert shared.returncode == BUSY
    assert f"(pid {first_shared.pid})" in shared.stderr
    end(holder)
    end(first_shared)


@pytest.mark.scenario("tasks: Sharing keeps out the project's own tasks")
@pytest.mark.parametrize(("first", "second"), [(["--shared"], []), ([], ["--shared"])])
def test_sharing_keeps_out_the_projects_own_tasks(
    place: Place, first: list[str], second: list[str]
) -> None:
    place.task("id: it\nresources: a")
    holder = holding(place, *first)

    busy = place.run(*second)
    waiter = place.stophooks.start(
        *place.words(*second, "--wait", "5m", program="echo waited >> log"), cwd=place.directory
    )
    assert waiter.stderr is not None
    said = waiter.stderr.readline().decode()

    assert busy.returncode == BUSY
    assert busy.stderr.count(f"(pid {holder.pid})") == 1
    assert said == f'Waiting: a is held by task "it" (pid {holder.pid}).\n'
    assert place.ran == []
    end(holder)
    waiter.communicate(timeout=60)
    assert place.ran == ["waited"]
    assert place.held() == FREE


@pytest.mark.scenario("tasks: The templates work as they stand")
def test_the_templates_work_as_they_stand(place: Place) -> None:
    place.task("resources: browser")

    written = place.stophooks("task", "hooks", "install", "browser", cwd=place.directory)
    passing = place.run("--verbose", program="true")
    failing = place.run("--verbose", program="exit 1")

    assert written.stdout.splitlines() == [
        f"wrote hooks/browser/{moment}.sh" for moment in ("pre_start", "post_complete", "on_error")
    ]
    path = place.directory / "T.md"
    assert passing.returncode == 0
    assert f"browser is ready for {path}" in passing.stderr
    assert f"{path} is done with browser" in passing.stderr
    assert failing.returncode == 1
    assert f"sh: exit code 1: browser is put back in order after {path}" in failing.stderr


@pytest.mark.scenario("tasks: Scripts that are there are not replaced by accident")
def test_scripts_that_are_there_are_not_replaced_by_accident(place: Place) -> None:
    own = place.script("browser", "on_error")
    text = own.read_text()

    refused = place.stophooks("task", "hooks", "install", "browser", cwd=place.directory)

    assert refused.returncode == 3
    assert f"{own} is there already. Nothing was written" in refused.stderr
    assert [path.name for path in own.parent.iterdir()] == ["on_error.sh"]
    assert own.read_text() == text
    forced = place.stophooks("task", "hooks", "install", "browser", "--force", cwd=place.directory)
    assert forced.returncode == 0
    assert own.read_text() != text
    assert os.access(own, os.X_OK)


@pytest.mark.scenario("tasks: Templates need a folder")
@pytest.mark.parametrize("name", ["hooks", "hooks/browser"])
def test_templates_need_a_folder(place: Place, name: str) -> None:
    path = place.directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")

    done = place.stophooks("task", "hooks", "install", "browser", cwd=place.directory)

    assert done.returncode == 3
    assert done.stderr.endswith(f": {path} is there, and is not a directory. Move it away first.\n")


@pytest.mark.scenario("tasks: Templates are written in their own folder only")
@pytest.mark.parametrize("name", ["../evil", "..", "a/b", ".x"])
def test_templates_are_written_in_their_own_folder_only(place: Place, name: str) -> None:
    done = place.stophooks("task", "hooks", "install", name, cwd=place.directory)
    (place.directory / "hooks").mkdir(exist_ok=True)
    (place.directory / "hooks" / "link").symlink_to(place.directory.parent)
    linked = place.stophooks("task", "hooks", "install", "link", cwd=place.directory)

    assert done.returncode == 3
    assert "cannot be a resource's name" in done.stderr
    assert linked.returncode == 3
    assert "leads out of" in linked.stderr
    assert not list(place.directory.parent.glob("*.sh"))


@pytest.mark.scenario("tasks: The hooks of every resource are shown")
def test_the_hooks_of_every_resource_are_shown(place: Place) -> None:
    place.config("task: {resources: {db: {pre_start: {commands: [{name: up, run: 'true'}]}}}}\n")
    place.script("browser", "pre_start")
    weak = place.script("browser", "on_error", mode=0o600)

    done = place.stophooks("task", "hooks", "list", cwd=place.directory)
    as_json = place.stophooks("task", "hooks", "list", "--format", "json", cwd=place.directory)

    assert done.stdout == (
        "browser\n"
        "  pre_start: hooks/browser/pre_start.sh\n"
        "  post_complete: nothing\n"
        "  on_error: hooks/browser/on_error.sh is not executable. "
        f"If it is to run: chmod +x {weak}\n"
        "db\n"
        "  pre_start: up [db]\n"
        "  post_complete: nothing\n"
        "  on_error: nothing\n"
    )
    assert [one["name"] for one in json.loads(as_json.stdout)["resources"]] == ["browser", "db"]


@pytest.mark.scenario("tasks: A resource's hook runs in a container")
@pytest.mark.usefixtures("engine")
def test_a_resources_hook_runs_in_a_container(place: Place) -> None:
    place.config("""\
task:
  resources:
    a:
      pre_start:
        commands:
          - image: stophooks-test/busybox:1
            run: echo "$STOPHOOKS_ITEM_NAME $STOPHOOKS_SUBJECT_PATH" > told; exit 75
""")
    place.task("id: 7\nresources: a")
    place.script("a", "on_error")

    done = place.run()

    assert done.returncode == BUSY, done.stderr
    assert (place.directory / "told").read_text() == "a /workspace/T.md\n"
    assert place.ran == []
