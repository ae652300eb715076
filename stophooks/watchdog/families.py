"""Which processes belong to the run's commands, and their end.

Four kinds of evidence, each of which is enough: the command's token in the environment that a
process was started with, the session of the process that the runner started, that process's pipe
as its standard output or standard error, and having been seen below the runner while that lived.
What descends from such a process belongs to it too.
"""

from __future__ import annotations

import os
import time

from stophooks.watchdog import procs

# `typing` has the same constant, and is not worth its memory here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stophooks.watchdog.procs import Proc

# The mark of a command's processes; the same name as in `stophooks.process.family`.
TOKEN = b"STOPHOOKS_COMMAND_ID="
# The mark of a watchdog: one never ends another, which has its own run to clean up.
MARK = b"STOPHOOKS_WATCHDOG="
# How long processes may take to be gone; longer means that they hang in the kernel. Seconds.
END_S = 10.0
# So many looks in a row must find nobody, so far apart (seconds).
QUIET_LOOKS = 3
LOOK_PAUSE_S = 0.02
# Who is still found after so many kills lives for a millisecond only and starts the next one. It
# is hunted: so often per look, until so many looks in a row found nobody.
STORM_KILLS = 3
HUNTS = 10
STORM_QUIET_LOOKS = 15
# Stopping all goes on so often while new ones appear.
STOP_PASSES = 4

Key = tuple[int, int]


