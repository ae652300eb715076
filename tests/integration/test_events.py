"""Events of every kind, fired as another program does."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.running import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import docker

    from tests.program import Finished, Stophooks

ENV = "env | grep ^STOPHOOKS_ | grep -v -e COMMAND_ID -e GUARDS -e RUNNING -e TEST_ID | sort"


def write(directory: Path, text: str) -> None:
    (directory / ".git").mkdir(exist_ok=True)
    (directory / "stophooks.yaml").write_text(text, "utf-8")


def section(event: str, *commands: str) -> str:
    """A configuration with one section; each command is the inside of a YAML flow mapping."""
    listed = ", ".join(f"{{{command}}}" for command in commands)
    body = f"{{commands: [{listed}]}}"
    area, _, moment = event.partition(".")
    return f"{area}: {{{moment}: {body}}}\n" if moment else f"{area}: {body}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name in ("backend", "frontend"):
        (tmp_path / "ws" / name).mkdir(parents=True)
    return tmp_path / "ws"


def items(workspace: Path) -> list[str]:
    return [f"--item=repo:{name}:{workspace / name}" for name in ("backend", "frontend")]


def fire(
    stophooks: Stophooks, directory: Path, event: str, *args: str, subject: str = "workspace:w"
) -> Finished:
    return stophooks("fire", event, "--subject", subject, *args, cwd=directory)


def results(done: Finished) -> list[tuple[str, str | None, str]]:
    """The name, the item and the status of each result of a JSON answer."""
    return [
        (one["name"], one["item"] and one["item"]["name"], one["status"])
        for one in json.loads(done.stdout)["results"]
    ]


@pytest.mark.scenario("events: A gate says no")
def test_a_failing_command_closes_a_gate(stophooks: Stophooks, tmp_path: Path) -> None:
    write(tmp_path, section("workspace.pre_close", "name: stash, run: exit 4"))

    done = fire(stophooks, tmp_path, "workspace.pre_close")

    assert done.returncode == 1
    assert "FAIL    stash" in done.stdout
    assert "exit code 4" in done.stdout


@pytest.mark.scenario("events: A warning does not close a gate")
def test_a_warning_does_not_close_a_gate(stophooks: Stophooks, tmp_path: Path) -> None:
    write(tmp_path, section("workspace.pre_close", "name: w, run: exit 4, continue_on_error: true"))

    done = fire(stophooks, tmp_path, "workspace.pre_close")

    assert (done.returncode, done.stdout.split()[0]) == (0, "WARN")


@pytest.mark.scenario("events: An event that blocks nothing still tells")
@pytest.mark.parametrize(("terms", "code"), [("", 1), (", on_failure: ignore", 0)])
def test_a_failure_where_nothing_waits_is_told(
    stophooks: Stophooks, tmp_path: Path, terms: str, code: int
) -> None:
    write(tmp_path, section("workspace.post_create", f"run: exit 4{terms}"))

    done = fire(stophooks, tmp_path, "workspace.post_create")

    told = fire(stophooks, tmp_path, "workspace.post_create", "--format=json")
    assert done.returncode == told.returncode == code
    assert done.stdout.split()[0] == ("WARN" if code else "IGNORED")
    assert json.loads(told.stdout)["passed"] is (code == 0)


@pytest.mark.scenario("events: A busy resource is no failure")
@pytest.mark.parametrize(("exits", "code"), [(75, 75), (74, 1)])
def test_a_busy_resource_is_no_failure(
    stophooks: Stophooks, tmp_path: Path, exits: int, code: int
) -> None:
    write(
        tmp_path,
        "task: {pre_start: {commands: [{name: general, run: ':'}]}, resources: {browser: "
        f"{{pre_start: {{commands: [{{name: own, run: exit {exits}}}]}}}}}}}}",
    )

    done = fire(
        stophooks,
        tmp_path,
        "task.pre_start",
        "--item=resource:browser",
        "--format=json",
        subject="task:1",
    )

    assert done.returncode == code
    assert results(done) == [("general", None, "passed"), ("own", "browser", "failed")]


@pytest.mark.scenario("events: Nothing is configured")
def test_an_event_without_a_section_runs_nothing(stophooks: Stophooks, tmp_path: Path) -> None:
    write(tmp_path, section("stop", "run: exit 1"))

    done = fire(stophooks, tmp_path, "workspace.pre_close")

    assert (done.returncode, done.stdout) == (0, "nothing to run in 0 s\n")


@pytest.mark.scenario("events: A wrong call is explained")
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["workspace.preclose", "--subject=workspace:w"], 'Did you mean "workspace.pre_close"?'),
        (["workspace.pre_close", "--subject=task:w"], "Write workspace:w."),
        (["workspace.pre_close", "--subject=w"], '"w" is not KIND:NAME'),
        (["cleanup", "--subject=session:1", "--item=repo:a"], "its items are: none"),
        (["cleanup", "--subject=session:1", "--data=facts.json"], 'Did you mean "exit_code"?'),
        (["cleanup", "--subject=session:1", "--data=type.json"], "exit_code is to be a whole"),
        (["cleanup", "--subject=session:1", "--data=prior.json"], "success or failure"),
        (["cleanup", "--subject=session:1", "--data=level.json"], "stop or purge"),
        (["cleanup", "--subject=session:1", "--data=list.json"], "is not a JSON object"),
        (
            ["workspace.pre_close", "--subject=workspace:w", "--item=repo:a", "--item=repo:a:b"],
            '"a" is given twice',
        ),
        (["cleanup", "--subject=session:1", "--data=bad.json"], "is not JSON"),
        (["cleanup", "--subject=session:1", "--data=gone.json"], "cannot be read"),
    ],
)
def test_a_wrong_call_is_explained(
    stophooks: Stophooks, tmp_path: Path, args: list[str], said: str
) -> None:
    write(
        tmp_path,
        section("cleanup", "run: touch ran") + section("workspace.pre_close", "run: touch ran"),
    )
    for name, text in {
        "facts": '{"exit_cod": 1}',
        "type": '{"exit_code": "1"}',
        "prior": '{"prior_status": "so so"}',
        "level": '{"cleanup_level": "all"}',
        "list": "[]",
        "bad": "{",
    }.items():
        (tmp_path / f"{name}.json").write_text(text)

    done = stophooks("fire", *args, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.scenario("events: A file that everybody may write")
def test_a_file_that_everybody_may_write_fires_nothing_for_workspaces(
    stophooks: Stophooks, tmp_path: Path
) -> None:
    write(tmp_path, section("workspace.pre_close", "run: touch ran"))
    (tmp_path / "stophooks.yaml").chmod(0o666)

    done = fire(stophooks, tmp_path, "workspace.pre_close")

    assert done.returncode == 3
    assert f"chmod o-w {tmp_path}/stophooks.yaml" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.scenario("events: An interrupted run is ended")
def test_an_interrupted_event_leaves_nothing(stophooks: Stophooks, tmp_path: Path) -> None:
    write(
        tmp_path,
        section("workspace.pre_close", "run: 'sleep 300 & echo $! > pid; touch ready; wait'"),
    )
    running = stophooks.start("fire", "workspace.pre_close", "--subject=workspace:w", cwd=tmp_path)
    wait_until((tmp_path / "ready").exists)

    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)

    assert running.returncode == 143
    # `_nothing_is_left` finds the child if it lives.


@pytest.mark.scenario("events: Run is for checks")
def test_run_shows_how_to_fire(stophooks: Stophooks, tmp_path: Path) -> None:
    write(tmp_path, section("workspace.pre_close", "run: touch ran"))

    done = stophooks("run", "workspace.pre_close", cwd=tmp_path)

    assert done.returncode == 3
    assert "stophooks fire workspace.pre_close --subject workspace:ID" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.scenario("events: Everything that is known is told")
def test_everything_that_is_known_is_told(
    stophooks: Stophooks, tmp_path: Path, workspace: Path
) -> None:
    write(
        tmp_path,
        section("workspace.pre_close", f"name: tell, run: '{ENV} > told', repos: [frontend]"),
    )
    facts = {
        "branch": "topic",
        "exit_code": 3,
        "signal": 9,
        "reason": "no",
        "cleanup_level": "purge",
        "prior_status": "failure",
        "session": "s",
    }
    (tmp_path / "facts.json").write_text(json.dumps(facts))

    subject = f"workspace:w:{workspace}"
    done = fire(
        stophooks,
        tmp_path,
        "workspace.pre_close",
        "--data=facts.json",
        "--format=json",
        *items(workspace),
        subject=subject,
    )

    told = (workspace / "frontend/told").read_text().splitlines()
    assert told == [
        "STOPHOOKS_BRANCH=topic",
        "STOPHOOKS_CLEANUP_LEVEL=purge",
        "STOPHOOKS_COMMAND=tell",
        f"STOPHOOKS_CONFIG={tmp_path}/stophooks.yaml",
        "STOPHOOKS_EVENT=workspace.pre_close",
        "STOPHOOKS_EXIT_CODE=3",
        "STOPHOOKS_ITEM_KIND=repo",
        "STOPHOOKS_ITEM_NAME=frontend",
        f"STOPHOOKS_ITEM_PATH={workspace}/frontend",
        "STOPHOOKS_PRIOR_STATUS=failure",
        f"STOPHOOKS_PROJECT_DIR={tmp_path}",
        "STOPHOOKS_REASON=no",
        f"STOPHOOKS_RUN_ID={json.loads(done.stdout)['run']}",
        "STOPHOOKS_SESSION=s",
        "STOPHOOKS_SIGNAL=9",
        "STOPHOOKS_SUBJECT_ID=w",
        "STOPHOOKS_SUBJECT_KIND=workspace",
        f"STOPHOOKS_SUBJECT_PATH={workspace}",
    ]


@pytest.mark.scenario("events: The checks of an agent are told too")
def test_a_check_knows_its_event(stophooks: Stophooks, tmp_path: Path) -> None:
    write(tmp_path, section("stop", f"name: tell, run: '{ENV} > told'"))

    done = stophooks("run", cwd=tmp_path)

    told = dict(row.split("=", 1) for row in (tmp_path / "told").read_text().splitlines())
    assert done.returncode == 0
    assert told.pop("STOPHOOKS_RUN_ID")
    assert told == {
        "STOPHOOKS_COMMAND": "tell",
        "STOPHOOKS_CONFIG": f"{tmp_path}/stophooks.yaml",
        "STOPHOOKS_EVENT": "stop",
        "STOPHOOKS_PRIOR_STATUS": "success",
        "STOPHOOKS_PROJECT_DIR": str(tmp_path),
        "STOPHOOKS_SUBJECT_ID": "local",
        "STOPHOOKS_SUBJECT_KIND": "session",
        "STOPHOOKS_SUBJECT_PATH": str(tmp_path),
    }


@pytest.mark.scenario("events: Another program's names")
def test_another_programs_names_are_told_too(
    stophooks: Stophooks, tmp_path: Path, workspace: Path
) -> None:
    tell = "env | grep -E '^(CANOPY|CLSECURE)_' | sort > told"
    write(
        tmp_path,
        f'cleanup: {{compat: clsecure, commands: [{{run: "{tell}"}}]}}\n'
        "workspace: {compat: canopy, post_create: {commands: "
        f'[{{run: "{tell}", repos: [backend]}}]}}}}\n',
    )

    subject = f"workspace:w:{workspace}"
    fire(stophooks, tmp_path, "workspace.post_create", *items(workspace), subject=subject)
    fire(stophooks, tmp_path, "cleanup", subject="session:s")

    assert (workspace / "backend/told").read_text().splitlines() == [
        "CANOPY_REPO_NAME=backend",
        f"CANOPY_REPO_PATH={workspace}/backend",
        "CANOPY_WORKSPACE_ID=w",
        f"CANOPY_WORKSPACE_PATH={workspace}",
    ]
    assert (tmp_path / "told").read_text().splitlines() == [
        "CLSECURE_CLEANUP_LEVEL=stop",
        f"CLSECURE_PROJECT_DIR={tmp_path}",
        "CLSECURE_SESSION=s",
    ]


@pytest.mark.scenario("events: A value is never code")
def test_a_value_is_never_code(stophooks: Stophooks, tmp_path: Path) -> None:
    write(
        tmp_path,
        section(
            "workspace.pre_close", "run: 'echo \"$STOPHOOKS_BRANCH|$STOPHOOKS_SUBJECT_ID\" > told'"
        ),
    )
    (tmp_path / "facts.json").write_text('{"branch": "$(touch x)"}')

    done = fire(
        stophooks,
        tmp_path,
        "workspace.pre_close",
        "--data=facts.json",
        subject="workspace:a; touch y",
    )

    assert done.returncode == 0
    assert (tmp_path / "told").read_text() == "$(touch x)|a; touch y\n"
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "y").exists()


@pytest.mark.engine
@pytest.mark.scenario("events: A container sees its own paths")
def test_a_container_for_a_repository_has_it_as_its_workspace(
    stophooks: Stophooks, engine: docker.DockerClient, tmp_path: Path, workspace: Path
) -> None:
    del engine
    (workspace / "backend/here").touch()
    write(
        tmp_path,
        section(
            "workspace.post_create",
            f"image: 'stophooks-test/busybox:1', network: none, repos: [backend], "
            f"run: 'ls; pwd; {ENV}'",
            "image: 'stophooks-test/busybox:1', network: none, run: 'ls; echo "
            "$STOPHOOKS_SUBJECT_PATH'",
        ),
    )

    done = fire(
        stophooks,
        tmp_path,
        "workspace.post_create",
        *items(workspace),
        "--format=json",
        subject=f"workspace:w:{workspace}",
    )

    repo, whole = [one["stdout"]["text"] for one in json.loads(done.stdout)["results"]]
    assert repo.splitlines()[:2] == ["here", "/workspace"]
    assert "STOPHOOKS_ITEM_PATH=/workspace" in repo.splitlines()
    assert "SUBJECT_PATH" not in repo
    assert whole.splitlines() == ["backend", "frontend", "/workspace"]


@pytest.mark.scenario("events: What no program can be given is not told")
def test_half_a_character_is_not_told(stophooks: Stophooks, tmp_path: Path) -> None:
    write(tmp_path, section("stop", f"run: '{ENV} > told'"))
    payload = json.dumps({"hook_event_name": "Stop", "session_id": "\ud800", "cwd": str(tmp_path)})

    done = stophooks("hook", "--agent=claude", cwd=tmp_path, stdin=payload.encode())

    assert done.returncode == 0, done.stderr
    assert "SUBJECT_ID" not in (tmp_path / "told").read_text()


@pytest.mark.scenario("events: Once for each repository")
def test_a_command_runs_in_each_repository(
    stophooks: Stophooks, tmp_path: Path, workspace: Path
) -> None:
    write(
        tmp_path,
        section("workspace.pre_close", f"name: c, run: pwd >> {tmp_path}/told, for_each: repos"),
    )

    done = fire(stophooks, tmp_path, "workspace.pre_close", *items(workspace), "--format=json")

    assert (tmp_path / "told").read_text() == f"{workspace}/backend\n{workspace}/frontend\n"
    assert results(done) == [("c", "backend", "passed"), ("c", "frontend", "passed")]


@pytest.mark.scenario("events: Only where it is named")
def test_a_command_runs_only_where_it_is_named(
    stophooks: Stophooks, tmp_path: Path, workspace: Path
) -> None:
    write(tmp_path, section("workspace.post_create", "run: touch ran, repos: [frontend]"))

    done = fire(stophooks, tmp_path, "workspace.post_create", *items(workspace))

    assert done.returncode == 0
    assert (workspace / "frontend/ran").exists()
    assert not (workspace / "backend/ran").exists()
    assert done.stdout.startswith("PASS    workspace.post_create[0] [frontend]")


@pytest.mark.scenario("events: A repository that is not there")
def test_a_repository_that_is_not_there_is_told(
    stophooks: Stophooks, tmp_path: Path, workspace: Path
) -> None:
    write(tmp_path, section("workspace.post_create", "name: c, run: touch ran, repos: [frontned]"))

    done = fire(stophooks, tmp_path, "workspace.post_create", *items(workspace))

    assert done.returncode == 0
    assert "SKIP    c [frontned]" in done.stdout
    assert "no such repo; there is: backend, frontend" in done.stdout


@pytest.mark.scenario("events: A failing item does not stop the others")
@pytest.mark.parametrize(
    ("terms", "second"), [("", "failed"), (", on_item_failure: stop", "skipped")]
)
def test_a_failing_item_and_the_others(
    stophooks: Stophooks, tmp_path: Path, workspace: Path, terms: str, second: str
) -> None:
    write(tmp_path, section("workspace.pre_close", f"name: c, run: exit 1, for_each: repos{terms}"))

    done = fire(stophooks, tmp_path, "workspace.pre_close", *items(workspace), "--format=json")

    assert results(done) == [("c", "backend", "failed"), ("c", "frontend", second)]


@pytest.mark.scenario("events: After a failure")
def test_conditions_after_a_failure(stophooks: Stophooks, tmp_path: Path) -> None:
    told = "run: 'echo $STOPHOOKS_PRIOR_STATUS'"
    write(
        tmp_path,
        section(
            "workspace.pre_close",
            "name: bad, run: exit 1",
            f"name: s, {told}, if: success",
            f"name: f, {told}, if: failure",
            f"name: a, {told}",
        ),
    )

    done = fire(stophooks, tmp_path, "workspace.pre_close", "--format=json")

    statuses = ["failed", "skipped", "passed", "passed"]
    found = json.loads(done.stdout)["results"]
    assert [one["status"] for one in found] == statuses
    assert [one["stdout"]["text"] for one in found[2:]] == ["failure"] * 2


@pytest.mark.scenario("events: What went before the event counts")
def test_conditions_after_what_went_before(stophooks: Stophooks, tmp_path: Path) -> None:
    write(
        tmp_path,
        section("cleanup", "name: f, run: ':', if: failure", "name: s, run: ':', if: success"),
    )
    (tmp_path / "facts.json").write_text('{"prior_status": "failure"}')

    args = ("--data=facts.json", "--format=json")
    done = fire(stophooks, tmp_path, "cleanup", *args, subject="session:1")

    assert results(done) == [("f", None, "passed"), ("s", None, "skipped")]


@pytest.mark.scenario("events: Once")
def test_what_runs_once_has_to_pass_once(stophooks: Stophooks, tmp_path: Path) -> None:
    write(
        tmp_path,
        section(
            "service.pre_start",
            "name: c, run: 'echo $STOPHOOKS_SUBJECT_ID >> ran; test -e good', once: true",
        ),
    )

    def start(name: str, *args: str) -> int:
        return fire(
            stophooks, tmp_path, "service.pre_start", *args, subject=f"service:{name}"
        ).returncode

    first = start("a")
    (tmp_path / "good").touch()
    codes = [start("a"), start("a"), start("b"), start("a", "--again")]

    assert (first, codes) == (1, [0] * 4)
    assert (tmp_path / "ran").read_text().split() == ["a", "a", "b", "a"]


@pytest.mark.scenario("events: A dry run leaves no trace")
def test_a_dry_run_leaves_no_trace(stophooks: Stophooks, tmp_path: Path, workspace: Path) -> None:
    write(
        tmp_path,
        section(
            "workspace.post_create",
            "name: c, run: touch ran, for_each: repos",
            "name: o, image: 'a:1', run: touch ran, network: none, once: true, if: failure",
            "name: f, run: touch ran, if: failure",
        ),
    )
    stophooks.state.rmdir()
    away = {"DOCKER_HOST": f"unix://{tmp_path}/away.sock"}
    before = sorted(tmp_path.rglob("*"))

    args = ("fire", "workspace.post_create", "--subject=workspace:w", "--dry-run")
    done = stophooks(*args, *items(workspace), cwd=tmp_path, env=away)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "workspace.post_create, for workspace w:",
        "  would run   c [backend] (host, 30 s)",
        "  would run   c [frontend] (host, 30 s)",
        "  would run   o (a:1, 30 s, if something before it fails)",
        "  would run   f (host, 30 s, if something before it fails)",
    ]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.scenario("events: The history tells what ran")
def test_the_history_tells_what_ran(stophooks: Stophooks, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(
            tmp_path / name,
            section("cleanup", "name: bad, run: exit 7") + section("service.post_exit", "run: ':'"),
        )
    fire(stophooks, tmp_path / "two", "cleanup", subject="session:3")
    fire(stophooks, tmp_path / "one", "cleanup", subject="session:1")
    fire(stophooks, tmp_path / "one", "service.post_exit", subject="service:db")

    def events(*args: str) -> list[str]:
        done = stophooks("history", "--format=json", *args, cwd=tmp_path / "one")
        return [f"{one['event']} {one['subject']['id']}" for one in json.loads(done.stdout)]

    assert events() == ["service.post_exit db", "cleanup 1"]
    assert events("--event=cleanup") == ["cleanup 1"]
    assert events("--subject=service:db") == ["service.post_exit db"]
    assert events("--all") == ["service.post_exit db", "cleanup 1", "cleanup 3"]
    wrong = stophooks("history", "--event=cleanupp", cwd=tmp_path)
    assert (wrong.returncode, 'Did you mean "cleanup"?' in wrong.stderr) == (3, True)
    assert stophooks("history", "--subject=db", cwd=tmp_path).returncode == 3
    shown = stophooks("history", cwd=tmp_path / "one").stdout.splitlines()
    assert shown[0].endswith("service.post_exit  service db  passed  " + shown[0].split("  ")[-1])
    assert shown[2] == "    bad: failed, exit code 7"


@pytest.mark.scenario("events: Debug shows how")
def test_debug_shows_how(stophooks: Stophooks, tmp_path: Path) -> None:
    write(tmp_path, section("cleanup", "name: bad, run: exit 7, timeout: 20s"))

    done = fire(stophooks, tmp_path, "cleanup", "--debug", subject="session:1")

    (row,) = done.stderr.splitlines()
    assert row.startswith("debug: cleanup: bad: warn, exit code 7; after ")
    assert row.endswith(f" (timeout 20 s); on host in {tmp_path}; $ exit 7")
