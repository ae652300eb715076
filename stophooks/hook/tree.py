"""The content of a project in one word, where it can be told."""

from __future__ import annotations

from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def tree(project_dir: str, environ: Mapping[str, str]) -> str | None:
    """The same word for the same content; None where it cannot be told.

    Args:
        project_dir: The project; absolute.
        environ: What the program that reads it gets.
    """
    try:
        from stophooks.store.snapshots import identity  # noqa: PLC0415 -- a skipped stop needs none

        return identity(project_dir, environ=environ)
    except (StophooksError, OSError, ImportError, MemoryError):
        # Not known is not unchanged: the checks run.
        return None
