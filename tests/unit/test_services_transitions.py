"""What an engine tells about containers, and what of it is news."""

from __future__ import annotations

from typing import Any

import pytest

from stophooks.executors.docker.observed import Happened, Seen, happened, moment_ns, seen
from stophooks.lifecycles.services.base import Change, ChangeKind
from stophooks.lifecycles.services.transitions import Transitions
from stophooks.values import replace

S = 1_000_000_000
RUNNING = Seen(
    id="1",
    service="web",
    name="demo_web_1",
    state="running",
    exit_code=0,
    started_ns=10 * S,
    finished_ns=0,
    health="healthy",
    health_ns=20 * S,
)


def event(kind: str, at_s: float, **facts: Any) -> Happened:
    return Happened(
        id="1", service="web", name="demo_web_1", kind=kind, at_ns=int(at_s * S), **facts
    )


def told(known: Transitions, *events: Happened) -> list[Change]:
    return [change for one in events for change in known.happened(one)]


def kinds(changes: list[Change]) -> list[str]:
    return [str(one.kind) for one in changes]


@pytest.fixture
def known() -> Transitions:
    transitions = Transitions()
    transitions.begin([RUNNING])
    return transitions


def test_each_change_of_health_is_told_once(known: Transitions) -> None:
    changes = told(
        known,
        event("health", 21, health="healthy"),
        event("health", 22, health="unhealthy"),
        event("health", 23, health="unhealthy"),
        event("health", 24, health="healthy"),
        event("health", 24, health="healthy"),
    )

    assert kinds(changes) == ["unhealthy", "healthy"]


def test_an_exit_is_told_with_code_signal_and_reason(known: Transitions) -> None:
    (change,) = told(known, event("oom", 29), event("die", 30, exit_code=137))

    assert change == Change(
        service="web",
        kind=ChangeKind.EXIT,
        at=30.0,
        exit_code=137,
        signal=9,
        reason="out of memory",
        instance="demo_web_1",
    )


@pytest.mark.parametrize("number", [2, 3, 9, 15])
def test_an_exit_after_a_signal_that_ends_was_asked_for(known: Transitions, number: int) -> None:
    (change,) = told(known, event("kill", 29, signal=number), event("die", 30, exit_code=0))

    assert change.asked


def test_a_signal_that_does_not_end_asks_for_nothing(known: Transitions) -> None:
    (change,) = told(known, event("kill", 29, signal=1), event("die", 30, exit_code=1))

    assert not change.asked


def test_a_containers_own_stop_signal_asks_for_its_end() -> None:
    transitions = Transitions()
    transitions.begin([replace(RUNNING, stop_signal=28)])

    (change,) = told(transitions, event("kill", 29, signal=28), event("die", 30, exit_code=0))

    assert change.asked


def test_what_was_asked_for_is_forgotten_at_the_next_start(known: Transitions) -> None:
    changes = told(
        known,
        event("kill", 29, signal=15),
        event("die", 30, exit_code=0),
        event("start", 31),
        event("die", 32, exit_code=1),
    )

    assert [(str(one.kind), one.asked) for one in changes] == [
        ("exit", True),
        ("start", False),
        ("exit", False),
    ]


def test_a_check_that_fails_because_of_a_stop_says_nothing(known: Transitions) -> None:
    changes = told(known, event("kill", 29, signal=15), event("health", 30, health="unhealthy"))

    assert changes == []


def test_a_start_is_automatic_when_the_engine_counts_it_as_a_restart(known: Transitions) -> None:
    changes = told(
        known,
        event("die", 30, exit_code=1),
        event("start", 31, seen=replace(RUNNING, restarts=1)),
        event("die", 32, exit_code=1),
        event("start", 33, seen=replace(RUNNING, restarts=2)),
        event("die", 34, exit_code=1),
        # It was looked at after the next one, as in a quick series.
        event("start", 35, seen=replace(RUNNING, restarts=2)),
        event("kill", 36, signal=15),
        event("die", 37, exit_code=0),
        event("start", 38, seen=replace(RUNNING, restarts=0)),
    )

    starts = [one.automatic for one in changes if one.kind is ChangeKind.START]
    assert starts == [True, True, True, False]


def test_a_start_from_before_the_first_look_is_no_news() -> None:
    transitions = Transitions()
    transitions.begin([replace(RUNNING, state="exited", finished_ns=40 * S)])

    changes = told(transitions, event("start", 30), event("die", 39, exit_code=1))

    assert changes == []


def test_events_that_come_again_are_no_news(known: Transitions) -> None:
    events = [
        event("health", 21, health="unhealthy"),
        event("die", 30, exit_code=1),
        event("start", 31),
        event("health", 32, health="healthy"),
    ]

    first, again = told(known, *events), told(known, *events)

    assert kinds(first) == ["unhealthy", "exit", "start", "healthy"]
    assert again == []


def test_an_event_from_before_the_first_look_is_no_news(known: Transitions) -> None:
    changes = told(
        known,
        event("start", 9),
        event("die", 9.5, exit_code=1),
        event("start", 10.1),
        event("health", 19, health="unhealthy"),
        event("health", 20.1, health="healthy"),
    )

    assert changes == []


def test_an_end_that_no_event_told_is_seen_afterwards(known: Transitions) -> None:
    ended = replace(RUNNING, state="exited", exit_code=3, finished_ns=40 * S, health=None)

    (change,) = known.look([ended], 100 * S)

    assert (change.kind, change.exit_code, change.at) == (ChangeKind.EXIT, 3, 40.0)
    assert known.look([ended], 100 * S) == []
    assert told(known, event("die", 40.1, exit_code=3)) == []


