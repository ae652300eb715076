"""Rows 12 to 20, 25, 26, 29 to 36 and 38: commands, callers and strangers that misbehave."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from stophooks.containers import Mount
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import credentials
from stophooks.models import MIB, Status, Stream
from tests.integration.docker.conftest import PYTHON, STRANGER
from tests.integration.faults.conftest import SPEAKS, Bench, Ran, Taken, together, until
from tests.integration.faults.daemon import INFO, VERSION, FakeDaemon
from tests.integration.faults.proxy import Action, Proxy, Rule
from tests.integration.faults.server import answer, chunked
from tests.integration.faults.test_fault_calls import CALLS, STUBBORN
from tests.running import paced

if TYPE_CHECKING:
    from pathlib import Path


class Hashed(Taken):
    """A sink that knows what it was given without keeping it."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = hashlib.sha256()

    def write(self, stream: Stream, data: bytes) -> None:
        """Count and digest."""
        super().write(stream, data)
        self.digest.update(data)


class Stuck(Taken):
    """A sink that takes nothing more, like a full pipe behind a stopped terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.freed = threading.Event()

    def write(self, stream: Stream, data: bytes) -> None:
        """Wait to be freed."""
        super().write(stream, data)
        self.freed.wait(60)


@pytest.mark.scenario("docker-faults: Many fast commands at once are all exact")
def test_rows_12_and_38_fast_commands_side_by_side_are_exact(bench: Bench) -> None:
    script = "i=0; while [ $i -lt 51 ]; do echo $i; i=$((i+1)); done; echo err >&2; exit 7"

    runs = together(lambda _: bench.run(None, script), list(range(24)), threads=8)

    wanted = "".join(f"{number}\n" for number in range(51))
    assert {(ran.stdout, ran.outcome.stderr.head, ran.short) for ran in runs.values()} == {
        (wanted, b"err\n", ("failed", None, 7))
    }


@pytest.mark.scenario("docker-faults: A command cannot hold up its own end")
def test_row_13_a_command_that_ignores_sigterm_is_killed(bench: Bench) -> None:
    ran = bench.run(None, STUBBORN, timeout_s=0.5)

    assert ran.short == ("timed_out", None, 137)
    assert ran.stdout == "out\n"
    assert ran.seconds < paced(0.5 + 2 + 2)


@pytest.mark.scenario("docker-faults: A command cannot hold up its own end")
def test_row_14_an_endless_flood_times_out_on_time_and_is_counted(bench: Bench) -> None:
    ran = bench.run(None, "echo first; yes", timeout_s=1)

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.outcome.stdout.head.startswith(b"first\ny\n")
    assert ran.outcome.stdout.total_bytes == ran.sink.taken_bytes > MIB
    assert ran.seconds < paced(1 + 2 + 2)


@pytest.mark.scenario("docker-faults: Every byte arrives")
def test_row_15_random_bytes_and_cut_characters_arrive_exactly(bench: Bench, shared: Path) -> None:
    data = os.urandom(20 * MIB) + b"\xc3"
    (shared / "data").write_bytes(data)
    sink = Hashed()

    ran = bench.run(None, "cat data", sink=sink)

    assert ran.short == ("passed", None, 0)
    assert sink.digest.digest() == hashlib.sha256(data).digest()
    assert ran.outcome.stdout.tail.endswith(data[-100:])
    assert len(ran.outcome.stdout.head) + len(ran.outcome.stdout.tail) < MIB


@pytest.mark.scenario("docker-faults: Output that nobody takes does not hold up the end")
def test_row_16_output_that_nobody_takes_does_not_hold_up_the_end(bench: Bench) -> None:
    sink = Stuck()
    try:
        ran = bench.run(None, "yes", timeout_s=1, sink=sink)
        left = bench.left()
    finally:
        sink.freed.set()

    assert sink.taken_bytes
    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.seconds < paced(1 + 10)
    assert left == []


@pytest.mark.scenario("docker-faults: A command cannot hold up its own end")
def test_rows_17_and_18_input_is_empty_and_children_do_not_delay_the_end(bench: Bench) -> None:
    ran = bench.run(None, "cat; (sleep 60; echo late) & echo done; exit 4")

    assert ran.short == ("failed", None, 4)
    assert ran.stdout == "done\n"
    assert ran.seconds < paced(6)


@pytest.mark.scenario("docker-faults: A fork bomb is contained")
def test_row_19_a_fork_bomb_is_contained(bench: Bench) -> None:
    script = "i=0; while [ $i -lt 200 ]; do sleep 20 & i=$((i+1)); done; exit 4"

    ran = bench.run(None, script, pids_limit=20)

    assert ran.outcome.status is Status.FAILED
    assert b"fork" in ran.outcome.stderr.head
    assert ran.seconds < paced(10)


@pytest.mark.scenario("docker-faults: Memory that ran out is told beside the code")
@pytest.mark.parametrize("init", [True, False])
@pytest.mark.parametrize(("argv", "code"), [("alone", 137), ("child", 0)])
def test_row_20_memory_that_ran_out_is_told_beside_the_code(
    bench: Bench, argv: str, code: int, init: bool
) -> None:
    eats = ("python3", "-c", "x = bytearray(200 << 20)")
    shell = ("/bin/sh", "-c", "python3 -c 'x = bytearray(200 << 20)'; exit 0")

    ran = bench.run(
        None,
        argv=eats if argv == "alone" else shell,
        image=PYTHON,
        init=init,
        memory_bytes=64 * MIB,
    )

    assert ran.outcome.oom
    assert ran.outcome.exit_code == code
    assert ran.outcome.notes == ()


@pytest.mark.scenario("docker-faults: Everything can be ended at any step")
def test_row_25_a_run_is_ended_at_any_step_and_twice(bench: Bench) -> None:
    steps = [call for call in CALLS if call not in {"wait", "inspect after"}]

    def work(step: str) -> tuple[Ran, float]:
        rule = Rule(what=CALLS[step], action=Action.FREEZE)
        script = SPEAKS if step == "remove" else STUBBORN
        cancel = Cancellation()
        with Proxy(rule) as proxy, ThreadPoolExecutor(1) as pool:
            future = pool.submit(bench.run, proxy.url, script, timeout_s=None, cancel=cancel)
            # Nothing is killed before all is to end.
            until(lambda: proxy.count(CALLS["start" if step == "kill" else step]))
            began = time.monotonic()
            cancel.request("interrupted", grace_s=0.2)
            cancel.request("interrupted", grace_s=0.2)
            return future.result(60), time.monotonic() - began

    ended = together(work, steps, threads=len(steps))

    (left,) = bench.left()
    bench.clear()
    outcomes = {step: ran.outcome for step, (ran, _) in ended.items()}
    removing = outcomes.pop("remove")
    assert {(one.status.value, one.reason) for one in outcomes.values()} == {
        ("cancelled", "interrupted")
    }
    assert max(seconds for _, seconds in ended.values()) < paced(10.5)
    assert "may have run" in outcomes["start"].notes[0]
    assert "did not answer (create)" in outcomes["create"].notes[0]
    # The command had its end before; what is left of it is named.
    assert (removing.status, removing.exit_code) == (Status.FAILED, 3)
    assert removing.notes[0].startswith(f"LEAK: the container {left} could not be removed: ")


@pytest.mark.scenario("docker-faults: Somebody else ends the container")
@pytest.mark.parametrize(
    ("how", "codes", "word"),
    [
        ("remove", {137}, "from outside"),
        ("kill", {137}, "or from outside"),
        ("stop", {143}, None),
    ],
)
def test_row_26_a_container_ended_by_somebody_else_fails_with_a_note(
    bench: Bench, how: str, codes: set[int], word: str | None
) -> None:
    api = bench.case.client.api

    def act(name: str) -> None:
        if how == "remove":
            api.remove_container(name, force=True)
        else:
            getattr(api, how)(name)

    ran = bench.during("echo out; sleep 60", act)

    assert ran.outcome.status is Status.FAILED
    assert ran.outcome.exit_code in codes
    assert word is None or word in ran.outcome.notes[0]
    assert ran.seconds < paced(10)


@pytest.mark.scenario("docker-faults: Somebody else ends the container")
def test_row_26_a_container_restarted_by_somebody_else_never_passes(bench: Bench) -> None:
    ran = bench.during("echo out; sleep 60", bench.case.client.api.restart)

    # The engine answers with the code of the end, or with that of the new start.
    assert ran.short in {("failed", None, 143), ("unavailable", "lost", None)}
    assert ran.seconds < paced(10)


@pytest.mark.scenario("docker-faults: A restarted container speaks for nobody")
@pytest.mark.parametrize("does", ["still runs", "has ended"])
def test_row_26_a_container_that_was_started_again_speaks_for_nobody(
    bench: Bench, does: str
) -> None:
    api = bench.case.client.api
    again = "sleep 60" if does == "still runs" else "exit 0"

    def restart() -> None:
        (name,) = bench.left()
        api.start(name)
        if does == "has ended":
            api.wait(name)

    rule = Rule(what=CALLS["inspect after"], action=Action.PASS, skip=1, before=restart)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, f"[ -e /tmp/seen ] && {again}; touch /tmp/seen; sleep 0.5")

    assert ran.short == ("unavailable", "lost", None)
    assert "started it again" in (ran.outcome.reason or "")


@pytest.mark.scenario("docker-faults: A restarted container speaks for nobody")
def test_row_26_a_failure_of_a_restarted_container_stays_one(bench: Bench) -> None:
    def restart() -> None:
        (name,) = bench.left()
        bench.case.client.api.start(name)

    rule = Rule(what=CALLS["inspect after"], action=Action.PASS, skip=1, before=restart)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, "[ -e /tmp/seen ] && sleep 60; touch /tmp/seen; exit 3")

    assert ran.short == ("failed", None, 3)
    assert "started again from outside" in ran.outcome.notes[0]


@pytest.mark.scenario("docker-faults: Somebody else ends the container")
def test_row_26_a_paused_container_times_out(bench: Bench) -> None:
    ran = bench.during("sleep 60", bench.case.client.api.pause, timeout_s=2)

    assert ran.outcome.status is Status.TIMED_OUT
    assert ran.seconds < paced(2 + 10)


@pytest.mark.scenario("docker-faults: Somebody else ends the container")
def test_row_26_a_container_pruned_before_its_start_is_lost(bench: Bench) -> None:
    def prune() -> None:
        for name in bench.left():
            bench.case.client.api.remove_container(name, force=True)

    rule = Rule(what=CALLS["start"], action=Action.PASS, before=prune)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url)

    assert ran.short == ("unavailable", "lost", None)
    assert "removed it before it was started" in (ran.outcome.reason or "")


@pytest.mark.scenario("docker-faults: A pull that breaks is told in words")
@pytest.mark.parametrize(
    ("rule", "fault", "word"),
    [
        (
            Rule(
                action=Action.ANSWER,
                answer=chunked(b'{"status":"x"}', b'{"error":"filesystem layer broken"}'),
            ),
            "pull",
            "filesystem layer broken",
        ),
        (Rule(action=Action.ANSWER, answer=answer(200, b"<html>")), "pull", ""),
        (Rule(action=Action.ANSWER, answer=chunked(b"7")), "pull", "not what the API promises"),
        (Rule(action=Action.CUT), "pull", "No engine answers"),
        (Rule(action=Action.ANSWER, answer=chunked()), "pull", "is not there"),
    ],
    ids=["layer", "page", "number", "cut", "nothing"],
)
def test_row_29_a_pull_that_breaks_is_told_in_words(
    bench: Bench, rule: Rule, fault: str, word: str
) -> None:
    rule.what = "POST /images/create"

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, image="registry.invalid/none:1")

    assert ran.short == ("unavailable", fault, None)
    assert word in (ran.outcome.reason or "")
    assert "\n" not in (ran.outcome.reason or "")


@pytest.mark.scenario("docker-faults: A credential helper that hangs is ended")
def test_row_29_a_credential_helper_that_hangs_is_ended(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    cancel = Cancellation()
    environ = _helper(bench, tmp_path, f"echo $$ > {mark}; sleep 100")

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(
            bench.run, None, image="registry.invalid/none:1", cancel=cancel, environ=environ
        )
        until(lambda: mark.exists() and mark.read_text())
        pid = int(mark.read_text())
        os.kill(pid, 0)
        cancel.request("the deadline")
        ran = future.result(10)

    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.seconds < paced(5)
    until(lambda: not os.path.exists(f"/proc/{pid}"))


def _helper(bench: Bench, directory: Path, script: str) -> dict[str, str]:
    program = directory / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    config = bench.case.home / ".docker"
    config.mkdir()
    (config / "config.json").write_text(json.dumps({"credsStore": "test"}))
    return {"PATH": f"{directory}:/usr/bin:/bin", "HOME": str(bench.case.home)}


@pytest.mark.scenario("docker-faults: A program that cannot start is no failure of the check")
def test_row_30_a_program_that_cannot_start_is_no_plain_failure(bench: Bench, shared: Path) -> None:
    for name, text in {"crlf": "#!/bin/sh\r\n", "plain": "#!/bin/sh\n"}.items():
        (shared / name).write_text(text)
    (shared / "crlf").chmod(0o755)

    runs = together(
        lambda program: bench.run(None, argv=(program,)),
        ["nosuch", "/workspace/crlf", "/workspace/plain", "/workspace"],
    )

    assert {program: ran.short for program, ran in runs.items()} == {
        "nosuch": ("unavailable", "command-not-found", None),
        "/workspace/crlf": ("unavailable", "command-not-found", None),
        "/workspace/plain": ("unavailable", "not-executable", None),
        "/workspace": ("unavailable", "not-executable", None),
    }


@pytest.mark.scenario("docker-faults: What cannot be enforced is refused")
@pytest.mark.parametrize(
    ("missing", "option"),
    [
        ({"MemoryLimit": False}, {"memory_bytes": 64 * MIB}),
        ({"CpuCfsQuota": False}, {"nano_cpus": 10**9}),
        ({"PidsLimit": False}, {"pids_limit": 9}),
        ({"SecurityOptions": []}, {"seccomp": "{}"}),
        ({}, {"apparmor": "docker-default"}),
    ],
    ids=["memory", "cpus", "pids", "seccomp", "apparmor"],
)
def test_rows_31_and_32_what_cannot_be_enforced_is_refused_before_the_creation(
    bench: Bench, missing: dict[str, Any], option: dict[str, Any]
) -> None:
    with FakeDaemon({"GET /version": VERSION, "GET /info": INFO | missing}) as daemon:
        ran = bench.run(daemon.url, **option)

        assert daemon.count("POST .*") == 0
    assert ran.outcome.status is Status.UNAVAILABLE
    assert ran.outcome.remedy


@pytest.mark.scenario("docker-faults: What cannot be enforced is refused")
def test_row_31_a_limit_that_is_dropped_in_silence_is_refused(bench: Bench) -> None:
    kept = answer(200, json.dumps({"HostConfig": {"CapDrop": ["ALL"]}}).encode())
    rule = Rule(what=CALLS["inspect"], action=Action.ANSWER, answer=kept, count=1)

    with Proxy(rule) as proxy:
        ran = bench.run(proxy.url, memory_bytes=64 * MIB)

        assert proxy.count(CALLS["start"]) == 0
    assert ran.short == ("unavailable", "refused", None)
    assert "Memory should be 67108864" in (ran.outcome.reason or "")


@pytest.mark.scenario("docker-faults: A path is mounted exactly or refused")
def test_row_33_a_path_is_mounted_exactly_or_refused(bench: Bench, tmp_path: Path) -> None:
    odd = tmp_path / "a:b, c\\d\ne"
    odd.mkdir(mode=0o755)
    (odd / "file").write_text("exact")
    link = tmp_path / "link"
    link.symlink_to(odd)

    def mounted(source: str) -> tuple[str, str]:
        mount = Mount(type="bind", source=source, target="/odd", readonly=True)
        ran = bench.run(None, "cat /odd/file", mounts=(mount,))
        return ran.outcome.status.value, ran.stdout

    sources = [str(odd), str(link), str(tmp_path / "missing"), "/var/run/docker.sock", "/"]
    tmp_path.chmod(0o755)
    found = together(mounted, sources)

    assert list(found.values()) == [("passed", "exact")] + [("unavailable", "")] * 4
    assert not (tmp_path / "missing").exists()


@pytest.mark.scenario("docker-faults: What a container makes belongs to the caller")
def test_row_34_what_a_container_makes_belongs_to_the_caller(bench: Bench, shared: Path) -> None:
    ran = bench.run(None, "touch made && chmod 6755 made; mknod device b 7 0; ls")

    made = (shared / "made").stat()
    assert ran.stdout == "made\n"
    assert (made.st_uid, made.st_gid) == (STRANGER, STRANGER)
    assert stat.S_ISREG(made.st_mode)


@pytest.mark.scenario("docker-faults: No other engine is ever asked instead")
@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"DOCKER_HOST": "", "DOCKER_CONTEXT": "nowhere"}, '"nowhere", named by DOCKER_CONTEXT'),
        ({"DOCKER_HOST": "ssh://host"}, "ssh://host, from DOCKER_HOST"),
        ({"DOCKER_HOST": "unix:///none.sock"}, "/none.sock (from DOCKER_HOST)"),
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, "tcp://127.0.0.1:1 (from DOCKER_HOST)"),
    ],
)
def test_row_35_an_engine_that_is_not_there_is_named_with_its_source(
    bench: Bench, environ: dict[str, str], word: str
) -> None:
    ran = bench.run(None, environ=environ)

    assert ran.short == ("unavailable", "daemon-unreachable", None)
    assert word in (ran.outcome.reason or "")
    assert ran.seconds < paced(2)


@pytest.mark.scenario("docker-faults: No other engine is ever asked instead")
def test_row_35_proxies_and_certificates_of_the_environment_are_not_for_the_engine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/none")

    ran = bench.run(None, "echo out; env")

    assert ran.outcome.status is Status.PASSED
    assert ran.stdout.startswith("out\n")
    assert "proxy" not in ran.stdout.lower()


@pytest.mark.scenario("docker-faults: A creation that is refused is told in words")
@pytest.mark.parametrize(
    ("status", "text", "fault"),
    [
        (409, "Conflict. The container name is already in use", "create"),
        (500, "write /var/lib/docker: no space left on device", "disk-full"),
        (404, "network nowhere not found", "network"),
    ],
)
def test_row_36_a_creation_that_is_refused_is_told_in_words(
    bench: Bench, status: int, text: str, fault: str
) -> None:
    said = answer(status, json.dumps({"message": text}).encode())

    with Proxy(Rule(what=CALLS["create"], action=Action.ANSWER, answer=said)) as proxy:
        ran = bench.run(proxy.url)

    assert ran.short == ("unavailable", fault, None)
    assert text in (ran.outcome.reason or "")


@pytest.mark.scenario("docker-faults: A creation that is refused is told in words")
def test_row_36_a_full_tmpfs_is_the_commands_own_failure(bench: Bench) -> None:
    ran = bench.run(
        None, "dd if=/dev/zero of=/t/x bs=1M count=9", tmpfs=(("/t", "size=1m,mode=1777"),)
    )

    assert ran.short == ("failed", None, 1)
    assert b"No space left" in ran.outcome.stderr.head


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('read -r registry; echo "{\\"Username\\":\\"$registry\\",\\"Secret\\":\\"s\\"}"', "own"),
        ("echo no credentials; exit 1", None),
        ('echo "{\\"Username\\":\\"\\",\\"Secret\\":\\"\\"}"', None),
        ("echo 7", None),
    ],
)
def test_row_29_a_credential_helper_is_asked_for_its_registry(
    bench: Bench, tmp_path: Path, script: str, found: str | None
) -> None:
    environ = _helper(bench, tmp_path, script)

    login = credentials.find(
        "registry.invalid/none:1",
        config_dir=f"{bench.case.home}/.docker",
        environ=environ,
        cancel=Cancellation(),
    )

    assert login.get("Username") == ("registry.invalid" if found else None)


def test_row_29_broken_credentials_are_named(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": {"x": {"auth": "7"}}}')

    with pytest.raises(ExecutorUnavailableError, match=r"credentials in .*config\.json cannot be"):
        credentials.find("x/none:1", config_dir=str(tmp_path), environ={}, cancel=Cancellation())
    del bench
