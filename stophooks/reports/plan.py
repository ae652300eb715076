"""What would be run, with every value that is in force."""

from __future__ import annotations

from dataclasses import fields
from json import dumps
from typing import TYPE_CHECKING, Any

from stophooks.models import KIB, MIB, Container, Severity, human_duration
from stophooks.plan import to_json
from stophooks.reports.clean import line
from stophooks.reports.clean import text as clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stophooks.models import Command, Mount
    from stophooks.plan import Plan, Section

GIB = 1024 * MIB
# Of a script; the whole is in the JSON form and in the configuration.
SCRIPT_LINES = 3
_TITLES = {
    "memory_bytes": "memory",
    "nano_cpus": "cpus",
    "shm_size_bytes": "shm_size",
    "cap_add": "capabilities added",
    "cap_drop": "capabilities dropped",
}
# Said for every container, because they decide what a command can reach.
_ALWAYS = ("workdir", "workspace", "network")


def json(plan: Plan) -> str:
    """The whole plan as one JSON document; durations are seconds, sizes are bytes."""
    return dumps(to_json(plan), indent=2)


def text(plan: Plan) -> str:
    """The plan for a person: a block per command, with what differs from the defaults."""
    rows = [f"{plan.config_path} (project {plan.project_dir})"]
    for section in plan.sections:
        rows += ["", *_section(section)]
        for command in section.commands:
            rows += _command(command)
    return "\n".join(rows)


def _section(section: Section) -> Iterator[str]:
    rules = [f"deadline {human_duration(section.deadline_s)}", f"max_blocks {section.max_blocks}"]
    rules += ["fail_fast"] * section.fail_fast
    count = len(section.commands)
    noun = "command" if count == 1 else "commands"
    yield f"{section.event}: {count} {noun}, {', '.join(rules)}"


def _command(command: Command) -> Iterator[str]:
    limit = "no timeout" if command.timeout_s is None else human_duration(command.timeout_s)
    warns = ", warns only" if command.severity is Severity.WARN else ""
    yield f"  {line(command.name)}  ({line(command.where)}, {limit}{warns})"
    body = [row for row in clean(command.line).split("\n") if row.strip()]
    for index, row in enumerate(body[:SCRIPT_LINES]):
        yield f"    {' ' if index else '$'} {line(row, width=120)}"
    if len(body) > SCRIPT_LINES:
        yield f"      ... and {len(body) - SCRIPT_LINES} more lines"
    if command.working_dir and command.container is None:
        yield f"    working_dir: {line(command.working_dir)}"
    if command.env:
        # Names only: values are often secrets, and a terminal's scroll-back keeps them.
        yield f"    env: {line(', '.join(name for name, _ in command.env))}"
    if command.container:
        yield from _container(command.container)


def _container(container: Container) -> Iterator[str]:
    for field in fields(container):
        value = getattr(container, field.name)
        if field.name in _ALWAYS or (field.name != "image" and value != field.default):
            title = _TITLES.get(field.name, field.name)
            yield f"    {title}: {line(_value(field.name, value), width=120)}"


def _value(name: str, value: Any) -> str:
    if name in _WRITTEN:
        return _WRITTEN[name](value)
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _mounts(mounts: tuple[Mount, ...]) -> str:
    return ", ".join(
        f"{mount.source or mount.type} -> {mount.target}{' (ro)' * mount.readonly}"
        for mount in mounts
    )


def _bytes(amount: int) -> str:
    for size, unit in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if amount >= size:
            return f"{amount / size:g} {unit}"
    return f"{amount} B"


_WRITTEN: dict[str, Callable[[Any], str]] = {
    "memory_bytes": _bytes,
    "shm_size_bytes": _bytes,
    "nano_cpus": lambda value: f"{value / 1_000_000_000:g}",
    "mounts": _mounts,
    "ulimits": lambda value: ", ".join(f"{item.name}={item.soft}:{item.hard}" for item in value),
    "tmpfs": lambda value: ", ".join(target for target, _ in value),
    "seccomp": lambda value: value if value == "unconfined" else "a profile of your own",
}
