"""Where a plan is made from: the document, its directory, the environment; and what was found."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stophooks.config.document import MAX_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.config.document import Document, Path
    from stophooks.models import Problem


# Enough to show the first ones in the order of the file.
_MAX_FOUND = 10 * MAX_PROBLEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The surroundings of one configuration, and the problems met while it is compiled."""

    document: Document
    environ: Mapping[str, str]
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
    def failed(self) -> bool:
        """Whether there is a problem that is more than a warning."""
        return any(not problem.warning for problem in self.problems)

    def absolute(self, path: str) -> str:
        """A path of the configuration as an absolute one."""
        return os.path.normpath(os.path.join(self.project_dir, path))

    def problem(
        self, where: Path, message: str, *, hint: str | None = None, key: bool = False
    ) -> None:
        """Something that prevents a plan; shown at the value, or with ``key`` at the key."""
        if len(self.problems) < _MAX_FOUND or not self.failed:
            self.problems.append(self.document.problem(where, message, hint=hint, key=key))

    def warning(self, where: Path, message: str) -> None:
        """Something that widens isolation; says what it opens."""
        self.problems.append(self.document.problem(where, message, key=True, warning=True))
