"""A real supervisord in a directory of its own, and what a test asks and tells it."""

from __future__ import annotations

import os
import socket
import subprocess
import textwrap
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import psutil

from stophooks.lifecycles.services.supervisord import SupervisordEngine
from stophooks.process import Never
from stophooks.values import dataclass, field
from tests.program import TOKEN
from tests.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stophooks.lifecycles.services.base import Change, LogLine, Service, State

# Every program may stay alive for long: the one who started it ends it.
HEAD = """
[unix_http_server]
file = %(here)s/s.sock

[supervisord]
logfile = %(here)s/supervisord.log
pidfile = %(here)s/supervisord.pid
childlogdir = %(here)s/children
{more}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://%(here)s/s.sock
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised:
    """A project with a supervisord.conf; whatever runs of it, `end` ends."""

    directory: Path
    state: Path
    token: str
    name: str = "supervisord.conf"

    @property
    def file(self) -> Path:
        return self.directory / self.name

    def write(self, programs: str, more: str = "") -> None:
        (self.directory / "children").mkdir(exist_ok=True)
        self.file.write_text(HEAD.format(more=more) + textwrap.dedent(programs))

    def environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.directory), TOKEN: self.token}

    def engine(self) -> SupervisordEngine:
        return SupervisordEngine(str(self.file), environ=self.environ(), state_dir=str(self.state))

    def launch(self) -> None:
        """Start supervisord as somebody else would."""
        subprocess.run(
            ["supervisord", "-c", self.file], env=self.environ(), cwd=self.directory, check=True
        )

    def ctl(self, *args: str) -> str:
        done = subprocess.run(
            ["supervisorctl", "-c", self.file, *args],
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def pid(self, name: str) -> int:
        return int(self.ctl("pid", name))

    def of(self, name: str) -> Service:
        return next(one for one in self.engine().services() if one.name == name)

    def states(self) -> dict[str, State]:
        return {one.name: one.state for one in self.engine().services()}

    def start(self, *names: str) -> None:
        self.engine().start(names, cancel=Never())

    def stop(self, *names: str) -> None:
        self.engine().stop(names, cancel=Never())

    def end(self) -> None:
        """End everything that bears this test's mark: supervisord first."""
        for name in ("supervisord", ""):
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    if process.environ().get(TOKEN) == self.token and name in " ".join(
                        process.cmdline()
                    ):
                        process.kill()
        wait_until(lambda: not self.runs())

    def runs(self) -> bool:
        """Whether somebody answers at the socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(f"{self.directory}/s.sock") == 0


class CancelledStop:
    """A stop that somebody requests."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self.grace_s = 0.0

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        self._event.set()
        for listener in list(self._listeners):
            listener()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        if self.requested:
            listener()
        return lambda: self._listeners.remove(listener)


@dataclass(slots=True, kw_only=True)
class Watch:
    """Everything that an engine tells while the block lasts; at its begin it has begun."""

    engine: SupervisordEngine
    told: list[Change | str] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    follows: Sequence[str] | None = None
    _cancel: CancelledStop = field(default_factory=CancelledStop)
    _thread: threading.Thread | None = None
    _begun: bool = False

    def __enter__(self) -> Self:
        target = self._changes if self.follows is None else self._logs
        self._thread = threading.Thread(target=target)
        self._thread.start()
        wait_until(lambda: self._begun or self.follows is not None)
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel.request()
        assert self._thread is not None
        self._thread.join(20)

    def _changes(self) -> None:
        changes = self.engine.changes(self._cancel)
        self._begun = bool(next(changes))
        self.told.extend(changes)

    def _logs(self) -> None:
        self.engine.logs(
            self.follows or (), follow=True, write=self.lines.append, cancel=self._cancel
        )

    @property
    def changes(self) -> list[Change]:
        return [one for one in self.told if not isinstance(one, str)]

    def short(self) -> list[str]:
        """Each transition in few words."""
        return [_short(one) for one in self.changes]

    def until(self, count: int) -> None:
        wait_until(lambda: len(self.changes) >= count)

    def settle(self, for_s: float = 0.6) -> None:
        """Let pass two looks or more: what is told twice is told by then."""
        time.sleep(for_s)


def _short(one: Change) -> str:
    words = [one.service, str(one.kind)]
    words += ["asked"] if one.asked else []
    words += ["automatic"] if one.automatic else []
    words += [str(one.exit_code)] if one.exit_code is not None else []
    return " ".join(words)
