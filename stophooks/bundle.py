"""The compiled modules of a stop in one file, in groups that are loaded at once.

Finding, opening and reading a file for each of a hundred modules, and having the import system
lead each of them by the hand, is more than half of what their import takes. The file lies where
Python keeps compiled modules and is held to the same rule: where a source has another time or size,
its group is imported as always. Docstrings, and annotations of functions, are not in it.

A group is what one ``import`` led to when it was recorded. Its modules run in the order in which
they were finished then, so that each finds what it imports, and nothing is looked for.
"""

from __future__ import annotations

import marshal
import os
import sys
from _thread import allocate_lock, get_ident

# `typed` has it too, and is a module more to be read by itself.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType, ModuleType
    from typing import Any

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_NAME = os.path.basename(_PACKAGE)
# A source's time and size as Python keeps them with a compiled module, four bytes each (PEP 552).
_WORD = 0xFFFFFFFF
_STDERR = 2

# Before the groups: Python's magic number, how long the list of them is, and that list.
_LENGTH_BYTES = 8
# What a session's first call imports, and no later one: it would only be read for nothing.
_FIRST = f"{_NAME}.config.loading"

# One module: its name, its source below the package, whether it is a package, and the time and the
# size of its source.
_Row = tuple[str, str, bool, int, int]
_ROW = (str, str, bool, int, int)
# By the module that was asked for: the modules of the group, itself last, and where in the file
# their code begins and how long it is.
_Groups = dict[str, tuple[tuple[_Row, ...], int, int]]


class _Finder:
    """Finds modules in the groups and loads them; takes note of those that are in none."""

    def __init__(self, groups: _Groups, file: int) -> None:
        self.groups = groups
        self._file = file
        # What was not there, or not as it is now: the modules of new groups.
        self.missed: dict[str, list[str]] = {}
        self._open: dict[int, list[str]] = {}
        self._members = _members(groups)
        self._codes: dict[str, dict[str, CodeType]] = {}
        # Each group is read into the same place, by one thread at a time: new memory costs more
        # than what is read.
        self._reading = allocate_lock()
        self._room = memoryview(bytearray(max((size for *_, size in groups.values()), default=0)))

    def find_spec(self, name: str, path: Any = None, _target: object = None) -> Any:
        """How a module of this program is loaded; None for any other one."""
        if not name.startswith(f"{_NAME}."):
            return None
        found = self._members.get(name)
        if found is not None and self.is_current(found[0]):
            return _spec(found[1], self)
        found_by: Any
        for found_by in sys.meta_path:
            if found_by is not self and (spec := found_by.find_spec(name, path)) is not None:
                spec.loader = _Recorder(spec.loader, self)
                return spec
        return None

    def create_module(self, _spec: object) -> None:
        """Nothing: Python makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code; of a group's own one, first what else is in the group."""
        name = module.__name__
        group = self._members[name][0] if name in self._members else ""
        codes = self._codes.get(group)
        if codes is None:
            try:
                codes = self._codes[group] = self._loaded(group)
            except (OSError, ValueError, EOFError, TypeError, KeyError):
                # It is damaged, or another thread has found that out: all of this is imported as
                # always, and the file written anew.
                self._forget(group)
                exec(_source_of(module), module.__dict__)  # noqa: S102 -- what Python does
                return
        if name == group:
            _run(self.groups[group][0][:-1], codes, self)
        exec(codes[name], module.__dict__)  # noqa: S102 -- the same

    def _loaded(self, group: str) -> dict[str, CodeType]:
        """The code of a group's modules.

        Raises:
            OSError, ValueError, EOFError, TypeError, KeyError: It cannot be read.
        """
        with self._reading:
            found = marshal.loads(self.code_of(group))  # noqa: S302 -- what Python does with the same bytes
        return dict(zip((row[0] for row in self.groups[group][0]), found, strict=True))

    def _forget(self, group: str) -> None:
        self.groups.pop(group, None)
        self._members = _members(self.groups)
        self.missed.setdefault(group, [])

    def code_of(self, group: str) -> memoryview:
        """The code of a group, as it lies in the file; good until the next one is asked for."""
        _, begin, size = self.groups[group]
        if not hasattr(os, "preadv"):
            return memoryview(os.pread(self._file, size, begin))
        room = self._room[:size]
        return room[: os.preadv(self._file, [room], begin)]

    def begin(self, name: str) -> None:
        """A module that is in no group begins; what begins before its end is of the same group."""
        self._open.setdefault(get_ident(), []).append(name)

    def end(self, name: str) -> None:
        """It has come to its end."""
        begun = self._open[get_ident()]
        self.missed.setdefault(begun[0], []).append(name)
        begun.pop()

    def is_current(self, group: str) -> bool:
        """Whether no source of a group has changed; else there is no such group any more."""
        if group in self._codes:
            return True
        if group not in self.groups:
            return False
        for _, place, _, time, size in self.groups[group][0]:
            if _stamp(f"{_PACKAGE}/{place}") != (time, size):
                self._forget(group)
                return False
        return True


