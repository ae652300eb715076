"""The resources that tasks hold: a line each for a person, or one JSON document."""

from __future__ import annotations

from json import dumps

from stophooks.models import human_duration
from stophooks.reports.clean import line
from stophooks.store.holder import State
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stophooks.store.holder import Held

_MEANING = {
    State.ALIVE: "held",
    State.DEAD: "its holder is dead; the next task takes it over",
    State.FOREIGN: "held on another machine, or before a restart of this one",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """What became of one lock that was to be cleared; ``is_cleared`` False: it was kept."""

    held: Held
    is_cleared: bool


def text(found: Sequence[Held], *, now: float) -> str:
    """Every lock in a line, the oldest first."""
    rows = [_row(held, now) for held in _oldest_first(found)]
    return "\n".join(rows) if rows else "No resource is held."


def json(found: Sequence[Held]) -> str:
    """Every lock with all that is known of it; times are seconds since 1970."""
    return dumps({"locks": [_values(held) for held in _oldest_first(found)]}, indent=2)


def cleared_text(done: Sequence[Clearing], *, now: float, dry_run: bool) -> str:
    """A line for each lock that was cleared or kept."""
    verb = "would be cleared" if dry_run else "cleared"
    rows = list(_cleared_rows(done, verb, now))
    return "\n".join(rows) if rows else "Nothing to clear."


def cleared_json(done: Sequence[Clearing], *, dry_run: bool) -> str:
    """The same as one document."""
    values = [
        {**_values(one.held), "action": "cleared" if one.is_cleared else "kept"} for one in done
    ]
    return dumps({"dry_run": dry_run, "locks": values}, indent=2)


def _cleared_rows(done: Sequence[Clearing], verb: str, now: float) -> Iterator[str]:
    for one in done:
        row = _row(one.held, now)
        if one.is_cleared:
            living = one.held.state is not State.DEAD
            more = "; it may still be in use, and nothing was ended" * living
            yield f"{verb}: {row}{more}"
        else:
            yield f"kept: {row}; --force clears it all the same, and ends nothing"


def _row(held: Held, now: float) -> str:
    about = f"{held.resource}: {held.state}"
    holder = held.holder
    if holder is None:
        return line(f"{about}: its record makes no sense")
    since = human_duration(max(now - holder.since, 0))
    return line(
        f'{about}: task "{holder.task}", pid {holder.pid} on {holder.host}, for {since}, '
        f"project {holder.project} ({_MEANING[held.state]})"
    )


def _oldest_first(found: Sequence[Held]) -> list[Held]:
    return sorted(found, key=lambda held: (held.holder.since if held.holder else 0, held.resource))


def _values(held: Held) -> dict[str, Any]:
    return {
        "resource": held.resource,
        "state": str(held.state),
        "beat": held.beat,
        **(asdict(held.holder) if held.holder else {}),
    }
