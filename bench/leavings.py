"""What programs leave behind: processes by mark or place, containers by their mounts."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from bench import engine
from bench.scratch import MARK

_PAUSE_S = 0.05
_END_S = 5.0


def processes(token: str, root: str) -> list[int]:
    """Every living process that carries the token or works below ``root``; by ``/proc``."""
    mark = f"{MARK}={token}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and _belongs(pid, mark, root)]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _belongs(pid: int, mark: bytes, root: str) -> bool:
    """What has ended meanwhile, or is another user's, is nobody's; so is a zombie."""
    place = Path("/proc", str(pid))
    try:
        if (place / "stat").read_bytes().rpartition(b")")[2].split()[0] in b"ZX":
            return False
        if mark in (place / "environ").read_bytes().split(b"\0"):
            return True
        cwd = os.readlink(place / "cwd")
    except OSError:
        return False
    return cwd == root or cwd.startswith(root + "/")


def called(pids: list[int], *words: str) -> list[int]:
    """Those of some processes that were started with these words."""
    return [pid for pid in pids if _words(pid) == [*words]]


def _words(pid: int) -> list[str]:
    try:
        told = Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return []
    return told.decode(errors="replace").split("\0")[:-1]


def settled(token: str, root: str, patience_s: float) -> list[int]:
    """Wait until nothing is left, and return the processes that are there even then."""
    deadline = time.monotonic() + patience_s
    while (found := processes(token, root)) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
    return found


def kill(pids: list[int]) -> None:
    """End processes at once."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end(token: str, root: str, *, patience_s: float = _END_S) -> None:
    """End and remove all that is left of a whole run: nothing stays on the machine.

    What ends by itself within ``patience_s`` may do so.
    """
    kill(settled(token, root, patience_s))
    settled(token, root, patience_s)
    if not engine.answers():
        return
    for name in os.listdir(root):
        engine.remove(engine.of(os.path.join(root, name)))
