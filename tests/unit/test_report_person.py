"""A report and a plan, for a person and for a program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Container, Mount, Ulimit
from stophooks.models import GIB, MIB, Command, Problem, Severity, Status
from stophooks.plan import MOST_JOBS, Plan, Section, from_json
from stophooks.reports import json as json_report
from stophooks.reports import plan as plan_report
from stophooks.reports import problems, text
from stophooks.values import replace
from tests.unit.test_report_reason import PASSED, report, result

if TYPE_CHECKING:
    from stophooks.models import Report


@pytest.fixture
def finished() -> Report:
    """One result of every kind."""
    return report(
        PASSED,
        result("lint", stdout=b"bad\n", log_path="/state/lint.log"),
        result("style", command={"severity": Severity.WARN}),
        result("e2e", Status.UNAVAILABLE, exit_code=None, reason="No engine.", duration_s=0.0),
        result("never", Status.SKIPPED, exit_code=None, reason="not run: `fail_fast` is set"),
    )


def test_a_person_reads_a_line_per_command_and_a_summary(finished: Report) -> None:
    assert text.render(finished) == (
        "PASS    ok        0.4 s  host\n"
        "FAIL    lint      0.4 s  host  exit code 1\n"
        "          $ make lint\n"
        "          stdout:\n"
        "          | bad\n"
        "          Full output: /state/lint.log\n"
        "WARN    style     0.4 s  host  exit code 1\n"
        "          $ make style\n"
        "          It wrote nothing.\n"
        "CANNOT  e2e         0 s  host  could not run\n"
        "          No engine.\n"
        "          $ make e2e\n"
        "SKIP    never         -  host  skipped: not run: `fail_fast` is set\n"
        "1 passed, 1 failed, 1 could not run, 1 with a warning, 1 skipped in 1 s"
    )


def test_a_person_reads_that_a_command_was_never_started() -> None:
    why = "the deadline of 1 s for all commands was reached"
    late = result(
        "late", Status.TIMED_OUT, exit_code=None, duration_s=0.0, started=False, reason=why
    )

    assert text.render(report(late)) == (
        f"MISSED  late         -  host  not started: {why}\n"
        "          $ make late\n"
        "1 not started in 1 s"
    )
    assert json.loads(json_report.render(report(late)))["results"][0]["started"] is False


def test_colour_is_only_there_when_asked_for(finished: Report) -> None:
    assert "\x1b" not in text.render(finished)
    assert text.render(finished, colour=True).startswith("\x1b[32mPASS    \x1b[0mok")


def test_a_program_reads_every_value(finished: Report) -> None:
    document = json.loads(json_report.render(finished))

    assert {key: value for key, value in document.items() if key != "results"} == {
        "event": "stop",
        "project": "/p",
        "subject": None,
        "run": "",
        "passed": False,
        "duration_s": 1.0,
    }
    assert document["results"][1] == {
        "name": "lint",
        "item": None,
        "where": "host",
        "status": "failed",
        "started": True,
        "severity": "block",
        "exit_code": 1,
        "signal": None,
        "duration_s": 0.42,
        "reason": None,
        "remedy": None,
        "fault": None,
        "oom": False,
        "notes": [],
        "log_path": "/state/lint.log",
        "cases": None,
        "stdout": {"text": "bad", "total_bytes": 4, "cut_bytes": 0},
        "stderr": {"text": "", "total_bytes": 0, "cut_bytes": 0},
    }


def test_a_warning_alone_passes_for_a_program() -> None:
    document = json.loads(
        json_report.render(report(result("style", command={"severity": Severity.WARN})))
    )

    assert document["passed"] is True


def test_output_that_was_not_kept_is_counted_for_a_program() -> None:
    document = json.loads(json_report.render(report(result("t", stdout=b"x\n" * 200_000))))

    stdout = document["results"][0]["stdout"]
    assert stdout["total_bytes"] == 400_000
    assert f"\n... {stdout['cut_bytes']} bytes left out ...\n" in stdout["text"]


CONTAINER = Container(
    image="python:3.13",
    network="none",
    memory_bytes=512 * 1024 * 1024,
    nano_cpus=1_500_000_000,
    mounts=(
        Mount(type="bind", source="/data", target="/in", readonly=True, options=("rprivate",)),
        Mount(type="tmpfs", source=None, target="/cache", options=("size=64m",)),
    ),
    ulimits=(Ulimit(name="nofile", soft=64, hard=128),),
    tmpfs=(("/tmp", "mode=1777"),),  # a path in the container
    seccomp='{"defaultAction": "SCMP_ACT_ALLOW"}',
    cap_add=("CHOWN",),
    read_only=True,
    shm_size_bytes=100,
)
PLAN = Plan(
    config_path="/p/stophooks.yaml",
    project_dir="/p",
    sections=(
        Section(
            event="stop",
            fail_fast=True,
            commands=(
                Command(
                    name="lint",
                    project_dir="/p",
                    run="a\nb\nc\nd\ne",
                    timeout_s=None,
                    working_dir="/p/sub",
                    inherit_env=False,
                    message="Ask before you add a dependency.",
                    show_command=False,
                    show_stdout=False,
                    max_output_lines=50,
                ),
                Command(
                    name="test",
                    project_dir="/p",
                    argv=("pytest", "-q"),
                    severity=Severity.WARN,
                    env=(("TOKEN", "hidden"),),
                    container=CONTAINER,
                ),
            ),
        ),
    ),
)


def test_a_person_reads_every_value_that_decides_what_a_command_can_do() -> None:
    assert plan_report.text(PLAN) == (
        "/p/stophooks.yaml (project /p)\n"
        "\n"
        "stop: 2 commands, deadline 9 m, max_blocks 3, fail_fast\n"
        "  lint  (host, no timeout)\n"
        "    $ a\n"
        "      b\n"
        "      c\n"
        "      ... and 2 more lines\n"
        "    message: Ask before you add a dependency.\n"
        "    not shown: command, stdout\n"
        "    max_output_lines: 50\n"
        "    working_dir: /p/sub\n"
        "    inherit_env: no\n"
        "  test  (python:3.13, 5 m, warns only)\n"
        "    $ pytest -q\n"
        "    env: TOKEN\n"
        "    pull: missing; workdir: /workspace; workspace: rw; network: none\n"
        "    user: the caller's uid and gid; read_only: yes; no_new_privileges: yes; init: yes\n"
        "    capabilities: drop ALL, add CHOWN; seccomp: a profile of your own; "
        "apparmor: the engine's default\n"
        "    limits: memory 512 MiB, shm_size 100 bytes, cpus 1.5, nofile 64:128\n"
        "    mounts: bind /data -> /in (ro, rprivate), tmpfs -> /cache (size=64m)\n"
        "    tmpfs: /tmp (mode=1777)"
    )


def test_a_person_reads_what_runs_at_the_same_time() -> None:
    limited = Container(image="i:1", memory_bytes=MIB)
    commands = (
        Command(name="a", project_dir="/p", run="x", exclusive=True),
        Command(name="b", project_dir="/p", run="x", container=limited, needs=("a", "c")),
        Command(name="c", project_dir="/p", run="x"),
    )
    section = Section(event="stop", commands=commands, jobs=3, max_memory_bytes=GIB)

    first, shared, every = (
        plan_report.text(Plan(config_path="/p/s.yaml", project_dir="/p", sections=(one,)))
        for one in (
            section,
            replace(section, jobs=MOST_JOBS, max_memory_bytes=None, max_memory_share=0.5),
            replace(section, jobs=1),
        )
    )

    rules = "stop: 3 commands, deadline 9 m, max_blocks 3"
    assert f"{rules}, jobs 3, max_memory 1 GiB\n" in first
    assert "    runs: exclusive\n" in first
    assert "    runs: needs a and c\n" in first
    assert f"{rules}, jobs auto, max_memory 50%\n" in shared
    assert f"{rules}\n" in every


def test_a_person_reads_how_a_bare_container_is_closed() -> None:
    bare = Command(name="t", project_dir="/p", run="x", container=Container(image="i:1"))
    plan = Plan(
        config_path="/p/s.yaml",
        project_dir="/p",
        sections=(Section(event="stop", commands=(bare,)),),
    )

    assert plan_report.text(plan).partition("$ x\n")[2] == (
        "    pull: missing; workdir: /workspace; workspace: rw; network: bridge\n"
        "    user: the caller's uid and gid; read_only: no; no_new_privileges: yes; init: yes\n"
        "    capabilities: drop ALL, add none; seccomp: the engine's default; "
        "apparmor: the engine's default"
    )


@pytest.mark.scenario("secrets: What is shown of a plan")
def test_a_program_reads_the_whole_plan_but_for_secrets() -> None:
    shown = plan_report.json(PLAN)

    assert from_json(json.loads(shown.replace('"***"', '"hidden"'))) == PLAN
    assert shown.count('"***"') == 1


def problem(**values: object) -> Problem:
    base = {"path": "stophooks.yaml", "line": 3, "column": 14, "where": "stop.commands[0].timeout"}
    return Problem(**base | {"message": 'expected 5m; got "5x"'} | values)  # type: ignore[arg-type] # values of a test


def test_a_problem_is_shown_with_its_line_and_carets() -> None:
    shown = problems.text([problem(source="    timeout: 5x", width=2, hint="write 5m")])

    assert shown == (
        'stophooks.yaml:3:14: stop.commands[0].timeout: expected 5m; got "5x"\n'
        "   3 |     timeout: 5x\n"
        "     |              ^^\n"
        "     = hint: write 5m\n"
        "1 problem in stophooks.yaml. Nothing was run."
    )


def test_carets_stand_below_wide_characters_and_tabs() -> None:
    shown = problems.text([problem(source="\t漢e\u0301: 5x", column=7, width=2)])

    assert shown.split("\n")[1:3] == ["   3 |  漢e\u0301: 5x", "     |       ^^"]


def test_a_very_long_line_is_shown_around_the_place() -> None:
    source = "x" * 1000 + "HERE" + "y" * 1000

    rows = problems.text([problem(source=source, column=1001, width=4)]).split("\n")

    assert rows[1] == "   3 | " + "x" * 50 + "HERE" + "y" * 46
    assert rows[2] == "     | " + " " * 50 + "^^^^"


def test_a_problem_without_a_line_has_no_excerpt() -> None:
    shown = problems.text([problem(line=0, column=0, where="", message="it does not exist")])

    assert shown == (
        "stophooks.yaml: it does not exist\n1 problem in stophooks.yaml. Nothing was run."
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([problem(), problem(warning=True)], "1 problem and 1 warning in stophooks.yaml. Nothing"),
        ([problem(warning=True)] * 2, "2 warnings in stophooks.yaml."),
        ([problem(), problem(path="b.yaml")], "2 problems in 2 files. Nothing was run."),
        (
            [problem(), problem(line=0, message="only the first 1 of 9 are shown")],
            "The first 1 problem in stophooks.yaml. Nothing was run.",
        ),
    ],
)
def test_the_last_line_counts(found: list[Problem], expected: str) -> None:
    assert problems.text(found).split("\n")[-1].startswith(expected)


def test_no_problem_is_no_text() -> None:
    assert problems.text([]) == ""


def test_a_config_cannot_write_to_the_terminal() -> None:
    shown = problems.text([problem(source="a: \x1b[2J\u202e", message="bad \x1b[31mvalue")])

    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_program_reads_problems_per_file() -> None:
    document = json.loads(problems.json([problem(warning=True)], paths=["ok.yaml"]))

    assert document == {
        "files": [
            {"path": "ok.yaml", "ok": True, "problems": []},
            {
                "path": "stophooks.yaml",
                "ok": True,
                "problems": [
                    {
                        "path": "stophooks.yaml",
                        "line": 3,
                        "column": 14,
                        "where": "stop.commands[0].timeout",
                        "message": 'expected 5m; got "5x"',
                        "hint": None,
                        "severity": "warning",
                    }
                ],
            },
        ]
    }
