"""Find the configuration file that belongs to a directory."""

from __future__ import annotations

import os

from stophooks.errors import StophooksError

NAMES: tuple[str, ...] = tuple(
    f"{dot}stophooks.{ending}" for dot in ("", ".") for ending in ("yaml", "yml", "json", "toml")
)


class ConfigAmbiguousError(StophooksError):
    """One directory holds more than one configuration file."""


class ConfigUnreadableError(StophooksError):
    """A directory cannot be looked into, so nobody knows what it asks for."""


def find(directory: str, *, home: str | None) -> str | None:
    """The nearest configuration file at or above a directory, or None.

    The search ends at the root of the git repository, at the home directory or at the root of
    the file system, whichever comes first.

    Args:
        directory: Absolute path; need not exist.
        home: The home directory, or None when there is none.

    Raises:
        ConfigAmbiguousError: Two files with a configuration's name lie side by side.
        ConfigUnreadableError: The directory itself cannot be looked into.
    """
    nearest = directory
    while True:
        is_nearest = directory == nearest
        present = [name for name in NAMES if _exists(directory, name, must_tell=is_nearest)]
        if len(present) > 1:
            raise ConfigAmbiguousError(
                f"{' and '.join(present)} lie side by side in {directory}, and only one can be "
                "the configuration. Remove or rename all but one."
            )
        if present:
            return os.path.join(directory, present[0])
        parent = os.path.dirname(directory)
        is_last = directory in (parent, home)
        if is_last or _exists(directory, ".git", must_tell=False):
            return None
        directory = parent


def _exists(directory: str, name: str, *, must_tell: bool) -> bool:
    """Whether there is anything with this name, even a link to nowhere.

    A parent that may not be searched (as in a sandbox) holds nothing that could be read; of the
    project's own directory that would be a guess.
    """
    try:
        os.lstat(os.path.join(directory, name))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as err:
        if not must_tell:
            return False
        raise ConfigUnreadableError(
            f"Whether {directory} has a configuration cannot be told: {err.strerror}. "
            "Make the directory readable and searchable for you."
        ) from err
    return True
