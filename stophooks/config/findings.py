"""Where a plan is made from: the document, its directory, the environment; and what was found."""

from __future__ import annotations

import os

from stophooks.config.document import MAX_FOUND, quoted
from stophooks.config.sound import Sound, command_place
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.config.document import Document, Path
    from stophooks.models import Problem


def is_inside(path: str, directory: str) -> bool:
    """Whether a normal path is a directory or lies below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The surroundings of one configuration, and the problems met while it is compiled.

    ``user_for`` is the project that a user's own configuration is read for; None for a project's.
    ``read`` are the files that were read besides it.
    """

    document: Document
    environ: Mapping[str, str]
    sound: Sound = field(default_factory=Sound)
    user_for: str | None = None
    read: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def config_path(self) -> str:
        """The configuration file's absolute path."""
        return os.path.abspath(self.document.path)

    @property
    def project_dir(self) -> str:
        """The directory that relative paths are relative to; absolute."""
        return os.path.dirname(self.config_path)

    @property
    def commands_dir(self) -> str:
        """The project that commands run in; absolute."""
        return self.project_dir if self.user_for is None else self.user_for

    @property
    def failed(self) -> bool:
        """Whether there is a problem that is more than a warning."""
        return any(not problem.warning for problem in self.problems)

    def absolute(self, path: str) -> str:
        """A path of the configuration as an absolute one."""
        return os.path.normpath(os.path.join(self.project_dir, path))

    def followed(self, path: str, where: Path) -> str | None:
        """The absolute path with its links followed; None, and a problem, where that is refused.

        What lies in the project must stay in it: a command can make a link there, and would
        otherwise choose what the next one is given.
        """
        given = self.absolute(path)
        try:
            real = os.path.realpath(given)
        except OSError as err:
            self.problem(where, f"{quoted(path)} cannot be followed: {err.strerror}")
            return None
        is_ours = is_inside(given, self.project_dir)
        if is_ours and not is_inside(real, os.path.realpath(self.project_dir)):
            message = f"{quoted(path)} lies in the project, and a link in it leads out to {real}"
            self.problem(where, message, hint="if that is meant, write the path it leads to")
            return None
        return real

    def directory(self, given: str | None, where: Path) -> str | None:
        """The absolute path of a directory that has to be there, or None where none is given."""
        if given is None:
            return None
        path = self.absolute(given)
        if not os.path.isdir(path):
            what = "is not a directory" if os.path.exists(path) else "does not exist"
            self.problem(where, f"{quoted(given)} {what}", hint=f"looked for {path}")
        return path

    def problem(
        self, where: Path, message: str, *, hint: str | None = None, key: bool = False
    ) -> None:
        """Something that prevents a plan; shown at the value, or with ``key`` at the key."""
        if len(self.problems) < MAX_FOUND or not self.failed:
            place = self.sound.written(where)
            self.problems.append(self.document.problem(place, message, hint=hint, key=key))

    def warning(self, where: Path, message: str) -> None:
        """Something that widens isolation; says what it opens."""
        if command_place(where) in self.sound.mended:
            # What was left out may be what keeps it closed.
            return
        self.problems.append(self.document.problem(where, message, key=True, warning=True))
