"""Every option does what it says, seen from inside the container."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Mount, Ulimit
from stophooks.models import MIB, Status
from tests.integration.docker.conftest import BUSYBOX, PYTHON, Case, text

if TYPE_CHECKING:
    from collections.abc import Iterator

# Bits of linux/capability.h.
CAP_CHOWN = 1
STATUS = "cat /proc/self/status"


def status(printed: str) -> dict[str, str]:
    """The fields of ``/proc/self/status``."""
    pairs = (line.split(":", 1) for line in printed.splitlines() if ":" in line)
    return {key: value.strip() for key, value in pairs}


@pytest.mark.scenario("docker-executor: The default is least privilege")
def test_a_plain_container_can_do_nothing_special(case: Case) -> None:
    outcome = case.run(
        f"{STATUS}; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max", pids_limit=4096
    )

    fields = status(text(outcome))
    sets = [fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    assert sets == ["0000000000000000"] * 5
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert "4096" in text(outcome).splitlines()


@pytest.mark.scenario("docker-executor: The default is least privilege")
def test_a_root_caller_has_no_capability_either(case: Case) -> None:
    outcome = case.run(STATUS, executor=case.executor(uid=0, gid=0))

    fields = status(text(outcome))
    assert fields["Uid"].split() == ["0"] * 4
    assert fields["CapEff"] == fields["CapBnd"] == "0000000000000000"


@pytest.mark.scenario("docker-executor: Capabilities are dropped first and then added")
def test_an_added_capability_is_the_only_one(case: Case) -> None:
    outcome = case.run(STATUS, cap_add=("CHOWN",))

    assert int(status(text(outcome))["CapBnd"], 16) == CAP_CHOWN


@pytest.mark.scenario("docker-executor: Without a network there is only loopback")
def test_network_none_has_only_loopback(case: Case) -> None:
    outcome = case.run("ls /sys/class/net", network="none")

    assert text(outcome).split() == ["lo"]


@pytest.mark.scenario("docker-executor: The default network is the bridge")
def test_network_bridge_has_an_interface(case: Case) -> None:
    outcome = case.run("ls /sys/class/net", network="bridge")

    assert set(text(outcome).split()) > {"lo"}


@pytest.mark.scenario("docker-executor: The host network is the host's own")
def test_network_host_has_the_hosts_interfaces(case: Case) -> None:
    outcome = case.run("ls /sys/class/net", network="host")

    names = {name for _, name in socket.if_nameindex()}
    # Other tests' virtual interfaces come and go meanwhile.
    assert {name for name in names if not name.startswith("veth")} <= set(text(outcome).split())


@pytest.mark.scenario("docker-executor: A container can join another container's network")
def test_a_container_joins_anothers_network(case: Case) -> None:
    script = (
        "mkdir -p /tmp/www && echo found > /tmp/www/page"
        " && exec httpd -f -p 127.0.0.1:8080 -h /tmp/www"
    )
    other = case.client.api.create_container(BUSYBOX, ["/bin/sh", "-c", script])
    try:
        case.client.api.start(other)

        outcome = case.run(
            "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O- http://127.0.0.1:8080/page && exit;"
            " usleep 200000; done",
            network=f"container:{other['Id']}",
        )
    finally:
        case.client.api.remove_container(other, force=True)

    assert text(outcome) == "found\n"


@pytest.mark.scenario("docker-executor: A named network that does not exist is a start failure")
def test_an_unknown_network_is_explained(case: Case) -> None:
    outcome = case.run("true", network="nowhere-at-all")

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.fault == "network"
    assert "docker network create" in (outcome.remedy or "")


@pytest.mark.scenario("docker-executor: The memory limit includes swap")
def test_memory_is_limited_with_swap(case: Case) -> None:
    outcome = case.run(
        "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes"
        " 2>/dev/null || cat memory.max memory.swap.max",
        memory_bytes=64 * MIB,
    )

    first, second = text(outcome).split()[:2]
    assert int(first) == 64 * MIB
    assert int(second) in {64 * MIB, 0}


@pytest.mark.scenario("docker-executor: The limits of processors, processes and shared memory hold")
def test_cpus_processes_and_shared_memory_are_limited(case: Case) -> None:
    outcome = case.run(
        "cd /sys/fs/cgroup;"
        " (cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us 2>/dev/null || cat cpu.max)"
        "; cat pids/pids.max pids.max 2>/dev/null; df -k /dev/shm | tail -n 1",
        nano_cpus=500_000_000,
        pids_limit=33,
        shm_size_bytes=8 * MIB,
    )

    words = text(outcome).split()
    assert int(words[0]) / int(words[1]) == pytest.approx(0.5)
    assert words[2] == "33"
    assert words[4] == str(8 * 1024)


@pytest.mark.scenario("docker-executor: A seccomp profile from a file is in force")
def test_a_seccomp_profile_forbids_what_it_names(case: Case) -> None:
    forbid = [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]
    profile = json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": forbid})

    outcome = case.run("mkdir /tmp/x; echo $?; touch /tmp/y && echo touched", seccomp=profile)

    assert text(outcome) == "1\ntouched\n"


@pytest.mark.scenario("docker-executor: Seccomp can be turned off in words")
def test_seccomp_unconfined_does_not_filter(case: Case) -> None:
    outcome = case.run(STATUS, seccomp="unconfined")

    assert status(text(outcome))["Seccomp"] == "0"


@pytest.mark.scenario("docker-executor: New privileges can be allowed in words")
def test_new_privileges_are_allowed_when_configured(case: Case) -> None:
    outcome = case.run(STATUS, no_new_privileges=False)

    assert status(text(outcome))["NoNewPrivs"] == "0"


@pytest.mark.scenario("docker-executor: A read-only root refuses writes but a tmpfs takes them")
def test_a_read_only_root_has_a_writable_tmpfs(case: Case) -> None:
    outcome = case.run(
        "touch /tmp/x; echo $?; touch /scratch/x; echo $?; df -k /scratch | tail -n 1",
        read_only=True,
        tmpfs=(("/scratch", "size=1m"),),
    )

    words = text(outcome).split()
    assert words[:2] == ["1", "0"]
    assert "1024" in words


def test_a_tmpfs_mount_is_writable_and_gone_afterwards(case: Case) -> None:
    mount = Mount(type="tmpfs", source=None, target="/fast", options=("size=2m",))

    first = case.run("echo x > /fast/x; cat /fast/x; df -k /fast | tail -n 1", mounts=(mount,))
    second = case.run("ls /fast", mounts=(mount,))

    assert text(first).split()[0] == "x"
    assert "2048" in text(first).split()
    assert text(second) == ""


@pytest.mark.scenario("docker-executor: Ulimits hold")
def test_ulimits_hold(case: Case) -> None:
    limit = Ulimit(name="nofile", soft=123, hard=456)

    outcome = case.run("ulimit -Sn; ulimit -Hn", ulimits=(limit,))

    assert text(outcome).split() == ["123", "456"]


@pytest.mark.scenario("docker-executor: A reaper runs unless turned off")
@pytest.mark.parametrize(("init", "is_first"), [(True, False), (False, True)])
def test_a_reaper_is_process_one_unless_turned_off(case: Case, init: bool, is_first: bool) -> None:
    outcome = case.run("echo $$", init=init)

    assert (text(outcome) == "1\n") is is_first


@pytest.mark.scenario("docker-executor: The container gets only the configured environment")
def test_only_the_configured_environment_arrives(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_SECRET", "hidden")
    value = "a=b c\"d'e\\f$g\nh"

    outcome = case.run("env -0", env=(("GIVEN", value), ("EMPTY", "")))

    variables = dict(pair.split("=", 1) for pair in text(outcome).split("\0") if pair)
    assert variables["GIVEN"] == value
    assert variables["EMPTY"] == ""
    assert set(variables) <= {"GIVEN", "EMPTY", "PATH", "HOSTNAME", "HOME", "PWD", "SHLVL"}


@pytest.mark.scenario("docker-executor: Proxy settings of the engine's client stay outside")
def test_the_clients_proxies_do_not_reach_the_container(case: Case) -> None:
    config = {"proxies": {"default": {"httpProxy": "http://user:secret@proxy:1"}}}
    (case.home / ".docker").mkdir()
    (case.home / ".docker/config.json").write_text(json.dumps(config))
    environ = {**case.environ, "DOCKER_CONFIG": str(case.home / ".docker")}

    outcome = case.run("env", executor=case.executor(environ=environ))

    assert outcome.status is Status.PASSED
    assert "proxy" not in text(outcome).lower()


def test_the_command_has_an_empty_stdin_and_no_terminal(case: Case) -> None:
    outcome = case.run("cat; test -t 1 || echo no terminal")

    assert text(outcome) == "no terminal\n"


def test_an_image_health_check_and_entrypoint_play_no_part(case: Case) -> None:
    name = "stophooks-test/entrypoint:1"
    made = case.client.api.create_container(BUSYBOX, ["true"])
    conf = {"Entrypoint": ["/bin/echo", "entrypoint"], "Healthcheck": {"Test": ["CMD", "false"]}}
    case.client.api.commit(made, "stophooks-test/entrypoint", "1", conf=conf)
    case.client.api.remove_container(made)
    try:
        outcome = case.run(argv=("echo", "mine"), image=name)
    finally:
        case.client.api.remove_image(name)

    assert text(outcome) == "mine\n"


@pytest.fixture
def listener() -> Iterator[int]:
    """A server on the host's loopback, as a port number."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket) -> None:
    try:
        while True:
            server.accept()[0].close()
    except OSError:
        return


def test_the_hosts_loopback_is_out_of_reach_without_the_host_network(
    case: Case, listener: int
) -> None:
    connect = f"nc -w 1 127.0.0.1 {listener} </dev/null"

    apart, shared = (case.run(connect, network=name) for name in ("bridge", "host"))

    assert apart.status is Status.FAILED
    assert shared.status is Status.PASSED


def test_a_script_goes_whole_to_one_shell(case: Case) -> None:
    script = 'x=1\nf() { echo "f $x"; }\nx=2\ncat <<END\nhere $x\nEND\nf'

    outcome = case.run(script, image=PYTHON)

    assert text(outcome) == "here 2\nf 2\n"
