"""Signals without the import of `signal`, which makes a member of an enumeration of each number.

`signal` is the standard library's module to the type checker, and what it is made of at run time:
its numbers are plain ones, and there is no ``signal.Signals``.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
else:
    try:
        import _signal as signal
    except ImportError:
        import signal

__all__ = ["named", "signal"]


def named(number: int) -> signal.Signals:
    """A signal as the standard library has it.

    Raises:
        ValueError: It has no name.
    """
    from signal import Signals  # noqa: PLC0415 -- only for words

    return Signals(number)
