"""What will be run, and its JSON form; loads without YAML, a schema or pydantic."""

from __future__ import annotations

from stophooks import patterns
from stophooks.models import Command, Expose, ResultFile, Secret, Severity, When
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass

if TYPE_CHECKING:
    from stophooks.containers import Container

DEFAULT_TIMEOUT_S = 300.0
DEFAULT_DEADLINE_S = 540.0
DEFAULT_MAX_BLOCKS = 3
# More threads than anybody has commands that wait; `auto` means so many.
MOST_JOBS = 64
DEFAULT_MEMORY_SHARE = 0.8
WAIT = "wait"
# A directory and a lock have a resource's name.
RESOURCE = patterns.compiled(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
RESOURCE_FORM = "letters, digits, dots, dashes and underscores, at most 100, not first a dot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The commands of one event and the rules for all of them together.

    ``deadline_s`` bounds the whole event in seconds; ``max_blocks`` is how many times in a row
    one session is kept from stopping; ``when_busy`` is ``wait`` or ``block``, for a project in
    which another run is going on. ``baseline``: what failed already when the session began does
    not block. ``of`` names the resource or the service whose own section it is, or is None.
    ``jobs`` commands run at the same time, and the memory limits of those in containers add up to
    ``max_memory_bytes`` at most, or to ``max_memory_share`` of the machine's where that is None.
    """

    event: str
    of: str | None = None
    commands: tuple[Command, ...] = ()
    fail_fast: bool = False
    deadline_s: float = DEFAULT_DEADLINE_S
    max_blocks: int = DEFAULT_MAX_BLOCKS
    when_busy: str = WAIT
    baseline: bool = False
    jobs: int = 1
    max_memory_bytes: int | None = None
    max_memory_share: float = DEFAULT_MEMORY_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupRules:
    """What belongs to a session's end besides commands.

    ``timeout_s`` is for what there is instead of commands. ``compose``: a Compose file is brought
    down where there is nothing else to do. ``compat`` names the program whose variables commands
    get too, or is None.
    """

    compose: bool = True
    compat: str | None = None
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRules:
    """Where the scripts of resources are, an absolute path, and the resources with commands."""

    hooks_dir: str | None = None
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceRules:
    """``compat`` names the program whose variables commands get too, or is None."""

    compat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRules:
    """What supervises the services, ``compose`` or ``supervisord``; None means what is found.

    ``file`` is the absolute path of its own configuration.
    """

    engine: str | None = None
    file: str | None = None
    project_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """One service as its hooks on this machine inherit it; ``working_dir`` is absolute."""

    name: str
    user: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    working_dir: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every event of a project's configuration and its user's, resolved.

    ``config_path`` and ``project_dir`` are absolute; ``user_path`` is the user's own
    configuration, where it has a part in the plan. ``protect`` are patterns of files that an agent
    may not change. With ``must_trust`` nothing runs for an agent before a person has said so.
    """

    config_path: str
    project_dir: str
    sections: tuple[Section, ...] = ()
    user_path: str | None = None
    protect: tuple[str, ...] = ()
    must_trust: bool = False
    cleanup: CleanupRules = CleanupRules()
    task: TaskRules = TaskRules()
    workspace: WorkspaceRules = WorkspaceRules()
    service: ServiceRules = ServiceRules()
    services: tuple[ServiceSettings, ...] = ()

    def section(self, event: str, of: str | None = None) -> Section | None:
        """The section of an event, or None when the configuration has none.

        With ``of`` the one that a resource or a service has of its own.
        """
        wanted = (event, of)
        return next((one for one in self.sections if (one.event, one.of) == wanted), None)


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready values; `from_json` reads them back."""
    return asdict(plan)


def from_json(data: dict[str, Any]) -> Plan:
    """The plan that `to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: The data is not a plan of this version.
    """
    return Plan(
        **{
            **data,
            "sections": tuple(_section(item) for item in data["sections"]),
            "protect": tuple(data["protect"]),
            "cleanup": CleanupRules(**data["cleanup"]),
            "task": TaskRules(**data["task"] | {"resources": tuple(data["task"]["resources"])}),
            "workspace": WorkspaceRules(**data["workspace"]),
            "service": ServiceRules(**data["service"]),
            "services": tuple(
                ServiceSettings(**{**item, "env": _pairs(item["env"])}) for item in data["services"]
            ),
        }
    )


def _section(data: dict[str, Any]) -> Section:
    return Section(**{**data, "commands": tuple(_command(item) for item in data["commands"])})


def _command(data: dict[str, Any]) -> Command:
    return Command(
        **{
            **data,
            "argv": None if data["argv"] is None else tuple(data["argv"]),
            "env": _pairs(data["env"]),
            "severity": Severity(data["severity"]),
            "container": None if data["container"] is None else _container(data["container"]),
            "secrets": tuple(
                Secret(**{**item, "expose": Expose(item["expose"])}) for item in data["secrets"]
            ),
            "report": None if data["report"] is None else ResultFile(**data["report"]),
            "when": When(data["when"]),
            "only": tuple(data["only"]),
            "needs": tuple(data["needs"]),
            **{name: tuple(data[name]) for name in ("inputs", "files", "exclude")},
        }
    )


def _container(data: dict[str, Any]) -> Container:
    from stophooks.containers import Container, Mount, Pull, Ulimit  # noqa: PLC0415 -- few plans have one

    return Container(
        **{
            **data,
            "pull": Pull(data["pull"]),
            "mounts": tuple(
                Mount(**{**item, "options": tuple(item["options"])}) for item in data["mounts"]
            ),
            "cap_add": tuple(data["cap_add"]),
            "cap_drop": tuple(data["cap_drop"]),
            "tmpfs": _pairs(data["tmpfs"]),
            "ulimits": tuple(Ulimit(**item) for item in data["ulimits"]),
        }
    )


def _pairs(items: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in items)
