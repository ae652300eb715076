"""Which files a command is for: those that fit its patterns and have changed."""

from __future__ import annotations

import os
import posixpath

from stophooks import inputs
from stophooks.memo.fitting import fitting, place
from stophooks.models import FILES
from stophooks.occasion.binding import inside
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.inputs import Tree
    from stophooks.memo.base import Basis
    from stophooks.models import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The files that a command runs for.

    ``paths`` are those that are there, as the command finds them from where it runs; ``changed``
    are all that fit, relative to the project, those that are gone included. ``skip`` says why there
    is nothing to run it for, or is None.
    """

    paths: tuple[str, ...]
    changed: tuple[str, ...]
    skip: str | None = None


def choose(command: Command, tree: Tree, basis: Basis, environ: Mapping[str, str]) -> Chosen:
    """The files that a command is for now.

    Where it is not known what has changed, everything has.
    """
    since: str | None = "the last commit" if basis.since is None else "the session began"
    changes = None if basis.all_files else _changes(tree, basis, environ)
    if changes is None:
        since = None
        changes = inputs.Changes(present=tuple(sorted(inputs.files(tree))), deleted=())
    below = place(tree, command.project_dir)
    present = _fitting(command, changes.present, below)
    deleted = _fitting(command, changes.deleted, below)
    paths = tuple(found for path in present if (found := _seen(command, path)) is not None)
    return Chosen(
        paths=paths,
        changed=(*present, *deleted),
        skip=_nothing(command, since, present=present, deleted=deleted, paths=paths),
    )


def _changes(tree: Tree, basis: Basis, environ: Mapping[str, str]) -> inputs.Changes | None:
    if basis.since is not None:
        return inputs.changed(basis.since, tree)
    return inputs.changed_since_head(tree, environ=environ)


def _fitting(command: Command, paths: Iterable[str], below: str) -> tuple[str, ...]:
    """Those that fit, relative to the project."""
    found = fitting(tuple(paths), command.files, command.exclude, below=below)
    return tuple(path[len(below) + 1 :] if below else path for path in found)


def _seen(command: Command, path: str) -> str | None:
    """A path of the project from where the command runs; None where its container has it not."""
    whole = os.path.join(command.project_dir, path)
    if command.container is None:
        found = os.path.relpath(whole, command.working_dir or command.project_dir)
    else:
        there = inside(whole, command)
        if there is None:
            return None
        found = posixpath.relpath(there, command.container.workdir)
    # No program is to take it for an option.
    return f"./{found}" if found.startswith("-") else found


def _nothing(
    command: Command,
    since: str | None,
    *,
    present: tuple[str, ...],
    deleted: tuple[str, ...],
    paths: tuple[str, ...],
) -> str | None:
    """Why there is nothing to run the command for, or None."""
    if not present and not deleted:
        if since is None:
            return "no file fits its `files`"
        return f"no file that fits its `files` changed since {since}"
    if present and not paths:
        return "its container sees none of the files that changed"
    if not paths and FILES in (command.argv or ()):
        return f"the files that fit its `files` were deleted, and {FILES} would be empty"
    return None