class Families:
    """The processes of the commands that run now."""

    def __init__(self) -> None:
        self.runner: Key = (0, 0)
        self._tokens: set[bytes] = set()
        self._leaders: dict[bytes, Key] = {}
        self._pipes: dict[bytes, set[str]] = {}
        self._others: set[Key] = set()
        self._seen: set[Key] = set()
        # Those that ended while others went on, and were allowed to leave somebody.
        self._kept: set[bytes] = set()
        self._hopeless: set[Key] = set()

    def __bool__(self) -> bool:
        """Whether any command runs."""
        return bool(self._tokens)

    def begin(self, token: bytes, others: set[Key], pipes: set[int]) -> None:
        """A command is about to start, to write to ``pipes``; the runner has ``others`` anyway."""
        self._tokens.add(token)
        self._pipes[token] = {f"pipe:[{inode}]" for inode in pipes}
        self._others |= others

    def lead(self, token: bytes, leader: Key) -> None:
        """The command's first process has started; it leads a session of its own."""
        self._leaders[token] = leader

    def over(self, token: bytes, kept: Iterable[Key] = ()) -> None:
        """The command has ended; whoever it was allowed to leave is nobody's business now."""
        self._tokens.discard(token)
        self._leaders.pop(token, None)
        self._pipes.pop(token, None)
        # Of those who were seen, some may come from a command that goes on.
        self._others.update(kept)
        if kept:
            self._kept.add(token)
        if not self._tokens:
            self._seen.clear()
            self._others.clear()
            self._kept.clear()

    def look(self) -> None:
        """Remember who descends from the runner: later their parent may be dead."""
        if not procs.visible():
            return
        table = procs.scan()
        runner = table.get(self.runner[0])
        if runner is None or runner.started != self.runner[1]:
            return
        # Where orphans do not become the runner's children, they are found by what they were.
        seen = [
            pid for pid, started in self._seen if pid in table and table[pid].started == started
        ]
        found = _below(table, [runner.pid, *seen], lambda one: self._is_other(one, runner.session))
        self._seen = {one.key for one in found if one is not runner}

    def end(self) -> None:
        """End everyone for certain; returns when nobody is left, or after `END_S`."""
        if not procs.visible():
            self._end_groups()
            return
        until = time.monotonic() + END_S
        quiet = kills = 0
        needed = QUIET_LOOKS
        while self._tokens and quiet < needed and time.monotonic() < until:
            found = self._kill_once()
            kills += found
            if kills > STORM_KILLS:
                needed = STORM_QUIET_LOOKS
                found = sum(self._hunt() for _ in range(HUNTS)) > 0 or found
            quiet = 0 if found else quiet + 1
            time.sleep(LOOK_PAUSE_S)

    def members(self) -> list[Proc]:
        """Those of the commands who can still run code and may be signalled."""
        table = procs.scan()
        roots = [one.pid for one in table.values() if self._is_root(one, table)]
        found = _below(table, roots, lambda one: one.key in self._others)
        return [
            one
            for one in found
            if one.alive
            and one.key not in self._hopeless
            and one.key != self.runner
            and not any(map(self._is_spared, procs.variables(one.pid)))
        ]

    def _is_other(self, one: Proc, session: int) -> bool:
        """Whether it is below the runner without being a command's.

        A process can leave its session but never join the runner's.
        """
        return one.key in self._others or (one.session == session and one.key != self.runner)

    def _is_root(self, one: Proc, table: dict[int, Proc]) -> bool:
        if one.pid in {1, os.getpid()}:
            return False
        if one.key in self._seen:
            return True
        for pid, started in self._leaders.values():
            # With the leader's number in other hands the session is another one too.
            leader = table.get(pid)
            if one.session == pid and (leader is None or leader.started == started):
                return True
        if any(map(self._is_marked, procs.variables(one.pid))):
            return True
        outputs = procs.outputs(one.pid)
        return any(outputs & pipes for pipes in self._pipes.values())

    def _is_marked(self, variable: bytes) -> bool:
        if not variable.startswith(TOKEN):
            return False
        return _bears(variable.removeprefix(TOKEN), self._tokens)

    def _is_spared(self, variable: bytes) -> bool:
        if variable.startswith(TOKEN):
            return _bears(variable.removeprefix(TOKEN), self._kept)
        return _is_watchdogs(variable)

    def _kill_once(self) -> bool:
        """Stop everyone, then kill everyone; whether there was anybody."""
        import signal  # noqa: PLC0415 - imported when something is to be ended: it costs 1 MB

        stopped: set[Key] = set()
        for _ in range(STOP_PASSES):
            members = self.members()
            fresh = [one for one in members if one.key not in stopped]
            if not fresh:
                break
            # A group that one of them founded is nobody else's.
            founders = {one.pid for one in members} | {pid for pid, _ in self._leaders.values()}
            for group in founders & {one.group for one in fresh}:
                procs.send_group(group, signal.SIGKILL)
            for one in fresh:
                self._send(one.key, signal.SIGSTOP)
                stopped.add(one.key)
        self._seen |= stopped
        for key in stopped:
            self._send(key, signal.SIGKILL)
        return bool(stopped)

    def _hunt(self) -> bool:
        """Kill each marked process in the moment it is seen, newest first; whether one was."""
        found = False
        for pid in procs.numbers():
            values = procs.variables(pid)
            if any(map(self._is_marked, values)) and not any(map(_is_watchdogs, values)):
                one = procs.read(pid)
                if one is not None and one.alive and one.key not in self._hopeless:
                    self._send(one.key, 9)
                    found = True
        return found

    def _send(self, key: Key, number: int) -> None:
        if not procs.send(*key, number):
            self._hopeless.add(key)

    def _end_groups(self) -> None:
        """All that can be done without ``/proc``: the groups of the leaders that still lead one."""
        import signal  # noqa: PLC0415 - as above

        for pid, _ in self._leaders.values():
            try:
                if os.getsid(pid) == pid:
                    os.killpg(pid, signal.SIGKILL)
            except OSError:
                continue


def _bears(value: bytes, tokens: set[bytes]) -> bool:
    """Whether it is one of the tokens, or that of a command inside one of those commands."""
    return any(value == token or value.startswith(token + b".") for token in tokens)


def _is_watchdogs(variable: bytes) -> bool:
    return variable.startswith(MARK)


def _below(table: dict[int, Proc], roots: list[int], never: Callable[[Proc], bool]) -> list[Proc]:
    """The roots and everything below them, without those that ``never`` names and theirs."""
    children: dict[int, list[int]] = {}
    for one in table.values():
        children.setdefault(one.parent, []).append(one.pid)
    found: dict[int, Proc] = {}
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid in found or never(table[pid]):
            continue
        found[pid] = table[pid]
        waiting += children.get(pid, ())
    return list(found.values())
