"""The services of a Compose file.

Compose's own command line starts, stops, cleans and shows. What there is and what happens comes
from the engine behind it, asked directly: Compose 1 and 2 print both differently, and neither
tells all.
"""

from __future__ import annotations

import os
from functools import cached_property

from stophooks.errors import ExecutorUnavailableError
from stophooks.lifecycles.services import described
from stophooks.lifecycles.services.base import (
    Service,
    ServicesUnavailableError,
    State,
)
from stophooks.lifecycles.services.composelog import Lines
from stophooks.lifecycles.services.composetool import Compose
from stophooks.lifecycles.services.transitions import Transitions
from stophooks.lifecycles.services.waiting import pause
from stophooks.process import run
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stophooks.executors.docker.observed import Observed, Seen
    from stophooks.lifecycles.services.base import Change, LogLine
    from stophooks.lifecycles.services.described import Described
    from stophooks.process import Stop

# Images may have to be pulled or built. Seconds.
START_S = 1800.0
# A container has its own time to end, 10 s unless the file says more. Seconds.
STOP_S = 300.0
CLEAN_S = 300.0
# From SIGTERM to SIGKILL for Compose showing logs. Seconds.
_GRACE_S = 2.0
# How often it is tried to reach an engine that does not answer: at first, and at last. Seconds.
_FIRST_TRY_S = 0.2
_LAST_TRY_S = 5.0
# How often it is looked whether something runs again. Seconds.
_LOOK_S = 1.0
# An engine notes an event a moment after it happened. Nanoseconds.
_MARGIN_NS = 1_000_000_000
_STATES = {
    "created": State.CREATED,
    "running": State.RUNNING,
    "paused": State.RUNNING,
    "restarting": State.RESTARTING,
    "removing": State.STOPPING,
    "exited": State.EXITED,
    "dead": State.FAILED,
}


