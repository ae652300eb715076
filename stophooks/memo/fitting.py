"""Which paths of a tree fit patterns that are relative to a directory in it."""

from __future__ import annotations

import os

from stophooks.store.contents import matches
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stophooks.inputs import Tree


def fitting(
    paths: Iterable[str], patterns: Sequence[str], exclude: Sequence[str] = (), *, below: str = ""
) -> Iterator[str]:
    """Those of the paths that lie below a directory and that the patterns name there.

    Args:
        paths: Relative to a root.
        patterns: Relative to ``below``.
        exclude: Those that do not count, relative to ``below``.
        below: The directory, relative to the root; empty for the root.
    """
    wanted, unwanted = _parts(patterns), _parts(exclude)
    inside = f"{below}/" if below else ""
    for path in paths:
        if path.startswith(inside):
            parts = tuple(path[len(inside) :].split("/"))
            if any(matches(one, parts) for one in wanted) and not any(
                matches(one, parts) for one in unwanted
            ):
                yield path


def place(tree: Tree, directory: str) -> str:
    """A directory of the tree relative to its root; empty for the root itself."""
    found = os.path.relpath(os.path.realpath(directory), tree.root)
    return "" if found == "." else found


def _parts(patterns: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(pattern.rstrip("/").split("/")) for pattern in patterns]
