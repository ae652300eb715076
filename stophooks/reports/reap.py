"""What killed runs left in an engine, and what became of it."""

from __future__ import annotations

from json import dumps

from stophooks.models import human_duration
from stophooks.reports.clean import line
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.executors.docker.reap import Reaped, Reaping
    from stophooks.executors.docker.sweep import Leftover

_WORDS = {
    "removed": "removed",
    "kept": "kept",
    "would_remove": "would be removed",
    "failed": "could not be removed",
}
# An image's id as Docker's own lists have it; characters.
_IMAGE_ID = len("sha256:") + 12


def json(reaped: Reaped) -> str:
    """Everything that was found as one JSON document; ``age_s`` is in seconds."""
    document = {
        "engine": reaped.engine,
        "containers": [_values(one) for one in reaped.reapings],
        "locks_removed": reaped.locks,
    }
    return dumps(document, indent=2)


def _values(reaping: Reaping) -> dict[str, Any]:
    leftover = reaping.leftover
    return {
        "name": leftover.name,
        "id": leftover.id,
        "image": leftover.image,
        "run": leftover.run,
        "state": leftover.state,
        "age_s": round(leftover.age_s, 1),
        "owner": asdict(leftover.owner) if leftover.owner else None,
        "verdict": str(leftover.verdict.kind),
        "why": leftover.verdict.why,
        "action": str(reaping.action),
        "problem": reaping.problem,
    }


def text(reaped: Reaped) -> str:
    """A line for each container, and what it comes to."""
    return "\n".join(_rows(reaped))


def _rows(reaped: Reaped) -> Iterator[str]:
    for one in reaped.reapings:
        about = ", ".join(_about(one.leftover))
        why = one.leftover.verdict.why + (f"; {one.problem}" if one.problem else "")
        yield line(f"{_WORDS[one.action]}: {one.leftover.name} ({about}): {why}")
    actions = [str(one.action) for one in reaped.reapings]
    counts = [f"{actions.count(key)} {_WORDS[key]}" for key in _WORDS if key in actions]
    yield ", ".join(counts) + "." if counts else f"Nothing of any run is in {reaped.engine}."
    kinds = {one.leftover.verdict.kind for one in reaped.reapings if one.action == "kept"}
    if kinds & {"foreign", "unknown"}:
        yield (
            "`stophooks reap --all` removes also what no owner can be seen for; it may be in use "
            "on another machine."
        )


def _about(leftover: Leftover) -> Iterator[str]:
    is_id = leftover.image.startswith("sha256:")
    yield leftover.image[:_IMAGE_ID] if is_id else leftover.image
    yield f"{human_duration(leftover.age_s)} old"
    if leftover.run:
        yield f"run {leftover.run}"
    if leftover.owner:
        yield f"pid {leftover.owner.pid} on {leftover.owner.host}"
