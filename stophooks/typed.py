"""The names of `typing` that only the type checker needs, without the import of `typing`.

That import takes as long as everything else of a stop. Who reads annotations at run time, such as
pydantic and typer, needs the real ones: `config/` and `cli/` import `typing` itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Generic, Protocol, Self, TextIO, TypeVar, cast
else:

    class Generic:
        """What is the same for several types; nothing at run time."""

        def __class_getitem__(cls, _: object) -> type:
            """The class as it is."""
            return cls

    class _Shape:
        """What a peer has to have: at run time a name, and no class, of which each takes time."""

        def __init__(self, *named: object) -> None:
            self.__name__ = named[0] if named else ""

        def __getitem__(self, _: object) -> _Shape:
            """The same for any type."""
            return self

    # A class statement makes of it what its own class makes of name, bases and body.
    Protocol = _Shape()
    Any = Self = TextIO = BinaryIO = object

    class TypeVar:
        """A name for a type."""

        def __init__(self, name: str, *, bound: object = None) -> None:
            self.__name__ = name
            self.__bound__ = bound

    def cast(_: object, value: Any) -> Any:
        """The value as it is."""
        return value


__all__ = [
    "TYPE_CHECKING",
    "Any",
    "BinaryIO",
    "Generic",
    "Protocol",
    "Self",
    "TextIO",
    "TypeVar",
    "cast",
]
