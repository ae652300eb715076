"""A change of a file as a person reads it."""

from __future__ import annotations

import difflib
import os

_UNFINISHED = "\\ No newline at end of file"


def difference(path: str, old: str | None, new: str | None) -> str:
    """Return the unified diff of a file; None stands for a file that is not there."""
    lines = difflib.unified_diff(
        _lines(old),
        _lines(new),
        fromfile=os.devnull if old is None else path,
        tofile=os.devnull if new is None else path,
    )
    return "\n".join(
        line.removesuffix("\n") if line.endswith("\n") else f"{line}\n{_UNFINISHED}"
        for line in lines
    )


def _lines(text: str | None) -> list[str]:
    # Not splitlines(): it also ends a line at characters that JSON may have inside a string.
    lines = (text or "").split("\n")
    return [f"{line}\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]
