"""What is remembered of a workspace: a file in its directory, and a lock on that directory."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from enum import StrEnum

from stophooks.contexts import contextmanager
from stophooks.errors import StophooksError
from stophooks.lifecycles.workspaces.faults import BusyError
from stophooks.models import Item
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = ".stophooks-workspace.json"
HALF = f"{NAME}.new"
VERSION = 1
# Somebody who only looks holds the lock for the moment of looking; seconds.
_ATTEMPTS_S = 1.0
_PAUSE_S = 0.01
_BRIEF = re.compile(r"[0-9a-f]{40,64}")


class State(StrEnum):
    """How far a workspace has come."""

    CREATING = "creating"
    READY = "ready"
    CLOSING = "closing"


class RecordError(StophooksError):
    """What is remembered of a workspace is not there, or cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """One repository of a workspace.

    ``name`` is its directory in the workspace. ``git_dir`` is the repository itself, what all its
    worktrees share (absolute). ``base`` is the commit that the branch was made from, None where
    the branch was there before.
    """

    name: str
    git_dir: str
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace as it was made; ``path`` is absolute, ``created`` in UTC."""

    id: str
    path: str
    branch: str
    repos: tuple[Repo, ...]
    created: str
    state: State

    def place(self, repo: Repo) -> str:
        """The absolute path of a repository's worktree."""
        return os.path.join(self.path, repo.name)

    @property
    def items(self) -> tuple[Item, ...]:
        """The repositories as an event's items, in the order of the workspace."""
        return tuple(Item(kind="repo", name=one.name, path=self.place(one)) for one in self.repos)


def new(id_: str, path: str, branch: str, repos: tuple[Repo, ...]) -> Workspace:
    """A workspace that is made now."""
    return Workspace(
        id=id_,
        path=path,
        branch=branch,
        repos=repos,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        state=State.CREATING,
    )


def put(workspace: Workspace, state: State) -> Workspace:
    """Write it down in this state; whoever reads finds the old text or the new one.

    Raises:
        OSError: It cannot be written.
    """
    changed = replace(workspace, state=state)
    values = {"version": VERSION, **asdict(changed)}
    del values["path"]  # the directory may be moved with all that is in it
    half = os.path.join(workspace.path, HALF)
    with open(half, "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(values, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(half, os.path.join(workspace.path, NAME))
    return changed


def get(path: str) -> Workspace:
    """The workspace in a directory.

    Raises:
        RecordError: There is none, or what was written down cannot be read.
    """
    file_path = os.path.join(path, NAME)
    try:
        with open(file_path, encoding="utf-8", errors="surrogateescape") as file:
            return _workspace(path, json.load(file))
    except FileNotFoundError as err:
        raise RecordError(f"{path} has no {NAME}") from err
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise RecordError(f"{file_path} cannot be read ({type(err).__name__}: {err})") from err


def others(workspace: Workspace) -> list[str]:
    """What lies beside the repositories and the record, in the order of names.

    Raises:
        OSError: The directory cannot be read.
    """
    ours = {repo.name for repo in workspace.repos} | {NAME, HALF}
    return sorted(name for name in os.listdir(workspace.path) if name not in ours)


def _workspace(path: str, values: Any) -> Workspace:
    if values["version"] != VERSION:
        raise ValueError(f"version {values['version']}, not {VERSION}")
    return Workspace(
        id=_text(values["id"]),
        path=path,
        branch=_text(values["branch"]),
        repos=tuple(_repo(one) for one in values["repos"]),
        created=_text(values["created"]),
        state=State(values["state"]),
    )


def _repo(values: Any) -> Repo:
    """One repository; its name is checked because a directory of that name is removed later."""
    name, git_dir, base = _text(values["name"]), _text(values["git_dir"]), values["base"]
    if name in {"", ".", ".."} or "/" in name or not os.path.isabs(git_dir):
        raise ValueError(f"no repository: {name!r} of {git_dir!r}")
    if base is not None and not _BRIEF.fullmatch(_text(base)):
        raise ValueError(f"no commit: {base!r}")
    return Repo(name=name, git_dir=git_dir, base=base)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"not a text: {value!r}")
    return value


@contextmanager
def held(path: str) -> Iterator[None]:
    """Be the only one who makes or closes the workspace in this directory; ends with the process.

    Raises:
        BusyError: Somebody else is.
        RecordError: The directory is not there.
    """
    descriptor = _opened(path)
    try:
        _lock(descriptor, path)
        # Whoever had it before may have removed it, and somebody else made it anew.
        if not _is_at(descriptor, path):
            raise BusyError(_busy(path))
        yield
    finally:
        os.close(descriptor)


def is_held(path: str) -> bool:
    """Whether somebody is making or closing the workspace in this directory now."""
    try:
        descriptor = _opened(path)
    except RecordError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as err:
        raise RecordError(f"{path} cannot be opened ({err.strerror})") from err


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _lock(descriptor: int, path: str) -> None:
    until = time.monotonic() + _ATTEMPTS_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            if time.monotonic() > until:
                raise BusyError(_busy(path)) from err
        except OSError:
            return  # a file system without locks (some network mounts): then without
        else:
            return
        time.sleep(_PAUSE_S)


def _busy(path: str) -> str:
    return (
        f"The workspace in {path} is being made or closed by another process. "
        "Try again when that has ended."
    )
