"""What an agent, and the person behind it, read where the checks could not be run."""

from __future__ import annotations

import sys

from stophooks.errors import StophooksError
from stophooks.hook.budget import bounded


def explain(err: Exception) -> str:
    """Say what went wrong, where, and what to do, for an agent and the person behind it."""
    from stophooks.hook.pinned import PlanRefusedError  # noqa: PLC0415 -- only a failing call pays
    from stophooks.reports import clean  # noqa: PLC0415 -- the same

    if isinstance(err, PlanRefusedError):
        text = str(err)
    elif isinstance(err, StophooksError):
        text = f"stophooks could not run the checks: {err}"
    else:
        text = _own_fault(err)
    # Names of files and directories are in it, and they may hold anything.
    return bounded(clean.text(text))


def _own_fault(err: Exception) -> str:
    import traceback  # noqa: PLC0415 -- only our own bugs pay for it

    # Not the whole traceback: an agent reads this, and would set out to mend stophooks.
    frames = traceback.extract_tb(err.__traceback__)[-3:]
    places = " < ".join(
        f"{frame.name} in {frame.filename}:{frame.lineno}" for frame in frames[::-1]
    )
    return (
        f"stophooks could not run the checks, by a fault of its own: {type(err).__name__}: {err} "
        f"(at {places}; Python {sys.version.split()[0]}). Tell the person: `stophooks run` in the "
        "project shows whether the checks themselves work; report this text as a bug."
    )
