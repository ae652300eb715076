"""Standard output and standard error of a person's or a program's terminal."""

from __future__ import annotations

import os
import sys

from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from io import TextIOWrapper


class OutputError(StophooksError):
    """The result could not be written."""


def prepare() -> None:
    """Let no character of ours or of a program be one that the terminal's encoding refuses."""
    for name in ("stdout", "stderr"):
        # A caller may have closed it (`>&-`): then there is no stream at all.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- for good
    for stream in (sys.stdout, sys.stderr):
        wrapper: TextIOWrapper = stream  # type: ignore[assignment] # real streams are wrappers
        wrapper.reconfigure(errors="backslashreplace")


def out(text: str) -> None:
    """Write a line, or several, of the result.

    Raises:
        OutputError: It cannot be written; only the first failure is told.
    """
    if cause := _write(sys.stdout, text + "\n"):
        raise OutputError(f"The result cannot be written to standard output: {cause}.")


def err(text: str) -> None:
    """Write a line, or several, about the run itself."""
    _write(sys.stderr, text + "\n")


def raw_err(text: str) -> None:
    """Write to standard error as it is."""
    _write(sys.stderr, text)


def colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose owner wants colour (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")  # noqa: TID251 -- floor 4


def finish() -> None:
    """Flush both streams, so that a reader that went away is not noticed later."""
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


def _write(stream: TextIO, text: str) -> str | None:
    """Write and flush; returns why that failed and is worth a word, and is quiet from then on."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as err:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        # Who does not read on (head, less) wants no complaint; the run still comes to its end.
        return None if isinstance(err, BrokenPipeError) else err.strerror
    return None
