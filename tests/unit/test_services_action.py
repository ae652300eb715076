"""Which steps an action on services takes, in which order, and what a failure keeps back."""

from __future__ import annotations

import pytest

from stophooks.errors import UsageError
from stophooks.executors.base import Cancellation
from stophooks.lifecycles.services.action import Action, Done
from stophooks.lifecycles.services.base import Change, ChangeKind, Service, State
from stophooks.lifecycles.services.occasions import Occasions
from stophooks.lifecycles.services.order import Verb, Wanted
from stophooks.lifecycles.services.watching import Watching
from stophooks.occasion import Prior
from stophooks.plan import ServiceSettings
from tests.services import FakeEngine, FakeFire, hook

MOMENTS = (
    "on_init",
    "pre_start",
    "post_start",
    "pre_stop",
    "post_stop",
    "pre_restart",
    "post_restart",
    "pre_cleanup",
)
EVERYTHING = {*MOMENTS, *(f"web.{moment}" for moment in MOMENTS)}


def stopped(name: str, *after: str) -> Service:
    return Service(name=name, state=State.STOPPED, after=after)


def running(name: str, *after: str) -> Service:
    return Service(name=name, state=State.RUNNING, after=after)


def made(*services: Service, hooks: set[str] | None = None) -> tuple[FakeEngine, FakeFire]:
    engine = FakeEngine(known=[*services])
    return engine, FakeFire(told=engine.told, hooks=EVERYTHING if hooks is None else hooks)


def do(engine: FakeEngine, fire: FakeFire, verb: Verb, *names: str, clean: bool = False) -> Done:
    wanted = Wanted(verb=verb, names=names, clean=clean)
    action = Action(engine, fire, Occasions(engine=engine), cancel=Cancellation(), settle_s=0)
    return action.do(wanted)


def test_a_start_has_its_steps_in_order() -> None:
    engine, fire = made(stopped("web"))

    done = do(engine, fire, Verb.START)

    assert engine.told == [
        "on_init", "pre_start", "web.on_init", "web.pre_start", "start web", "web.post_start",
        "post_start",
    ]  # fmt: skip
    assert done.started == ["web"]


def test_a_restart_has_its_steps_in_order() -> None:
    engine, fire = made(running("web"))

    do(engine, fire, Verb.RESTART)

    assert engine.told == [
        "pre_restart", "web.pre_restart",
        "pre_stop", "web.pre_stop", "stop web", "web.post_stop", "post_stop",
        "on_init", "pre_start", "web.on_init", "web.pre_start", "start web", "web.post_start",
        "post_start",
        "web.post_restart", "post_restart",
    ]  # fmt: skip


def test_a_clean_stop_has_its_steps_in_order() -> None:
    engine, fire = made(running("web"))

    done = do(engine, fire, Verb.STOP, clean=True)

    assert engine.told == [
        "pre_stop", "web.pre_stop", "stop web", "web.post_stop", "post_stop",
        "pre_cleanup", "web.pre_cleanup", "clean web",
    ]  # fmt: skip
    assert done.removed == ["web"]


def test_what_is_stopped_already_is_cleaned_all_the_same() -> None:
    engine, fire = made(stopped("web"))

    do(engine, fire, Verb.STOP, clean=True)

    assert engine.told == ["pre_cleanup", "web.pre_cleanup", "clean web"]


@pytest.mark.scenario("services: What is needed starts first and stops last")
def test_what_is_needed_starts_first_and_stops_last() -> None:
    hooks = {f"{name}.{moment}" for name in ("web", "db") for moment in ("pre_start", "pre_stop")}
    engine, fire = made(stopped("web", "db"), stopped("db"), hooks=hooks)

    do(engine, fire, Verb.START, "web")
    do(engine, fire, Verb.STOP)

    assert engine.told == [
        "db.pre_start", "start db", "web.pre_start", "start web",
        "web.pre_stop", "stop web", "db.pre_stop", "stop db",
    ]  # fmt: skip


