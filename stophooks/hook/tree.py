"""The content of a project in one word, where it can be told."""

from __future__ import annotations

from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


# Less than most checks take. Seconds.
DEADLINE_S = 5.0


def tree(
    project_dir: str, environ: Mapping[str, str], *, state_dir: str, deadline_s: float = DEADLINE_S
) -> str | None:
    """The same word for the same content; None where it cannot be told.

    Args:
        project_dir: The project; absolute.
        environ: What the program that reads it gets.
        state_dir: Where what makes the next look fast is kept.
        deadline_s: Seconds after which it cannot be told.
    """
    try:
        from stophooks.inputs import look  # noqa: PLC0415 -- a skipped stop needs none

        found = look(project_dir, environ=environ, state_dir=state_dir, deadline_s=deadline_s)
    except (StophooksError, OSError, ImportError, MemoryError):
        # Not known is not unchanged: the checks run.
        return None
    return None if found is None else found.id
