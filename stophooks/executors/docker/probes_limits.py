"""Probes of limits: memory, swap, cpus, processes, shared memory, resource limits."""

from __future__ import annotations

from stophooks.containers import Ulimit
from stophooks.executors.docker.probe import (
    Judgement,
    Probe,
    asking,
    ended,
    holds,
    kept,
    mount_options,
    quoted,
    unknown,
)
from stophooks.models import KIB, MIB
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.executors.docker.probe import Seen

THEME = "limits"
MEMORY_BYTES = 64 * MIB
PIDS = 16
SHM_BYTES = 16 * MIB
KILLED = 137
# cgroup v2 first, then v1 (kernel.org, admin-guide/cgroup-v2 and cgroup-v1/memory).
MEMORY = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
SWAP = (
    "cat /sys/fs/cgroup/memory.swap.max "
    "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes 2>/dev/null; echo; cat /proc/swaps"
)
# dd takes one block of memory as large as it is told.
EAT = "dd if=/dev/zero of=/dev/null bs=256M count=1"
CPUS = (
    "cat /sys/fs/cgroup/cpu.max 2>/dev/null || "
    "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"
)
PROCESSES = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null"
# Bounded: on an engine that keeps no limit these forty sleep for a moment.
STORM = "i=0; while [ $i -lt 40 ]; do sleep 2 & i=$((i+1)); done; echo all"
HALF_A_CPU = 500_000_000


def memory(seen: Seen) -> Judgement:
    """The cgroup has the limit that was asked for."""
    if not seen.words:
        return unknown("the container does not see its own cgroup")
    said = f"{' '.join(seen.words)} bytes, {MEMORY_BYTES} asked for"
    return kept(str(MEMORY_BYTES) in seen.words, f"{MEMORY_BYTES // MIB} MiB", said)


def swap(seen: Seen) -> Judgement:
    """The limit cannot be got round by swapping."""
    first, _, swaps = seen.text.partition("\n")
    if len(swaps.strip().splitlines()) <= 1:
        return holds("the machine has no swap")
    return kept(first.strip() in {"0", str(MEMORY_BYTES)}, "none", f"swap limit {first or 'none'}")


def oom_kill(seen: Seen) -> Judgement:
    """The program that takes too much is killed."""
    return kept(seen.outcome.exit_code == KILLED, "killed by SIGKILL", ended(seen.outcome))


def oom_flag(seen: Seen) -> Judgement:
    """The outcome says that memory was the reason."""
    if seen.outcome.exit_code != KILLED:
        return unknown(f"nothing was killed: {ended(seen.outcome)}")
    return kept(
        seen.outcome.oom, "told as out of memory", "killed, and the engine does not say why"
    )


def cpus(seen: Seen) -> Judgement:
    """The quota is half of the period."""
    quota, period = (*seen.words, "", "")[:2]
    if not quota or not period.isdecimal():
        return unknown("the container does not see its own cgroup")
    half = quota.isdecimal() and int(quota) * 2 == int(period)
    return kept(half, f"{quota} of {period} us", f"quota {quota} of {period} us")


def pids(seen: Seen) -> Judgement:
    """The cgroup has the limit that was asked for."""
    if not seen.words:
        return unknown("the container does not see its own cgroup")
    return kept(
        str(PIDS) in seen.words, f"{PIDS} processes", f"{' '.join(seen.words)}, {PIDS} asked for"
    )


def storm(seen: Seen) -> Judgement:
    """A program that forks too often is told no."""
    refused = b"fork" in seen.stderr.lower() or b"unavailable" in seen.stderr.lower()
    return kept(
        refused and b"all" not in seen.stdout,
        "stopped on its way to 40",
        "all 40 processes were started",
    )


def shm(seen: Seen) -> Judgement:
    """``/dev/shm`` has the size that was asked for."""
    sizes = [item for item in mount_options(seen.text, "/dev/shm") if item.startswith("size=")]  # noqa: S108 -- a container's
    wanted = f"size={SHM_BYTES // KIB}k"
    return kept(sizes == [wanted], wanted, f"{' '.join(sizes) or 'no size'}, {wanted} asked for")


def ulimits(seen: Seen) -> Judgement:
    """The shell has the limits that were asked for."""
    return kept(seen.words == ["100", "200"], "nofile 100:200", f"said {quoted(seen.stdout)}")


PROBES = (
    Probe(
        theme=THEME,
        name="memory limit",
        expects="`memory` is the limit in the container's cgroup",
        ask=asking(MEMORY, memory_bytes=MEMORY_BYTES),
        judge=memory,
    ),
    Probe(
        theme=THEME,
        name="no swap beside it",
        expects="`memory` is the limit of memory and swap together",
        ask=asking(SWAP, memory_bytes=MEMORY_BYTES),
        judge=swap,
    ),
    Probe(
        theme=THEME,
        name="out of memory",
        expects="a program that takes more than `memory` is killed",
        ask=asking(EAT, memory_bytes=MEMORY_BYTES),
        judge=oom_kill,
    ),
    Probe(
        theme=THEME,
        name="out of memory is told",
        expects="the result says that memory was exhausted",
        ask=asking(EAT, memory_bytes=MEMORY_BYTES),
        judge=oom_flag,
    ),
    Probe(
        theme=THEME,
        name="cpus",
        expects="`cpus: 0.5` is a quota of half the period",
        ask=asking(CPUS, nano_cpus=HALF_A_CPU),
        judge=cpus,
    ),
    Probe(
        theme=THEME,
        name="pids limit",
        expects="`pids_limit` is the limit in the container's cgroup",
        ask=asking(PROCESSES, pids_limit=PIDS),
        judge=pids,
    ),
    Probe(
        theme=THEME,
        name="fork storm",
        expects="a program that forks without end is stopped by `pids_limit`",
        ask=asking(STORM, pids_limit=PIDS),
        judge=storm,
    ),
    Probe(
        theme=THEME,
        name="shared memory",
        expects="`shm_size` is the size of /dev/shm",
        ask=asking("cat /proc/mounts", shm_size_bytes=SHM_BYTES),
        judge=shm,
    ),
    Probe(
        theme=THEME,
        name="ulimits",
        expects="`ulimits` are the limits of the container's processes",
        ask=asking("ulimit -Sn; ulimit -Hn", ulimits=(Ulimit(name="nofile", soft=100, hard=200),)),
        judge=ulimits,
    ),
)