def test_a_stop_of_one_service_leaves_what_it_needs_alone() -> None:
    engine, fire = made(running("web", "db"), running("db"), hooks=set())

    do(engine, fire, Verb.STOP, "web")

    assert engine.told == ["stop web"]


def test_a_restart_starts_what_is_needed_and_does_not_run() -> None:
    engine, fire = made(running("web", "db", "cache"), stopped("db"), running("cache"), hooks=set())

    do(engine, fire, Verb.RESTART, "web")

    assert engine.told == ["stop web", "start db web"]


def test_a_circle_of_needs_does_not_go_on_for_ever() -> None:
    engine, fire = made(stopped("a", "b"), stopped("b", "a"), hooks=set())

    done = do(engine, fire, Verb.START)

    assert sorted(done.started) == ["a", "b"]


@pytest.mark.scenario("services: A service with hooks of its own goes alone")
def test_a_service_with_hooks_of_its_own_goes_alone() -> None:
    services = [stopped(name) for name in ("a", "b", "web", "c", "d")]
    engine, fire = made(*services, hooks={"web.post_start"})

    do(engine, fire, Verb.START)
    do(engine, fire, Verb.STOP)

    assert engine.told == [
        "start a b", "start web", "web.post_start", "start c d", "stop d c", "stop web", "stop b a",
    ]  # fmt: skip


def test_what_runs_already_is_not_started_and_no_hook_runs() -> None:
    engine, fire = made(running("web"))

    done = do(engine, fire, Verb.START)

    assert engine.told == []
    assert not done.started


@pytest.mark.scenario(
    "services: A failed pre_start keeps its service and who needs it from starting"
)
def test_a_failed_pre_start_keeps_its_service_and_who_needs_it_from_starting() -> None:
    engine, fire = made(
        stopped("other"), stopped("db"), stopped("web", "db"), stopped("edge", "web"),
        hooks={"db.pre_start", "web.pre_start", "edge.post_start"},
    )  # fmt: skip
    fire.failing = {"db.pre_start"}

    done = do(engine, fire, Verb.START)

    assert engine.told == ["start other", "db.pre_start"]
    assert done.started == ["other"]
    assert {one.service: one.text for one in done.problems} == {
        "db": "not started: service.pre_start of db did not pass (hook)",
        "web": "not started: it needs db, which did not start",
        "edge": "not started: it needs web, which did not start",
    }


def test_a_failed_general_pre_start_starts_nothing() -> None:
    engine, fire = made(stopped("db"), stopped("web"))
    fire.failing = {"pre_start"}

    done = do(engine, fire, Verb.START)

    assert engine.told == ["on_init", "pre_start"]
    assert [one.service for one in done.problems] == ["db", "web"]


def test_a_failed_post_start_undoes_nothing() -> None:
    engine, fire = made(stopped("web"))
    fire.failing = {"web.post_start", "post_start"}

    done = do(engine, fire, Verb.START)

    assert done.started == ["web"]
    assert not done.problems


def test_only_a_start_that_worked_is_the_first_one() -> None:
    engine, fire = made(stopped("web"), stopped("db"))
    engine.dead = {"web"}

    done = do(engine, fire, Verb.START)

    assert fire.confirmed == ["db.on_init"]
    assert [one.text for one in done.problems] == [
        "did not start: it is exited with exit code 1; see: stophooks services logs web"
    ]
    assert "web.post_start" not in engine.told

    engine.dead = set()
    do(engine, fire, Verb.START)

    assert fire.confirmed == ["db.on_init", "web.on_init", "on_init"]


def test_a_service_that_has_done_its_work_has_started() -> None:
    engine, fire = made(stopped("web"), hooks=set())
    engine.start = lambda names, *, cancel: engine._become(set(names), State.EXITED, 0)  # type: ignore[method-assign] # noqa: SLF001, ARG005

    done = do(engine, fire, Verb.START)

    assert done.started == ["web"]


