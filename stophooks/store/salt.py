"""A secret of this machine's user, without which what is hashed with it cannot be guessed."""

from __future__ import annotations

import os

from stophooks.contexts import suppress
from stophooks.errors import StoreError
from stophooks.store.place import PRIVATE_FILE, writable_dir

NAME = "salt"
BYTES = 32


def salt(state_dir: str, *, make: bool = True) -> bytes | None:
    """The same bytes at every call; made by chance at the first one.

    Without ``make`` None where there are none, and nothing is written.

    Raises:
        StoreError: They can be kept nowhere.
    """
    path = os.path.join(writable_dir(state_dir) if make else state_dir, NAME)
    try:
        found = _read(path)
        if not make:
            return found
        return found if found is not None else _made(path)
    except OSError as err:
        raise StoreError(
            f"{path} cannot be read or written: {err.strerror}. Remove it, or make its directory "
            "writable for you; until then no result is reused."
        ) from err


def _read(path: str) -> bytes | None:
    """What is there, or None for nothing, or for what was not written to its end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        found = os.read(descriptor, BYTES + 1)
    finally:
        os.close(descriptor)
    return found if len(found) == BYTES else None


def _made(path: str) -> bytes:
    """A new one, or the one that another process has made first."""
    mine = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(mine, flags, PRIVATE_FILE)
    try:
        os.write(descriptor, os.urandom(BYTES))
    finally:
        os.close(descriptor)
    try:
        with suppress(FileExistsError):
            os.link(mine, path)
        found = _read(path)
        if found is None:  # what was there is of no use
            os.replace(mine, path)
            found = _read(path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(mine)
    if found is None:
        raise StoreError(
            f"{path} cannot be read or written: it is not what was written. Remove it, or make its "
            "directory writable for you; until then no result is reused."
        )
    return found
