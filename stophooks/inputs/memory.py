"""What is remembered of a working tree between two looks at it."""

from __future__ import annotations

import os
import time

from stophooks.digests import sha256
from stophooks.inputs.prints import Print
from stophooks.store.place import PRIVATE_FILE
from stophooks.values import dataclass, field

_NAME = "memory"
_FORM = "1"
Table = dict[str, Print]


@dataclass(slots=True, kw_only=True)
class Memory:
    """One look, as far as the next one can build on it.

    ``tree`` is the listing of all content, empty before the first look that came to an end.
    ``index`` is the name of the file for git and ``index_stamp`` its times; each file in it is in
    the tree, unchanged since. ``tracked`` are the other files that the repository tracks, and
    ``others`` those that are there and not ignored; ``inner`` the listings of repositories within
    and ``submodules`` where the index names some. ``listed`` are the times of the repository's
    index when that was last read, empty where it must be again, and ``names`` stands for what it
    named. ``unfinished`` are prints from looks since that ran out of time.
    """

    tree: str = ""
    commit: str = ""
    index: str = ""
    index_stamp: str = ""
    listed: str = ""
    names: str = ""
    submodules: tuple[str, ...] = ()
    tracked: Table = field(default_factory=dict)
    others: Table = field(default_factory=dict)
    inner: Table = field(default_factory=dict)
    unfinished: Table = field(default_factory=dict)

    def words(self) -> dict[str, str]:
        """The content of every path that is not in the index file."""
        return {
            path: known.word
            for table in (self.others, self.tracked, self.inner)
            for path, known in table.items()
        }


def load(directory: str) -> tuple[Memory, float]:
    """What was remembered there, or nothing; and when it was used last, or 0."""
    try:
        with open(os.path.join(directory, _NAME), "rb") as file:
            used = os.fstat(file.fileno()).st_mtime
            data = file.read()
        return _parse(data), used
    except (OSError, ValueError):
        return Memory(), 0


def save(directory: str, memory: Memory) -> None:
    """Remember it instead of what was; another process sees the one or the other.

    Raises:
        OSError: It cannot be written.
    """
    temporary = os.path.join(directory, f"{_NAME}.{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with open(os.open(temporary, flags, PRIVATE_FILE), "wb") as file:
            file.write(_form(memory))
        os.replace(temporary, os.path.join(directory, _NAME))
        touch(directory)
    except BaseException:
        # Nothing is kept from being raised; only no half of a file stays.
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def touch(directory: str) -> None:
    """Note that it was used now, by the clock of this machine.

    Raises:
        OSError: It cannot be noted.
    """
    now = time.time_ns()
    os.utime(os.path.join(directory, _NAME), ns=(now, now))


def _tables(memory: Memory) -> tuple[Table, ...]:
    return memory.tracked, memory.others, memory.inner, memory.unfinished


def _form(memory: Memory) -> bytes:
    fields = [
        _FORM,
        memory.tree,
        memory.commit,
        memory.index,
        memory.index_stamp,
        memory.listed,
        memory.names,
        str(len(memory.submodules)),
        *(str(len(table)) for table in _tables(memory)),
        *memory.submodules,
    ]
    for table in _tables(memory):
        fields += table
        fields += [known.stamp for known in table.values()]
        fields += [known.word for known in table.values()]
    data = os.fsencode("\0".join(fields))
    return sha256(data).digest() + data


def _parse(data: bytes) -> Memory:
    """What was formed.

    Raises:
        ValueError: It is not whole, or of another version.
    """
    if sha256(data[32:]).digest() != data[:32]:
        raise ValueError("it is damaged")
    form, tree, commit, index, index_stamp, listed, names, *rest = os.fsdecode(data[32:]).split(
        "\0"
    )
    if form != _FORM:
        raise ValueError("it is another version's")
    sizes = [int(size) for size in rest[:5]]
    at = 5 + sizes[0]
    tables: list[Table] = []
    for size in sizes[1:]:
        columns = (rest[at + size * number : at + size * (number + 1)] for number in range(3))
        paths, stamps, words = columns
        tables.append(dict(zip(paths, map(Print, stamps, words), strict=True)))
        at += 3 * size
    return Memory(
        tree=tree,
        commit=commit,
        index=index,
        index_stamp=index_stamp,
        listed=listed,
        names=names,
        submodules=tuple(rest[5 : 5 + sizes[0]]),
        tracked=tables[0],
        others=tables[1],
        inner=tables[2],
        unfinished=tables[3],
    )
