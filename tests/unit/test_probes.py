"""Every probe's judge: it accepts what a good engine shows, and refuses what a bad one shows."""

from __future__ import annotations

from typing import Any

import pytest

from stophooks.executors.docker.probe import Bench, File, Probe, Seen, judged, kept, unknown
from stophooks.executors.docker.probes_endings import CODES
from stophooks.executors.docker.probes_files import CONTENT
from stophooks.executors.docker.probes_output import EVERY_BYTE, ODD_VALUES, noise
from stophooks.executors.docker.probing import PROBES
from stophooks.models import Outcome, Status
from stophooks.proofs import Verdict
from stophooks.values import replace

BENCH = Bench(project="/p", uid=1000, gid=1001, inside=(1000, 1001))
V1_MEMORY = b"67108864\n"
SWAPS = b"Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 999 0 -2\n"
LOOPBACK = b"Inter-|   Receive\n face |bytes\n    lo:  0 0\n"
BRIDGE = LOOPBACK + b"  eth0:  0 0\n"
HASH = "ab" * 32
VOLUME = f"9 8 0:1 /lib/docker/volumes/{HASH}/_data /data rw".encode()


def outcome(exit_code: int | None = 0, **values: Any) -> Outcome:
    status = Status.FAILED if exit_code else Status.PASSED
    return Outcome(**{"status": status, "exit_code": exit_code} | values)


def unavailable(fault: str) -> Outcome:
    return Outcome(status=Status.UNAVAILABLE, fault=fault, reason=f"Because of {fault}.")


def status(**fields: str) -> bytes:
    return "".join(f"{name}:\t{value}\n" for name, value in fields.items()).encode()


def environ(*pairs: tuple[str, str]) -> bytes:
    return "".join(f"{name}={value}\0" for name, value in pairs).encode()


def made(uid: int, gid: int, data: bytes = b"made\n") -> dict[str, File]:
    return {"made": File(uid=uid, gid=gid, data=data)}


NO_CAPS = dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16)
SOME_CAPS = NO_CAPS | {"CapBnd": "00000000a80425fb"}
OOM = {"outcome": outcome(137, oom=True)}
LATE = outcome(137, status=Status.TIMED_OUT, duration_s=30.0)
REFUSED_MOUNT = {"outcome": unavailable("mount")}
REAPED = b"docker-init\n1 (docker-init) S 0\n7 (sh) S 1\n"

