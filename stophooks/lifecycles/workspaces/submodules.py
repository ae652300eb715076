"""The submodules of a worktree: git keeps their repositories with it, and removes both."""

from __future__ import annotations

import os

from stophooks.lifecycles.workspaces.index import entries
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stophooks.lifecycles.workspaces.git import Git
    from stophooks.lifecycles.workspaces.index import Entry
    from stophooks.lifecycles.workspaces.record import Repo

# Where git keeps the repositories of submodules, in that of the repository around them.
_MODULES = "modules"
# Commits of a large repository, each with 41 bytes.
_LIST_BYTES = 512 * MIB
# In the repository itself, whose directory of files may be gone.
_HERE = ("--git-dir=.", "--work-tree=.")
# The commits that a reference has been at.
_HISTORY = ("rev-list", "--walk-reflogs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One submodule of a worktree, also one of a submodule.

    ``name`` is its path from the worktree, ``tree`` the directory it is checked out in, None where
    only its repository is left. ``store`` is that repository where it goes with the worktree, and
    ``source`` the one that the worktree's own repository has of the same submodule. ``pinned`` is
    the commit that was asked for before there was the worktree: it came from elsewhere.
    """

    name: str
    tree: str | None = None
    store: str | None = None
    source: str | None = None
    pinned: str | None = None


def any_in(git: Git, tree: str) -> bool:
    """Whether git counts a worktree as one with submodules, and so would not remove it.

    Raises:
        GitError: It cannot be told.
    """
    modules = os.path.join(_git_dir(git, tree), _MODULES)
    return os.path.isdir(modules) or any(one.is_submodule for one in entries(git, tree))


def strays(tree: str, listed: Sequence[Entry]) -> tuple[str, ...]:
    """Directories of submodules that are not checked out and have files: git tells nothing of them.

    Raises:
        OSError: One cannot be read.
    """
    places = ((one.path, os.path.join(tree, one.path)) for one in listed if one.is_submodule)
    return tuple(
        f"?? {path}/"
        for path, place in places
        if os.path.isdir(place) and not _is_repository(place) and os.listdir(place)
    )


def parts(git: Git, tree: str, repo: Repo) -> tuple[Part, ...]:
    """Every submodule of a worktree, those that are not checked out any more too.

    Raises:
        GitError: It cannot be told.
    """
    above = _git_dir(git, tree)
    sources = {
        os.path.realpath(store): os.path.join(repo.git_dir, os.path.relpath(store, above))
        for store in _stores(os.path.join(above, _MODULES))
    }
    found = list(_checked_out(git, tree, repo, sources))
    seen = {part.store for part in found}
    for store, source in sources.items():
        if store not in seen:
            name = os.path.relpath(store, os.path.realpath(above)).removeprefix(f"{_MODULES}/")
            found.append(Part(name=name, store=store, source=source))
    return tuple(found)


def commits(git: Git, part: Part) -> int:
    """How many commits of a submodule are known to be nowhere else.

    Those of its HEAD, its branches and of tags on what was committed in it count, unless they are
    on a remote-tracking branch, or on a branch or a tag of the source.

    Raises:
        GitError: It cannot be told.
    """
    tips = _tips(git, part.store) if part.store else ()
    if not part.store or not tips:
        return 0
    away = [f"^{part.pinned}"] if part.pinned else []
    told = git.read(
        part.store,
        *(*_HERE, "rev-list", "--ignore-missing", *tips, *away, "--not", "--remotes"),
        limit_bytes=_LIST_BYTES,
    )
    alone = set(told.split())
    if alone and part.source and os.path.isdir(part.source):
        known = ("--not", "--branches", "--tags", "--remotes")
        # With the submodule's objects at hand, git can compare two repositories.
        there = git.ask(
            part.source,
            *(*_HERE, "rev-list", *tips, *known),
            objects=os.path.join(part.store, "objects"),
            limit_bytes=_LIST_BYTES,
        )
        alone &= alone if there is None else set(there.split())
    return len(alone)


def stashes(git: Git, part: Part) -> int:
    """How many stashes a submodule has: they belong to its repository.

    Raises:
        GitError: It cannot be told.
    """
    if part.store is None or not _commit(git, part.store, "refs/stash"):
        return 0
    told = git.read(part.store, *_HERE, *_HISTORY, "refs/stash", "--")
    return max(1, len(told.splitlines()))


def _tips(git: Git, store: str) -> tuple[str, ...]:
    head = _commit(git, store, "HEAD")
    refs = (*_HERE, "for-each-ref")
    heads = git.read(store, *refs, "--format=%(objectname)", "refs/heads").split()
    # Tags that were fetched are elsewhere; what was committed here has been HEAD.
    been = set(git.read(store, *_HERE, *_HISTORY, "HEAD", "--").split()) if head else set()
    peeled = git.read(store, *refs, "--format=%(objectname) %(*objectname)", "refs/tags")
    tagged = [row.split()[-1] for row in peeled.splitlines() if row.split()]
    return tuple(dict.fromkeys((*head, *heads, *(one for one in tagged if one in been))))


def _commit(git: Git, store: str, name: str) -> list[str]:
    """The commit that a name stands for; none where there is no such name."""
    asked = ("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return (git.ask(store, *_HERE, *asked) or "").split()


def _checked_out(
    git: Git, tree: str, repo: Repo, sources: dict[str, str], above: str = ""
) -> Iterator[Part]:
    for entry in entries(git, tree):
        place = os.path.join(tree, entry.path)
        if not entry.is_submodule or not _is_repository(place):
            continue
        name = os.path.join(above, entry.path)
        store = os.path.realpath(_git_dir(git, place))
        is_inside = store.startswith(f"{os.path.realpath(place)}/")
        yield Part(
            name=name,
            tree=place,
            store=store if is_inside or store in sources else None,
            source=sources.get(store),
            pinned=None if above else _pinned(git, tree, entry.path, repo.base),
        )
        yield from _checked_out(git, place, repo, sources, name)


def _pinned(git: Git, tree: str, path: str, base: str | None) -> str | None:
    told = git.ask(tree, "rev-parse", "--verify", "--quiet", f"{base}:{path}") if base else None
    return told.strip() if told else None


def _stores(modules: str) -> Iterator[str]:
    """The repositories in a directory of them; a submodule's name may have slashes."""
    for directory, names, _files in os.walk(modules):
        if all(os.path.lexists(os.path.join(directory, one)) for one in ("HEAD", "objects")):
            names.clear()
            yield directory
            yield from _stores(os.path.join(directory, _MODULES))


def _is_repository(place: str) -> bool:
    return not os.path.islink(place) and os.path.lexists(os.path.join(place, ".git"))


def _git_dir(git: Git, tree: str) -> str:
    return git.read(tree, "rev-parse", "--absolute-git-dir").removesuffix("\n")
