"""Everything that one command started, and the only way to signal it.

On Linux this process is a *subreaper*: whatever a command leaves behind, in whatever session,
becomes a child of this process when its parent ends, so a family is always complete. Elsewhere a
family is what descends from the command or is still in its session: a process that made a session
of its own *and* lost its parent is not seen there. Whose an orphan is, where several commands run,
`stophooks.process.company` says.
"""

from __future__ import annotations

import os
import sys
import time

from stophooks.contexts import suppress
from stophooks.process import table, tag
from stophooks.process.company import Company
from stophooks.process.signalling import send
from stophooks.signum import signal
from stophooks.typed import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from stophooks.process.table import Entry

T = TypeVar("T")

# The variable that marks every process of a command; its value differs for each command.
TOKEN = "STOPHOOKS_COMMAND_ID"  # noqa: S105 - a variable's name
# The variable that marks a watchdog (`stophooks.watchdog`): started by this program, or by one of
# its kind that is a command here, it has a run to clean up and is nobody's to end.
WATCHDOG = "STOPHOOKS_WATCHDOG"
# The variable that tells a command which watchdogs the runs around it have.
GUARDS = "STOPHOOKS_GUARDS"
# How long killed processes may take to vanish; longer means they hang in the kernel. Seconds.
KILL_S = 1.0
# The same while new processes still turn up: a command that forks faster than it can be counted.
STORM_S = 5.0
# A family that still has new members after so many passes moves on faster than a whole table is
# read: it is hunted.
_FREEZE_PASSES = 3
# Looks at this process's children that must find nothing new before a family counts as gone.
_QUIET_PASSES = 2
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h

# Processes by number and start, and whether they were alive.
_Known = set[tuple[int, int, bool]]

_company: Company[Family] = Company()
_reaper: bool | None = None
# What has to be done before this process becomes one.
_before: list[Callable[[], None]] = []


def become_reaper() -> bool:
    """Whether orphans of our commands become our own children from now on."""
    global _reaper  # noqa: PLW0603 - a property of the process, asked for once
    if _reaper is None:
        for finish in _before:
            finish()
        _before.clear()
        _reaper = sys.platform == "linux" and table.own_proc() and _set_subreaper(on=True)
    return _reaper


def before_orphans(finish: Callable[[], None]) -> bool:
    """Have this called before this process takes orphans in; False where it does so already."""
    if _reaper is not None:
        return False
    _before.append(finish)
    return True


def without_orphans(start: Callable[[], T]) -> T:
    """What ``start`` gives; whoever is orphaned meanwhile is no child of this process.

    A process that is none of a command's is not to be told from theirs later on: that takes a look
    at every child, where without one a system call says that there is none. While commands run
    orphans are taken in all the same, as one of theirs may be among them.
    """
    if not _reaper:
        return start()
    return _company.undisturbed(lambda alone: _apart(start) if alone else start())


def _apart(start: Callable[[], T]) -> T:
    _set_subreaper(on=False)
    try:
        return start()
    finally:
        _set_subreaper(on=True)


def _set_subreaper(*, on: bool) -> bool:
    arguments = (_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0)
    try:
        # What `ctypes` calls in the end; its own import takes longer than most commands.
        from _ctypes import call_function, dlopen, dlsym  # noqa: PLC0415 - only for host commands

        everything: Any = None
        return bool(call_function(dlsym(dlopen(everything, 0), "prctl"), arguments) == 0)
    except (ImportError, TypeError):
        return _set_by_ctypes(arguments)
    except OSError:
        return False


def _set_by_ctypes(arguments: tuple[int, ...]) -> bool:
    """The same where CPython has changed what is below `ctypes`."""
    import ctypes  # noqa: PLC0415 - as above

    try:
        return bool(ctypes.CDLL(None).prctl(*arguments) == 0)
    except (OSError, AttributeError):
        return False


