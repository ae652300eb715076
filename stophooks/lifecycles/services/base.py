"""What every engine that runs services is asked for, tells and promises.

An engine is somebody else's program (Docker Compose, supervisord): it supervises, this program runs
hooks around what it does.
"""

from __future__ import annotations

from enum import StrEnum

from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING, Protocol
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stophooks.process import Stop


class ServicesUnavailableError(StophooksError):
    """The services cannot be looked at or acted on here: no engine, no file, a file with errors."""


class ServiceActionError(StophooksError):
    """The engine did not do what it was asked for; the text has its own words."""


class State(StrEnum):
    """What a service is doing, whatever its engine calls it.

    ``created`` was made and never started, ``absent`` was never made or was cleaned away,
    ``stopped`` because somebody asked for it, ``exited`` by itself; ``failed`` and given up by the
    engine.
    """

    ABSENT = "absent"
    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXITED = "exited"
    FAILED = "failed"
    UNKNOWN = "unknown"


# Those in which there is something to stop.
ACTIVE = frozenset({State.STARTING, State.RUNNING, State.RESTARTING, State.STOPPING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service as its engine knows it now, and as the engine's own file describes it.

    ``health`` is ``starting``, ``healthy`` or ``unhealthy``, None where nothing checks it.
    ``exit_code`` is of the last end, 128 + signal where a signal ended it. ``env``, ``user`` and
    ``working_dir`` (absolute) are what hooks *on this machine* inherit: None or empty where the
    file says nothing, or says it of a place inside a container. ``after`` are the services that
    have to be started before it. ``restarts`` says that the engine starts it again by itself.
    """

    name: str
    state: State
    health: str | None = None
    exit_code: int | None = None
    env: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    working_dir: str | None = None
    after: tuple[str, ...] = ()
    restarts: bool = False

    @property
    def active(self) -> bool:
        """Whether there is something to stop."""
        return self.state in ACTIVE


class ChangeKind(StrEnum):
    """What happened to a service."""

    START = "start"
    EXIT = "exit"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One transition of a service, told once.

    An exit that somebody asked for (a stop or a restart, by this program or any other) is
    ``asked``; a start that the engine made by itself after an exit is ``automatic``. ``exit_code``
    is the program's own, 128 + ``signal`` where a signal ended it, None where it is not known.
    ``reason`` is the engine's word for why, where it has one. ``instance`` is which of several of
    the same service, as the engine calls it; ``at`` is in seconds since 1970.
    """

    service: str
    kind: ChangeKind
    at: float
    asked: bool = False
    automatic: bool = False
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line that a service has written, without its end; ``at`` is None where nobody noted it."""

    service: str
    text: str
    at: float | None = None


class Engine(Protocol):
    """Somebody who supervises services.

    Every call but `logs` with ``follow`` and `changes` ends in bounded time. ``cancel`` ends one
    early: what it was doing may then be half done, which is no error.
    """

    @property
    def name(self) -> str:
        """The word for it in the configuration: ``compose`` or ``supervisord``."""

    @property
    def project(self) -> str:
        """What this set of services is called, with the engine and for people."""

    @property
    def file(self) -> str:
        """The absolute path of its own file."""

    def services(self) -> tuple[Service, ...]:
        """Every service, in the order of the file.

        Raises:
            ServicesUnavailableError: The text says what, where and the remedy.
        """

    def start(self, names: Sequence[str], *, cancel: Stop) -> None:
        """Start these, together; comes back when the engine has started them.

        Raises:
            ServiceActionError: One or more did not start; who runs is in `services`.
        """

    def stop(self, names: Sequence[str], *, cancel: Stop) -> None:
        """Stop these, together; comes back when they have ended. Those that do not run stay so.

        Raises:
            ServiceActionError: One or more did not stop.
        """

    def clean(self, names: Sequence[str], *, cancel: Stop) -> tuple[str, ...]:
        """Remove what is left of these stopped services, never their named data.

        Returns:
            What was removed, a line for people for each.

        Raises:
            ServiceActionError: Something could not be removed.
        """

    def logs(
        self,
        names: Sequence[str],
        *,
        follow: bool,
        write: Callable[[LogLine], None],
        cancel: Stop,
    ) -> None:
        """Give ``write`` each line that these have written, then, to ``follow``, each new one.

        ``write`` may be called from other threads, but never twice at once. Following ends with
        ``cancel``.

        Raises:
            ServicesUnavailableError: There is nobody to ask.
        """

    def changes(self, cancel: Stop) -> Iterator[Change | str]:
        """Every transition from now on, in order, each once, until ``cancel``.

        The first thing given is a text for people: from then on nothing is missed.
        From the engine's own events. What happened while there was no connection is told
        afterwards, as far as the engine knows it. Other texts among the changes
        say that the engine does not answer, and that it does again.

        Raises:
            ServicesUnavailableError: There are no events to be had at all.
        """
