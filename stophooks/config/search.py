"""Find the configuration file that belongs to a directory."""

from __future__ import annotations

import os

from stophooks.errors import StophooksError

NAMES: tuple[str, ...] = tuple(
    f"{dot}stophooks.{ending}" for dot in ("", ".") for ending in ("yaml", "yml", "json", "toml")
)


class ConfigAmbiguousError(StophooksError):
    """One directory holds more than one configuration file."""


def find(directory: str, *, home: str | None) -> str | None:
    """The nearest configuration file at or above a directory, or None.

    The search ends at the root of the git repository, at the home directory or at the root of
    the file system, whichever comes first.

    Args:
        directory: Absolute path; need not exist.
        home: The home directory, or None when there is none.

    Raises:
        ConfigAmbiguousError: Two files with a configuration's name lie side by side.
    """
    while True:
        present = [name for name in NAMES if _exists(os.path.join(directory, name))]
        if len(present) > 1:
            raise ConfigAmbiguousError(
                f"{' and '.join(present)} lie side by side in {directory}, and only one can be "
                "the configuration. Remove or rename all but one."
            )
        if present:
            return os.path.join(directory, present[0])
        parent = os.path.dirname(directory)
        if directory in (parent, home) or _exists(os.path.join(directory, ".git")):
            return None
        directory = parent


def _exists(path: str) -> bool:
    """Whether there is anything with this name, even a link to nowhere."""
    # A directory that may not be searched (a sandbox's parents) holds nothing we could read.
    return os.path.lexists(path)
