"""What an event would run, and what not, and why: the dry run."""

from __future__ import annotations

from stophooks.models import human_duration
from stophooks.reports.clean import line
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stophooks.occasion import Occasion, Step


def text(occasion: Occasion, steps: Iterable[Step]) -> str:
    """A line for the event and one for each command and item."""
    return "\n".join(_rows(occasion, tuple(steps)))


def values(occasion: Occasion, steps: Iterable[Step]) -> dict[str, Any]:
    """The same as JSON-ready values; durations are seconds."""
    return {
        "event": occasion.event,
        "of": occasion.of,
        "subject": {"kind": occasion.subject.kind, "id": occasion.subject.id},
        "steps": [_step(step) for step in steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.command.name,
        "item": step.item and {"kind": step.item.kind, "name": step.item.name},
        "where": step.command.where,
        "timeout_s": step.command.timeout_s,
        "runs": step.skip is None,
        "why": step.skip or step.why or step.condition,
    }


def _rows(occasion: Occasion, steps: tuple[Step, ...]) -> Iterator[str]:
    of = f" of {line(occasion.of)}" if occasion.of else ""
    about = f"{occasion.subject.kind} {line(occasion.subject.id, width=100)}"
    yield f"{occasion.event}{of}, for {about}:" + (" nothing would run" if not steps else "")
    for step in steps:
        yield row(
            {
                "name": step.command.name,
                "item": step.item and step.item.name,
                "where": step.command.where,
                "timeout_s": step.command.timeout_s,
                "skip": step.skip,
                "condition": step.condition,
                "why": step.why,
            }
        )


def row(step: Mapping[str, Any]) -> str:
    """The line of one command, by its ``name``, ``item``, ``where``, ``timeout_s`` and so on."""
    name = line(step["name"])
    title = f"{name} [{line(step['item'])}]" if step["item"] else name
    if step["skip"] is not None:
        return f"  would skip  {title}: {line(step['skip'], width=200)}"
    limit = step["timeout_s"]
    timeout = "no timeout" if limit is None else human_duration(limit)
    condition = f", {step['condition']}" if step["condition"] else ""
    why = f": {line(step['why'], width=200)}" if step.get("why") else ""
    return f"  would run   {title} ({line(step['where'])}, {timeout}{condition}){why}"
