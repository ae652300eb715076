"""Where state is kept, and a private place for it when the usual one cannot be written."""

from __future__ import annotations

import os
import stat

from stophooks.errors import StoreError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600
# Whoever uses one of them looks whose the directory in it is.
_TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108


def state_dir(environ: Mapping[str, str]) -> str:
    """Return where this user's state belongs, as an absolute path.

    ``$XDG_STATE_HOME/stophooks``, else ``~/.local/state/stophooks`` (XDG Base Directory
    Specification 0.8: a relative value is to be ignored), else the fallback of
    `writable_dir` for a user without a home.
    """
    base = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME") or os.path.expanduser("~")
        base = os.path.join(home, ".local", "state")
    return os.path.join(base, "stophooks") if os.path.isabs(base) else fallback_dir()


def writable_dir(wanted: str) -> str:
    """Return ``wanted``, made if need be, or this user's own directory for temporary files.

    Raises:
        StoreError: Neither can be written, or the second belongs to somebody else.

    """
    return next(places(wanted))


def places(wanted: str, *, makes: bool = True) -> Iterator[str]:
    """Yield the directories that state can be kept in, best first: ``wanted``, then a private one.

    The second is made only when it is asked for, and left out where it is not there and not to be
    made.

    Raises:
        StoreError: There is none (left).

    """
    # The name alone decides: finding out where temporary files lie costs start-up time.
    if os.path.basename(wanted) == _fallback_name():
        yield _private(wanted, instead_of="a home directory, which is not known")
        return
    instead_of = wanted
    try:
        if not os.path.isdir(wanted):
            os.makedirs(wanted, mode=PRIVATE_DIR, exist_ok=True)
    except OSError as err:
        instead_of = f"{wanted} ({err.strerror})"
    else:
        if os.access(wanted, os.W_OK | os.X_OK):
            yield wanted
        else:
            instead_of = f"{wanted} (not writable)"
    second = fallback_dir()
    if makes or os.path.lexists(second):
        yield _private(second, instead_of=instead_of)


def fallback_dir() -> str:
    """Return this user's own directory for temporary files, which need not exist."""
    return os.path.join(temporary_dir(), _fallback_name())


def temporary_dir() -> str:
    """Return where temporary files go.

    `tempfile.gettempdir` looks in the same places, and would write a file to find out; its import
    takes longer than a stop may.
    """
    named = (os.getenv(name) for name in ("TMPDIR", "TEMP", "TMP"))
    for base in (*filter(None, named), *_TEMPORARY):
        if os.path.isdir(base) and os.access(base, os.W_OK | os.X_OK):
            return os.path.abspath(base)
    return _TEMPORARY[0]


def _fallback_name() -> str:
    return f"stophooks-{os.getuid()}"


def _private(path: str, *, instead_of: str) -> str:
    try:
        os.makedirs(path, mode=PRIVATE_DIR, exist_ok=True)
        found = os.lstat(path)
    except OSError as err:
        raise StoreError(
            f"no state can be kept: neither in {instead_of} nor in {path} ({err.strerror}). "
            "Make one of them writable, or set XDG_STATE_HOME to a directory that is."
        ) from err
    # Anybody can make a directory of this name in /tmp first, and would then own our counts.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StoreError(
            f"no state can be kept in {path}, used instead of {instead_of}: it is not a directory "
            "that only you can open. Remove it, or set XDG_STATE_HOME to a writable directory."
        )
    return path
