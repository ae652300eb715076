"""A project's Compose file, brought down: which one, by which program, under which name.

A name alone proves nothing: it is a directory's own name by default, and two directories may share
that. What is running bears the directory that it was started in, and is brought down only from
there.
"""

from __future__ import annotations

import json
import os
import shlex

from stophooks.composefile import NAME_VARIABLE, PROGRAMS, files, given_name, normalised
from stophooks.errors import ExecutorUnavailableError, StophooksError
from stophooks.models import Command
from stophooks.process import StartError
from stophooks.process.tool import tool
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.lifecycles.cleanup.values import Engine, Listed
    from stophooks.process import Stop
    from stophooks.process.tool import Told

PROJECT_LABEL = "com.docker.compose.project"
DIRECTORY_LABEL = "com.docker.compose.project.working_dir"
# For a question that needs no engine. Seconds.
ASK_S = 15.0
LEVELS = {"stop": (), "purge": ("-v", "--remove-orphans")}


class ComposeRefusedError(StophooksError):
    """It cannot be shown that what would be brought down belongs to this directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What is brought down: the project's files, the program that does it, and under which name.

    ``proven``: containers of this directory bear that name. ``others`` are further names that its
    containers bear; those are let be.
    """

    program: tuple[str, ...]
    files: tuple[str, ...]
    name: str
    proven: bool = False
    others: tuple[str, ...] = ()

    def down(self, level: str, *, project_dir: str, timeout_s: float) -> Command:
        """The command that brings it down; at level ``purge`` with its volumes."""
        files = [word for file in self.files for word in ("-f", file)]
        argv = (*self.program, *files, "-p", self.name, "down", *LEVELS[level])
        return Command(name="compose", project_dir=project_dir, argv=argv, timeout_s=timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks Compose and the engine about one directory.

    ``proven`` is the name under which an earlier cleanup found this directory's containers.
    """

    project_dir: str
    environ: Mapping[str, str]
    engine: Engine
    stop: Stop | None = None
    proven: str | None = None

    def told(self, argv: Sequence[str]) -> bytes | None:
        """What a program says; None where there is no such program, or it refuses."""
        try:
            told = self.ask(argv)
        except StartError:
            return None
        return told.stdout if told.code == 0 else None

    def ask(self, argv: Sequence[str]) -> Told:
        """How a program answers.

        Raises:
            StartError: It cannot be started.
        """
        return tool(argv, cwd=self.project_dir, env=self.environ, timeout_s=ASK_S, stop=self.stop)


def stack(level: str, asker: Asker) -> Stack | None:
    """What is to be brought down in a directory; None where it has no Compose file.

    Raises:
        ComposeRefusedError: It is not this directory's, or that cannot be shown.
        ExecutorUnavailableError: There is no Compose, or no engine.
    """
    project_dir = asker.project_dir
    bare = unproven(asker)
    if bare is None:
        return None
    rows = asker.engine.containers(PROJECT_LABEL)
    own = [row for row in rows if _same(row.labels.get(DIRECTORY_LABEL), project_dir)]
    name = _name_of(own, bare.name)
    _check(name, rows, project_dir)
    names = {_project(row) for row in own}
    if level == "purge" and name not in {*names, asker.proven}:
        _check_volumes(replace(bare, name=name), asker.engine)
    return replace(
        bare,
        name=name,
        proven=name in {*names, asker.proven},
        others=tuple(sorted(names - {name})),
    )


def unproven(asker: Asker) -> Stack | None:
    """The same by the files alone, the engine not asked: whose it is, is not known.

    Raises:
        ExecutorUnavailableError: There is no Compose.
    """
    found = files(asker.project_dir)
    if not found:
        return None
    program = _program(asker)
    return Stack(program=program, files=found, name=default_name(program, found, asker))


def check_files(wanted: Stack, asker: Asker) -> None:
    """Whether Compose can make anything of the files.

    Raises:
        ComposeRefusedError: It cannot, or does not say.
    """
    files = [word for file in wanted.files for word in ("-f", file)]
    try:
        told = asker.ask([*wanted.program, *files, "config", "--quiet"])
    except StartError as err:
        raise ComposeRefusedError(f"Compose cannot be started: {err}") from err
    if told.code != 0:
        raise ComposeRefusedError(
            f"Compose refuses {wanted.files[0]}: {told.words}. Mend the file: "
            f"{shlex.join([*wanted.program, *files, 'config'])} shows all of it."
        )


def left(name: str, project_dir: str, engine: Engine) -> list[str]:
    """The containers of a project and a directory that are still there.

    Raises:
        ExecutorUnavailableError: That cannot be told.
    """
    rows = engine.containers(f"{PROJECT_LABEL}={name}")
    return [row.name for row in rows if _same(row.labels.get(DIRECTORY_LABEL), project_dir)]


def default_name(program: Sequence[str], found: Sequence[str], asker: Asker) -> str:
    """The name that Compose itself takes for these files here."""
    is_plugin = len(program) > 1
    if is_plugin:
        asked = [*program, *(word for file in found for word in ("-f", file))]
        if name := _name_in(asker.told([*asked, "config", "--format", "json"])):
            return name
    directory = os.path.abspath(asker.project_dir)
    given = given_name(directory, asker.environ)
    name = normalised(given or os.path.basename(directory))
    return (name.lstrip("_-") if is_plugin else name) or "default"


def _name_in(text: bytes | None) -> str | None:
    """The name in what Compose makes of the files; None where it does not say (before 2.3)."""
    try:
        name = json.loads(text or b"{}").get("name")
    except (ValueError, AttributeError):
        return None
    return name if isinstance(name, str) and name else None


def _program(asker: Asker) -> tuple[str, ...]:
    for program in PROGRAMS:
        if asker.told([*program, "version"]) is not None:
            return program
    raise ExecutorUnavailableError(
        "There is a Compose file, and neither `docker compose` nor `docker-compose` here.",
        remedy="Install Docker Compose, or write `cleanup: {compose: false}` where it is not "
        "to be brought down.",
        fault="no-compose",
    )


def _name_of(own: Sequence[Listed], default: str) -> str:
    """The name under which what runs was started, where that is the default of its directory.

    A directory that is reached by a link has two names, and so two defaults.
    """
    names = {_project(row) for row in own}
    if default in names:
        return default
    by_default = {_project(row) for row in own if _project(row) in _defaults(row)}
    return by_default.pop() if len(by_default) == 1 else default


def _defaults(row: Listed) -> set[str]:
    name = normalised(os.path.basename(row.labels.get(DIRECTORY_LABEL, "")))
    return {name, name.lstrip("_-")}


def _check(name: str, rows: Sequence[Listed], project_dir: str) -> None:
    foreign = [
        row
        for row in rows
        if _project(row) == name and not _same(row.labels.get(DIRECTORY_LABEL), project_dir)
    ]
    if foreign:
        where = foreign[0].labels.get(DIRECTORY_LABEL) or "a directory that they do not name"
        raise ComposeRefusedError(
            f'the Compose project "{name}" has containers that were '
            f"started in {where}, and not in {project_dir}. Give one of the two a name of its "
            f"own (`name:` in its file, or {NAME_VARIABLE}), or write cleanup commands."
        )


def _check_volumes(wanted: Stack, engine: Engine) -> None:
    name = wanted.name
    volumes = engine.volumes(f"{PROJECT_LABEL}={name}")
    if volumes:
        purge = shlex.join([*wanted.program, "-p", name, "down", "-v"])
        raise ComposeRefusedError(
            f'the Compose project "{name}" has volumes '
            f"({', '.join(sorted(volumes)[:5])}), and no container that shows that they are this "
            f"directory's. Where they are: {purge}"
        )


def _project(row: Listed) -> str:
    return row.labels.get(PROJECT_LABEL, "")


def _same(label: str | None, project_dir: str) -> bool:
    return bool(label) and os.path.realpath(str(label)) == os.path.realpath(project_dir)
