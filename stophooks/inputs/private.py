"""The place of a project in the state directory: what is remembered of its files, and by what."""

from __future__ import annotations

import os
import time
from itertools import pairwise

from stophooks.digests import sha256
from stophooks.errors import StoreError
from stophooks.inputs.listing import CONFIG
from stophooks.store.place import PRIVATE_DIR, PRIVATE_FILE, writable_dir

_ALL = "trees"
INDEX = "index-"
# A look takes seconds: nobody uses what nothing names for longer.
_UNUSED_S = 600.0
# Of a project that nobody has looked at for so long nothing is kept. 30 days.
_KEPT_S = 30 * 24 * 3600.0
# Conversions would run programs and hide changes, and nothing here needs them.
_ATTRIBUTES = "* -text -crlf -eol -ident -filter -working-tree-encoding\n"


def place_of(root: str, state_dir: str) -> str | None:
    """The directory for a project, made if need be; None where nothing can be kept."""
    try:
        directory = _made(writable_dir(state_dir), _ALL, _short(root))
    except (StoreError, OSError):
        return None
    return directory if os.access(directory, os.W_OK | os.X_OK) else None


def within(place: str, path: str) -> str:
    """The directory for a repository within a project.

    Raises:
        OSError: It cannot be made.
    """
    return _made(place, "within", _short(path))


def repository(place: str, exclude: str) -> str:
    """A repository of ours with no objects, which ignores what another one does.

    Args:
        place: The project's directory.
        exclude: The other one's own file of patterns.

    Raises:
        OSError: It cannot be made.
    """
    directory = _made(place, "git")
    for name in ("objects", "refs", "info"):
        _made(directory, name)
    _put(os.path.join(directory, "HEAD"), "ref: refs/heads/none\n")
    _put(os.path.join(directory, "config"), CONFIG)
    _put(os.path.join(directory, "info", "attributes"), _ATTRIBUTES)
    link = os.path.join(directory, "info", "exclude")
    if not os.path.islink(link) or os.readlink(link) != exclude:
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(exclude, link)
    return directory


def sweep(place: str) -> None:
    """Remove files that were replaced some time ago, or never finished.

    Raises:
        OSError: They cannot be.
    """
    limit = time.time() - _UNUSED_S
    with os.scandir(place) as entries:
        found = [
            (entry.stat(follow_symlinks=False).st_mtime, entry.path)
            for entry in entries
            if entry.name.startswith((INDEX, "memory."))
        ]
    indexes = sorted(one for one in found if os.path.basename(one[1]).startswith(INDEX))
    # Each was in use until the next one was made.
    replaced = [path for (_, path), (then, _) in pairwise(indexes) if then < limit]
    unfinished = [path for then, path in found if then < limit and "/memory." in path]
    for path in (*replaced, *unfinished):
        os.unlink(path)


def prune(place: str) -> None:
    """Remove what is kept of projects that nobody has looked at for 30 days.

    Raises:
        OSError: It cannot be found out.
    """
    import shutil  # noqa: PLC0415 -- only when a project is seen for the first time

    limit = time.time() - _KEPT_S
    with os.scandir(os.path.dirname(place)) as entries:
        for entry in entries:
            memory = os.path.join(entry.path, "memory")
            used = memory if os.path.lexists(memory) else entry.path
            if entry.path != place and os.lstat(used).st_mtime < limit:
                shutil.rmtree(entry.path, ignore_errors=True)


def _made(directory: str, *names: str) -> str:
    """A directory below another one; those on the way are made, each as private as the last."""
    for name in names:
        directory = os.path.join(directory, name)
        if not os.path.isdir(directory):
            # Another process may be as fast.
            os.makedirs(directory, mode=PRIVATE_DIR, exist_ok=True)
    return directory


def _put(path: str, text: str) -> None:
    """Have a small file say this."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        pass
    else:
        try:
            if os.read(descriptor, len(text) + 1) == text.encode():
                return
        finally:
            os.close(descriptor)
    temporary = f"{path}.{os.urandom(8).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(temporary, flags, PRIVATE_FILE), "w", encoding="ascii") as file:
        file.write(text)
    os.replace(temporary, path)


def _short(path: str) -> str:
    return sha256(os.fsencode(path)).hexdigest()[:32]
