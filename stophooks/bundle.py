"""The compiled modules of a stop in one file, which is read at once.

Finding, opening and reading a file for each of almost a hundred modules is a quarter of what their
import takes. The file lies where Python keeps compiled modules, is made of what it keeps there, and
is held to the same rule: a module whose source has another time or size is imported as always.
"""

from __future__ import annotations

import marshal
import os
import sys

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_NAME = os.path.basename(_PACKAGE)
# Python's own of a compiled module: a magic number, flags, the source's time and its size, of four
# bytes each (PEP 552); flags that are not 0 say that time and size are not there.
_HEADER_BYTES = 16
_NO_FLAGS = bytes(4)

# Before the modules: how long the list of them is, and that list.
_LENGTH_BYTES = 8
# What a session's first call imports, and no later one: it would only be read for nothing.
_FIRST = f"{_NAME}.config.loading"

# By name: whether it is a package, the stamp of its source, and its code.
_Modules = dict[str, tuple[bool, bytes, memoryview | bytes]]


class _Finder:
    """Finds modules in the file, and loads them."""

    def __init__(self, modules: _Modules) -> None:
        self.modules = modules
        # What was asked for and is not there, or not as it is now.
        self.missed = False

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        """How a module of this program is loaded; None for any other one."""
        if not name.startswith(f"{_NAME}."):
            return None
        found = self.modules.get(name)
        if found is None:
            self.missed = True
            return None
        is_package, stamp, _ = found
        source = _source(name, is_package=is_package)
        if _stamp(source) != stamp:
            self.missed = True
            return None
        spec = _spec_of_this()(name, self, origin=source, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(source)]
        return spec

    def create_module(self, _spec: object) -> None:
        """Nothing: Python makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        exec(marshal.loads(self.modules[module.__name__][2]), module.__dict__)  # noqa: S102, S302 -- what Python does with the same bytes


def use() -> None:
    """Find this program's modules in the file from now on, where there is one of use."""
    modules = _read(_path())
    if modules:
        sys.meta_path.insert(0, _Finder(modules))


def keep() -> None:
    """Write the file anew if it had not all that this process imported.

    Nothing is written where Python writes no compiled modules either.
    """
    finder = next((one for one in sys.meta_path if isinstance(one, _Finder)), None)
    if (finder is not None and not finder.missed) or sys.dont_write_bytecode or sys.pycache_prefix:
        return
    path = _path()
    if _FIRST in sys.modules or not os.access(os.path.dirname(path), os.W_OK):
        return
    known = finder.modules if finder is not None else {}
    names = [name for name in sys.modules if name.startswith(f"{_NAME}.")]
    fresh = {name: found for name in names if (found := _compiled(name)) is not None}
    # What other stops import stays.
    _write(path, {**known, **fresh})


def _path() -> str:
    return os.path.join(_PACKAGE, "__pycache__", f"stop.{sys.implementation.cache_tag}.modules")


def _spec_of_this() -> Any:
    """`importlib.machinery.ModuleSpec`, without that import."""
    return type(__spec__)


def _source(name: str, *, is_package: bool) -> str:
    parts = name.split(".")[1:]
    return os.path.join(_PACKAGE, *parts, "__init__.py") if is_package else _plain(parts)


def _plain(parts: list[str]) -> str:
    return os.path.join(_PACKAGE, *parts) + ".py"


def _stamp(source: str) -> bytes:
    """The source's time and size, as a compiled module has them; empty where there is none."""
    try:
        found = os.stat(source)
    except OSError:
        return b""
    words = (int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)
    return b"".join(word.to_bytes(4, "little") for word in words)


def _compiled(name: str) -> tuple[bool, bytes, memoryview | bytes] | None:
    """What Python keeps of a module, where it is of the source that is there now."""
    spec = getattr(sys.modules[name], "__spec__", None)
    cached = getattr(spec, "cached", None)
    if spec is None or not cached:
        return None
    try:
        with open(cached, "rb") as file:
            data = file.read()
    except OSError:
        return None
    is_package = spec.submodule_search_locations is not None
    flags, stamp = data[4:8], data[8:_HEADER_BYTES]
    if flags != _NO_FLAGS or stamp != _stamp(_source(name, is_package=is_package)):
        return None
    return is_package, stamp, data[_HEADER_BYTES:]


def _read(path: str) -> _Modules:
    try:
        with open(path, "rb") as file:
            whole = memoryview(file.read())
        begin = _LENGTH_BYTES + int.from_bytes(whole[:_LENGTH_BYTES], "little")
        listed: dict[str, Any] = marshal.loads(whole[_LENGTH_BYTES:begin])  # noqa: S302 -- as with what Python keeps beside it
        if begin + max(end for *_, end in listed.values()) != len(whole):
            return {}
        return {
            name: (is_package, stamp, whole[begin + start : begin + end])
            for name, (is_package, stamp, start, end) in listed.items()
        }
    except (OSError, ValueError, EOFError, TypeError, AttributeError):
        return {}


def _write(path: str, modules: _Modules) -> None:
    listed: dict[str, tuple[bool, bytes, int, int]] = {}
    end = 0
    for name, (is_package, stamp, code) in modules.items():
        listed[name] = is_package, stamp, end, end + len(code)
        end += len(code)
    index = marshal.dumps(listed)
    temporary = f"{path}.{os.getpid()}"
    try:
        with open(temporary, "wb") as file:
            file.write(len(index).to_bytes(_LENGTH_BYTES, "little"))
            file.write(index)
            file.writelines(code for _, _, code in modules.values())
        os.replace(temporary, path)
    except OSError:
        # It saves time, no more.
        if os.path.lexists(temporary):
            os.unlink(temporary)