def test_what_does_not_stop_is_neither_cleaned_nor_started_again() -> None:
    engine, fire = made(running("web"), running("db"), hooks=set())
    engine.stuck = {"web"}

    done = do(engine, fire, Verb.RESTART, clean=True)

    assert engine.told == ["stop db web", "clean db", "start db"]
    assert [(one.service, one.text) for one in done.problems] == [
        ("web", "did not stop: web does not listen")
    ]


def test_an_unknown_name_is_told_before_anything_is_done() -> None:
    engine, fire = made(stopped("web"))

    with pytest.raises(UsageError, match='no service "wbe"'):
        do(engine, fire, Verb.START, "wbe")

    assert engine.told == []


def test_a_cancelled_action_does_no_further_step() -> None:
    engine, fire = made(stopped("web"))
    cancel = Cancellation()
    fire.hooks = {"pre_start"}
    told = Action(engine, fire, Occasions(engine=engine), cancel=cancel, settle_s=0)
    cancel.request("cancelled by SIGINT")

    told.do(Wanted(verb=Verb.START))

    assert engine.told == []


def test_a_hook_of_a_service_inherits_what_the_configuration_says_before_the_engines_file() -> None:
    service = Service(
        name="web", state=State.STOPPED, env=(("A", "file"), ("B", "file")), user="nobody",
        working_dir="/file",
    )  # fmt: skip
    engine, fire = made(service)
    settings = ServiceSettings(name="web", env=(("B", "ours"),), working_dir="/ours")
    occasions = Occasions(engine=engine, settings=[settings])

    own = occasions.own("service.pre_start", service)

    assert dict(own.env) == {"A": "file", "B": "ours", "STOPHOOKS_SERVICES": "web"}
    assert (own.user, own.working_dir, own.of) == ("nobody", "/ours", "web")
    assert fire.occasions == []


def test_a_general_hook_inherits_nothing() -> None:
    service = Service(name="web", state=State.STOPPED, env=(("A", "file"),), user="nobody")
    engine, _ = made(service)

    general = Occasions(engine=engine).general("service.pre_start", ["web", "db"])

    assert general.env == (("STOPHOOKS_SERVICES", "web db"),)
    assert (general.user, general.working_dir, general.of) == (None, None, None)


def watch(engine: FakeEngine, fire: FakeFire) -> list[str]:
    said: list[str] = []
    Watching(
        engine, fire, Occasions(engine=engine), cancel=Cancellation(), tell=said.append
    ).follow()
    return said


def test_an_exit_by_itself_is_told_with_all_that_is_known() -> None:
    engine, fire = made(running("web"), hooks=set())
    engine.to_tell = [
        Change(service="web", kind=ChangeKind.EXIT, at=1.0, exit_code=137, signal=9),
        Change(service="web", kind=ChangeKind.EXIT, at=2.0, exit_code=3, asked=True),
    ]

    watch(engine, fire)

    assert [hook(one) for one in fire.occasions] == ["web.post_exit", "post_exit"]
    for one in fire.occasions:
        assert (one.exit_code, one.signal, one.reason) == (137, 9, "ended by signal 9")
        assert (one.prior, one.subject.id) == (Prior.FAILURE, "web")


def test_a_failed_pre_start_stops_what_its_engine_started_again() -> None:
    engine, fire = made(running("web"), hooks={"web.pre_start", "web.post_start"})
    again = Change(service="web", kind=ChangeKind.START, at=1.0, automatic=True)
    engine.to_tell = [again]
    fire.failing = {"web.pre_start"}

    said = watch(engine, fire)

    assert engine.told == ["web.pre_start", "stop web"]
    assert said[-1] == "web: pre_start did not pass; it is stopped"

    engine.told.clear()
    fire.failing = set()
    watch(engine, fire)

    assert engine.told == ["web.pre_start", "web.post_start"]


def test_a_start_that_a_person_made_fires_nothing() -> None:
    engine, fire = made(running("web"))
    engine.to_tell = [Change(service="web", kind=ChangeKind.START, at=1.0)]

    watch(engine, fire)

    assert fire.occasions == []
