"""The programs of a supervisord.conf.

supervisord is asked over its XML-RPC. It has no events for those who are not in its file, so its
log and its processes are looked at, four times a second.
"""

from __future__ import annotations

import os

from stophooks.contexts import suppress
from stophooks.lifecycles.services.base import (
    Service,
    ServicesUnavailableError,
    State,
)
from stophooks.lifecycles.services.supervisordchanges import ProcessState, Transitions
from stophooks.lifecycles.services.supervisordcontrol import Control
from stophooks.lifecycles.services.supervisordfile import Described, read
from stophooks.lifecycles.services.supervisordlog import MOST_BYTES, USUAL_BYTES, Log
from stophooks.lifecycles.services.supervisordrpc import AwayError, Info, Rpc
from stophooks.lifecycles.services.supervisordtail import Tail
from stophooks.lifecycles.services.waiting import pause
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stophooks.lifecycles.services.base import Change, LogLine
    from stophooks.lifecycles.services.supervisordfile import Program
    from stophooks.process import Stop

# How often supervisord is looked at. Seconds.
LOOK_S = 0.25
# How often a supervisord that does not answer is tried at last. Seconds.
LAST_TRY_S = 5.0
_STATES = {
    ProcessState.STARTING: State.STARTING,
    ProcessState.RUNNING: State.RUNNING,
    ProcessState.BACKOFF: State.RESTARTING,
    ProcessState.STOPPING: State.STOPPING,
    ProcessState.STOPPED: State.STOPPED,
    ProcessState.EXITED: State.EXITED,
    ProcessState.FATAL: State.FAILED,
    ProcessState.UNKNOWN: State.UNKNOWN,
}
# The first that one of a service's processes is in counts for the service.
_ORDER = tuple(_STATES)
_HEALTH = {
    ProcessState.STARTING: "starting",
    ProcessState.RUNNING: "healthy",
    ProcessState.BACKOFF: "unhealthy",
    ProcessState.FATAL: "unhealthy",
}