def test_a_restart_that_no_event_told_is_an_end_and_a_start(known: Transitions) -> None:
    again = replace(
        RUNNING, started_ns=50 * S, finished_ns=49 * S, restarts=1, health="starting", health_ns=0
    )

    changes = known.look([again], 100 * S)

    assert [(str(one.kind), one.automatic, one.exit_code) for one in changes] == [
        ("exit", False, None),
        ("start", True, None),
    ]
    assert known.look([again], 100 * S) == []


def test_a_look_that_is_older_than_the_events_says_nothing(known: Transitions) -> None:
    ended = replace(RUNNING, state="exited", exit_code=3, finished_ns=40 * S, health=None)
    other = replace(RUNNING, id="2")
    transitions = Transitions()
    transitions.begin([RUNNING, replace(other, started_ns=200 * S)])

    changes = told(
        transitions, event("kill", 39, signal=15), event("die", 40.1), event("start", 41)
    )

    assert [one.asked for one in changes] == [True, False]
    assert transitions.look([ended], 100 * S) == []
    assert transitions.look([RUNNING], 100 * S) == []
    assert known.look([RUNNING], 100 * S) == []


def test_a_change_of_health_that_no_event_told_is_seen_afterwards(known: Transitions) -> None:
    sick = replace(RUNNING, health="unhealthy", health_ns=60 * S)

    assert kinds(known.look([sick], 100 * S)) == ["unhealthy"]
    assert known.look([sick], 100 * S) == []


def test_a_container_that_was_removed_was_asked_to_end(known: Transitions) -> None:
    (change,) = known.look([], 100 * S)

    assert (change.kind, change.asked) == (ChangeKind.EXIT, True)
    assert known.look([], 100 * S) == []


def test_a_new_container_is_told_when_it_starts() -> None:
    transitions = Transitions()
    transitions.begin([])

    changes = told(transitions, event("create", 1), event("start", 2))

    assert kinds(changes) == ["start"]


def test_a_container_is_called_what_it_was_called_last() -> None:
    transitions = Transitions()
    transitions.begin([])

    (change,) = told(
        transitions, replace(event("create", 1), name="0ab_demo_web_1"), event("start", 2)
    )

    assert change.instance == "demo_web_1"


def test_a_container_that_nobody_knows_ends_unheard() -> None:
    transitions = Transitions()
    transitions.begin([])

    assert told(transitions, event("die", 2, exit_code=0), event("destroy", 3)) == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30T07:54:31.998648252Z", 1796025271998648252),
        ("2026-11-30T08:54:31.5+01:00", 1796025271500000000),
        ("2026-11-30T07:54:31Z", 1796025271000000000),
        ("0001-01-01T00:00:00Z", 0),
        ("", 0),
        (None, 0),
        ("yesterday", 0),
    ],
)
def test_a_moment_is_read_to_the_nanosecond(text: str | None, moment: int) -> None:
    assert moment_ns(text) == moment


# Recorded from Docker 20.10.24 with docker-compose 1.29.2; shortened.
INSPECTED: dict[str, Any] = {
    "Id": "ab12",
    "Name": "/demo_web_1",
    "RestartCount": 2,
    "State": {
        "Status": "running",
        "ExitCode": 0,
        "OOMKilled": False,
        "StartedAt": "2026-11-30T07:54:31.998648252Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "healthy",
            "Log": [{"End": "2026-11-30T08:54:34.037918981+01:00", "ExitCode": 0}],
        },
    },
    "Config": {
        "StopSignal": "SIGQUIT",
        "Labels": {
            "com.docker.compose.service": "web",
            "com.docker.compose.project.working_dir": "/src/demo",
        },
    },
    "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 0}},
}


def test_a_container_is_read_as_the_engine_describes_it() -> None:
    assert seen(INSPECTED) == Seen(
        id="ab12",
        service="web",
        name="demo_web_1",
        state="running",
        exit_code=0,
        started_ns=1796025271998648252,
        finished_ns=0,
        health="healthy",
        health_ns=1796025274037918981,
        restarts=2,
        restarted=True,
        stop_signal=3,
        directory="/src/demo",
    )


def test_a_container_of_no_service_is_not_looked_at() -> None:
    assert seen({**INSPECTED, "Config": {"Labels": None}}) is None


def test_an_event_is_read_as_the_engine_tells_it() -> None:
    about = {"com.docker.compose.service": "web", "name": "demo_web_1"}
    base = {"timeNano": 5, "Actor": {"ID": "ab12", "Attributes": about}}
    died = {"Attributes": {**about, "exitCode": "137"}, "ID": "ab12"}
    killed = {"Attributes": {**about, "signal": "15"}, "ID": "ab12"}
    whole = Happened(id="ab12", service="web", name="demo_web_1", kind="", at_ns=5)

    assert happened({**base, "Action": "health_status: unhealthy"}) == replace(
        whole, kind="health", health="unhealthy"
    )
    assert happened({**base, "Actor": died, "Action": "die"}) == replace(
        whole, kind="die", exit_code=137
    )
    assert happened({**base, "Actor": killed, "Action": "kill"}) == replace(
        whole, kind="kill", signal=15
    )
    assert happened({"Action": "die", "timeNano": 1, "Actor": {"ID": "", "Attributes": {}}}) is None
