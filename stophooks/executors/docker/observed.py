"""Containers of a Compose project, which this program looks at and does not own."""

from __future__ import annotations

import re
import time
from datetime import datetime

from stophooks.contexts import suppress
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import endpoint
from stophooks.executors.docker.answers import NOT_UNDERSTOOD, EngineRefusedError
from stophooks.executors.docker.dockerpy import BROKEN, understood
from stophooks.executors.docker.engine import Engine
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import docker

    from stophooks.process import Stop

# Compose's own labels (its source, `pkg/api/labels.go`, and what Compose 1.29 and 2.26 write).
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONEOFF = "com.docker.compose.oneoff"
DIRECTORY = "com.docker.compose.project.working_dir"
# A stream of events ends itself after so long, and another follows: a connection that died without
# a word is then noticed. Seconds.
STREAM_S = 60
# How much later than that the stream may end before it counts as dead. Seconds.
LATE_S = 15.0
NS = 1_000_000_000
_HEALTH = "health_status: "
_KINDS = ("create", "start", "kill", "oom", "die", "destroy", "health_status")
_TERM = 15
_FRACTION = re.compile(r"\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One container as it is now.

    Moments are nanoseconds since 1970 by the engine's clock, 0 for never. ``health_ns`` is the end
    of the last check. ``restarts`` counts how often the engine has started it again by itself since
    somebody started it; ``restarted`` says whether it does that.
    """

    id: str
    service: str
    name: str
    state: str
    exit_code: int
    started_ns: int
    finished_ns: int
    oom: bool = False
    health: str | None = None
    health_ns: int = 0
    restarts: int = 0
    restarted: bool = False
    stop_signal: int = _TERM
    directory: str | None = None

    @property
    def running(self) -> bool:
        """Whether its program runs."""
        return self.state in {"running", "paused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One event of one container, as the engine told it.

    ``kind`` is ``create``, ``start``, ``kill``, ``oom``, ``die``, ``destroy`` or ``health``.
    ``seen`` is the container just after a start, where it was still there to be looked at.
    """

    id: str
    service: str
    name: str
    kind: str
    at_ns: int
    exit_code: int | None = None
    signal: int | None = None
    health: str | None = None
    seen: Seen | None = None


class Observed:
    """The containers of one project, in the engine that the environment means.

    Args:
        project: The project's name.
        environ: Names the engine, as for `stophooks.executors.docker.DockerExecutor`.
        home: The caller's home directory.

    Raises:
        ExecutorUnavailableError: The engine's address cannot be used.
    """

    def __init__(self, project: str, environ: Mapping[str, str], home: str) -> None:
        self._engine = Engine(endpoint.resolve(environ, home))
        self._labels = [f"{PROJECT}={project}", f"{ONEOFF}=False"]

    def now_ns(self) -> int:
        """The time by the engine's clock.

        Raises:
            ExecutorUnavailableError: It does not answer.
        """
        return time.time_ns() + round(self._engine.info.clock_ahead_s * NS)

    def containers(self) -> tuple[Seen, ...]:
        """Those that there are now, whatever their state, by name.

        Raises:
            ExecutorUnavailableError: The engine does not answer, or not understandably.
        """
        # Asking it what it is settles which version of its API is spoken.
        self._engine.info  # noqa: B018
        try:
            found = self._engine.call(
                "list containers",
                lambda client: client.containers(label=self._labels),
            )
            seen = [one for item in found if (one := self._look(str(item["Id"])))]
        except (EngineRefusedError, *NOT_UNDERSTOOD) as err:
            raise _refused(err) from err
        return tuple(sorted(seen, key=lambda one: one.name))

    def happened(
        self, since_ns: int, cancel: Stop, *, until_ns: int | None = None
    ) -> Iterator[Happened]:
        """What happened from one moment to another, or goes on happening, until ``cancel``.

        Args:
            since_ns: What is later is told; an engine keeps its last 256 events.
            cancel: Ends it.
            until_ns: The end; None for a minute from now.

        Raises:
            ExecutorUnavailableError: The connection broke, or there is none.
        """
        end_ns = self.now_ns() + STREAM_S * NS if until_ns is None else until_ns
        connection = self._engine.open()
        unsubscribe = cancel.subscribe(connection.abort)
        answer = None
        try:
            client = connection.client.docker
            answer = _events(client, self._labels, since_ns, end_ns)
            for event in client._stream_helper(answer, decode=True):  # noqa: SLF001 -- what docker-py's own `events` reads with
                if (one := self._happened(event)) is not None:
                    yield one
        except BROKEN as err:
            if not cancel.requested:
                raise self._lost(err, began=answer is not None) from err
        finally:
            unsubscribe()
            with suppress(*BROKEN):  # an aborted stream has nothing that could be closed well
                connection.close()

    def _lost(self, err: Exception, *, began: bool) -> BaseException:
        if began:
            return _unavailable(f"The connection to the engine at {self._url} broke.")
        told = self._engine.translate("events", understood(err))
        return _refused(told) if isinstance(told, EngineRefusedError) else told

    @property
    def _url(self) -> str:
        return self._engine.endpoint.url

    def _look(self, number: str) -> Seen | None:
        """One container, or None where it is gone."""
        try:
            found = self._engine.ask("inspect", lambda client: client.inspect_container(number))
        except EngineRefusedError:
            return None
        return seen(found)

    def _happened(self, event: Any) -> Happened | None:
        try:
            one = happened(event)
        except NOT_UNDERSTOOD:
            return None
        if one is None or one.kind != "start":
            return one
        found = None
        with suppress(ExecutorUnavailableError, *NOT_UNDERSTOOD):
            found = self._look(one.id)
        return Happened(
            id=one.id, service=one.service, name=one.name, kind="start", at_ns=one.at_ns, seen=found
        )


def seen(found: Mapping[str, Any]) -> Seen | None:
    """The container that the engine describes; None for one that is no service's."""
    labels = found["Config"].get("Labels") or {}
    if SERVICE not in labels:
        return None
    state, host = found["State"], found.get("HostConfig") or {}
    health = state.get("Health") or {}
    checks = health.get("Log") or [{}]
    policy = (host.get("RestartPolicy") or {}).get("Name") or "no"
    return Seen(
        id=str(found["Id"]),
        service=str(labels[SERVICE]),
        name=str(found["Name"]).removeprefix("/"),
        state=str(state["Status"]),
        exit_code=int(state.get("ExitCode") or 0),
        started_ns=moment_ns(state.get("StartedAt")),
        finished_ns=moment_ns(state.get("FinishedAt")),
        oom=bool(state.get("OOMKilled")),
        health=str(health["Status"]) if health.get("Status") not in {None, "none", ""} else None,
        health_ns=moment_ns(checks[-1].get("End")),
        restarts=int(found.get("RestartCount") or 0),
        restarted=policy != "no",
        stop_signal=_signal(found["Config"].get("StopSignal")),
        directory=labels.get(DIRECTORY),
    )


def happened(event: Mapping[str, Any]) -> Happened | None:
    """The event that the engine tells; None for one that is about something else."""
    action = str(event["Action"])
    about = event["Actor"]["Attributes"]
    if SERVICE not in about:
        return None
    is_health = action.startswith(_HEALTH)
    code, signal = about.get("exitCode"), about.get("signal")
    return Happened(
        id=str(event["Actor"]["ID"]),
        service=str(about[SERVICE]),
        name=str(about.get("name", "")),
        kind="health" if is_health else action,
        at_ns=int(event["timeNano"]),
        exit_code=None if code is None else int(code),
        signal=None if signal is None else _signal(signal),
        health=action.removeprefix(_HEALTH) if is_health else None,
    )


def moment_ns(text: object) -> int:
    """A moment as the engine writes it (RFC 3339 with up to nine digits); 0 for never."""
    written = str(text or "")
    found = _FRACTION.search(written)
    fraction = found.group(1) if found else ""
    try:
        whole = datetime.fromisoformat(_FRACTION.sub("", written))
        seconds = int(whole.timestamp())
    except (ValueError, OverflowError, OSError):
        return 0
    return max(0, seconds * NS + int(fraction[:9].ljust(9, "0") or 0))


def _events(client: docker.APIClient, labels: list[str], since_ns: int, until_ns: int) -> Any:
    """The answer whose body are the events.

    docker-py's own `events` waits without any limit for a connection that is long dead.
    """
    import json  # noqa: PLC0415 -- only who watches needs it

    filters = {"label": labels, "type": ["container"], "event": list(_KINDS)}
    answer = client.get(
        client._url("/events"),  # noqa: SLF001 -- what docker-py's own calls use
        params={
            "since": _seconds(since_ns),
            "until": _seconds(until_ns),
            "filters": json.dumps(filters),
        },
        stream=True,
        timeout=STREAM_S + LATE_S,
    )
    client._raise_for_status(answer)  # noqa: SLF001
    return answer


def _seconds(moment: int) -> str:
    return f"{moment // NS}.{moment % NS:09d}"


def _signal(value: object) -> int:
    """The number of a signal, which engines write in several ways."""
    text = str(value or _TERM)
    if text.isdecimal():
        return int(text)
    import signal  # noqa: PLC0415 -- few engines write a name

    return int(getattr(signal, f"SIG{text.upper().removeprefix('SIG')}", _TERM))


def _refused(err: BaseException) -> ExecutorUnavailableError:
    said = err.text if isinstance(err, EngineRefusedError) else str(err)
    return _unavailable(f"The engine does not tell about its containers: {said}.")


def _unavailable(reason: str) -> ExecutorUnavailableError:
    remedy = "Look at it with `docker ps --all`."
    return ExecutorUnavailableError(reason, remedy=remedy, fault="daemon-unreachable")
