"""The content of those files of a tree that patterns name."""

from __future__ import annotations

import os

from stophooks.digests import sha256
from stophooks.inputs.records import DIRECTORY, SELF
from stophooks.store.contents import matches, may_hold
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stophooks.inputs.records import Records
    from stophooks.inputs.values import Tree

_Parts = tuple[str, ...]


def chosen(tree: Tree, patterns: Sequence[str], exclude: Sequence[str], *, base: str) -> str:
    """A word for the content of the files that patterns name; see `inputs.digest`."""
    said = sha256()
    for path, word in _choice(tree, patterns, exclude, base=base).below(tree.id, ()):
        said.update(os.fsencode(f"{'/'.join(path)}\0{word}\0"))
    return said.hexdigest()


def paths_of(tree: Tree, patterns: Sequence[str], *, base: str) -> Iterator[str]:
    """The path of each file that patterns name, relative to the root; see `inputs.paths`."""
    for path, word in _choice(tree, patterns, (), base=base).below(tree.id, ()):
        name = "/".join(path)
        if word[0] == DIRECTORY:
            yield from (below for below, _word in tree.records.files(word[1:], f"{name}/"))
        else:
            yield name


def _choice(tree: Tree, patterns: Sequence[str], exclude: Sequence[str], *, base: str) -> _Choice:
    inner = os.path.relpath(os.path.realpath(base), tree.root)
    return _Choice(
        tree.records,
        [_from_root(pattern, inner) for pattern in patterns],
        [_from_root(pattern, inner) for pattern in exclude],
    )


def _from_root(pattern: str, base: str) -> _Parts:
    """A pattern relative to a directory as one relative to the root that the directory is in."""
    parts = [] if base == "." else [_literal(name) for name in base.split("/")]
    for part in pattern.rstrip("/").split("/"):
        if part == "..":
            # Above the root is nothing: no name is empty.
            parts = parts[:-1] if parts else [""]
        elif part not in {"", "."}:
            parts.append(part)
    return tuple(parts)


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


class _Choice:
    def __init__(self, records: Records, patterns: list[_Parts], exclude: list[_Parts]) -> None:
        self._records = records
        self._patterns = patterns
        self._exclude = exclude

    def below(self, listing: str, place: _Parts) -> Iterator[tuple[_Parts, str]]:
        """The path and word of each chosen file, or of a directory with nothing else in it."""
        for name, word in self._records.entries(listing).items():
            path = (*place, name.rstrip("/"))
            if name == SELF:
                # The commit is no file; a repository within has its files here.
                if word[0] == "r":
                    yield from self.below(word[1:], place)
            elif any(matches(pattern, path) for pattern in self._exclude):
                continue
            elif not name.endswith("/"):
                if any(matches(pattern, path) for pattern in self._patterns):
                    yield path, word
            elif self._is_whole(path):
                yield path, word
            elif any(may_hold(pattern, path) for pattern in self._patterns):
                yield from self.below(word[1:], path)

    def _is_whole(self, path: _Parts) -> bool:
        return any(matches(pattern, path) for pattern in self._patterns) and not any(
            may_hold(pattern, path) for pattern in self._exclude
        )
