"""What a project's files hold, exactly, at the cost of what changed.

`looking` is one look, `prints` what a path holds, `listing` asks git, `repository` reads what git
need not be asked, `records` are trees that can be compared, `memory`, `private`, `index` and
`statindex` what one look leaves to the next.
"""

from __future__ import annotations

import os
import time

from stophooks.inputs import private, repository
from stophooks.inputs.listing import Git
from stophooks.inputs.looking import sight
from stophooks.inputs.records import LostError, Records
from stophooks.inputs.values import Changes, Tree, UnknownError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "Changes",
    "Tree",
    "UnknownError",
    "changed",
    "changed_since_head",
    "digest",
    "files",
    "look",
    "paths",
    "untouched",
]

# For finding, listing and reading the files: less than most checks take. Seconds.
DEADLINE_S = 5.0
_RECORDS = "records.db"


def look(
    project_dir: str,
    *,
    environ: Mapping[str, str],
    state_dir: str,
    deadline_s: float = DEADLINE_S,
    meanwhile: Callable[[], None] | None = None,
) -> Tree | None:
    """What the files hold now; None where that cannot be told in time.

    Of a git repository that is the content of all files that git does not ignore, whatever git's
    index says of them, those of repositories within included, and the commit that they stand on;
    the whole repository, as a check of one directory may use another. Elsewhere it is that of all
    files. Nothing is written into the project. A look whose time was over leaves what it has read
    to the next one.

    Args:
        project_dir: Absolute path.
        environ: Where git is found, and whose settings it uses.
        state_dir: Where to remember what makes the next look fast; unusable, it makes it slow.
        deadline_s: Seconds after which the answer is None.
        meanwhile: Called once, when git has begun to work; not at all where it is not asked.
    """
    git = Git(environ, time.monotonic() + deadline_s, own=state_dir, meanwhile=meanwhile)
    root = repository.root_of(project_dir) or os.path.realpath(project_dir)
    place = private.place_of(root, state_dir)
    records = Records(os.path.join(place, _RECORDS) if place else None)
    try:
        with records.opened():
            found = sight(git, root, place, records)
    except UnknownError:
        return None
    return Tree(id=found.listing, root=root, began=found.began, ended=found.ended, records=records)


def untouched(before: Tree, after: Tree) -> bool:
    """Whether no file was as much as written between two looks that follow each other.

    Two trees with the same id may have had other content in between. Where it cannot be told, as
    after a look of another process, the answer is no.
    """
    return before.id == after.id and before.ended == after.began


def files(tree: Tree) -> Mapping[str, str]:
    """The content of each file in one word, by its path relative to the root.

    Raises:
        UnknownError: It is not known any more.
    """
    with tree.records.opened():
        return dict(tree.records.files(tree.id))


def changed(since: str, tree: Tree) -> Changes | None:
    """What differs from an earlier tree of the same root; None where that is not known any more.

    Args:
        since: That tree's id.
        tree: The tree now.
    """
    try:
        with tree.records.opened():
            found = dict(tree.records.differences(since, tree.id))
    except LostError:
        return None
    return Changes(
        present=tuple(sorted(path for path, is_there in found.items() if is_there)),
        deleted=tuple(sorted(path for path, is_there in found.items() if not is_there)),
    )


def digest(tree: Tree, patterns: Sequence[str], exclude: Sequence[str], *, base: str) -> str:
    """A word for the content of the files that patterns name, the same for the same content.

    Args:
        tree: The tree.
        patterns: Of `store.contents.matches`, relative to ``base``.
        exclude: What is left out of these.
        base: Absolute path of a directory in the tree.

    Raises:
        UnknownError: It is not known any more.
    """
    from stophooks.inputs.chosen import chosen  # noqa: PLC0415 -- needs patterns, which cost time

    with tree.records.opened():
        return chosen(tree, patterns, exclude, base=base)


def paths(tree: Tree, patterns: Sequence[str], *, base: str) -> Sequence[str]:
    """The absolute path of each file that patterns name, in one order.

    Args:
        tree: The tree.
        patterns: Of `store.contents.matches`, relative to ``base``.
        base: Absolute path of a directory in the tree.

    Raises:
        UnknownError: It is not known any more.
    """
    from stophooks.inputs.chosen import paths_of  # noqa: PLC0415 -- needs patterns, which cost time

    with tree.records.opened():
        return [os.path.join(tree.root, path) for path in paths_of(tree, patterns, base=base)]


def changed_since_head(tree: Tree, *, environ: Mapping[str, str]) -> Changes | None:
    """What is not committed, new files included; None where git cannot tell.

    Args:
        tree: The tree now.
        environ: Where git is found, and whose settings it uses.
    """
    from stophooks.inputs.uncommitted import uncommitted  # noqa: PLC0415 -- seldom asked

    return uncommitted(tree, environ=environ)
