"""What files hold, as short prints that can be kept and compared."""

from __future__ import annotations

import os
import stat
import time

from stophooks.digests import LARGE_BYTES, sha256
from stophooks.errors import StoreError
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Of a larger file only size and times are kept: a check must not wait for a disk to be read.
MAX_BYTES = 64 * MIB
# Of all files together that patterns may name; hashed in about a second.
MAX_FILES = 20_000
# For finding and reading them. Seconds.
PROTECT_S = 10.0
GONE = "gone"
_PIECE = MIB


def print_of(path: str) -> str:
    """What is at a path, in a few words that differ when it does: `GONE` where nothing is.

    Of a file that is its content and whether it can be executed; of a link also where it leads.
    Times and owners do not count, but for a file over 64 MiB, whose content is not read.
    """
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(path)
            return f"link {target} {_file(path) if os.path.isfile(path) else 'elsewhere'}"
        return _file(path) if stat.S_ISREG(found.st_mode) else f"kind {stat.S_IFMT(found.st_mode)}"
    except (FileNotFoundError, NotADirectoryError):
        return GONE
    except (OSError, ValueError) as err:
        return f"unreadable {getattr(err, 'errno', None)}"


def protected(project_dir: str, patterns: Sequence[str]) -> dict[str, str]:
    """The prints of all files that the patterns name, by their path relative to the project.

    Directories that are links are not entered; they count as files. ``.git`` is entered only by a
    pattern that begins with it.

    Raises:
        StoreError: There are too many of them, or they cannot be read in time.
    """
    parts = [tuple(pattern.rstrip("/").split("/")) for pattern in patterns]
    until = time.monotonic() + PROTECT_S
    found: dict[str, str] = {}
    for path in _named(project_dir, parts):
        if len(found) >= MAX_FILES or time.monotonic() > until:
            raise StoreError(
                f"the files that `protect` names in {project_dir} cannot be watched: they are more "
                f"than {MAX_FILES}, or reading them takes more than {PROTECT_S:g} seconds. "
                "Name fewer of them."
            )
        found[path] = print_of(os.path.join(project_dir, path))
    return found


def fits_any(project_dir: str, pattern: str) -> bool:
    """Whether a pattern names a file that is there now."""
    return next(_named(project_dir, [tuple(pattern.rstrip("/").split("/"))]), None) is not None


def differences(before: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """What became of each path whose print is another one: ``changed``, ``gone`` or ``new``."""
    found = {}
    for path in sorted({*before, *now}):
        then, here = before.get(path, GONE), now.get(path, GONE)
        if then != here:
            found[path] = "gone" if here == GONE else "new" if then == GONE else "changed"
    return found


def matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether a pattern names a path, or a directory that it lies in."""
    if not pattern:
        return True
    if pattern[0] == "**":
        rest = pattern[1:]
        return any(matches(rest, path[start:]) for start in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and matches(pattern[1:], path[1:])


def fnmatchcase(name: str, pattern: str) -> bool:
    """Whether a name is one of those that a pattern stands for; `fnmatch.fnmatchcase`."""
    import fnmatch  # noqa: PLC0415 -- few projects protect files

    return fnmatch.fnmatchcase(name, pattern)


def may_hold(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether what a pattern names can lie in a directory."""
    for part, name in zip(pattern, path, strict=False):
        if part == "**":
            return name != ".git"
        if not fnmatchcase(name, part):
            return False
    return True


def _named(project_dir: str, patterns: list[tuple[str, ...]]) -> Iterator[str]:
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        place = waiting.pop()
        for name, is_dir in _entries(os.path.join(project_dir, *place)):
            path = (*place, name)
            if is_dir:
                if any(may_hold(pattern, path) for pattern in patterns):
                    waiting.append(path)
            elif any(matches(pattern, path) for pattern in patterns):
                yield "/".join(path)


def _entries(directory: str) -> list[tuple[str, bool]]:
    try:
        with os.scandir(directory) as entries:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError:
        # What cannot be looked into now is gone, or comes back, as far as anybody can tell.
        return []


def _file(path: str) -> str:
    # Not waiting: it may have become a FIFO meanwhile.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        runs = "x" if found.st_mode & 0o100 else "-"
        if found.st_size > MAX_BYTES:
            return f"{runs} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
        digest = sha256() if found.st_size < LARGE_BYTES else _quick()
        while piece := os.read(descriptor, _PIECE):
            digest.update(piece)
        return f"{runs} {digest.hexdigest()}"
    finally:
        os.close(descriptor)


def _quick() -> Any:
    import hashlib  # noqa: PLC0415 -- OpenSSL is three times as fast, and takes longer to load

    return hashlib.sha256()