def childless() -> bool:
    """Whether this process has no child at all, not even a zombie; one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    except AttributeError:  # macOS before Python 3.13
        return False
    return False


def children() -> frozenset[Entry]:
    """The children of this process now."""
    if childless():
        return frozenset()
    return frozenset(table.own_children())


class Family:
    """One command's processes: the leader that is started and all that comes from it.

    It is there before its leader, so that nobody takes that one for an orphan.

    Args:
        token: The value of `TOKEN` in the leader's environment.
        tagged: Whether it is to have a tag even if no other command runs now.
    """

    def __init__(self, token: str, *, tagged: bool = False) -> None:
        self.leader = 0
        self.running = False
        self.token = token.encode()
        self.tag: int | None = None
        self.others = _company.join(self, children)
        if tagged or _company.several:
            # Where there is none to be had, the other signs have to do.
            self.tag = tag.new()
        self._others = frozenset((entry.pid, entry.started) for entry in self.others)

    def lead(self, leader: int) -> None:
        """Take note of the process that was started; it leads its own session."""
        self.leader = leader
        self.running = True
        _company.lead(self)

    def leader_ended(self) -> None:
        """Take note that the leader was waited for: its number may mean another process now."""
        self.running = False
        _company.lead_no_more(self)

    def keep(self) -> list[Entry]:
        """Let what is left be, from now on and whoever runs; returns whom."""
        left = self.members()
        _company.keep(self, left)
        return left

    def close(self) -> bool:
        """Give up what is left: another command's family may claim it; whether nothing was.

        The last of several ends what is nobody's, as it may have come from any of them.
        """
        self.reap()
        gone = self.gone()
        looked = 0
        while not _company.leave(self, looked):
            looked = _company.founded
            gone = self.gone() or not self.kill()
            self.reap()
        self.leader_ended()
        return gone

    def members(self) -> list[Entry]:
        """Those who can still run code."""
        found = table.descend(table.scan(), roots=self._is_root, never=self._is_stranger)
        return [entry for entry in found if entry.alive]

    def gone(self) -> bool:
        """Whether the leader and everything it started have ended."""
        if self.running:
            return False
        if _reaper and childless():
            return True
        known: _Known = set()
        if any(entry.alive for entry in self._given(known)):
            return False
        # Of a family whose leader has ended, whoever is left has an orphan above it.
        if not (_reaper and not known and _company.several) and self.members():
            return False
        return not self._given(known)

    def send(self, number: int) -> list[Entry]:
        """Signal everyone once and return whom; one who is held is let go to hear it."""
        members = self.members()
        for entry in members:
            send(entry, number)
            if entry.stopped:
                send(entry, signal.SIGCONT)
        self._send_group(number)
        return members

    def kill(self) -> list[Entry]:
        """End everyone for certain and return those who could not be ended.

        Takes milliseconds; at most `KILL_S` when the kernel holds one, and `STORM_S` while new
        ones appear.
        """
        began = time.monotonic()
        known: set[tuple[int, int]] = set()
        pause = 0.001
        while True:
            fresh = self._freeze(known, until=began + STORM_S)
            for entry in self.members():
                send(entry, signal.SIGKILL)
            self._send_group(signal.SIGKILL)
            self.reap()
            left = self.members()
            if not left:
                if self._hunt(began + STORM_S):
                    return []
                fresh = True
            if time.monotonic() - began > (STORM_S if fresh else KILL_S):
                return left
            time.sleep(pause)
            pause = min(pause * 2, 0.02)

    def reap(self) -> None:
        """Wait for ended orphans, so that they do not stay as zombies."""
        while _reaper:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            if not self._reap(table.current(ended.si_pid)):
                # Somebody else's, and the system would go on naming it first.
                for entry in table.own_children(besides=_company.leaders):
                    self._reap(entry)
                return

    def _reap(self, entry: Entry | None) -> bool:
        """Wait for one process if it is an ended orphan of this family."""
        if entry is None or entry.alive or entry.parent != os.getpid():
            return False
        if entry.pid == self.leader or not self._is_root(entry):
            return False
        with suppress(ChildProcessError):  # another thread has waited for it
            os.waitpid(entry.pid, os.WNOHANG)
        return True

    def _freeze(self, known: set[tuple[int, int]], *, until: float) -> bool:
        """Stop everyone, so that nobody can fork while the others are killed.

        Returns whether somebody was there who was not ``known`` yet.
        """
        passes = 0
        while time.monotonic() < until:
            fresh = [entry for entry in self.members() if (entry.pid, entry.started) not in known]
            if not fresh:
                break
            passes += 1
            for entry in fresh:
                send(entry, signal.SIGSTOP)
                known.add((entry.pid, entry.started))
            if passes > _FREEZE_PASSES:
                self._hunt(until)
        return passes > 0

    def _hunt(self, until: float) -> bool:
        """Kill each orphan in the moment this process is given it; whether none came any more.

        For a process that lives for a millisecond only, and starts the next one: it is never seen
        by reading a whole table, but whatever it leaves, alive or ended, is a child of this one.
        """
        known: _Known = set()
        came = False
        quiet = 0
        while quiet < _QUIET_PASSES and time.monotonic() < until:
            given = self._given(known)
            for entry in given:
                send(entry, signal.SIGKILL)
            came = came or any(entry.alive for entry in given)
            quiet = 0 if given else quiet + 1
        return not came

    def _given(self, known: _Known) -> list[Entry]:
        """The orphans that are this process's children now, but those that are ``known`` already.

        One that has ended is waited for, and is another than when it was alive.
        """
        given = []
        for entry in table.own_children(besides=_company.leaders) if _reaper else ():
            key = (entry.pid, entry.started, entry.alive)
            if key in known or entry.pid == self.leader or self._is_stranger(entry):
                continue
            if entry.alive and not self._claims(entry):
                continue
            known.add(key)
            given.append(entry)
            self._reap(entry)
        return given

    def _send_group(self, number: int) -> None:
        """Signal the leader's group where single processes cannot be seen."""
        if self.running and table.current(os.getpid()) is None:
            try:
                os.killpg(self.leader, number)
            except (ProcessLookupError, PermissionError):
                return

    def _is_stranger(self, entry: Entry) -> bool:
        """Whether it cannot be this command's.

        A process can leave its session but never join ours, so whoever is in ours was started
        by this program for itself.
        """
        if entry.session == os.getsid(0) or (entry.pid, entry.started) in self._others:
            return True
        return entry.pid != self.leader and entry.pid in _company.leaders

    def _is_root(self, entry: Entry) -> bool:
        if entry.pid == self.leader:
            return self.running
        if entry.parent == os.getpid():
            return not self._is_stranger(entry) and self._claims(entry)
        return not _reaper and entry.session == self.leader

    def _claims(self, orphan: Entry) -> bool:
        """Whether a child that this process was given comes from this command."""
        if table.variable_of(orphan.pid, WATCHDOG.encode()) is not None:
            return False
        token = table.variable_of(orphan.pid, TOKEN.encode()) or b""
        return _company.is_of(self, orphan, token=token, origin=tag.of(orphan.pid))