class SupervisordEngine:
    """One supervisord and its programs.

    Args:
        file: Its configuration, absolute.
        environ: The caller's environment, also that of a supervisord that is started here.
        state_dir: Where it is remembered that supervisord was started here.

    Raises:
        ServicesUnavailableError: The file cannot be read, or names no socket.
    """

    name = "supervisord"

    def __init__(self, file: str, *, environ: Mapping[str, str], state_dir: str) -> None:
        self.file = file
        self._environ = dict(environ)
        described = self._read()
        if described.address is None:
            raise ServicesUnavailableError(
                f"{file} does not say where supervisord answers. Add a section "
                "[unix_http_server] with file=…, and [rpcinterface:supervisor], to it."
            )
        self._rpc = Rpc(described.address)
        self._control = Control(self._rpc, environ=self._environ, state_dir=state_dir)
        self.project = described.identifier or os.path.basename(described.directory)

    def services(self) -> tuple[Service, ...]:
        """Every program in the order of the file; see `base.Engine`."""
        try:
            infos = self._rpc.infos()
        except AwayError:
            infos = {}
        return tuple(_service(program, infos) for program in self._read().programs)

    def start(self, names: Sequence[str], *, cancel: Stop) -> None:
        """Start these, and supervisord where it does not run; see `base.Engine`.

        What supervisord starts on its own account when it comes up, and is not asked for, is
        stopped again.
        """
        self._control.start(self._read(), names, cancel)

    def stop(self, names: Sequence[str], *, cancel: Stop) -> None:
        """Stop these, the last first; see `base.Engine`."""
        self._control.stop(self._read(), names, cancel)

    def clean(self, names: Sequence[str], *, cancel: Stop) -> tuple[str, ...]:
        """End a supervisord that was started here and has nothing to do; nothing else is left.

        Log files stay where they are.
        """
        del names
        return self._control.end_idle(cancel)

    def logs(
        self,
        names: Sequence[str],
        *,
        follow: bool,
        write: Callable[[LogLine], None],
        cancel: Stop,
    ) -> None:
        """Give what is in the log files; see `base.Engine`.

        Of each process standard output comes before standard error: no line has a time.
        """
        tails: dict[str, Tail] = {}
        try:
            runs = self._find_logs(names, tails, write)
            if runs and not follow and not any(tail.is_open for tail in tails.values()):
                raise ServicesUnavailableError(
                    f"There are no log files of {', '.join(names)} to be read: {self.file} sends "
                    "the output elsewhere."
                )
            for tail in tails.values():
                tail.take()
                if not follow:
                    tail.close()
            while follow and not pause(LOOK_S, cancel):
                self._find_logs(names, tails, write)
                for tail in tails.values():
                    tail.take()
        finally:
            for tail in tails.values():
                tail.close()

    def changes(self, cancel: Stop) -> Iterator[Change | str]:
        """Every transition, each once, across restarts of supervisord; see `base.Engine`."""
        programs = _Programs(self._read)
        transitions, log = Transitions(programs.service, programs.restarts), Log()
        infos: Mapping[str, Info] = {}
        text: str | None = None
        with suppress(AwayError):
            infos, text = self._rpc.snapshot(USUAL_BYTES)
        transitions.begin(infos)
        log.begin(text)
        yield f"Watching the programs of {self.file}."
        lost, was_loud, wait_s = False, False, LOOK_S
        while not pause(wait_s, cancel):
            try:
                infos, text = self._snapshot(log)
            except ServicesUnavailableError as err:
                if not lost:
                    yield f"{err} Asking again until it answers."
                lost, wait_s = True, min(wait_s * 2, LAST_TRY_S)
                continue
            if lost:
                yield "supervisord answers again."
            lost, wait_s = False, LOOK_S
            yield from transitions.happened(log.take(text) if text is not None else (), infos)
            if log.is_loud and not was_loud:
                was_loud = True
                yield _LOUD
            yield from transitions.look(infos)

    def _snapshot(self, log: Log) -> tuple[Mapping[str, Info], str | None]:
        infos, text = self._rpc.snapshot(USUAL_BYTES)
        if text is not None and not log.is_loud and not log.reaches(text):
            infos, text = self._rpc.snapshot(MOST_BYTES)
        return infos, text

    def _read(self) -> Described:
        return read(self.file, self._environ)

    def _find_logs(
        self, names: Sequence[str], tails: dict[str, Tail], write: Callable[[LogLine], None]
    ) -> bool:
        """Add the log files that are not known yet; whether there is somebody who knows all.

        supervisord makes some up when it starts, and tells their names while it runs.
        """
        runs = True
        try:
            infos = self._rpc.infos()
        except AwayError:
            runs, infos = False, {}
        for program in self._read().programs:
            if names and program.name not in names:
                continue
            shown = [log for spec in program.processes if spec in infos for log in infos[spec].logs]
            for path in dict.fromkeys((*program.logs, *shown)):
                if path not in tails and not path.startswith("/dev/"):
                    tails[path] = Tail(program.name, path, write)
        return runs


class _Programs:
    """Whose a process is, by the file; read again when supervisord knows more than it did."""

    def __init__(self, read_file: Callable[[], Described]) -> None:
        self._read = read_file
        self._programs: dict[str, Program | None] = {}

    def service(self, spec: str) -> str | None:
        if spec not in self._programs:
            with suppress(ServicesUnavailableError):
                self._programs |= {
                    one: program for program in self._read().programs for one in program.processes
                }
            self._programs.setdefault(spec, None)
        program = self._programs[spec]
        return None if program is None else program.name

    def restarts(self, service: str) -> bool:
        return any(one.restarts for one in self._programs.values() if one and one.name == service)


_LOUD = (
    "supervisord's log has the output of programs in it (loglevel), so it tells nothing for "
    "certain: exit codes that are gone at the next look are not known."
)


def _service(program: Program, infos: Mapping[str, Info]) -> Service:
    """A program with all its processes as one: it runs while one of them does."""
    found = [infos[spec] for spec in program.processes if spec in infos]
    states = {ProcessState(one.state) for one in found}
    first = next((state for state in _ORDER if state in states), None)
    state = State.ABSENT if first is None else _STATES[first]
    if first is ProcessState.STOPPED and not any(one.started for one in found):
        state = State.CREATED
    last = max(found, key=lambda one: one.started, default=None)
    is_over = last is not None and state in {State.EXITED, State.STOPPED}
    code = last.exit_code if last is not None and is_over else None
    worst = next((health for state, health in reversed(_HEALTH.items()) if state in states), None)
    return Service(
        name=program.name,
        state=state,
        health=worst,
        exit_code=None if code == -1 else code,
        env=program.env,
        user=program.user,
        working_dir=program.directory,
        restarts=program.restarts,
    )