# By the probe's name: what a good engine shows, and what a bad one shows.
RECORDED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "memory limit": ({"stdout": V1_MEMORY}, {"stdout": b"9223372036854771712\n"}),
    "no swap beside it": (
        {"stdout": b"67108864\n" + SWAPS},
        {"stdout": b"134217728\n" + SWAPS},
    ),
    "out of memory": (OOM, {"outcome": outcome(0)}),
    "out of memory is told": (OOM, {"outcome": outcome(137)}),
    "cpus": ({"stdout": b"50000 100000\n"}, {"stdout": b"-1\n100000\n"}),
    "pids limit": ({"stdout": b"16\n"}, {"stdout": b"max\n"}),
    "fork storm": (
        {"stderr": b"sh: can't fork: Resource temporarily unavailable\n", "outcome": outcome(2)},
        {"stdout": b"all\n"},
    ),
    "shared memory": (
        {"stdout": b"shm /dev/shm tmpfs rw,nosuid,size=16384k 0 0\n"},
        {"stdout": b"shm /dev/shm tmpfs rw,nosuid,size=65536k 0 0\n"},
    ),
    "ulimits": ({"stdout": b"100\n200\n"}, {"stdout": b"1048576\n1048576\n"}),
    "network none": ({"stdout": LOOPBACK}, {"stdout": BRIDGE}),
    "network bridge": ({"stdout": BRIDGE}, {"stdout": LOOPBACK}),
    "the host's loopback": (
        {"stdout": b"tried 127.0.0.1\ntried 172.17.0.1\n"},
        {"stdout": b"tried 127.0.0.1\n", "visits": 1},
    ),
    "seccomp default": ({"stdout": status(Seccomp="2")}, {"stdout": status(Seccomp="0")}),
    "seccomp of your own": (
        {"stdout": b"touched\n" + status(Seccomp="2")},
        {"stdout": b"touched\nmade\n" + status(Seccomp="2")},
    ),
    "seccomp unconfined": ({"stdout": status(Seccomp="0")}, {"stdout": status(Seccomp="2")}),
    "AppArmor": ({"stdout": b"docker-default (enforce)\n"}, {"stdout": b"unconfined\n"}),
    "no new privileges": ({"stdout": status(NoNewPrivs="1")}, {"stdout": status(NoNewPrivs="0")}),
    "no capabilities": ({"stdout": status(**NO_CAPS)}, {"stdout": status(**SOME_CAPS)}),
    "one capability": (
        {"stdout": status(**NO_CAPS | {"CapBnd": "0000000000000001"})},
        {"stdout": status(**SOME_CAPS)},
    ),
    "your user": (
        {"stdout": status(Uid="1000\t1000", Gid="1001\t1001")},
        {"stdout": status(Uid="0\t0", Gid="0\t0")},
    ),
    "your files": ({"files": made(1000, 1001)}, {"files": made(0, 0)}),
    "another user": (
        {"stdout": status(Uid="43210\t43210", Gid="43211\t43211")},
        {"stdout": status(Uid="1000\t1000", Gid="43211\t43211")},
    ),
    "home of a stranger": (
        {"stdout": b"/home/stophooks\n"},
        {"stderr": b"can't create /f: Permission denied\n", "outcome": outcome(1)},
    ),
    "read-only root": ({"stdout": b"readable\n"}, {"stdout": b"readable\nwritten\n"}),
    "tmpfs": ({"stdout": b"written\n"}, {"stderr": b"Read-only file system\n"}),
    "tmpfs runs nothing": (
        {"stdout": b"written\ntmpfs /scratch tmpfs rw,nosuid,nodev,noexec 0 0\n"},
        {"stdout": b"written\nexecuted\ntmpfs /scratch tmpfs rw,nosuid,nodev 0 0\n"},
    ),
    "workspace rw": ({"files": made(0, 0, b"inside\n")}, {"files": {}}),
    "workspace ro": ({"stdout": b"foundreadable\n"}, {"stdout": b"foundreadable\nwritten\n"}),
    "workspace none": ({"stdout": b""}, {"stdout": b"here\n"}),
    "read-only mount": ({"stdout": b"foundreadable\n"}, {"stdout": b"foundreadable\nwritten\n"}),
    "odd path": ({"stdout": CONTENT.encode()}, {"stderr": b"No such file\n"}),
    "missing source": (
        REFUSED_MOUNT,
        REFUSED_MOUNT | {"files": {"missing": File(uid=0, gid=0, data=b"")}},
    ),
    "engine's socket": (REFUSED_MOUNT, {"stdout": b"srw-rw---- /data\n"}),
    "whole machine": (REFUSED_MOUNT, {"stdout": b"bin\netc\nroot\n"}),
    "nothing is left": (
        {"stdout": VOLUME, "volumes": ("named",)},
        {"stdout": VOLUME, "volumes": (HASH,)},
    ),
    "exit codes": ({"outcome": outcome(0)}, {"outcome": outcome(1)}),
    "not found": ({"outcome": unavailable("command-not-found")}, {"outcome": outcome(127)}),
    "not executable": ({"outcome": unavailable("not-executable")}, {"outcome": outcome(126)}),
    "no interpreter": ({"outcome": unavailable("command-not-found")}, {"outcome": outcome(127)}),
    "timeout kills": ({"outcome": replace(LATE, duration_s=3.0)}, {"outcome": LATE}),
    "timeout is polite": (
        {
            "outcome": outcome(9, status=Status.TIMED_OUT, duration_s=1.0),
            "stdout": b"bye\n",
        },
        {"outcome": replace(LATE, duration_s=3.0)},
    ),
    "background child": (
        {"stdout": b"done\n", "outcome": outcome(0, duration_s=0.4)},
        {"stdout": b"done\n", "outcome": outcome(0, duration_s=30.0)},
    ),
    "reaper": ({"stdout": REAPED}, {"stdout": REAPED + b"9 (sleep) Z 1\n"}),
    "several at once": ({"stdout": b"0\n"}, {"stdout": b"3\n"}),
    "every byte": ({"stdout": EVERY_BYTE}, {"stdout": EVERY_BYTE.replace(b"\x80", b"?")}),
    "a megabyte": ({"stdout": noise()}, {"stdout": noise()[:-1]}),
    "stdout and stderr": (
        {"stdout": b"out\n", "stderr": b"err\n"},
        {"stdout": b"out\nerr\n"},
    ),
    "no last newline": ({"stdout": b"a\nb"}, {"stdout": b"a\nb\n"}),
    "standard input": ({"stdout": b"end\n"}, {"stdout": b"typed\nend\n"}),
    "environment": (
        {"stdout": environ(("GIVEN", "yes"), ("PATH", "/bin"), ("HOSTNAME", "x"))},
        {"stdout": environ(("GIVEN", "yes"), ("HTTP_PROXY", "http://user:secret@proxy"))},
    ),
    "odd values": ({"stdout": environ(*ODD_VALUES)}, {"stdout": environ(*ODD_VALUES[1:])}),
}
BY_NAME = {probe.name: probe for probe in PROBES}


