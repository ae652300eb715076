"""Blocks as `contextlib` has them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from stophooks import contexts

if TYPE_CHECKING:
    from collections.abc import Iterator


class OwnError(Exception):
    """Raised by a block."""


def plain(seen: list[str]) -> Iterator[int]:
    seen.append("begun")
    yield 1
    seen.append("ended")


def careful(seen: list[str]) -> Iterator[int]:
    try:
        yield 2
    finally:
        seen.append("ended")


def forgiving(seen: list[str]) -> Iterator[int]:
    try:
        yield 3
    except OwnError:
        seen.append("forgiven")


def changing(seen: list[str]) -> Iterator[int]:
    try:
        yield 4
    except OwnError as err:
        seen.append("changed")
        raise LookupError("another") from err


def double(seen: list[str]) -> Iterator[int]:
    yield 5
    seen.append("again")
    yield 6


def stubborn(seen: list[str]) -> Iterator[int]:
    try:
        yield 7
    except OwnError:
        seen.append("again")
        yield 8


def none(seen: list[str]) -> Iterator[int]:
    if seen:
        yield 9


def fail(err: BaseException | None) -> None:
    if err is not None:
        raise err


def what_happens(by: Any, make: Any, raised: BaseException | None) -> Any:
    """All that can be seen of a block: what it got, what was done, and what it raised."""
    seen: list[str] = []
    got: list[int] = []
    try:
        with by.contextmanager(make)(seen) as value:
            got.append(value)
            fail(raised)
    except BaseException as err:  # noqa: BLE001 -- all kinds are compared
        lines = []
        at = err.__traceback__
        while at is not None:
            lines.append(at.tb_frame.f_code.co_name)
            at = at.tb_next
        told = type(err), err is raised, type(err.__cause__), lines if err is raised else None
        return got, seen, told
    return got, seen, None


@pytest.mark.parametrize(
    "make",
    [plain, careful, forgiving, changing, double, stubborn, none],
    ids=lambda one: one.__name__,
)
@pytest.mark.parametrize(
    "kind",
    [None, OwnError, ValueError, StopIteration, RuntimeError, KeyboardInterrupt, GeneratorExit],
)
def test_a_block_does_what_one_of_contextlib_does(
    make: Any, kind: type[BaseException] | None
) -> None:
    raised = kind("why") if kind else None

    ours = what_happens(contexts, make, raised)

    if make is none:
        # `contextlib` makes a RuntimeError of it; that nothing is yielded is a fault either way.
        assert ours[2] is not None
        return
    assert ours == what_happens(contextlib, make, kind("why") if kind else None)


def test_a_maker_of_blocks_is_named_as_the_function() -> None:
    made = contexts.contextmanager(careful)

    assert (made.__name__, made.__module__) == ("careful", __name__)


@pytest.mark.parametrize("kind", [OwnError, KeyError, IndexError, KeyboardInterrupt])
def test_a_block_is_ended_quietly_by_what_contextlib_would_let_pass(
    kind: type[BaseException],
) -> None:
    def passes(by: Any) -> bool:
        try:
            with by.suppress(OwnError, LookupError):
                fail(kind())
        except BaseException:  # noqa: BLE001 -- as above
            return False
        return True

    assert passes(contexts) == passes(contextlib) == (kind is not KeyboardInterrupt)
