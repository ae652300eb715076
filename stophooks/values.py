"""Values: what `dataclasses` and `enum` make, for a program that may not wait for their import.

To the type checker these are the standard library's own. At run time they are the part of them
that this program uses, without `inspect` and without compiling text for each class: all together
would be a third of what a stop takes.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from dataclasses import asdict, dataclass, field, replace
    from enum import StrEnum
    from functools import cached_property
else:
    _MISSING = object()
    # What a class of values says of itself at once, and what is worked out when one is first made:
    # of most classes a stop makes none.
    _KW_ONLY, _FIELDS = "__value_kw_only__", "__value_fields__"
    _set = object.__setattr__

    class _Field:
        """What a class says of one of its fields besides its type."""

        __slots__ = ("compare", "default", "factory", "shown")

        def __init__(
            self, default: Any, factory: Callable[[], Any] | None, *, compare: bool, shown: bool
        ) -> None:
            self.default = default
            self.factory = factory
            self.compare = compare
            self.shown = shown

    class _Fields(dict):
        """The fields of a class by name, and what follows from all of them together."""

        __slots__ = ("compared", "defaults", "factories", "most", "needed", "shown")

    def field(
        *,
        default: Any = _MISSING,
        default_factory: Callable[[], Any] | None = None,
        compare: bool = True,
        repr: bool = True,  # noqa: A002 -- the name that it has in dataclasses
    ) -> Any:
        """A field whose default is made anew for each value, or that is not compared or shown."""
        return _Field(default, default_factory, compare=compare, shown=repr)

    def dataclass(
        *, frozen: bool = False, slots: bool = False, kw_only: bool = False
    ) -> Callable[[type], type]:
        """Make a class of values of one that only names their fields.

        With ``slots`` a value has no other names either. It has no slots for that: they can be
        given to a class only by making it once more, which is most of what a class costs.
        """
        made = {
            _KW_ONLY: kw_only,
            "__init__": _init,
            "__repr__": _repr,
            "__eq__": _eq,
            "__hash__": _hash if frozen else None,
        }
        if frozen:
            made |= {"__setattr__": _refuse, "__delattr__": _refuse}
        elif slots:
            made["__setattr__"] = _set_known

        def make(cls: type) -> type:
            said = cls.__dict__
            for name, value in made.items():
                # Of a class that says what is equal Python says that it has no hash.
                if said.get(name) is None:
                    setattr(cls, name, value)
            cls.__match_args__ = () if kw_only else tuple(_fields(cls))
            return cls

        return make

    def replace(value: Any, /, **changes: Any) -> Any:
        """The same value with some fields changed."""
        kept = {name: getattr(value, name) for name in _fields(value.__class__)}
        return value.__class__(**kept | changes)

    class cached_property:  # noqa: N801 -- its name in functools
        """A property that is worked out at its first use, and kept."""

        def __init__(self, work: Callable[[Any], Any]) -> None:
            self._work = work
            self.__doc__ = work.__doc__

        def __set_name__(self, _: type, name: str) -> None:
            """Take note of its name."""
            self._name = name

        def __get__(self, owner: Any, kind: type | None = None) -> Any:
            """What was worked out; the property itself for its class."""
            if owner is None:
                return self
            # From now on it is found there.
            found = owner.__dict__[self._name] = self._work(owner)
            return found

    def asdict(value: Any) -> Any:
        """The fields and what they hold; values inside it, and inside its collections, too."""
        if hasattr(value.__class__, _KW_ONLY):
            return {name: asdict(getattr(value, name)) for name in _fields(value.__class__)}
        if isinstance(value, tuple | list):
            return type(value)(asdict(one) for one in value)
        if isinstance(value, dict):
            return {key: asdict(one) for key, one in value.items()}
        return value

    def _fields(cls: type) -> _Fields:
        """The fields of a class, those that it inherits first."""
        found = cls.__dict__.get(_FIELDS)
        if found is None:
            found = _inherited(cls)
            if _KW_ONLY in cls.__dict__:
                _add_own(cls, found)
            _work_out(found, kw_only=getattr(cls, _KW_ONLY))
            setattr(cls, _FIELDS, found)
        return found

    def _inherited(cls: type) -> _Fields:
        found = _Fields()
        for base in reversed(cls.__mro__[1:]):
            if _KW_ONLY in base.__dict__:
                found.update(_fields(base))
        return found

    def _add_own(cls: type, fields: _Fields) -> None:
        for name, kind in cls.__annotations__.items():
            if "ClassVar" not in kind:
                given = cls.__dict__.get(name, _MISSING)
                # It stays where it is: another thread may be working out the same.
                fields[name] = given if isinstance(given, _Field) else field(default=given)

    def _work_out(fields: _Fields, *, kw_only: bool) -> None:
        fields.most = 0 if kw_only else len(fields)
        fields.compared = tuple(name for name, one in fields.items() if one.compare)
        fields.shown = tuple(name for name, one in fields.items() if one.shown)
        fields.factories = {name: one.factory for name, one in fields.items() if one.factory}
        fields.defaults = {
            name: one.default for name, one in fields.items() if one.default is not _MISSING
        }
        fields.needed = fields.keys() - fields.defaults.keys() - fields.factories.keys()

    def _init(self: Any, /, *values: Any, **given: Any) -> None:
        fields = _fields(self.__class__)
        if values:
            given = _placed(self, values, fields, given)
        if not (fields.needed <= given.keys() <= fields.keys()):
            raise _misfit(self, fields, given)
        known = self.__dict__
        known |= fields.defaults
        for name, make in fields.factories.items():
            if name not in given:
                known[name] = make()
        known |= given
        if hasattr(self, "__post_init__"):
            self.__post_init__()

    def _placed(
        owner: Any, values: tuple[Any, ...], fields: _Fields, given: dict[str, Any]
    ) -> dict[str, Any]:
        """Everything that is given, by name."""
        if len(values) > fields.most:
            raise TypeError(f"{type(owner).__name__}() takes {fields.most} values by place")
        placed = dict(zip(fields, values, strict=False))
        if twice := placed.keys() & given:
            raise TypeError(f"{type(owner).__name__}() is given {twice} twice")
        return placed | given

    def _misfit(owner: Any, fields: _Fields, given: Mapping[str, Any]) -> TypeError:
        """Why a value cannot be made of what is given."""
        for name in sorted(fields.needed - given.keys()):
            return TypeError(f"{type(owner).__name__}() misses {name!r}")
        other = next(name for name in given if name not in fields)
        return TypeError(f"{type(owner).__name__}() has no field {other!r}")

    def _repr(self: Any) -> str:
        fields = _fields(self.__class__)
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in fields.shown)
        return f"{type(self).__qualname__}({told})"

    def _eq(self: Any, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        fields = _fields(self.__class__)
        return all(getattr(self, name) == getattr(other, name) for name in fields.compared)

    def _hash(self: Any) -> int:
        fields = _fields(self.__class__)
        return hash(tuple(getattr(self, name) for name in fields.compared))

    def _set_known(self: Any, name: str, value: Any) -> None:
        if name not in _fields(self.__class__):
            raise AttributeError(f"a {type(self).__name__} has no {name!r}")
        _set(self, name, value)

    def _refuse(self: Any, name: str, *_: Any) -> None:
        raise AttributeError(f"{name!r} of a {type(self).__name__} cannot change: it is a value")

    class _Words(type):
        """The class of a class whose members are words."""

        def __new__(cls, name: str, bases: tuple[type, ...], said: dict[str, Any]) -> type:
            made = super().__new__(cls, name, bases, said)
            made.__members__ = {}
            for key, value in said.items():
                if isinstance(value, str) and not key.startswith("_"):
                    member = str.__new__(made, value)
                    member.name, member.value = key, value
                    made.__members__[key] = member
                    setattr(made, key, member)
            return made

        def __call__(cls, value: str) -> Any:
            """The member with this value."""
            for member in cls.__members__.values():
                if str.__eq__(member, value) is True:
                    return member
            raise ValueError(f"{value!r} is not a valid {cls.__name__}")

        def __getitem__(cls, name: str) -> Any:
            return cls.__members__[name]

        def __iter__(cls) -> Iterator[Any]:
            return iter(cls.__members__.values())

        def __len__(cls) -> int:
            return len(cls.__members__)

        def __contains__(cls, value: object) -> bool:
            return any(value == member for member in cls)

    class StrEnum(str, metaclass=_Words):
        """Words of which a value is one."""

        __slots__ = ("name", "value")

        def __repr__(self) -> str:
            """The kind, the name and the word."""
            return f"<{type(self).__name__}.{self.name}: {self.value!r}>"

        def __str__(self) -> str:
            """The word."""
            return self.value

        def __format__(self, how: str) -> str:
            """The word, formatted."""
            return format(self.value, how)

        def __reduce__(self) -> tuple[Any, ...]:
            """How a copy is the same member."""
            return type(self), (self.value,)


__all__ = ["StrEnum", "asdict", "cached_property", "dataclass", "field", "replace"]