class ComposeEngine:
    """One Compose project.

    Args:
        files: The Compose files, absolute.
        project_name: What the project is called; None for what Compose would call it.
        environ: The caller's environment.
        read: Reads YAML; raises ValueError for what is none.
        observe: Looks at the containers of a project.

    Raises:
        ServicesUnavailableError: There is no Compose, or it finds fault with the file.
    """

    name = "compose"

    def __init__(
        self,
        files: Sequence[str],
        *,
        project_name: str | None,
        environ: Mapping[str, str],
        read: Callable[[str], Any],
        observe: Callable[[str], Observed],
    ) -> None:
        self._files = tuple(files)
        self._compose = Compose(files, environ, project=project_name)
        self._read = read
        self._observe = observe
        if project_name is None:
            self._compose.project = described.project_name(files[0], self._whole, environ)

    @property
    def project(self) -> str:
        """The project's name."""
        return self._compose.project or ""

    @property
    def file(self) -> str:
        """The (first) Compose file."""
        return self._files[0]

    def services(self) -> tuple[Service, ...]:
        """Every service in the order of the file; see `base.Engine`."""
        seen = self._containers()
        return tuple(
            _service(described, [one for one in seen if one.service == described.name], self._own)
            for described in self._described
        )

    def start(self, names: Sequence[str], *, cancel: Stop) -> None:
        """Create what is not there and start it, what it needs too."""
        self._compose.act("up", "-d", *names, timeout_s=START_S, cancel=cancel)

    def stop(self, names: Sequence[str], *, cancel: Stop) -> None:
        """Stop the containers; they stay."""
        self._compose.act("stop", *names, timeout_s=STOP_S, cancel=cancel)

    def clean(self, names: Sequence[str], *, cancel: Stop) -> tuple[str, ...]:
        """Remove the containers and their anonymous volumes, and with the last of them networks."""
        before = self._containers()
        self._compose.act("rm", "-s", "-f", "-v", *names, timeout_s=CLEAN_S, cancel=cancel)
        after = self._containers()
        if not after and not cancel.requested:
            self._compose.act("down", timeout_s=CLEAN_S, cancel=cancel)
        left = {one.id for one in after}
        return tuple(f"container {one.name}" for one in before if one.id not in left)

    def logs(
        self,
        names: Sequence[str],
        *,
        follow: bool,
        write: Callable[[LogLine], None],
        cancel: Stop,
    ) -> None:
        """Give what the containers have written, with its time; see `base.Engine`."""
        lines = Lines(self.project, write)
        flags = ["--no-color", "--timestamps", *(["--follow"] if follow else [])]
        while True:
            lines.begin(self._containers())
            run(
                self._compose.argv("logs", *flags, *names),
                cwd=self._compose.directory,
                env=self._compose.env,
                timeout_s=None if follow else CLEAN_S,
                grace_s=_GRACE_S,
                stop=cancel,
                output=lines.take,
            )
            lines.end()
            # Compose follows no longer than something runs.
            if not follow or not self._run_again(names, cancel):
                return

    def _run_again(self, names: Sequence[str], cancel: Stop) -> bool:
        """Wait until one of these runs; whether it does, or everything is to end."""
        while not pause(_LOOK_S, cancel):
            if any(one.running and one.service in names for one in self._containers()):
                return True
        return False

    def changes(self, cancel: Stop) -> Iterator[Change | str]:
        """Every transition, each once, across streams that end and engines that restart."""
        observed, transitions = self._observed, Transitions()
        try:
            since = observed.now_ns() - _MARGIN_NS
        except ExecutorUnavailableError as err:
            raise ServicesUnavailableError(str(err)) from err
        transitions.begin(self._containers())
        yield f'Watching the Compose project "{self.project}".'
        lost, wait_s = False, _FIRST_TRY_S
        while not cancel.requested:
            try:
                before, seen, now = observed.now_ns(), observed.containers(), observed.now_ns()
                for event in observed.happened(since, cancel, until_ns=now):
                    yield from transitions.happened(event)
                yield from transitions.look(seen, before)
                since = max(since, now - _MARGIN_NS)
                if lost:
                    yield "The engine answers again."
                lost, wait_s = False, _FIRST_TRY_S
                for event in observed.happened(since, cancel):
                    since = event.at_ns
                    yield from transitions.happened(event)
            except ExecutorUnavailableError as err:
                if not lost:
                    yield f"{err} Trying again until it does."
                lost, wait_s = True, min(wait_s * 2, _LAST_TRY_S)
                pause(wait_s, cancel)

    @property
    def _own(self) -> tuple[tuple[str, str], ...]:
        """What makes a hook's own call of Compose mean this project."""
        return (("COMPOSE_PROJECT_NAME", self.project), ("COMPOSE_FILE", ":".join(self._files)))

    @cached_property
    def _observed(self) -> Observed:
        try:
            return self._observe(self.project)
        except ExecutorUnavailableError as err:
            raise ServicesUnavailableError(str(err)) from err

    @cached_property
    def _whole(self) -> Any:
        """What Compose says that the files mean."""
        answer = self._compose.ask("config").decode("utf-8", "replace")
        try:
            whole = self._read(answer)
            described.describe(whole, [])
        except ValueError as err:
            raise ServicesUnavailableError(
                f"Compose's description of {self.file} cannot be read: {err}."
            ) from err
        return whole

    @cached_property
    def _described(self) -> tuple[Described, ...]:
        order = described.order_in(self._files, self._read)
        return described.describe(self._whole, order)

    def _containers(self) -> tuple[Seen, ...]:
        """The project's containers.

        Raises:
            ServicesUnavailableError: The engine does not answer, or another directory's project
                has this name.
        """
        try:
            found = self._observed.containers()
        except ExecutorUnavailableError as err:
            raise ServicesUnavailableError(str(err)) from err
        here = os.path.realpath(self._compose.directory)
        other = next(
            (one for one in found if one.directory and os.path.realpath(one.directory) != here),
            None,
        )
        if other is not None:
            raise ServicesUnavailableError(
                f'The Compose project "{self.project}" has containers of another directory: '
                f"{other.name} is of {other.directory}, not of {here}. Nothing was done to them. "
                "Give this one another name in stophooks.yaml: service.project_name."
            )
        return found


def _service(described: Described, seen: list[Seen], own: tuple[tuple[str, str], ...]) -> Service:
    """A service with all its containers as one: it runs while one of them does."""
    state, code = State.ABSENT, None
    if seen:
        states = [_STATES.get(one.state, State.UNKNOWN) for one in seen]
        running = [one for one in (State.RUNNING, State.RESTARTING) if one in states]
        last = max(range(len(seen)), key=lambda index: seen[index].finished_ns)
        state = running[0] if running else states[last]
        code = seen[last].exit_code if seen[last].finished_ns and not running else None
    checks = {one.health for one in seen if one.running}
    health = next((one for one in ("unhealthy", "starting", "healthy") if one in checks), None)
    return Service(
        name=described.name,
        state=state,
        health=health,
        exit_code=code,
        env=(*own, *described.env),
        after=described.after,
        restarts=described.restarts,
    )
