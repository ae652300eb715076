"""Rows 1 to 11 and 27 of the fault table: an engine that is mute, slow, cut off, or lies."""

from __future__ import annotations

import errno
import queue
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from stophooks import threads
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import endpoint
from stophooks.executors.docker import engine as engines
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.executors.docker.stream import Pump
from stophooks.models import Status, Stream
from tests.integration.faults.conftest import Bench, Ran, Taken, together, until
from tests.integration.faults.daemon import FakeDaemon, FullDaemon
from tests.integration.faults.proxy import Action, Proxy, Rule
from tests.integration.faults.server import answer
from tests.running import paced

if TYPE_CHECKING:
    from pathlib import Path

NAME = "/containers/stophooks-[0-9a-f]{32}"
# Every call that a run makes, in their order, by what it is called in the fault table.
CALLS = {
    "info": "GET /info",
    "image inspect": "GET /images/.*/json",
    "create": "POST /containers/create",
    "inspect": f"GET {NAME}/json",
    "attach": f"POST {NAME}/attach",
    "wait": f"POST {NAME}/wait",
    "start": f"POST {NAME}/start",
    "inspect after": f"GET {NAME}/json",
    "kill": f"POST {NAME}/kill",
    "remove": f"DELETE {NAME}",
}
# Without an answer to one of these, nothing is known of the command.
NEEDED = ("info", "image inspect", "create", "inspect", "attach", "start")
# With the exit known, or to be learnt otherwise, these only cost time.
SPARE = ("wait", "inspect after", "kill", "remove")
STUBBORN = "trap '' TERM; echo out; while :; do sleep 0.1; done"
TOLD = ("failed", None, 3)
ENDED = ("timed_out", None, None)


def broken(bench: Bench, call: str, rule: Rule) -> Ran:
    """A run during which one call goes wrong."""
    if call == "inspect after":
        rule.skip = 1
    rule.what = CALLS[call]
    with Proxy(rule) as proxy:
        if call == "kill":
            ran = bench.run(proxy.url, STUBBORN, timeout_s=0.5)
        else:
            ran = bench.run(proxy.url)
        assert rule.hit.is_set(), ran.outcome
    return ran


def expected(call: str, fault: str) -> tuple[str, str | None, int | None]:
    """The outcome when a call goes wrong."""
    if call in NEEDED:
        return ("unavailable", fault, None)
    return ENDED if call == "kill" else TOLD


def short(ran: Ran, call: str) -> tuple[str, str | None, int | None]:
    """What a run comes down to; a container that could not be killed has no code."""
    return (*ran.short[:2], None) if call == "kill" else ran.short


def reasons(runs: dict[str, Ran]) -> str:
    """What each run says, for a test that fails."""
    return "\n".join(f"{call}: {ran.outcome.reason}" for call, ran in runs.items())


