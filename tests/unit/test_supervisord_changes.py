"""From log lines and processes to transitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks.lifecycles.services.supervisordchanges import ProcessState, Transitions
from stophooks.lifecycles.services.supervisordlog import Said, Word
from stophooks.lifecycles.services.supervisordrpc import Info
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.lifecycles.services.base import Change


def info(
    state: ProcessState = ProcessState.RUNNING,
    *,
    pid: int = 1,
    started: int = 100,
    exit_code: int | None = 0,
    problem: str = "",
) -> dict[str, Info]:
    return {
        "web": Info(
            spec="web",
            name="web",
            state=state,
            pid=pid,
            started=started,
            exit_code=exit_code,
            problem=problem,
            logs=(),
        )
    }


def known(infos: Mapping[str, Info], *, restarts: bool = True) -> Transitions:
    made = Transitions(
        lambda spec: "web" if spec == "web" else None, lambda _: restarts, clock=lambda: 7.0
    )
    made.begin(infos)
    return made


def short(changes: list[Change]) -> list[str]:
    return [
        " ".join(
            [one.kind, *(["asked"] if one.asked else []), *(["automatic"] if one.automatic else [])]
            + ([str(one.exit_code)] if one.exit_code is not None else [])
        )
        for one in changes
    ]


SPAWNED = Said(word=Word.SPAWNED, name="web", pid=2)
EXITED = Said(word=Word.EXITED, name="web", exit_code=3)
STOPPED = Said(word=Word.STOPPED, name="web", exit_code=143, signal=15)
UP = Said(word=Word.UP, name="web")
GONE = info(ProcessState.EXITED, pid=0, exit_code=3)


def test_what_a_line_has_told_a_look_does_not_tell_again() -> None:
    changes = known(info())

    assert short(changes.happened([EXITED], GONE)) == ["exit 3"]
    assert changes.look(GONE) == []


def test_what_a_look_has_told_a_line_does_not_tell_again() -> None:
    changes = known(info())

    assert short(changes.look(GONE)) == ["exit 3"]
    assert changes.happened([EXITED], GONE) == []


def test_a_line_about_a_process_that_is_known_already_is_no_news() -> None:
    changes = known(info(pid=2))

    assert changes.happened([SPAWNED, UP], info(pid=2)) == []


def test_a_new_number_without_an_end_is_an_end_and_a_start() -> None:
    assert short(known(info()).look(info(pid=5))) == ["exit", "start automatic", "healthy"]
    assert short(known(info()).happened([SPAWNED], info(pid=2))) == ["exit", "start automatic"]


def test_what_came_and_went_between_two_looks_is_told() -> None:
    before = info(ProcessState.EXITED, pid=0, started=100)
    after = info(ProcessState.EXITED, pid=0, started=105, exit_code=9)

    assert short(known(before).look(after)) == ["start", "exit 9"]


def test_a_start_that_made_no_process_is_no_start() -> None:
    before = info(ProcessState.EXITED, pid=0, started=100)
    after = info(ProcessState.FATAL, pid=0, started=105, problem="can't find command 'x'")

    found = known(before).look(after)

    assert short(found) == ["unhealthy"]
    assert found[0].reason == "can't find command 'x'"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([EXITED, SPAWNED], ["exit 3", "start automatic"]),
        ([STOPPED, SPAWNED], ["exit asked 143", "start"]),
    ],
)
def test_a_start_is_automatic_after_an_end_that_nobody_asked_for(
    lines: list[Said], told: list[str]
) -> None:
    assert short(known(info()).happened(lines, info(pid=2))) == told


def test_a_start_of_what_supervisord_does_not_start_again_is_a_persons() -> None:
    changes = known(info(), restarts=False)

    assert short(changes.happened([EXITED, SPAWNED], info(pid=2))) == ["exit 3", "start"]


def test_a_start_after_giving_up_is_a_persons() -> None:
    changes = known(info(ProcessState.BACKOFF, pid=0))
    gave_up = Said(word=Word.GAVE_UP, name="web")

    assert changes.happened([gave_up], {}) == []
    assert short(changes.happened([SPAWNED, UP], info(pid=2))) == ["start", "healthy"]


def test_a_program_is_healthy_again_after_each_start() -> None:
    changes = known(info())

    told = short(changes.happened([EXITED, SPAWNED, UP], info(pid=2)))

    assert told == ["exit 3", "start automatic", "healthy"]
    assert changes.look(info(pid=2)) == []


def test_a_process_that_was_taken_out_has_ended_as_asked_for() -> None:
    found = known(info()).look({})

    assert short(found) == ["exit asked"]
    assert found[0].reason == "supervisord does not know it any more"


def test_what_is_no_service_is_not_told() -> None:
    changes = known({})
    (one,) = info().values()
    ear = replace(one, spec="ear:ear")

    assert changes.look({"ear:ear": ear}) == []


def test_a_change_says_when_and_which_process() -> None:
    (found,) = known(info()).happened([STOPPED], info(pid=0))

    assert (found.at, found.instance, found.signal) == (7.0, "web", 15)