def seen(values: dict[str, Any]) -> Seen:
    known: dict[str, Any] = {"bench": BENCH, "outcome": outcome(0)}
    return Seen(**known | values)


def named(name: str) -> Probe:
    return BY_NAME[name]


def test_there_are_forty_probes_with_a_name_each() -> None:
    assert len(BY_NAME) == len(PROBES) >= 40


def test_every_probe_is_recorded_here() -> None:
    assert set(RECORDED) == set(BY_NAME)


@pytest.mark.parametrize("name", RECORDED)
def test_a_probe_holds_on_what_a_good_engine_shows(name: str) -> None:
    judgement = judged(named(name), seen(RECORDED[name][0]))

    assert judgement.verdict is Verdict.HOLDS, judgement.seen


@pytest.mark.scenario("doctor: A probe does not hold")
@pytest.mark.parametrize("name", RECORDED)
def test_a_probe_does_not_hold_on_what_a_bad_engine_shows(name: str) -> None:
    judgement = judged(named(name), seen(RECORDED[name][1]))

    assert judgement.verdict is Verdict.FAILS
    assert judgement.seen


@pytest.mark.parametrize("copy", range(len(CODES)))
def test_each_exit_code_is_judged_by_itself(copy: int) -> None:
    bench = replace(BENCH, copy=copy)
    right = Seen(bench=bench, outcome=outcome(CODES[copy]))
    wrong = Seen(bench=bench, outcome=outcome(CODES[copy] - 1))

    verdicts = [judged(named("exit codes"), one).verdict for one in (right, wrong)]

    assert verdicts == [Verdict.HOLDS, Verdict.FAILS]


@pytest.mark.parametrize("fault", ["refused", "apparmor", "seccomp"])
def test_what_the_engine_cannot_keep_is_refused(fault: str) -> None:
    judgement = judged(named("memory limit"), seen({"outcome": unavailable(fault)}))

    assert (judgement.verdict, judgement.seen) == (Verdict.REFUSED, f"Because of {fault}.")


@pytest.mark.parametrize(
    "ended",
    [
        unavailable("daemon-timeout"),
        Outcome(status=Status.CANCELLED, reason="cancelled by SIGINT"),
        Outcome(status=Status.TIMED_OUT, reason="timed out after 20 s"),
    ],
)
def test_a_command_that_did_not_run_to_its_end_tells_nothing(ended: Outcome) -> None:
    judgement = judged(named("memory limit"), seen({"outcome": ended}))

    assert judgement.verdict is Verdict.UNKNOWN
    assert str(ended.reason) in judgement.seen


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("memory limit", {}),
        ("cpus", {}),
        ("pids limit", {}),
        ("out of memory is told", {}),
        ("the host's loopback", {}),
        ("seccomp default", {}),
        ("seccomp of your own", {}),
        ("workspace ro", {}),
        ("tmpfs runs nothing", {}),
        ("nothing is left", {}),
        ("whole machine", {"outcome": unavailable("daemon-timeout")}),
        ("timeout kills", {"outcome": unavailable("daemon-timeout")}),
    ],
)
def test_an_answer_that_shows_nothing_is_no_failure(name: str, values: dict[str, Any]) -> None:
    assert judged(named(name), seen(values)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("no swap beside it", {"stdout": b"\n" + SWAPS.splitlines()[0]}),
        ("no swap beside it", {"stdout": b"0\n\n" + SWAPS}),
        ("cpus", {"stdout": b"50000\n100000\n"}),
        ("network none", {"stdout": LOOPBACK + b" tunl0: 0\n sit0: 0\n"}),
        ("environment", {"stdout": environ(("GIVEN", "yes"), ("container", "podman"))}),
    ],
)
def test_other_machines_and_engines_may_show_it_otherwise(
    name: str, values: dict[str, Any]
) -> None:
    assert judged(named(name), seen(values)).verdict is Verdict.HOLDS


def test_a_container_that_is_left_is_named() -> None:
    judgement = judged(named("nothing is left"), seen({"containers": ("/stophooks-1",)}))

    assert judgement == kept(False, "", "the container /stophooks-1 is left")


def test_what_was_seen_is_one_short_line() -> None:
    probe = replace(named("memory limit"), judge=lambda _seen: unknown("a\n\n" + "b" * 500))

    judgement = judged(probe, seen({}))

    assert judgement.seen == "a " + "b" * 235 + "..."