class _Recorder:
    """Loads a module as another loader does, and tells when it begins and ends."""

    def __init__(self, loader: Any, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(self, spec: Any) -> Any:
        """What the loader makes."""
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """Have the loader run it."""
        module.__loader__ = module.__spec__.loader = self._loader
        name = module.__name__
        self._finder.begin(name)
        try:
            self._loader.exec_module(module)
        finally:
            self._finder.end(name)


def use() -> None:
    """Find this program's modules in the file from now on, as far as they are there."""
    if "importtime" in sys._xoptions:  # noqa: SLF001 -- documented by this name
        # Whoever asks Python for the time of each import wants to be told of each.
        return
    if not hasattr(sys.modules["_frozen_importlib"], "_get_module_lock"):
        # A Python to come: it imports as always.
        return
    sys.meta_path.insert(0, _Finder(*_read(_path())))


def keep() -> None:
    """Write the file anew if it had not all that this process imported.

    Nothing is written where Python writes no compiled modules either.
    """
    finder = next((one for one in sys.meta_path if isinstance(one, _Finder)), None)
    if finder is None or not finder.missed or sys.dont_write_bytecode or sys.pycache_prefix:
        return
    path = _path()
    if _FIRST in sys.modules or not os.access(os.path.dirname(path), os.W_OK):
        return
    # What other stops import stays, as long as it is of the sources that are there.
    known = {
        name: (rows, bytes(finder.code_of(name)))
        for name, (rows, *_) in [*finder.groups.items()]
        if finder.is_current(name)
    }
    fresh = {name: one for name, names in finder.missed.items() if names and (one := _group(names))}
    _write(path, known | fresh)


def _run(rows: Sequence[_Row], codes: Mapping[str, CodeType], finder: _Finder) -> None:
    """Run modules in this order, but those that have been run already."""
    # A package is there before the modules in it, and finished after them.
    packages = {row[0]: _begun(row, finder) for row in rows if row[2]}
    try:
        for row in rows:
            begun = packages.pop(row[0]) if row[2] else _begun(row, finder)
            if begun is not None:
                begun.run(codes[row[0]])
    finally:
        # After an error nothing is there that is not whole.
        for left in packages.values():
            if left is not None:
                left.end(gone=True)


def _begun(row: _Row, finder: _Finder) -> _Begun | None:
    """A module that can be imported from now on, and is not finished; None if it is there."""
    above = row[0].rpartition(".")[0]
    if above not in sys.modules:
        # It was there when this was recorded.
        __import__(above)
    if row[0] in sys.modules:
        return None
    # Python's own, by which an import in another thread waits for the end of this one.
    lock = sys.modules["_frozen_importlib"]._get_module_lock(row[0])  # noqa: SLF001 -- it has no public name
    lock.acquire()
    if row[0] in sys.modules:
        lock.release()
        return None
    return _Begun(_spec(row, finder), lock)


class _Begun:
    """A module that is there and not finished; what Python does around a module's code."""

    def __init__(self, spec: Any, lock: Any) -> None:
        self._lock = lock
        self._spec = spec
        spec._initializing = True  # noqa: SLF001 -- by this an import sees that it has to wait
        self._module = module = type(sys)(spec.name)
        module.__spec__, module.__loader__ = spec, spec.loader
        module.__package__, module.__file__ = spec.parent, spec.origin
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations
        sys.modules[spec.name] = module

    def run(self, code: CodeType) -> None:
        """Run its code to the end."""
        failed = True
        try:
            exec(code, self._module.__dict__)  # noqa: S102 -- what Python does with the same bytes
            failed = False
        finally:
            self.end(gone=failed)
        above, _, name = self._spec.name.rpartition(".")
        setattr(sys.modules[above], name, self._module)

    def end(self, *, gone: bool) -> None:
        """Let others have it, or have it gone."""
        if gone:
            sys.modules.pop(self._spec.name, None)
        self._spec._initializing = False  # noqa: SLF001 -- as above
        self._lock.release()


def _spec(row: _Row, finder: _Finder) -> Any:
    """What Python knows of a module before it is loaded."""
    name, place, is_package, *_ = row
    source = f"{_PACKAGE}/{place}"
    # `importlib.machinery.ModuleSpec`, without that import.
    make: Any = type(__spec__)
    spec = make(name, finder, origin=source, is_package=is_package)
    spec.has_location = True
    if is_package:
        spec.submodule_search_locations = [os.path.dirname(source)]
    return spec


def _members(groups: _Groups) -> dict[str, tuple[str, _Row]]:
    """The group that each module is in; where there are several, the one that it leads."""
    found = {row[0]: (group, row) for group, (rows, *_) in groups.items() for row in rows}
    return found | {group: (group, rows[-1]) for group, (rows, *_) in groups.items()}


def _path() -> str:
    return os.path.join(_PACKAGE, "__pycache__", f"stop.{sys.implementation.cache_tag}.modules")


def _magic() -> bytes:
    """What differs where the code of another Python is none for this one."""
    found: bytes = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
    return found


def _stamp(source: str) -> tuple[int, int] | None:
    """A source's time and size, as a compiled module has them; None where there is none."""
    try:
        found = os.stat(source)
    except OSError:
        return None
    return int(found.st_mtime) & _WORD, found.st_size & _WORD


def _group(names: Sequence[str]) -> tuple[tuple[_Row, ...], bytes] | None:
    """The modules that one import led to; None where not all of them can be had."""
    compiled = [_compiled(name) for name in names]
    found = [one for one in compiled if one is not None]
    if len(found) != len(names):
        return None
    # What several of them name is in it once.
    return tuple(row for row, _ in found), marshal.dumps(tuple(code for _, code in found))


def _compiled(name: str) -> tuple[_Row, CodeType] | None:
    """A module's code as of the source that is there now, without what a stop never looks at."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    source = getattr(spec, "origin", None) or ""
    stamp = _stamp(source)
    if spec is None or stamp is None or not source.startswith(f"{_PACKAGE}/"):
        return None
    try:
        with open(source, "rb") as file:
            code = _bare(file.read(), source)
    except (OSError, SyntaxError, ValueError):
        return None
    if _stamp(source) != stamp:
        return None
    is_package = spec.submodule_search_locations is not None
    return (name, source.removeprefix(f"{_PACKAGE}/"), is_package, *stamp), code


def _source_of(module: ModuleType) -> CodeType:
    source = module.__file__ or ""
    with open(source, "rb") as file:
        return compile(file.read(), source, "exec", dont_inherit=True)


def _bare(text: bytes, source: str) -> CodeType:
    """Code without docstrings, and without the annotations of functions: a sixth of it."""
    import ast  # noqa: PLC0415 -- once in an installation

    tree = ast.parse(text, source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
            given = node.args
            several = (*given.posonlyargs, *given.args, *given.kwonlyargs)
            for one in (*several, given.vararg, given.kwarg):
                if one is not None:
                    one.annotation = None
    return compile(tree, source, "exec", dont_inherit=True, optimize=2)


def _read(path: str) -> tuple[_Groups, int]:
    """The groups of a file, none where it is none, and the open file."""
    groups: _Groups = {}
    file = -1
    try:
        file = _above_streams(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        if os.read(file, len(_magic())) != _magic():
            return {}, file
        begin = int.from_bytes(os.read(file, _LENGTH_BYTES), "little")
        listed: dict[str, Any] = marshal.loads(os.read(file, begin))  # noqa: S302 -- as with what Python keeps beside it
        begin += _LENGTH_BYTES + len(_magic())
        for name, (rows, size) in listed.items():
            if not rows or any(tuple(map(type, row)) != _ROW for row in rows):
                return {}, file
            groups[name] = rows, begin, size
            begin += size
        if begin != os.fstat(file).st_size:
            return {}, file
    except (OSError, ValueError, EOFError, TypeError, AttributeError, OverflowError, MemoryError):
        return {}, file
    return groups, file


def _above_streams(file: int) -> int:
    """The same file under a number that is no stream's, where an agent has left one of these free.

    Raises:
        OSError: There is none.
    """
    if file > _STDERR:
        return file
    import fcntl  # noqa: PLC0415 -- agents leave none free as a rule

    try:
        return fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _STDERR + 1)
    finally:
        os.close(file)


def _write(path: str, groups: dict[str, tuple[tuple[_Row, ...], bytes]]) -> None:
    index = marshal.dumps({name: (rows, len(code)) for name, (rows, code) in groups.items()})
    temporary = f"{path}.{os.getpid()}"
    try:
        with open(temporary, "wb") as file:
            file.write(_magic())
            file.write(len(index).to_bytes(_LENGTH_BYTES, "little"))
            file.write(index)
            file.writelines(code for _, code in groups.values())
        os.replace(temporary, path)
    except OSError:
        # It saves time, no more.
        if os.path.lexists(temporary):
            os.unlink(temporary)
