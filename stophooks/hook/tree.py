"""The content of a project, where it can be told; and what is done while git tells it."""

from __future__ import annotations

from stophooks.errors import StophooksError
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stophooks.inputs import Tree


def look(
    project_dir: str,
    environ: Mapping[str, str],
    *,
    state_dir: str,
    deadline_s: float | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Tree | None:
    """What the project's files hold now; None where it cannot be told.

    Args:
        project_dir: The project; absolute.
        environ: What the program that reads it gets.
        state_dir: Where what makes the next look fast is kept.
        deadline_s: Seconds that it may take; None for the usual time.
        meanwhile: Called once while git works; not at all where that is not asked.
    """
    try:
        from stophooks import inputs  # noqa: PLC0415 -- a skipped stop needs none

        limit_s = inputs.DEADLINE_S if deadline_s is None else deadline_s
        return inputs.look(
            project_dir,
            environ=environ,
            state_dir=state_dir,
            deadline_s=limit_s,
            meanwhile=meanwhile,
        )
    except (StophooksError, OSError, ImportError, MemoryError):
        # Not known is not unchanged: the checks run.
        return None
