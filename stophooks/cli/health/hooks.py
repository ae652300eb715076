"""The hook in one settings file of one agent."""

from __future__ import annotations

import os
import shlex
import shutil

from stophooks import invocation
from stophooks.agents import settings
from stophooks.cli import entry
from stophooks.cli.health import ok, problem, warn
from stophooks.cli.limits import MARGIN_S, deadline
from stophooks.events import SESSION_EVENTS
from stophooks.models import human_duration
from stophooks.store import textfile
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.cli.scope import Target
    from stophooks.plan import Plan
    from stophooks.proofs import Finding


class Hook:
    """Our entries in a settings file, and what is to be said of them.

    Raises:
        SettingsError: The file is none that its agent could read.
    """

    def __init__(
        self, meant: Target, text: str, plan: Plan | None, environ: Mapping[str, str]
    ) -> None:
        self._meant = meant
        self._text = text
        self._plan = plan
        self._environ = environ
        self._shape = meant.agent.settings()
        self._about = f"agent {meant.agent.NAME}"
        self._again = f"Install it again: stophooks install {meant.agent.NAME} --{meant.scope}"
        self.entries = entry.present(meant, text)

    @property
    def switch_text(self) -> str | None:
        """Say that all hooks are turned off, where they are."""
        if self._shape.copied is not None or not settings.is_disabled(
            self._text, self._meant.agent
        ):
            return None
        return f"`{self._shape.switch}` is true, so no hook runs"

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the entries, or else that they are there."""
        found = [*self._programs(), *self._limits(), *self._missing(), *self._trust()]
        for one in found:
            yield replace(one, where=self._meant.path)
        if not found:
            events = ", ".join(
                f"{name} {entry.shown(one.limit_s)}" if one.limit_s else name
                for name, one in self.entries.items()
            )
            text = f"the hook is installed in the {self._meant.scope} settings ({events})"
            yield ok(self._about, text, where=self._meant.path)

    def _programs(self) -> Iterator[Finding]:
        for command in sorted({one.command for one in self.entries.values()}):
            # Before it may stand what sets variables, behind it are our three words.
            program = shlex.split(command)[-4]
            if "$" in program or program.startswith("~"):
                continue
            if shutil.which(program, path=self._environ.get("PATH", os.defpath)) is None:
                text = f"the hook's program is not there: {program}"
                yield problem(self._about, text, self._again)

    def _limits(self) -> Iterator[Finding]:
        for event, kind in settings.events(self._meant.agent).items():
            if event in self.entries and kind not in SESSION_EVENTS:
                yield from self._limit(
                    event, self.entries[event].limit_s, deadline(self._plan, kind)
                )

    def _limit(self, event: str, limit_s: float | None, deadline_s: float) -> Iterator[Finding]:
        if limit_s is None:
            text = f"{event} has no limit of its own, and the agent's own may be below the deadline"
            yield warn(self._about, text, self._again)
            return
        said = f"{event} is ended by the agent after {human_duration(limit_s)}"
        ours = f"the deadline of {human_duration(deadline_s)}"
        if limit_s <= deadline_s:
            text = f"{said}, before {ours}: the agent would then stop unchecked"
            yield problem(self._about, text, self._again)
        elif limit_s < deadline_s + MARGIN_S:
            yield warn(self._about, f"{said}, soon after {ours}", self._again)

    def _missing(self) -> Iterator[Finding]:
        missing = entry.missing(self._meant, self._text)
        if missing:
            yield warn(self._about, missing, self._again)

    def _trust(self) -> Iterator[Finding]:
        """Say at which events the agent may skip the hook because nobody has trusted it."""
        folder = self._shape.folder(invocation.environ(), invocation.home())
        if self._shape.untrusted is None or self._shape.trust_file is None or folder is None:
            return
        path = os.path.join(folder, self._shape.trust_file)
        try:
            told = textfile.read(path).text or ""
            untrusted = self._shape.untrusted(self._text, self._meant.path, told)
        except ValueError as err:
            yield warn(self._about, f"{path} cannot be read: {err}", "Mend the file.")
            return
        events = [event for event in untrusted if event in self.entries]
        if events:
            text = f"the hook is not known to be trusted at {', '.join(events)}"
            yield warn(self._about, text, self._shape.advice or "")