@pytest.mark.scenario("docker-faults: No engine is there")
@pytest.mark.parametrize("how", ["missing", "refused", "not a socket"])
def test_row_01_an_engine_that_is_away_is_named_at_once(
    bench: Bench, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "engine.sock"
    if how == "refused":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif how == "not a socket":
        path.write_text("")

    ran = bench.run(f"unix://{path}")

    assert ran.short == ("unavailable", "daemon-unreachable", None)
    assert f"{path} (from DOCKER_HOST)" in (ran.outcome.reason or "")
    assert ran.outcome.remedy
    assert ran.seconds < paced(1)


@pytest.mark.scenario("docker-faults: A call that is never answered is given up")
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("action", [Action.FREEZE, Action.FREEZE_ANSWER, Action.DRIP])
def test_rows_02_and_03_a_mute_or_dripping_call_is_given_up(bench: Bench, action: Action) -> None:
    calls = [call for call in CALLS if call != "remove"]

    runs = together(lambda call: broken(bench, call, Rule(action=action)), calls, threads=10)

    found = {call: short(ran, call) for call, ran in runs.items()}
    assert found == {call: expected(call, "daemon-timeout") for call in calls}, reasons(runs)
    assert {call: ran.stdout for call, ran in runs.items() if call in SPARE} == {
        call: "out\n" for call in calls if call in SPARE
    }
    assert max(ran.seconds for ran in runs.values()) < paced(10)
    for call in NEEDED:
        assert "did not answer" in (runs[call].outcome.reason or "")


@pytest.mark.scenario("docker-faults: A call that is never answered is given up")
def test_row_03_a_call_that_drips_ends_at_the_real_bound(bench: Bench) -> None:
    with Proxy(Rule(what="GET /version", action=Action.DRIP)) as proxy:
        engine = Engine(endpoint.resolve({"DOCKER_HOST": proxy.url}, "/"))
        began = time.monotonic()

        with pytest.raises(ExecutorUnavailableError, match=r"did not answer .* within 3 s"):
            engine.call("version", lambda client: client.version(False), bound_s=3)

        assert 3 <= time.monotonic() - began < 4
    del bench


@pytest.mark.scenario("docker-faults: A creation that comes late is removed")
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("action", "seconds"),
    [(Action.DELAY, 2.7), (Action.FREEZE_ANSWER, 0), (Action.CUT_ANSWER, 0), (Action.DRIP, 0)],
)
def test_row_04_a_container_whose_creation_was_not_answered_is_removed(
    bench: Bench, action: Action, seconds: float
) -> None:
    rule = Rule(what=CALLS["create"], action=action, seconds=seconds)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url)

        assert proxy.count(CALLS["remove"]) >= 3
    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.notes == ()
    assert bench.left() == []


@pytest.mark.scenario("docker-faults: A call that is cut off is not believed")
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("how", ["before", "answer", "head", "status", "body"])
def test_row_05_a_call_that_is_cut_off_is_not_believed(bench: Bench, how: str) -> None:
    def rule(call: str) -> Rule:
        count = 1 if call == "remove" else None
        if how in {"before", "answer"}:
            return Rule(action=Action.CUT if how == "before" else Action.CUT_ANSWER, count=count)
        # "HTTP/1.1 204" is all that http.client wants to see; so is a head without its end.
        size = {"status": 12, "head": 40, "body": 0}[how]
        return Rule(action=Action.CUT_AFTER, in_head=how != "body", size=size, count=count)

    # An answer without content has no body to be cut.
    calls = [call for call in CALLS if how != "body" or call not in {"start", "kill", "remove"}]
    runs = together(lambda call: broken(bench, call, rule(call)), calls, threads=11)

    found = {call: short(ran, call)[::2] for call, ran in runs.items()}
    assert found == {call: expected(call, "")[::2] for call in calls}, reasons(runs)
    for call, ran in runs.items():
        if call in SPARE:
            assert ran.stdout == "out\n", call
        assert ran.outcome.notes == () or call == "kill"
        assert ran.seconds < 10, call


@pytest.mark.scenario("docker-faults: A lost wait does not lose the exit")
def test_row_05_a_wait_that_is_cut_while_the_command_runs_loses_nothing(bench: Bench) -> None:
    rule = Rule(what=CALLS["wait"], action=Action.CUT_AFTER)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, "sleep 1; echo out; echo err >&2; exit 3")

    assert ran.short == TOLD
    assert ran.stdout == "out\n"
    assert ran.outcome.stderr.head == b"err\n"


@pytest.mark.scenario("docker-faults: A start whose answer is lost is not repeated")
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "rule",
    [
        Rule(what="", action=Action.CUT_ANSWER),
        Rule(what="", action=Action.FREEZE_ANSWER),
        Rule(what="", action=Action.DRIP),
        Rule(what="", action=Action.CUT_AFTER, in_head=True, size=30),
        Rule(what="", action=Action.LIE, answer=answer(200, b"<html>", kind="text/html")),
    ],
    ids=lambda rule: rule.action.name,
)
def test_row_06_a_start_without_an_answer_may_have_run_and_is_not_repeated(
    bench: Bench, shared: Path, rule: Rule
) -> None:
    rule.what = CALLS["start"]

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, "echo ran >> ran; sleep 30")

        assert proxy.count(CALLS["start"]) == 1
    assert ran.outcome.status is Status.UNAVAILABLE
    assert "may have run" in (ran.outcome.reason or "")
    assert not (shared / "ran").exists() or (shared / "ran").read_text() == "ran\n"
    assert ran.seconds < paced(10)


