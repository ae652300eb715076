"""What a project's files hold at one moment, which of them changed since another, and which fit."""

from __future__ import annotations

import os
import time
import zlib
from contextlib import suppress

from stophooks import jsonvalues
from stophooks.digests import sha256
from stophooks.inputs.head import blobs, print_in
from stophooks.store import snapshots
from stophooks.store.contents import matches as matches
from stophooks.store.place import PRIVATE_DIR, PRIVATE_FILE
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEADLINE_S = 5.0
# Of trees that are known again later.
KEEP_TREES = 200


class UnknownError(Exception):
    """It cannot be told, or not in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What the files hold at one moment.

    Two trees with the same ``id`` have the same content: paths, bytes, executable bits, link
    targets and, in a repository, the commit that they stand on. ``root`` is the repository's
    directory, else the project's; absolute, its links followed.
    """

    id: str
    root: str
    state_dir: str
    prints: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Files that are there and differ, and files that are gone; relative to the root, sorted."""

    present: tuple[str, ...]
    deleted: tuple[str, ...]


def look(
    project_dir: str,
    *,
    environ: Mapping[str, str],
    state_dir: str,
    deadline_s: float = DEADLINE_S,
) -> Tree | None:
    """The files now; None where that cannot be told in time.

    Args:
        project_dir: Absolute path.
        environ: Where git is found, and whose settings it uses.
        state_dir: Where trees are kept.
        deadline_s: Seconds after which the answer is None.
    """
    found = snapshots.identity(project_dir, environ=environ, deadline_s=deadline_s)
    if found is None:
        return None
    tree = Tree(id=str(found), root=found.root, state_dir=state_dir, prints=found.files)
    with suppress(OSError):
        _keep(tree)
    return tree


def _keep(tree: Tree) -> None:
    """Have `changed` know this tree later."""
    path = _path(tree.state_dir, tree.id)
    if os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), mode=PRIVATE_DIR, exist_ok=True)
    data = zlib.compress(jsonvalues.dumps(dict(tree.prints)).encode("utf-8", "surrogatepass"), 1)
    mine = f"{path}.{os.getpid()}.{time.monotonic_ns()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(mine, flags, PRIVATE_FILE), "wb") as file:
        file.write(data)
    os.replace(mine, path)
    _prune(os.path.dirname(path))


def untouched(before: Tree, after: Tree) -> bool:
    """Whether no file was as much as written between two looks that follow each other."""
    return before.id == after.id


def files(tree: Tree) -> Mapping[str, str]:
    """What each file holds, by its path relative to the root: equal for equal content."""
    return tree.prints


def digest(tree: Tree, patterns: Sequence[str], exclude: Sequence[str] = (), *, base: str) -> str:
    """One word for what the matching files hold; patterns are relative to ``base``, absolute."""
    inner = os.path.relpath(os.path.realpath(base), tree.root)
    below = "" if inner == "." else f"{inner}/"
    wanted, unwanted = (
        [tuple(one.rstrip("/").split("/")) for one in given] for given in (patterns, exclude)
    )
    sum_ = sha256()
    for path in sorted(tree.prints):
        parts = tuple(path.removeprefix(below).split("/"))
        if path.startswith(below) and any(matches(one, parts) for one in wanted):
            if any(matches(one, parts) for one in unwanted):
                continue
            sum_.update(os.fsencode(path) + b"\0" + os.fsencode(tree.prints[path]) + b"\0\0")
    return sum_.hexdigest()


def changed(since: str, tree: Tree) -> Changes | None:
    """What changed since the tree with an id that was kept; None where it is not known any more."""
    if since == tree.id:
        return Changes(present=(), deleted=())
    try:
        with open(_path(tree.state_dir, since), "rb") as file:
            before = jsonvalues.loads(zlib.decompress(file.read()).decode("utf-8", "surrogatepass"))
    except (OSError, ValueError, zlib.error):
        return None
    if not isinstance(before, dict):
        return None
    return _between(before, tree.prints)


def changed_since_head(tree: Tree, *, environ: Mapping[str, str]) -> Changes | None:
    """What is not as the last commit has it, new files included; None without git."""
    known = blobs(tree.root, environ)
    if known is None:
        return None
    return _between(known, {path: print_in(tree.root, path, known) for path in tree.prints})


def _between(before: Mapping[str, str], now: Mapping[str, str]) -> Changes:
    return Changes(
        present=tuple(sorted(path for path in now if before.get(path) != now[path])),
        deleted=tuple(sorted(path for path in before if path not in now)),
    )


def _path(state_dir: str, name: str) -> str:
    return os.path.join(state_dir, "trees", name)


def _prune(directory: str) -> None:
    with os.scandir(directory) as entries:
        found = sorted((entry.stat().st_mtime, entry.path) for entry in entries)
    for _at, path in found[:-KEEP_TREES]:
        try:
            os.unlink(path)
        except FileNotFoundError:  # another process prunes at the same time
            continue
