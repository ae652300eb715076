"""What is to stand in an agent's settings file, compared with what stands there."""

from __future__ import annotations

import math

from stophooks.agents import copied, settings
from stophooks.cli import program
from stophooks.cli.limits import needed_s
from stophooks.events import SESSION_EVENTS, STOP
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.cli.scope import Target
    from stophooks.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A settings file as it is to be.

    ``limits`` has the limit of each event in seconds, ``kept`` what was needed of those that are
    larger because they were; ``present`` says whether an entry of ours was there before.
    """

    text: str
    command: str
    limits: Mapping[str, float]
    kept: Mapping[str, int]
    present: bool


def wanted(meant: Target, text: str | None, plan: Plan | None) -> Wanted:
    """Return the settings file with our entries.

    Raises:
        SettingsError: The text has another shape where they belong.
        UsageError: There is no program of ours that will be there later.
    """
    command = program.command(meant.scope, meant.agent.NAME)
    if meant.agent.settings().copied is not None:
        return _plugin(meant, text, plan, command)
    longest = settings.limits(text, meant.agent)
    needed = {
        event: needed_s(plan, kind, meant.scope)
        for event, kind in settings.events(meant.agent).items()
    }
    limits = {event: max(limit, longest.get(event, 0)) for event, limit in needed.items()}
    shape = meant.agent.settings()
    entries = {event: shape.entry(event, command, limit) for event, limit in limits.items()}
    return Wanted(
        text=settings.installed(text, entries, meant.agent),
        command=command,
        limits=limits,
        kept={event: limit for event, limit in needed.items() if limits[event] > limit},
        present=bool(settings.entries(text, meant.agent)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """An entry of ours as it stands in a file; ``limit_s`` is None where it has none."""

    command: str
    limit_s: float | None


def present(meant: Target, text: str) -> dict[str, Present]:
    """Return our entries in a settings file by the agent's name of the event.

    Raises:
        SettingsError: The text has another shape where they belong.
    """
    shape = meant.agent.settings()
    if shape.copied is not None:
        command = copied.command(text) if copied.is_ours(text) else None
        if command is None:
            return {}
        return {_stop(meant): Present(command=command, limit_s=copied.limit_s(text))}
    return {
        event: Present(command=shape.command_of(hook) or "", limit_s=shape.limit_of(hook))
        for event, hook in settings.entries(text, meant.agent).items()
    }


def missing(meant: Target, text: str) -> str | None:
    """Return what a settings file with the hook lacks of what is installed now, or None."""
    shape = meant.agent.settings()
    if shape.copied is not None:
        same = copied.installed(
            text,
            shape.copied,
            command=copied.command(text) or "",
            limit_s=copied.limit_s(text) or 0,
        )
        return None if same == text else "the plugin file is of another version, or was changed"
    there = settings.entries(text, meant.agent)
    absent = [event for event in settings.events(meant.agent) if event not in there]
    return f"the hook is not called at {', '.join(absent)}" if absent else None


def without(meant: Target, text: str, original: str | None) -> str | None:
    """Return the settings file without our entries; None where nothing is left to keep.

    Raises:
        SettingsError: The text has another shape where they belong.
    """
    if meant.agent.settings().copied is not None:
        return None if copied.is_ours(text) else text
    if not text.strip():
        return text
    rest = settings.uninstalled(text, original, meant.agent)
    made_by_us = original is None and rest != text and settings.is_left_over(rest, meant.agent)
    return None if made_by_us else rest


def _plugin(meant: Target, text: str | None, plan: Plan | None, command: str) -> Wanted:
    kinds = [kind for kind in settings.events(meant.agent).values() if kind not in SESSION_EVENTS]
    needed = max(needed_s(plan, kind, meant.scope) for kind in kinds)
    limit = max(needed, (text and copied.limit_s(text)) or 0)
    name = meant.agent.settings().copied or ""
    event = _stop(meant)
    return Wanted(
        text=copied.installed(text, name, command=command, limit_s=limit),
        command=command,
        limits={event: limit},
        kept={event: needed} if limit > needed else {},
        present=text is not None,
    )


def _stop(meant: Target) -> str:
    return next(name for name, kind in meant.agent.EVENTS.items() if kind == STOP.name)


def shown(limit_s: float) -> str:
    """Return a limit for a person."""
    return f"{math.ceil(limit_s) if limit_s == math.ceil(limit_s) else limit_s} s"
