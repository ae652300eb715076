"""A project's configuration and its user's own, as one plan."""

from __future__ import annotations

from stophooks.config.loading import Loaded, load
from stophooks.events import EVENTS
from stophooks.plan import Plan
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.config.search import Place
    from stophooks.models import Command
    from stophooks.plan import Section

# What a plan says of each area where its configuration says nothing.
_SILENT = Plan(config_path="", project_dir="")


def effective(place: Place, *, environ: Mapping[str, str]) -> Loaded:
    """The plan of both configurations, or every problem that keeps them from being one.

    The user's commands come first. The rules of a section are the project's where it has that
    section, and what else there is to an area is the project's where it says anything about it.
    Without any configuration there is no plan, and no problem.
    """
    user = project = Loaded(plan=None, problems=())
    if place.user_path is not None:
        user = load(place.user_path, environ=environ, user_for=place.project_dir)
    if place.project_path is not None:
        project = load(place.project_path, environ=environ)
    problems = (*user.problems, *project.problems)
    files = (*project.files, *user.files)
    if any(not problem.warning for problem in problems):
        return Loaded(plan=None, problems=problems, files=files)
    return Loaded(plan=_together(user.plan, project.plan), problems=problems, files=files)


def _together(user: Plan | None, project: Plan | None) -> Plan | None:
    if user is None or project is None:
        return project or (user and replace(user, user_path=user.config_path))
    whose = [(section.event, section.of) for section in (*project.sections, *user.sections)]
    ordered = sorted(dict.fromkeys(whose), key=lambda one: list(EVENTS).index(one[0]))
    sections = (_section(user.section(*one), project.section(*one)) for one in ordered)
    named = {one.name for one in project.services}
    return replace(
        project,
        cleanup=user.cleanup if project.cleanup == _SILENT.cleanup else project.cleanup,
        task=user.task if project.task == _SILENT.task else project.task,
        workspace=user.workspace if project.workspace == _SILENT.workspace else project.workspace,
        service=user.service if project.service == _SILENT.service else project.service,
        services=(*project.services, *(one for one in user.services if one.name not in named)),
        sections=tuple(section for section in sections if section is not None),
        user_path=user.config_path,
        protect=tuple(dict.fromkeys((*user.protect, *project.protect))),
        must_trust=user.must_trust,
    )


def _section(user: Section | None, project: Section | None) -> Section | None:
    if user is None or project is None:
        return project or user
    taken = {command.name for command in project.commands}
    commands = (_named(command, taken) for command in user.commands)
    return replace(project, commands=(*commands, *project.commands))


def _named(command: Command, taken: set[str]) -> Command:
    """The user's command, under another name where the project has a command of its name."""
    name = command.name
    while name in taken:
        name += " (user)"
    taken.add(name)
    return replace(command, name=name)
