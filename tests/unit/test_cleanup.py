"""Names of Compose projects, kept processes, and the words about a cleanup."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from stophooks import agents, composefile
from stophooks.agents import claude
from stophooks.lifecycles.cleanup import account, compose, own, rest, script
from stophooks.lifecycles.cleanup.values import (
    By,
    Cleaned,
    CleanupLevel,
    Containers,
    Order,
    OwnPart,
    Processes,
)
from stophooks.process import being, marked, table
from stophooks.process.table import Entry
from stophooks.reports import cleanup as report
from stophooks.store.cleanups import MAX_SESSIONS, Cleanups, Known
from stophooks.store.contents import GONE
from stophooks.values import asdict, replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENTRY = Entry(pid=7, parent=1, group=7, session=7, started=1, name="server")


class _Nothing:
    """An engine that has nothing."""

    def containers(self, label: str) -> list[Any]:
        del label
        return []

    def volumes(self, label: str) -> list[str]:
        del label
        return []

    def remove(self, names: object) -> Mapping[str, str]:
        del names
        return {}


def name(directory: Path, *program: str, **environ: str) -> str:
    asker = compose.Asker(project_dir=str(directory), environ=environ, engine=_Nothing())
    return compose.default_name(program or ("docker-compose",), ("x",), asker)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("app", "app"),
        ("My App.2", "myapp2"),
        ("_a-b_c", "_a-b_c"),
        ("--", "--"),
        ("Ünï", "n"),
        ("日本", "default"),
    ],
)
def test_a_directory_s_name_becomes_the_project_s(
    tmp_path: Path, given: str, expected: str
) -> None:
    assert name(tmp_path / given) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COMPOSE_PROJECT_NAME=told\n", "told"),
        ("A=1\n  export COMPOSE_PROJECT_NAME = 'Told'\n", "told"),
        ('COMPOSE_PROJECT_NAME="a"\nCOMPOSE_PROJECT_NAME=b\n', "b"),
        ("# COMPOSE_PROJECT_NAME=no\n", "app"),
        ("COMPOSE_PROJECT_NAME=\n", "app"),
        ("XCOMPOSE_PROJECT_NAME=no\n", "app"),
    ],
)
def test_the_env_file_names_the_project(tmp_path: Path, text: str, expected: str) -> None:
    place = tmp_path / "app"
    place.mkdir()
    (place / ".env").write_text(text)

    assert name(place) == expected


def test_the_environment_comes_before_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COMPOSE_PROJECT_NAME=file")

    assert name(tmp_path, COMPOSE_PROJECT_NAME="said") == "said"


def test_the_first_file_counts_and_its_override_is_added(tmp_path: Path) -> None:
    assert composefile.files(str(tmp_path)) == ()
    for given in ("compose.yaml", "compose.yml", "compose.override.yaml"):
        (tmp_path / given).touch()
    (tmp_path / "docker-compose.yml").mkdir()

    found = composefile.files(str(tmp_path))

    assert [os.path.basename(path) for path in found] == ["compose.yml", "compose.override.yaml"]


def test_a_directory_with_a_like_name_is_not_inside() -> None:
    assert script.is_inside("/project/on-cleanup", "/project")
    assert not script.is_inside("/project-evil/on-cleanup", "/project")
    assert not script.is_inside("/project", "/project")
    assert script.is_inside("/on-cleanup", "/")


def test_a_script_that_is_too_large_is_held_to_and_not_kept(tmp_path: Path) -> None:
    path = tmp_path / script.NAME
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n" + "#" * script.KEPT_BYTES)
    path.chmod(0o755)
    kept = script.kept(str(tmp_path))

    same = script.find(str(tmp_path), kept, copies=str(tmp_path))
    path.write_text("#!/bin/sh\n")

    assert same == script.Script(path=str(path))
    with pytest.raises(script.ScriptInvalidError, match="what it was then cannot be run"):
        script.find(str(tmp_path), kept, copies=str(tmp_path))


def test_what_is_kept_of_a_script_says_whether_there_was_one(tmp_path: Path) -> None:
    assert script.kept(str(tmp_path)) == {}
    assert script.print_in({}) == GONE
    assert script.find(str(tmp_path), {}, copies=None) is None


@pytest.mark.parametrize("level", list(CleanupLevel))
def test_commands_are_told_the_level_that_was_asked_for(level: CleanupLevel) -> None:
    order = Order(project_dir="/p", level=level, session="s")

    assert own.occasion(order).cleanup_level == level
    assert own.occasion(replace(order, session=None)).subject.id == "local"


def test_every_agent_s_variable_is_a_mark() -> None:
    found = dict(agents.marks("it"))

    assert {"CLAUDE_CODE_SESSION_ID", "GEMINI_SESSION_ID", "QWEN_CODE_SESSION_ID"} <= set(found)
    assert set(found.values()) == {"it"}


def test_what_claude_code_does_not_offer_is_not_used(tmp_path: Path) -> None:
    claude.hand_on({"A": "b"}, {})
    claude.hand_on({"A": "b"}, {"CLAUDE_ENV_FILE": "relative"})

    assert not list(tmp_path.iterdir())


def myself() -> being.Being:
    found = being.being(os.getpid())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"started": 1}, False),
        ({"pid": 2**22 + 1}, False),
        ({"boot_id": "another"}, False),
        ({"host": "elsewhere"}, None),
        ({"host": "elsewhere", "boot_id": "another"}, None),
        ({"pid_namespace": 1}, None),
    ],
)
def test_a_process_is_dead_only_where_that_is_certain(
    change: dict[str, Any], expected: bool | None
) -> None:
    assert being.lives(replace(myself(), **change)) is expected


@pytest.mark.parametrize("kept", [None, {}, [], "x", {"pid": 1}, {**asdict(myself()), "pid": "1"}])
def test_a_kept_process_that_makes_no_sense_is_none(kept: Any) -> None:
    assert being.parse(kept) is None
    assert being.parse(asdict(myself())) == myself()


def test_this_process_and_those_above_it_are_never_found() -> None:
    key, value = next(iter(os.environ.items()))
    mark = marked.Mark(variables=((key, value),), uid=os.getuid())

    found = {entry.pid for entry in marked.find(mark)}

    assert not {os.getpid(), os.getppid(), 1} & found


@pytest.mark.parametrize("dry", [False, True])
def test_a_machine_that_shows_no_environments_is_told(
    monkeypatch: pytest.MonkeyPatch, dry: bool
) -> None:
    # As on macOS, and in a container that was given the machine's own /proc.
    monkeypatch.setattr(table, "own_proc", lambda: False)
    mark = marked.Mark(variables=(("STOPHOOKS_SESSION", "s"),))

    found = rest.processes(Order(project_dir="/p", session="s", mark=mark), dry=dry)

    assert found == Processes(why=rest.NO_PROC)


def known(process: being.Being | None, *, sure: bool = False) -> Known:
    return Known(agent="claude", session="s", process=process, sure=sure)


def test_a_session_is_dead_only_where_its_agent_is_sure(tmp_path: Path) -> None:
    gone = replace(myself(), started=1)
    with Cleanups(str(tmp_path), "/p") as cleanups:
        cleanups.seen(known(gone))
        unsure = cleanups.take_dead()
        cleanups.seen(known(replace(gone, pid=gone.pid + 1)))
        other = cleanups.take_dead()
        cleanups.seen(known(replace(gone, pid=gone.pid + 1)))
        sure = cleanups.take_dead()
        again = cleanups.take_dead()

    assert unsure == other == again == []
    assert [one.session for one in sure] == ["s"]


def test_a_living_agent_s_session_is_not_dead(tmp_path: Path) -> None:
    with Cleanups(str(tmp_path), "/p") as cleanups:
        cleanups.seen(known(myself(), sure=True))

        assert cleanups.take_dead() == []
        assert not cleanups.is_dead("s")
        assert cleanups.process_of("s") == myself()
        assert cleanups.take("claude", "s") == known(myself(), sure=True)
        assert cleanups.take("claude", "s") is None


def test_sessions_are_known_in_their_own_project_and_not_without_end(tmp_path: Path) -> None:
    with Cleanups(str(tmp_path), "/p") as cleanups:
        for number in range(MAX_SESSIONS + 1):
            cleanups.seen(replace(known(None), session=str(number)))
        first, last = (cleanups.is_seen("claude", str(one)) for one in (0, MAX_SESSIONS))
    with Cleanups(str(tmp_path), "/q") as others:
        elsewhere = others.is_seen("claude", str(MAX_SESSIONS))

    assert (first, last, elsewhere) == (False, True, False)


def test_who_still_cleans_up_is_told_from_who_has_gone(tmp_path: Path) -> None:
    with Cleanups(str(tmp_path), "/p") as cleanups:
        states = [cleanups.is_going_on()]
        for process in (myself(), replace(myself(), started=1)):
            cleanups.put_last({"state": report.GOING_ON, "process": asdict(process)})
            states.append(cleanups.is_going_on())

    assert states == [False, True, False]


def cleaned(**parts: Any) -> Cleaned:
    empty: dict[str, Any] = {
        "own": OwnPart(),
        "processes": Processes(),
        "containers": Containers(),
    }
    return Cleaned(order=Order(project_dir="/p", session="s"), duration_s=1.5, **(empty | parts))


@pytest.mark.parametrize(
    ("parts", "row"),
    [
        ({}, "Done in 1.5 s."),
        (
            {"processes": Processes(ending=marked.Ending(left=(ENTRY,)))},
            "processes: 1 LEFT (server (pid 7))",
        ),
        (
            {"processes": Processes(ending=marked.Ending(killed=(ENTRY, ENTRY)))},
            "processes: 2 killed (server (pid 7), server (pid 7))",
        ),
        ({"containers": Containers(left=(("c", "no"),))}, "containers: 1 LEFT (c (no))"),
        ({"own": OwnPart(by=By.SCRIPT, problem="bad\x1b[2J")}, "PROBLEM: bad"),
        ({"own": OwnPart(by=By.COMPOSE, left=("c",))}, "LEFT: containers of Compose: c"),
    ],
)
def test_what_became_of_it_is_told_in_lines(parts: dict[str, Any], row: str) -> None:
    one = cleaned(**parts)

    rows = report.text(account.values(one), None).splitlines()

    assert rows[0] == "/p: cleaned up, level stop, session s"
    assert row in rows
    assert (rows[-1] == "Done in 1.5 s.") == one.passed


def test_whatever_is_left_is_not_a_pass() -> None:
    left = marked.Ending(left=(ENTRY,))

    assert cleaned().passed
    assert not cleaned(processes=Processes(ending=left)).passed
    assert not cleaned(containers=Containers(left=(("c", "no"),))).passed
    assert not cleaned(own=OwnPart(left=("c",))).passed
    assert not cleaned(own=OwnPart(problem="bad")).passed


def test_the_status_is_told_in_lines() -> None:
    kept = report.kept(account.values(cleaned()), None)
    at = time.mktime((2026, 11, 30, 12, 0, 0, 0, 0, -1))
    done = {**kept, "state": report.DONE, "at": at}

    told = report.status(done, goes_on=False)
    going = report.status({**done, "state": report.GOING_ON}, goes_on=True)
    values = report.values({**done, "state": report.GOING_ON}, goes_on=False)

    assert report.status(None, goes_on=False) == []
    assert report.values(None, goes_on=False) is None
    assert told[0].startswith("cleanup: done, 2026-11-30T12:00:00")
    assert told[-2:] == ["  processes: none", "  containers: none"]
    assert going[0].startswith("cleanup: is going on, ")
    assert values is not None
    assert values["state"] == "broken_off"
