"""What Docker Compose takes for granted: its files' names, its programs, a project's name."""

from __future__ import annotations

import os
import re

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# In this order; the first that is there counts.
NAMES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
# What Compose adds to it by itself where no file is named; the first that is there counts
# (compose-go, `DefaultOverrideFileNames`, and docker-compose 1.29.2, read 2026-11-30).
OVERRIDES = (
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
    "compose.override.yml",
    "compose.override.yaml",
)
# In the order in which they are tried: the newer one first.
PROGRAMS = (("docker", "compose"), ("docker-compose",))
NAME_VARIABLE = "COMPOSE_PROJECT_NAME"
_ENV_LINE = re.compile(rf"\s*(?:export\s+)?{NAME_VARIABLE}\s*=\s*(.*?)\s*")
# What Compose keeps of a name (its documentation "Specify a project name", read 2026-11-30).
_NOT_KEPT = re.compile(r"[^-_a-z0-9]")


def files(directory: str) -> tuple[str, ...]:
    """A directory's Compose file and what Compose adds to it; empty where there is none."""
    found = _first(directory, NAMES)
    return with_override(found) if found else ()


def with_override(path: str) -> tuple[str, ...]:
    """A Compose file that nobody named, and what Compose adds to it."""
    added = _first(os.path.dirname(path), OVERRIDES)
    return (path, added) if added else (path,)


def given_name(directory: str, environ: Mapping[str, str]) -> str | None:
    """The project's name in the environment, else in the directory's ``.env``, else None."""
    return environ.get(NAME_VARIABLE) or _from_env_file(os.path.join(directory, ".env"))


def normalised(name: str) -> str:
    """A name as Compose writes it: lower case, and letters, digits, dashes and underscores.

    The plugin takes dashes and underscores away from its beginning, too.
    """
    return _NOT_KEPT.sub("", name.lower())


def _first(directory: str, names: tuple[str, ...]) -> str | None:
    paths = (os.path.join(directory, name) for name in names)
    return next((path for path in paths if os.path.isfile(path)), None)


def _from_env_file(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    found = [match[1] for line in lines if (match := _ENV_LINE.fullmatch(line))]
    return (found[-1].strip("\"'") or None) if found else None
