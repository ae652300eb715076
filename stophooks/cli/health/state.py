"""Where state is kept, and whether it can be."""

from __future__ import annotations

from stophooks.cli.health import ok, problem, warn
from stophooks.errors import StoreError
from stophooks.models import MIB
from stophooks.store.condition import condition
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.proofs import Finding

ABOUT = "state"


def findings(state_dir: str) -> Iterator[Finding]:
    """The state directory, the store in it, and what the logs take."""
    try:
        found = condition(state_dir)
    except StoreError as err:
        yield problem(ABOUT, str(err), "Until then every failing stop is a block, without end.")
        return
    if found.directory == found.wanted:
        yield ok(ABOUT, "counts and logs can be kept", where=found.directory)
    else:
        yield warn(
            ABOUT,
            f"{found.wanted} cannot be written, so state is kept in {found.directory}, which a "
            "restart of the machine may clear",
            "Make it writable for you, or set XDG_STATE_HOME.",
            where=found.wanted,
        )
    if found.damage:
        yield problem(
            ABOUT,
            f"the count of blocks cannot be used: {found.damage}",
            "Make it readable and writable for you, or delete it; only counts are lost.",
            where=found.database,
        )
    size = f"{found.log_bytes / MIB:.1f} MiB"
    runs = f"{found.runs} run" if found.runs == 1 else f"{found.runs} runs"
    yield ok(ABOUT, f"logs of {runs}, {size}; old ones are removed by themselves")
