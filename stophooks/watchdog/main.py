"""The watchdog's own process: waits for the end of the run, or of the agent behind it.

It is told what exists by lines on its standard input, whose other end only the runner holds. The
end of that input without ``bye`` means that the runner died: then everything it named is ended.
"""

from __future__ import annotations

import os
import select
import time

from stophooks.watchdog import procs
from stophooks.watchdog.containers import Container, remove_apart
from stophooks.watchdog.families import Families, Key

# After the agent's end a run is asked to end, and killed so much later: a command of it has 2 s
# to clean up. Seconds.
ASKED_S = 3.0
# Descendants are looked at so often at least and at most (seconds), and with so much of one
# processor as the share says.
LOOK_S, LOOK_AT_MOST_S, LOOK_SHARE = 0.5, 0.05, 0.03
# Nobody hands down more open files; the system's own limit can be none at all.
MOST_FILES = 65536
# Where a process's end cannot be waited for, it is asked after so often; seconds.
ASK_AFTER_S = 0.5


class Watchdog:
    """What is known of one run.

    Args:
        control: The descriptor that the runner's lines come from.
    """

    def __init__(self, control: int) -> None:
        self.families = Families()
        self.containers: dict[bytes, Container] = {}
        self._leaks_dir = ""
        self._control = control
        self._rest = b""
        self._has_read = False
        self._is_over = False
        self._agents: dict[Key, int | None] = {}
        self._kill_at: float | None = None
        self._look_at = 0.0

    def watch(self) -> None:
        """Come back when the run is over and nothing of it is left."""
        while not self._is_over:
            poll = select.poll()
            poll.register(self._control, select.POLLIN)
            for descriptor in self._agents.values():
                if descriptor is not None:
                    poll.register(descriptor, select.POLLIN)
            ready = {found for found, _ in poll.poll(self._timeout_ms())}
            if self._control in ready and not self._read():
                self._clean_up()
                return
            self._pass_time(ready)
        _wait(self._remove(self._orphaned()))

    def _timeout_ms(self) -> int | None:
        due = [self._kill_at] if self._kill_at is not None else []
        if self.families:
            due.append(self._look_at)
        if None in self._agents.values():
            due.append(time.monotonic() + ASK_AFTER_S)
        return max(0, int((min(due) - time.monotonic()) * 1000) + 1) if due else None

    def _read(self) -> bool:
        """Take the runner's lines; False at their end."""
        data = os.read(self._control, 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            word, *fields = line.split(b" ")
            getattr(self, f"_hear_{word.decode()}")(*fields)
        self._has_read = True
        return bool(data)

    def _hear_runner(self, pid: bytes, started: bytes) -> None:
        self.families.runner = (int(pid), int(started))

    def _hear_leaks(self, folder: bytes) -> None:
        self._leaks_dir = os.fsdecode(_unhex(folder))

    def _hear_agent(self, pid: bytes, started: bytes) -> None:
        key = int(pid), int(started)
        self._agents[key] = procs.handle(*key)

    def _hear_container(
        self, name: bytes, url: bytes, tls_dir: bytes, verify: bytes, *owner: bytes
    ) -> None:
        place, folder = os.fsdecode(_unhex(url)), os.fsdecode(_unhex(tls_dir))
        self.containers[name] = Container(
            name.decode(),
            place,
            folder,
            verify=verify == b"1",
            owner=(int(owner[0]), int(owner[1])) if owner else None,
        )

    def _hear_removed(self, name: bytes) -> None:
        self.containers.pop(name, None)

    def _hear_family(self, token: bytes, pipes: bytes, *others: bytes) -> None:
        inodes = {int(inode) for inode in pipes.split(b",") if inode}
        self.families.begin(_unhex(token), _keys(others), inodes)
        # What was said before this process was up has been going on for a while.
        self._look_at = time.monotonic() + (LOOK_AT_MOST_S if self._has_read else 0)

    def _hear_leader(self, token: bytes, pid: bytes, started: bytes) -> None:
        self.families.lead(_unhex(token), (int(pid), int(started)))

    def _hear_ended(self, token: bytes, *kept: bytes) -> None:
        self.families.over(_unhex(token), _keys(kept))

    def _hear_bye(self) -> None:
        self._is_over = True

    def _pass_time(self, ready: set[int]) -> None:
        now = time.monotonic()
        if self.families and now >= self._look_at:
            self.families.look()
            took = time.monotonic() - now
            self._look_at = now + min(LOOK_S, max(LOOK_AT_MOST_S, took / LOOK_SHARE))
        for key, descriptor in list(self._agents.items()):
            if descriptor in ready or (descriptor is None and not procs.is_there(*key)):
                self._end_runner(now)
        if self._kill_at is not None and now >= self._kill_at:
            procs.send(*self.families.runner, 9)
            self._kill_at = None

    def _end_runner(self, now: float) -> None:
        """Ask the run to end, since nobody waits for its answer."""
        import signal  # noqa: PLC0415 - imported when something is to be ended: it costs 1 MB

        for number in (signal.SIGTERM, signal.SIGCONT):
            procs.send(*self.families.runner, number)
        for descriptor in self._agents.values():
            if descriptor is not None:
                os.close(descriptor)
        self._agents.clear()
        self._kill_at = now + ASKED_S

    def _clean_up(self) -> None:
        removals = self._remove([one for one in self.containers.values() if one.owner is None])
        self.families.end()
        _wait(removals + self._remove(self._orphaned()))

    def _remove(self, containers: list[Container]) -> list[int]:
        return remove_apart(containers, self._leaks_dir)

    def _orphaned(self) -> list[Container]:
        """The containers of runs inside this one that are dead, their watchdogs maybe too."""
        return [
            one
            for one in self.containers.values()
            if one.owner is not None and not procs.is_there(*one.owner)
        ]


def _wait(removals: list[int]) -> None:
    for pid in removals:
        os.waitpid(pid, 0)


def _keys(named: tuple[bytes, ...]) -> set[Key]:
    return {(int(pid), int(started)) for pid, started in (one.split(b":") for one in named)}


def _unhex(text: bytes) -> bytes:
    return bytes.fromhex(text.decode())


def main() -> None:
    """Watch over the run whose lines come on standard input."""
    os.chdir("/")  # noqa: TID251 - its own process: no directory is kept from being unmounted
    # What the agent handed down is not to be held open: somebody may wait for its end.
    os.closerange(3, MOST_FILES)
    if os.getsid(0) != os.getpid():
        os.setsid()
    Watchdog(0).watch()
