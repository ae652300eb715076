"""What a cleanup is asked for, and what became of it."""

from __future__ import annotations

from enum import StrEnum

from stophooks.plan import CleanupRules
from stophooks.process.marked import Ending, Mark
from stophooks.typed import TYPE_CHECKING, Protocol
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.models import Report
    from stophooks.occasion import Step
    from stophooks.process.table import Entry

# From SIGTERM to SIGKILL for what a session left running. Seconds.
GRACE_S = 5.0
DEFAULT_TIMEOUT_S = 30.0


class Listed(Protocol):
    """A container as an engine lists it."""

    @property
    def id(self) -> str:
        """Its number."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""


class Engine(Protocol):
    """What an engine has that bears a label, ``NAME`` or ``NAME=VALUE``, and its removal.

    What cannot be told is an `ExecutorUnavailableError`.
    """

    def containers(self, label: str) -> Sequence[Listed]:
        """The containers, running or not."""

    def volumes(self, label: str) -> Sequence[str]:
        """The names of the volumes."""

    def remove(self, names: Sequence[str]) -> Mapping[str, str]:
        """Remove containers; why each that is still there is, by its name."""


class CleanupLevel(StrEnum):
    """How far a cleanup goes: what runs is stopped, or its data goes as well."""

    STOP = "stop"
    PURGE = "purge"


class By(StrEnum):
    """What the project's own part of a cleanup was."""

    COMMANDS = "commands"
    SCRIPT = "script"
    COMPOSE = "compose"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A cleanup that is asked for.

    ``session`` is its name, or None where none is known; ``mark`` tells its processes, and
    ``never`` are those that are let alone. ``has_commands``: the configuration has some.
    ``pinned`` and ``copies`` are those of `stophooks.lifecycles.cleanup.script.find`, ``proven``
    is that of `stophooks.lifecycles.cleanup.compose.Asker`. ``user`` is whose processes are meant.
    ``not_own`` is why the project's own part is left out, ``refused`` why it cannot be done
    although it is to be; or None.
    """

    project_dir: str
    level: CleanupLevel = CleanupLevel.STOP
    session: str | None = None
    rules: CleanupRules = field(default_factory=CleanupRules)
    has_commands: bool = False
    timeout_s: float = DEFAULT_TIMEOUT_S
    user: str | None = None
    mark: Mark | None = None
    never: tuple[Entry, ...] = ()
    pinned: Mapping[str, str] | None = None
    copies: str | None = None
    proven: str | None = None
    grace_s: float = GRACE_S
    not_own: str | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPart:
    """What the project itself had to say, and what became of it.

    ``problem`` is why it could not be done, ``is_machine`` whether this machine is at fault.
    ``steps`` are what it would be, in a dry run. ``stack`` is the name of the Compose project that
    was found to be this directory's; ``left`` are its containers that are still there.
    """

    by: By = By.NOTHING
    report: Report | None = None
    steps: tuple[Step, ...] = ()
    problem: str | None = None
    is_machine: bool = False
    notes: tuple[str, ...] = ()
    stack: str | None = None
    left: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all of it was done."""
        return not self.problem and not self.left and (self.report is None or self.report.passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The session's processes; ``why`` is why they were not looked for, or None.

    In a dry run ``found`` are those that would be ended.
    """

    why: str | None = None
    found: tuple[Entry, ...] = ()
    ending: Ending = field(default_factory=Ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """The session's containers, by name; ``why`` is why they were not looked for, or None.

    In a dry run ``found`` are those that would be removed. ``left`` says why, by name.
    """

    why: str | None = None
    found: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What became of a cleanup; ``duration_s`` in seconds, ``is_dry`` where nothing was done."""

    order: Order
    own: OwnPart
    processes: Processes
    containers: Containers
    duration_s: float = 0.0
    is_dry: bool = False

    @property
    def passed(self) -> bool:
        """Whether everything was done and nothing is left."""
        return self.own.passed and not self.processes.ending.left and not self.containers.left
