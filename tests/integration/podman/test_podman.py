"""The same commands on Podman's compatible socket, and what it says differently."""

from __future__ import annotations

import json
import os
import resource
import time
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Mount
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import faults, podman
from stophooks.executors.docker.endpoint import Endpoint
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.models import KIB, MIB, Status
from stophooks.values import replace
from tests.integration.docker.conftest import STRANGER, Case, text
from tests.running import paced

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.scenario("podman: Podman loses no byte of a fast command")
def test_a_fast_command_loses_no_byte(case: Case) -> None:
    executor = case.executor()
    expected = "".join(f"line {number}\n" for number in range(51))
    script = "i=0; while [ $i -lt 51 ]; do echo line $i; i=$((i+1)); done; echo err >&2; exit 7"

    outcomes = [case.run(script, executor=executor) for _ in range(20)]

    assert {(text(one), one.stderr.head, one.exit_code, one.notes) for one in outcomes} == {
        (expected, b"err\n", 7, ())
    }


@pytest.mark.scenario("podman: Podman's container that ignores SIGTERM is killed")
def test_a_container_that_ignores_sigterm_is_killed(case: Case) -> None:
    began = time.monotonic()

    outcome = case.run("trap '' TERM; echo a; while :; do sleep 0.1; done", timeout_s=0.5)

    assert outcome.status is Status.TIMED_OUT
    assert (text(outcome), outcome.exit_code) == ("a\n", 137)
    assert time.monotonic() - began < paced(0.5 + 2 + 4)


@pytest.mark.scenario("podman: A flood on Podman ends in time")
def test_a_flood_ends_in_time(case: Case) -> None:
    began = time.monotonic()

    outcome = case.run("yes 0123456789", timeout_s=1)

    assert outcome.status is Status.TIMED_OUT
    assert time.monotonic() - began < paced(1 + 2 + 4)
    assert outcome.stdout.head.startswith(b"0123456789\n0123456789\n")
    assert outcome.stdout.cut_bytes > 0
    assert outcome.stdout.tail


@pytest.mark.scenario("podman: A long line on Podman is counted exactly")
def test_100_mb_without_a_newline_are_counted(case: Case) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    outcome = case.run("head -c 100000000 /dev/zero", timeout_s=60)

    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * KIB
    assert outcome.status is Status.PASSED
    assert outcome.stdout.total_bytes == 100_000_000
    assert grown < 64 * MIB


@pytest.mark.scenario("podman: A background child on Podman does not delay the end")
def test_a_background_child_does_not_delay_the_end(case: Case) -> None:
    began = time.monotonic()

    outcome = case.run("sleep 60 & echo done; exit 4")

    assert (text(outcome), outcome.exit_code) == ("done\n", 4)
    assert time.monotonic() - began < paced(5)


@pytest.mark.scenario("podman: Limits hold on Podman")
def test_limits_hold(case: Case) -> None:
    memory = case.run(
        "head -c 50000000 /dev/zero > /dev/shm/x; exit 9", memory_bytes=8 * MIB, timeout_s=60
    )
    pids = case.run(
        "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; kill $(jobs -p); exit 3", pids_limit=6
    )

    assert memory.status is Status.FAILED
    assert memory.exit_code in {9, 137}
    assert pids.status is Status.FAILED
    assert b"fork" in pids.stderr.head


@pytest.mark.scenario("podman: Files on Podman belong to the caller")
def test_files_belong_to_the_caller(case: Case) -> None:
    outcome = case.run("touch made; echo x > $HOME/y; cat $HOME/y; id -u; ls -ldn $HOME")

    made = os.stat(case.project / "made")
    assert outcome.status is Status.PASSED, outcome
    assert (made.st_uid, made.st_gid) == (STRANGER, STRANGER)
    assert text(outcome).startswith(f"x\n{STRANGER}\ndrwx------ ")


@pytest.mark.scenario("podman: A program that is missing on Podman is a start failure")
@pytest.mark.parametrize("init", [True, False])
def test_what_cannot_be_started_is_told(case: Case, init: bool) -> None:
    missing = case.run(argv=("/no/such/program",), init=init)
    not_executable = case.run(argv=("/etc/passwd",), init=init)
    stranger = case.run("true", user="nosuch", init=init)

    assert [one.status for one in (missing, not_executable, stranger)] == [Status.UNAVAILABLE] * 3
    assert missing.fault == "command-not-found"
    assert not_executable.fault == "not-executable"
    assert stranger.fault == "user"
    assert "/no/such/program" in str(missing.reason)


@pytest.mark.scenario("podman: A seccomp profile holds on Podman")
def test_a_seccomp_profile_holds(case: Case) -> None:
    denied = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}
    profile = json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [denied]})

    free = case.run("mkdir /tmp/x")
    bound = case.run("mkdir /tmp/x", seccomp=profile)

    assert free.status is Status.PASSED
    assert bound.status is Status.FAILED, bound
    assert b"mkdir" in bound.stderr.head


@pytest.mark.scenario("podman: Podman on another machine takes no profile")
def test_a_profile_is_refused_by_a_podman_elsewhere(case: Case) -> None:
    here = Engine(Endpoint(url=case.environ["DOCKER_HOST"], source="test", config_dir="/nowhere"))
    _ = here.info
    there = here.until(here.cancel)
    there.endpoint = replace(here.endpoint, url="tcp://podman.example:2375")
    config = {"HostConfig": {"SecurityOpt": ['seccomp={"defaultAction": "x"}'], "Tmpfs": {}}}

    with pytest.raises(ExecutorUnavailableError) as refusal, podman.request(config, there):
        pytest.fail("the profile was accepted")

    assert refusal.value.fault == "refused"
    assert "Podman on another machine" in refusal.value.reason


@pytest.mark.scenario("podman: AppArmor that Podman has not is refused")
def test_apparmor_is_refused_where_there_is_none(case: Case) -> None:
    if case.client.info()["SecurityOptions"].count("name=apparmor"):
        outcome = case.run("true", apparmor="no-such-profile")
    else:
        outcome = case.run("true", apparmor="docker-default")

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.fault in {"refused", "apparmor"}


@pytest.mark.scenario("podman: Podman makes no missing mount source")
def test_a_missing_mount_source_is_not_made(case: Case, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    mount = Mount(type="bind", source=str(missing), target="/data")

    outcome = case.run("true", mounts=(mount,))

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.fault == "mount"
    assert not missing.exists()


@pytest.mark.scenario("podman: Podman without an init says what to do")
def test_a_podman_without_an_init_says_what_to_do() -> None:
    said = (
        "container create: container-init binary not found on the host: stat "
        "/usr/libexec/podman/catatonit: no such file or directory"
    )

    error = faults.create(EngineRefusedError("create", 500, said))

    assert error.fault == "init"
    assert "catatonit" in error.remedy
    assert "`init: false`" in error.remedy


def test_capabilities_are_kept_as_they_are_asked(case: Case) -> None:
    outcome = case.run("grep CapBnd /proc/self/status", cap_add=("CHOWN",))

    assert text(outcome) == "CapBnd:\t0000000000000001\n"


def test_dropped_capabilities_that_were_not_dropped_are_noticed() -> None:
    asked = {"CapDrop": ["ALL"], "CapAdd": []}

    assert podman.kept(asked, {"CapDrop": [], "CapAdd": []})["CapDrop"] == []
    assert podman.kept(asked, {"CapDrop": ["CAP_CHOWN"], "CapAdd": ["X"]})["CapAdd"] == ["X"]
    assert podman.kept(asked, {"CapDrop": ["CAP_CHOWN"], "CapAdd": None}) == asked