SAYINGS = {
    "500 in words": answer(500, b'{"message":"the disk is on fire"}'),
    "500 as a page": answer(500, b"<html>\n<b>Bad day</b></html>", kind="text/html"),
    "500 and nothing": answer(500, b"\n"),
    "500 in a list": answer(500, b"[1]"),
    "502 in an object": answer(502, b'{"message":{"x":1}}'),
    "a page": answer(200, b"<html>hello</html>", kind="text/html"),
    "an empty object": answer(200, b"{}"),
    "a list": answer(200, b"[]"),
    "null": answer(200, b"null"),
    "a number": answer(200, b"7"),
    "nothing": answer(200, b""),
    "garbage": b"\x00\xff garbage \r\n\r\n",
    "deep": answer(200, b"[" * 100_000),
    "wrong types": answer(
        200,
        b'{"Id":null,"Warnings":"w","State":"running","HostConfig":[],"StatusCode":"0",'
        b'"ApiVersion":7,"SecurityOptions":4,"Components":"x","MemTotal":"much"}',
    ),
    "no status code": answer(200, b'{"Error":{"Message":"x"},"StatusCode":0}'),
}


@pytest.mark.scenario("docker-faults: An answer that is none is told in words")
@pytest.mark.parametrize("call", ["info", "image inspect"])
def test_row_07_an_answer_that_is_none_before_the_run_is_told(bench: Bench, call: str) -> None:
    runs = together(
        lambda saying: broken(bench, call, Rule(action=Action.ANSWER, answer=SAYINGS[saying])),
        list(SAYINGS),
    )

    assert {ran.outcome.status for ran in runs.values()} == {Status.UNAVAILABLE}, reasons(runs)
    assert all(_is_told(ran) for ran in runs.values()), reasons(runs)
    assert "the disk is on fire" in (runs["500 in words"].outcome.reason or "")


@pytest.mark.scenario("docker-faults: An answer that is none is told in words")
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("saying", ["500 in words", "null", "wrong types"])
def test_row_07_an_answer_that_is_none_during_the_run_is_told(bench: Bench, saying: str) -> None:
    def work(call: str) -> Ran:
        count = 2 if call == "remove" else None
        return broken(bench, call, Rule(action=Action.ANSWER, answer=SAYINGS[saying], count=count))

    calls = list(CALLS)[2:]
    runs = together(work, calls)

    found = {call: short(ran, call)[::2] for call, ran in runs.items()}
    assert found == {call: expected(call, "")[::2] for call in calls}, reasons(runs)
    needed = [ran for call, ran in runs.items() if call in NEEDED]
    assert all(_is_told(ran) for ran in needed), reasons(runs)
    if saying == "500 in words":
        assert all("the disk is on fire" in (ran.outcome.reason or "") for ran in needed)
    assert [ran.outcome.notes for call, ran in runs.items() if call != "kill"] == [()] * 7


def _is_told(ran: Ran) -> bool:
    """Whether the reason is one line in words, with a class and a remedy."""
    reason = ran.outcome.reason or ""
    words = len(reason) < 1000 and "\n" not in reason and "Error" not in reason
    return words and bool(ran.outcome.fault and ran.outcome.remedy)


