"""What `contextlib` has for a ``with`` statement, without that import.

To the type checker these are the standard library's own. At run time they are the part of them
that this program uses; the import of all of it takes as long as a stop's look at its database.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager, suppress
else:

    class suppress:  # noqa: N801 -- its name in contextlib
        """A block that these exceptions end quietly."""

        def __init__(self, *kinds: type[BaseException]) -> None:
            self._kinds = kinds

        def __enter__(self) -> None:
            """Begin."""

        def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
            """Whether it was one of them."""
            return kind is not None and issubclass(kind, self._kinds)

    class _Block:
        """A block around which a generator runs: up to its ``yield`` before, the rest after."""

        def __init__(self, steps: Iterator[Any]) -> None:
            self._steps = steps

        def __enter__(self) -> Any:
            """What is yielded."""
            return next(self._steps)

        def __exit__(self, _: object, err: BaseException | None, at: object) -> bool:
            """Whether the generator has dealt with the block's exception."""
            if err is None:
                for _step in self._steps:
                    raise RuntimeError("the generator of a block yields once")
                return False
            try:
                self._steps.throw(err)
            except StopIteration as end:
                return end is not err
            except BaseException as raised:  # whatever the block raised, Ctrl-C too, came through
                # A generator makes a RuntimeError of a StopIteration that goes through it.
                is_same = isinstance(err, StopIteration) and raised.__cause__ is err
                if raised is not err and not is_same:
                    raise
                # The block raises it by itself.
                err.__traceback__ = at
                return False
            raise RuntimeError("the generator of a block yields once")

    def contextmanager(make: Callable[..., Iterator[Any]]) -> Callable[..., _Block]:
        """Make blocks of a function that yields once."""

        def made(*values: Any, **given: Any) -> _Block:
            return _Block(make(*values, **given))

        for name in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(made, name, getattr(make, name))
        return made


__all__ = ["contextmanager", "suppress"]
