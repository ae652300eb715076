"""How an agent keeps its hooks: in which files, under which keys, with which limits.

An agent's own words (its paths, keys, units) stand in its module as one `Settings`; what is done
with them is in `settings` and knows no agent.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USER = "user"
PROJECT = "project"
LOCAL = "local"
SCOPES = (USER, PROJECT, LOCAL)
# No limit at all, whatever the unit.
_ENDLESS = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How a hook's time limit is written.

    ``per_second`` is 1000 where the agent counts milliseconds. A number from ``milliseconds_from``
    on is read as milliseconds by an agent that otherwise counts seconds.
    """

    key: str = "timeout"
    per_second: int = 1
    milliseconds_from: int | None = None

    def written(self, limit_s: float) -> float:
        """Return the number that stands for so many seconds."""
        number = limit_s * self.per_second
        if self.milliseconds_from is not None and number >= self.milliseconds_from:
            return limit_s * 1000
        return number

    def seconds(self, number: object) -> float | None:
        """Return the seconds that a number in the file stands for; None if it is no such number."""
        if isinstance(number, bool) or not isinstance(number, int | float):
            return None
        if not 0 <= number < _ENDLESS:
            return None
        if self.milliseconds_from is not None and number >= self.milliseconds_from:
            return number / 1000
        return number if self.per_second == 1 else number / self.per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where one agent reads hooks from, and in which form.

    Attributes:
        programs: What the agent is called on ``PATH``.
        folders: Where the person's own folder for the agent is, the first that can be told: below
            the home directory (``~``), or where a variable (``$NAME``) says.
        files: The file of each scope that the agent has: ``user`` below the folder, ``project``
            and ``local`` below the project.
        keys: What leads from the root to the events (to the list of all hooks with ``trigger``).
        grouped: Whether an event's list holds groups, ``{"hooks": [HOOK]}``, and not hooks.
        trigger: Where one list holds the hooks of all events: the key of a hook that names its.
        command: Where in a hook its command stands.
        limit: How a hook's time limit is written.
        events: The events to install, the agent's name of each to ours, where these are not all
            that its module knows.
        always: What every hook needs beside its command and its limit.
        extra: What the hooks of one event need beside that, by the agent's name of the event.
        head: What the file itself needs beside hooks.
        root_keys: The only keys that may stand beside the hooks, or None where any may.
        switch: The key that turns every hook off when it is true, or None.
        trust_file: The file, below the folder, in which the agent keeps which hooks are trusted.
        untrusted: Says of a hooks file's text, its path and the text of the trust file in which
            events a hook is not known to be trusted; raises ValueError for another trust file.
        copied: The plugin that takes the place of all this, as its path below ``plugins``.
        advice: What a person has to know or do so that the hook runs, or None.
    """

    programs: tuple[str, ...]
    folders: tuple[str, ...]
    files: Mapping[str, str]
    keys: tuple[str, ...] = ("hooks",)
    grouped: bool = True
    trigger: str | None = None
    command: tuple[str, ...] = ("command",)
    limit: Limit = field(default_factory=Limit)
    events: Mapping[str, str] | None = None
    always: Mapping[str, Any] = field(default_factory=lambda: {"type": "command"})
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    head: Mapping[str, Any] = field(default_factory=dict)
    root_keys: frozenset[str] | None = None
    switch: str | None = None
    trust_file: str | None = None
    untrusted: Callable[[str, str, str], tuple[str, ...]] | None = None
    copied: str | None = None
    advice: str | None = None

    def folder(self, environ: Mapping[str, str], home: str | None) -> str | None:
        """Return the person's own folder for the agent, or None where there is no home."""
        for place in self.folders:
            start, _, rest = place.partition("/")
            base = home if start == "~" else environ.get(start.removeprefix("$"))
            if base and base.startswith("/"):
                return f"{base.rstrip('/')}/{rest}".rstrip("/")
        return None

    def entry(self, event: str, command: str, limit_s: float) -> dict[str, Any]:
        """Return the hook of one event as the file has it."""
        hook: dict[str, Any] = {key: _copy(value) for key, value in self.always.items()}
        if self.trigger:
            hook[self.trigger] = event
        inner = hook
        for key in self.command[:-1]:
            inner = inner[key]
        inner[self.command[-1]] = command
        hook[self.limit.key] = self.limit.written(limit_s)
        return hook | dict(self.extra.get(event, {}))

    def command_of(self, hook: object) -> str | None:
        """Return a hook's command, or None where it has none."""
        for key in self.command:
            hook = hook.get(key) if isinstance(hook, dict) else None
        return hook if isinstance(hook, str) else None

    def limit_of(self, hook: Mapping[str, Any]) -> float | None:
        """Return a hook's limit in seconds, or None where it has none that is a number."""
        return self.limit.seconds(hook.get(self.limit.key))


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value
