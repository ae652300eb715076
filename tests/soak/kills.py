"""Kill runs at random moments of their whole life, and count what is left of them.

    python -m tests.soak.kills [COUNT] [SEED]

Each run has a command on the host, with daemons of several kinds, and one in a container. It is
killed alone, with its process group or with all its descendants. Left is what is still there
3 seconds later; it is told, and ended, and the exit code is 1.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

import docker
import psutil

from stophooks.process import table
from stophooks.process.family import TOKEN as COMMAND
from stophooks.process.family import WATCHDOG
from stophooks.values import dataclass, field
from tests.program import TOKEN, Stophooks

IMAGE = "stophooks-test/busybox:1"
PATIENCE_S = 3.0
# The watchdog itself may look for a container that is still to appear; seconds.
WATCHDOG_S = 15.0
CONFIG = f"""
stop:
  commands:
    - name: host
      run: |
        sleep 60 &
        (setsid sh -c '(sleep 61 &)' &)
        (setsid sh -c 'trap "" TERM INT HUP; sleep 62; :' &)
        (env -i /usr/bin/setsid /bin/sleep 63 &)
        sleep 0.5
    - name: container
      image: {IMAGE}
      network: none
      run: sleep 0.4
"""


@dataclass(slots=True)
class Tally:
    """What was found so far."""

    kills: int = 0
    ended_before: int = 0
    with_container: int = 0
    left: Counter[str] = field(default_factory=Counter)
    slowest_s: Counter[str] = field(default_factory=Counter)


class Place:
    """One project, and everything that can be told to come from it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "project"
        for name in ("project", "home", "state"):
            (directory / name).mkdir()
        (self.directory / "stophooks.yaml").write_text(CONFIG)
        self.token = uuid.uuid4().hex
        self.program = Stophooks(
            home=directory / "home", state=directory / "state", token=self.token
        )
        self.engine = docker.from_env()

    def begin(self) -> subprocess.Popen[bytes]:
        """Start a run."""
        return subprocess.Popen(
            [sys.executable, "-m", "stophooks", "run"],
            cwd=self.directory,
            env=self.program.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def life_s(self) -> float:
        """How long a whole run takes now, in seconds."""
        began = time.monotonic()
        self.begin().wait()
        return time.monotonic() - began

    def containers(self) -> set[str]:
        """Its containers, running or not."""
        return {
            f"container {one['Names'][0]}"
            for one in self.engine.api.containers(all=True)
            if any(item.get("Source") == str(self.directory) for item in one.get("Mounts", []))
        }

    def processes(self) -> dict[str, int]:
        """Its processes, by what they are."""
        found = {}
        for entry in table.scan_proc().values():
            if not entry.alive:
                continue
            try:
                values = psutil.Process(entry.pid).environ()
                is_here = psutil.Process(entry.pid).cwd() == str(self.directory)
            except (psutil.Error, OSError):
                continue
            if values.get(TOKEN) != self.token and not is_here:
                continue
            kind = "watchdog" if WATCHDOG in values else "marked"
            if kind == "marked" and COMMAND not in values:
                kind = "unmarked"
            found[f"{kind} {entry}"] = entry.pid
        return found


def kill(process: subprocess.Popen[bytes], how: str) -> None:
    """SIGKILL the runner, alone or in company."""
    if how == "alone":
        process.kill()
    elif how == "group":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        runner = psutil.Process(process.pid)
        for one in [*runner.children(recursive=True)[::-1], runner]:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
    process.wait()


def look(place: Place, tally: Tally, what: str) -> None:
    """Wait until nothing is left; count and end what is."""
    began = time.monotonic()
    waiting = {"process", "container", "watchdog"}
    while waiting:
        took_s = time.monotonic() - began
        processes = place.processes()
        there = {
            "process": {one for one in processes if not one.startswith("watchdog")},
            "watchdog": {one for one in processes if one.startswith("watchdog")},
            "container": place.containers(),
        }
        for kind in sorted(waiting):
            limit_s = WATCHDOG_S if kind == "watchdog" else PATIENCE_S
            if not there[kind]:
                tally.slowest_s[kind] = max(tally.slowest_s[kind], round(took_s * 1000))
                waiting.discard(kind)
            elif took_s > limit_s:
                print(f"LEFT after {what}: {sorted(there[kind])}", flush=True)
                tally.left[kind] += 1
                waiting.discard(kind)
                for one in there[kind] & set(processes):
                    os.kill(processes[one], signal.SIGKILL)
        time.sleep(0.01)


def main(count: int, seed: int) -> int:
    """Kill ``count`` runs; 1 when anything was left of any."""
    chance = random.Random(seed)
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(os.path.realpath(name)))
        life_s = min(place.life_s() for _ in range(3))
        print(f"a whole run takes {life_s:.2f} s; seed {seed}", flush=True)
        while tally.kills < count:
            how = chance.choice(["alone", "group", "tree"])
            after_s = chance.uniform(0, life_s * 1.05)
            process = place.begin()
            try:
                process.wait(after_s)
                tally.ended_before += 1
            except subprocess.TimeoutExpired:
                tally.with_container += bool(place.containers())
                kill(process, how)
            tally.kills += 1
            look(place, tally, f"{how} at {after_s:.3f} s")
            if tally.kills % 50 == 0:
                print(tally, flush=True)
    print(tally)
    return 1 if tally.left else 0


if __name__ == "__main__":
    sys.exit(main(*(int(text) for text in (sys.argv[1:] + ["1000", "1"][len(sys.argv) - 1 :]))))
