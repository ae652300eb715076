"""Find the configuration file that belongs to a directory."""

from __future__ import annotations

import os

from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAMES: tuple[str, ...] = tuple(
    f"{dot}stophooks.{ending}" for dot in ("", ".") for ending in ("yaml", "yml", "json", "toml")
)


class ConfigAmbiguousError(StophooksError):
    """One directory holds more than one configuration file."""


class ConfigUnreadableError(StophooksError):
    """A directory cannot be looked into, so nobody knows what it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the checks of a project are configured; absolute paths.

    ``project_path`` and ``user_path`` are the project's configuration and the user's own, each
    None where there is none.
    """

    project_dir: str
    project_path: str | None
    user_path: str | None


def locate(
    directories: Iterable[str], *, home: str | None, environ: Mapping[str, str]
) -> Place | None:
    """The configurations for the first of these directories that has one, or else for the first.

    Without a configuration of its own a project is the git repository, or else the directory.
    None where there is no directory.

    Args:
        directories: Absolute paths, most trusted first.
        home: The home directory, or None when there is none.
        environ: Says where the user's configuration is (XDG Base Directory Specification 0.8).

    Raises:
        ConfigAmbiguousError, ConfigUnreadableError: As `find`.
    """
    user_path = _user_path(environ)
    known = list(directories)
    for directory in known:
        path = find(directory, home=home)
        if path is not None and path != user_path:
            return Place(project_dir=os.path.dirname(path), project_path=path, user_path=user_path)
    if not known:
        return None
    return Place(project_dir=_root(known[0]), project_path=None, user_path=user_path)


def _user_path(environ: Mapping[str, str]) -> str | None:
    base = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(environ.get("HOME") or "~", ".config")
    directory = os.path.join(base, "stophooks")
    # Its own home, so that the search does not leave it.
    return find(directory, home=directory) if os.path.isabs(directory) else None


def _root(directory: str) -> str:
    """The git repository that a directory lies in, or the directory itself."""
    above = directory
    while not _exists(above, ".git", must_tell=False):
        parent = os.path.dirname(above)
        if parent == above:
            return directory
        above = parent
    return above


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
