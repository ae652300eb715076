"""Where a configuration has its sections, and the rules of an area that are no commands."""

from __future__ import annotations

from stophooks.config import environment
from stophooks.config.container import user
from stophooks.config.document import quoted
from stophooks.config.units import seconds
from stophooks.events import EVENTS
from stophooks.plan import (
    RESOURCE,
    RESOURCE_FORM,
    CleanupRules,
    ServiceRules,
    ServiceSettings,
    TaskRules,
    WorkspaceRules,
)
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.config.document import Path
    from stophooks.config.findings import Findings
    from stophooks.config.models import CleanupSection, Config, Section, Service
    from stophooks.events import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One section: where it is written, of which event, and of which resource or service."""

    section: Section
    where: Path
    kind: EventKind
    of: str | None = None


def found(config: Config) -> Iterator[Found]:
    """Every section of a configuration, in the order of the events."""
    for kind in EVENTS.values():
        area = getattr(config, kind.area)
        section = getattr(area, kind.moment, None) if kind.moment else area
        if section is not None:
            yield Found(section=section, where=_place(kind), kind=kind)
        for of, where, own in _parts(config, kind):
            if (section := getattr(own, kind.moment)) is not None:
                yield Found(section=section, where=(*where, kind.moment), kind=kind, of=of)


def _place(kind: EventKind) -> Path:
    return (kind.area, kind.moment) if kind.moment else (kind.area,)


def _parts(config: Config, kind: EventKind) -> Iterator[tuple[str, Path, Any]]:
    """What in an area has sections of its own: its name, its place and the sections."""
    if kind.area == "task" and config.task is not None:
        for name, resource in config.task.resources.items():
            yield name, ("task", "resources", name), resource
    if kind.area == "service":
        for name, service in config.services.items():
            if service.hooks is not None:
                yield name, ("services", name, "hooks"), service.hooks


def rules(config: Config, findings: Findings) -> dict[str, Any]:
    """What a `Plan` says of each area besides its commands, by the plan's own names."""
    cleanup, workspace = config.cleanup, config.workspace
    return {
        "cleanup": _cleanup(cleanup) if cleanup else CleanupRules(),
        "task": _task(config, findings),
        "workspace": WorkspaceRules(compat=workspace.compat) if workspace else WorkspaceRules(),
        "service": _service(config, findings),
        "services": tuple(
            _settings(name, service, findings) for name, service in config.services.items()
        ),
    }


def _cleanup(given: CleanupSection) -> CleanupRules:
    rules = CleanupRules(compose=given.compose, compat=given.compat)
    text = given.default_timeout
    if text is None or "default_timeout" not in given.model_fields_set:
        return rules
    return replace(rules, timeout_s=seconds(text))


def _task(config: Config, findings: Findings) -> TaskRules:
    if config.task is None:
        return TaskRules()
    for name in config.task.resources:
        if not RESOURCE.fullmatch(name):
            findings.problem(
                ("task", "resources", name),
                f"{quoted(name)} cannot be a resource's name",
                hint=RESOURCE_FORM,
                key=True,
            )
    return TaskRules(
        hooks_dir=findings.absolute(config.task.hooks_dir),
        resources=tuple(config.task.resources),
    )


def _service(config: Config, findings: Findings) -> ServiceRules:
    given = config.service
    if given is None:
        return ServiceRules()
    file = None if given.file is None else findings.followed(given.file, ("service", "file"))
    return ServiceRules(engine=given.engine, file=file, project_name=given.project_name)


def _settings(name: str, given: Service, findings: Findings) -> ServiceSettings:
    where: Path = ("services", name)
    env: dict[str, str] = {}
    if given.env_file is not None:
        env = environment.from_file(given.env_file, (*where, "env_file"), findings)
    env |= environment.resolve(given.env, (*where, "env"), findings)
    return ServiceSettings(
        name=name,
        user=user(given.user, (*where, "user"), findings),
        env=tuple(env.items()),
        working_dir=findings.directory(given.working_dir, (*where, "working_dir")),
    )
