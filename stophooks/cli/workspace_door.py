"""What the verbs of `stophooks workspace` share: the plan, git, the commands, the exit code."""

from __future__ import annotations

import os
import shlex
from json import dumps

import typer

from stophooks import invocation
from stophooks.cli import console, interrupt, owned, project
from stophooks.cli.ending import BUSY, FAILED, SIGNALLED, why_not
from stophooks.cli.formats import Format
from stophooks.cli.interrupt import cancelling
from stophooks.cli.live import Live
from stophooks.errors import StophooksError
from stophooks.executors.base import Cancellation
from stophooks.firing import Firing
from stophooks.lifecycles.workspaces import found
from stophooks.lifecycles.workspaces.faults import BusyError, NotDoneError, StoppedError
from stophooks.lifecycles.workspaces.git import Git
from stophooks.plan import Plan
from stophooks.reports import history, hooks, json, preview
from stophooks.typed import TYPE_CHECKING, Any, TypeVar
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stophooks.config import Place
    from stophooks.models import Report
    from stophooks.occasion import Fire, Occasion

DIRECTORY = ".workspaces"
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the verbs are told alike; ``force``: commands that cannot run are no obstacle."""

    no_hooks: bool
    force: bool = False
    debug: bool
    format: Format
    root: Path | None


class Door:
    """One call of a verb.

    Args:
        config: The configuration file that was named.
        flags: What else was said.
        event: The event that the verb fires.

    Raises:
        UsageError, ConfigInvalidError: The configuration cannot be used.
    """

    def __init__(self, config: Path | None, flags: Flags, event: str) -> None:
        self.event = event
        self._flags = flags
        self._why_not = why_not(no_hooks=flags.no_hooks)
        self._plan = self._usable(config)
        self.section = self._plan.section(event)
        self._cancel = Cancellation()
        self._received: int | None = None
        self.git = Git(invocation.public_environ(), stop=self._cancel, tell=self._debug)
        self.root = self._root()

    def show_plan(self, title: str, values: dict[str, Any], event: Occasion) -> None:
        """Answer a dry run: what the verb would do, and each command that the event would run."""
        steps = self._firing(None).preview(event)
        if self._flags.format is Format.JSON:
            document = {**values, "dry_run": True, "hooks": preview.values(event, steps)}
            console.out(dumps(document, indent=2))
        else:
            console.out(f"{title}\n{preview.text(event, steps)}")

    def run(self, work: Callable[[Fire], Done]) -> Done:
        """Do the work; what keeps it from being done is told, and ends the program."""
        commands = self.section.commands if self.section else ()
        live = Live([one.name for one in commands], results=False, verbose=True)
        # Nobody drains a stopped run's containers.
        holds_engine = any(command.container for command in commands)
        with cancelling(self._cancel, may_stop=not holds_engine) as received:
            firing = self._firing(live)
            try:
                done = work(firing)
            except (NotDoneError, StoppedError, BusyError) as err:
                for report in firing.reports:
                    self.tell(report, advice="")
                console.err(f"stophooks: {err}")
                code = BUSY if isinstance(err, BusyError) else FAILED
                raise typer.Exit(SIGNALLED + received.number if received.number else code) from err
            finally:
                live.close()
        self._received = received.number
        return done

    def tell(self, report: Report, *, advice: str) -> None:
        """Tell what commands that failed, and what those that passed wrote in warning."""
        for row in history.trail(report):
            self._debug(row)
        said = [hooks.warnings(report, self.section), hooks.failures(report, self.section)]
        if report.failures:
            said.append(f"{hooks.first(report, self.section)}. {advice}".rstrip())
        for text in filter(None, said):
            console.err(text)

    def leave(self, *, failed: bool) -> None:
        """End the program with the code that says how it went."""
        if self._received is not None:
            raise typer.Exit(SIGNALLED + self._received)
        if failed:
            raise typer.Exit(FAILED)

    def hooks_values(self, report: Report | None) -> dict[str, Any] | None:
        """What became of the commands as JSON-ready values."""
        return None if report is None else json.values(report)

    def line(self, verb: str, id_: str, *flags: str) -> str:
        """The command line of a verb, as it is to be called from here."""
        words = ["stophooks", "workspace", verb, id_, *flags]
        if self._flags.root is not None:
            words += ["--root", str(self._flags.root)]
        return shlex.join(words)

    def _usable(self, config: Path | None) -> Plan:
        """The plan; one without commands where none of them may run."""
        if self._why_not is None:
            try:
                plan = _plan(config)
                owned.check(plan.section(self.event))
            except StophooksError as err:
                if not self._flags.force:
                    raise
                console.err(f"stophooks: {err}")
                self._why_not = "the configuration cannot be used"
            else:
                return plan
        return Plan(config_path="", project_dir=_place(config).project_dir)

    def _root(self) -> str:
        """The directory that workspaces are in."""
        here = invocation.directory()
        if self._flags.root is not None:
            return os.path.abspath(os.path.join(here, self._flags.root))
        around = found.enclosing(here)
        if around is not None:
            return os.path.dirname(around)
        return os.path.join(self._plan.project_dir, DIRECTORY)

    def _firing(self, live: Live | None) -> Firing:
        return Firing(
            self._plan,
            cancel=self._cancel,
            observer=live,
            with_caller=interrupt.caller_waits(),
            why_not=self._why_not,
        )

    def _debug(self, text: str) -> None:
        if self._flags.debug:
            console.err(f"debug: {text}")


def _plan(config: Path | None) -> Plan:
    """The plan; there need not be a configuration."""
    found = _place(config)
    if found.project_path is found.user_path is None:
        return Plan(config_path="", project_dir=found.project_dir)
    return project.plan(config)


def _place(config: Path | None) -> Place:
    return project.locate() if config is None else project.place(config)