@pytest.mark.scenario("docker-faults: An answer that is none is told in words")
def test_row_07_a_container_that_never_ran_does_not_pass(bench: Bench) -> None:
    # The engine says that it has started and that the wait is over, and neither is true.
    rules = (
        Rule(what=CALLS["start"], action=Action.ANSWER, answer=b"HTTP/1.1 204 No\r\n\r\n"),
        Rule(what=CALLS["wait"], action=Action.CUT),
        Rule(what=CALLS["attach"], action=Action.CUT_AFTER),
    )

    with Proxy(*rules) as proxy:
        ran = bench.run(proxy.url)

    assert ran.short == ("unavailable", "lost", None)


@pytest.mark.scenario("docker-faults: Output that is cut off speaks for nobody")
def test_row_08_output_cut_between_frames_while_running_is_a_lost_container(bench: Bench) -> None:
    # One frame: its header and four bytes.
    rule = Rule(what=CALLS["attach"], action=Action.CUT_AFTER, size=8 + 4)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, "echo one; sleep 60")

    assert ran.short == ("unavailable", "lost", None)
    assert ran.stdout == "one\n"
    assert ran.seconds < paced(10)


@pytest.mark.scenario("docker-faults: Output that is cut off speaks for nobody")
def test_row_08_output_cut_shortly_before_the_end_is_not_complete(bench: Bench) -> None:
    rule = Rule(what=CALLS["attach"], action=Action.CUT_AFTER, size=8 + 4)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, "echo one; sleep 1; echo two")

    assert ran.short == ("unavailable", "output-cut", None)
    assert ran.stdout == "one\n"


@pytest.mark.scenario("docker-faults: Output that is cut off speaks for nobody")
def test_row_09_output_cut_inside_a_frame_is_never_a_pass(bench: Bench) -> None:
    def work(case: tuple[int, str]) -> Ran:
        size, script = case
        rule = Rule(what=CALLS["attach"], action=Action.CUT_AFTER, size=size)
        with Proxy(rule) as proxy:
            return bench.run(proxy.url, script)

    scripts = ("echo one", "echo one; sleep 60")
    runs = together(work, [(size, script) for size in (3, 8, 10) for script in scripts])

    assert {ran.short for ran in runs.values()} == {("unavailable", "output-cut", None)}
    assert max(ran.seconds for ran in runs.values()) < paced(10)


@pytest.mark.scenario("docker-faults: A frame that comes with the head is not lost")
def test_row_10_a_frame_in_the_same_packet_as_the_head_is_not_lost(bench: Bench) -> None:
    frame = struct.pack(">BxxxL", 1, 6) + b"first\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()

    with FakeDaemon({"POST .*/attach": head + frame}) as daemon:
        connection = Engine(endpoint.resolve({"DOCKER_HOST": daemon.url}, "/")).open()
        pump = Pump(connection, Taken(), lambda: ended.put(None))
        pump.attach(connection.client, "x")
        ended.get(timeout=30)
        pump.join(5)

    assert pump.result(Stream.STDOUT).head == b"first\n"
    assert not pump.is_cut
    del bench


@pytest.mark.scenario("docker-executor: The engine is asked once what it is")
def test_the_engine_is_asked_once_what_it_is(bench: Bench) -> None:
    with Proxy() as proxy:
        ran = bench.run(proxy.url)

        assert (proxy.count("GET /info"), proxy.count("GET /version")) == (1, 0)
    assert ran.short == TOLD


@pytest.mark.scenario("docker-faults: A full queue of connections is waited for")
def test_row_11_an_engine_whose_queue_is_full_is_asked_again(bench: Bench) -> None:
    with FullDaemon() as daemon, ThreadPoolExecutor(1) as pool:
        with socket.socket(socket.AF_UNIX) as another:
            another.setblocking(False)
            assert another.connect_ex(daemon.path) == errno.EAGAIN
        future = pool.submit(bench.run, daemon.url)
        until(lambda: any(one.name == "engine info" for one in threads.enumerate()))
        daemon.relieve()
        ran = future.result(20)

        assert daemon.seen[:2] == ["GET /info", "GET /version"]
    # The rest of the script is to hang up.
    assert ran.short == ("unavailable", "daemon-unreachable", None)


