"""Run a section many times in one process, and hold what it uses against what it used at first.

    python -m tests.soak.runs [COUNT]

Each run has a command on the host that leaves a child behind, one in a container, one that fails
and one that times out. The exit code is 1 when file descriptors, threads or children are more
than after the first runs, memory has grown by more than `MOST_GROWTH_BYTES`, or anything of the
runs is left on the machine.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import docker
import psutil

from stophooks import config
from stophooks.executors.base import Cancellation
from stophooks.invocation.section import SectionRun
from stophooks.models import Status
from stophooks.values import dataclass

IMAGE = "stophooks-test/busybox:1"
# So many runs come before what counts as the beginning: caches fill, libraries are imported.
WARM_UP = 50
SETTLE_S = 5.0
MOST_GROWTH_BYTES = 4 * 1024 * 1024
CONFIG = f"""
stop:
  commands:
    - {{name: host, run: 'echo out; sleep 60 & exit 0'}}
    - {{name: container, image: '{IMAGE}', network: none, run: echo out}}
    - {{name: fails, run: 'head -c 100000 /dev/zero; exit 3'}}
    - {{name: slow, run: sleep 60, timeout: 0.1s}}
"""
EXPECTED = [Status.PASSED, Status.PASSED, Status.FAILED, Status.TIMED_OUT]


@dataclass(frozen=True, slots=True)
class Used:
    """What this process has at one moment."""

    descriptors: int
    threads: int
    children: int
    bytes: int


def used() -> Used:
    """Look now, when nothing of the last run is about to end."""
    gc.collect()
    deadline = time.monotonic() + SETTLE_S
    while _children() and time.monotonic() < deadline:
        time.sleep(0.05)
    return Used(
        descriptors=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
        children=len(_children()),
        bytes=psutil.Process().memory_info().rss,
    )


def _children() -> list[psutil.Process]:
    """Those that can still run; an ended watchdog is waited for by the next run."""
    children = psutil.Process().children(recursive=True)
    return [one for one in children if one.status() != psutil.STATUS_ZOMBIE]


def main(count: int) -> int:
    """Run it ``count`` times; 1 when something grew or is left."""
    engine = docker.from_env()
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_STATE_HOME"] = f"{place}/state"
        path = Path(place, "stophooks.yaml")
        path.write_text(CONFIG)
        plan = config.load(str(path), environ={}).plan
        assert plan is not None
        section = plan.section("stop")
        assert section is not None
        first = used()
        for number in range(1, count + 1):
            running = SectionRun(section, plan)
            report = running.report(cancel=Cancellation())
            assert [one.outcome.status for one in report.results] == EXPECTED, report
            if number % 100 == 0:
                running.tidy()
                print(number, used(), flush=True)
            if number == WARM_UP:
                first = used()
                print("baseline", first, flush=True)
        last = used()
        left = [one.name for one in engine.containers.list(all=True) if place in str(one.attrs)]
    engine.close()
    print("at the end", last, "containers left", left)
    grown = last.bytes - first.bytes
    same = (last.descriptors, last.threads, last.children) == (
        first.descriptors,
        first.threads,
        first.children,
    )
    return 0 if same and grown < MOST_GROWTH_BYTES and not left else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
