"""The user tables of images, kept from one run to the next.

An image's id is a digest of all that it holds, so what was read out of it once stays true: for
every engine, and for ever.
"""

from __future__ import annotations

import os

from stophooks.contexts import suppress
from stophooks.jsonvalues import dumps, loads
from stophooks.values import dataclass

# A table is about a kilobyte; the oldest go first.
MOST_TABLES = 256
_DIGEST_DIGITS = 64
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One row of an image's ``/etc/passwd``."""

    name: str
    uid: int
    gid: int


class UserTables:
    """The tables in one directory; whatever fails about a file, the table is not known.

    Args:
        directory: Made when the first table is kept; None for nowhere.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    def get(self, image_id: str) -> tuple[User, ...] | None:
        """The users of an image, or None when they are not known."""
        path = self._path(image_id)
        if path is None:
            return None
        try:
            with open(path, encoding="utf-8") as file:
                told = loads(file.read())
            if told["format"] != _FORMAT:
                return None
            return tuple(_user(*row) for row in told["users"])
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return None

    def put(self, image_id: str, users: tuple[User, ...]) -> None:
        """Keep the users of an image, as far as that can be done."""
        path = self._path(image_id)
        if path is None or self._directory is None:
            return
        rows = [[user.name, user.uid, user.gid] for user in users]
        # Without it the table is read again, which is all that is lost.
        with suppress(OSError):
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            unfinished = f"{path}.{os.getpid()}"
            with open(os.open(unfinished, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(dumps({"format": _FORMAT, "users": rows}))
            os.replace(unfinished, path)
            self._prune(self._directory)

    def _path(self, image_id: str) -> str | None:
        digest = image_id.removeprefix("sha256:")
        is_digest = len(digest) == _DIGEST_DIGITS and not digest.strip("0123456789abcdef")
        if self._directory is None or not is_digest:
            return None
        return os.path.join(self._directory, f"{digest}.json")

    def _prune(self, directory: str) -> None:
        with os.scandir(directory) as entries:
            found = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
        for _, path in found[:-MOST_TABLES]:
            os.unlink(path)


def _user(name: object, uid: object, gid: object) -> User:
    if not isinstance(name, str) or type(uid) is not int or type(gid) is not int:
        raise TypeError
    return User(name=name, uid=uid, gid=gid)