@pytest.mark.scenario("docker-faults: A full queue of connections is waited for")
@pytest.mark.usefixtures("impatient")
def test_row_11_an_engine_whose_queue_stays_full_is_given_up(bench: Bench) -> None:
    with FullDaemon() as daemon:
        ran = bench.run(daemon.url)

    assert ran.short == ("unavailable", "daemon-timeout", None)
    assert 2.5 <= ran.seconds < paced(5)


@pytest.mark.scenario("docker-faults: A removal is repeated until the container is gone")
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "rule",
    [
        Rule(what="", action=Action.ANSWER, answer=answer(409, b'{"message":"in progress"}')),
        Rule(what="", action=Action.ANSWER, answer=answer(500, b'{"message":"busy"}')),
        Rule(what="", action=Action.CUT),
        Rule(what="", action=Action.FREEZE),
        Rule(what="", action=Action.FREEZE_ANSWER),
    ],
    ids=["conflict", "busy", "cut", "freeze", "freeze-answer"],
)
def test_row_27_a_removal_is_repeated_until_the_container_is_gone(bench: Bench, rule: Rule) -> None:
    rule.what, rule.count = CALLS["remove"], 2
    if rule.action in {Action.FREEZE, Action.FREEZE_ANSWER}:
        rule.count = 1

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url)

        assert proxy.count(CALLS["remove"]) >= 2
    assert (ran.short, ran.stdout, ran.outcome.notes) == (TOLD, "out\n", ())
    assert bench.left() == []


@pytest.mark.scenario("docker-faults: A container that cannot be removed is named")
@pytest.mark.usefixtures("impatient")
def test_row_27_a_container_that_cannot_be_removed_is_named(bench: Bench) -> None:
    with Proxy(Rule(what=CALLS["remove"], action=Action.FREEZE)) as proxy:
        ran = bench.run(proxy.url)

    (name,) = bench.left()
    bench.clear()
    (note,) = ran.outcome.notes
    assert (ran.short, ran.stdout) == (TOLD, "out\n")
    assert note.startswith(f"LEAK: the container {name} could not be removed: ")
    assert ran.seconds < paced(10)


@pytest.mark.scenario("docker-faults: An engine that dies under several commands")
@pytest.mark.usefixtures("impatient")
def test_an_engine_that_dies_under_four_commands_is_told_for_each(bench: Bench) -> None:
    with Proxy() as proxy, ThreadPoolExecutor(4) as pool:
        executor = bench.executor(proxy.url)
        command = bench.command("echo out; sleep 60", None)
        sinks = [Taken() for _ in range(4)]
        runs = [
            pool.submit(executor.run, command, timeout_s=50, sink=sink, cancel=Cancellation())
            for sink in sinks
        ]
        until(lambda: all(sink.taken_bytes for sink in sinks), seconds=60)
        # Output may come before the answer to the start.
        until(lambda: not any(one.name == "engine start" for one in threads.enumerate()))
        began = time.monotonic()
        proxy.die()
        outcomes = [one.result(60) for one in runs]
        seconds = time.monotonic() - began
        executor.close()
        # Left behind, each by its name.
        left = bench.left()
        bench.clear()
        proxy.rise()

    assert {(one.status, one.fault) for one in outcomes} == {(Status.UNAVAILABLE, "lost")}
    assert len(left) == 4
    assert {one.notes[0].split()[3] for one in outcomes} == set(left)
    assert seconds < paced(20)


def test_a_server_error_is_one_line_of_at_most_500_characters(bench: Bench) -> None:
    page = b"<html>\n" + b"word " * 1000
    with FakeDaemon({"GET /x": answer(500, page)}) as daemon:
        engine = Engine(endpoint.resolve({"DOCKER_HOST": daemon.url}, "/"))

        with pytest.raises(EngineRefusedError) as caught:
            engine.call("x", lambda client: engines.do(client, "GET", "/x"))

    assert len(caught.value.text) == 500
    assert "\n" not in caught.value.text
    del bench
