"""One call by an agent, from its payload to the answer."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from stophooks import agents
from stophooks.agents import base, payload
from stophooks.errors import StophooksError, StoreError, UsageError
from stophooks.plan import DEFAULT_MAX_BLOCKS
from stophooks.store import open_store, state_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.agents.base import Agent, Reply
    from stophooks.events import Event
    from stophooks.executors.base import Executor
    from stophooks.hook.watch import Watch
    from stophooks.models import Problem, Report
    from stophooks.plan import Plan, Section
    from stophooks.store.logs import RunLogs

USAGE = "usage: stophooks hook --agent NAME, where NAME is one of:"
STDIN = 0
# What agents show a model without cutting it; see reports.reason.
REASON_BYTES = 8192


class ConfigRefusedError(StophooksError):
    """The configuration has problems; its text shows all of them."""


class Call:
    """What is known so far about one call; an answer can be given at any time.

    ``agent`` is the one that called, or one that answers as all agents understand it while that
    is not known.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.agent: Agent = base.UNKNOWN
        self.state_dir = state_dir(environ)
        self._environ = environ
        self._max_blocks = DEFAULT_MAX_BLOCKS
        self._event: Event | None = None
        self._logs: RunLogs | None = None

    def answer(self, argv: Sequence[str], watch: Watch) -> Reply:
        """Return the answer; every error becomes one that explains itself."""
        try:
            return self._answer(argv, watch)
        except Exception as err:  # noqa: BLE001 -- the door: no error may become a silent pass
            from stophooks.reports import note  # noqa: PLC0415 -- only a failing call pays for it

            reason = explain(err)
            return self._block(reason, note.given_up(reason, max_blocks=self._max_blocks))

    def tidy(self) -> None:
        """Remove old logs; nobody waits for this."""
        if self._logs is not None:
            from stophooks.store.logs import prune  # noqa: PLC0415 -- only a call that ran has logs

            prune(self._logs.state_dir)

    def _answer(self, argv: Sequence[str], watch: Watch) -> Reply:
        self.agent = _agent(argv)
        self._event = self.agent.parse({}, self._environ)
        self._event = self.agent.parse(payload.read(STDIN), self._environ)
        plan = self._plan(self._event)
        section = plan.section(self._event.kind) if plan else None
        if plan is None or section is None or not section.commands:
            return self.agent.allow(None)
        self._max_blocks = section.max_blocks
        watch.running(section.deadline_s)
        return self._judge(self._run(section, plan, watch))

    def _plan(self, event: Event) -> Plan | None:
        from stophooks import config  # noqa: PLC0415 -- an unreadable payload never needs it

        home = _home(self._environ)
        for directory in (*event.directories, *_here()):
            path = config.find(directory, home=home)
            if path is not None:
                loaded = config.load(path, environ=self._public_environ())
                if loaded.plan is None:
                    raise _refused([item for item in loaded.problems if not item.warning])
                return loaded.plan
        return None

    def _run(self, section: Section, plan: Plan, watch: Watch) -> Report:
        from stophooks import engine  # noqa: PLC0415 -- a project without commands never needs it
        from stophooks.store.logs import RunLogs  # noqa: PLC0415 -- the same

        run_id = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
        self._logs = logs = RunLogs(self.state_dir, run_id)
        executors = self._executors(section)
        try:
            return engine.run(
                section,
                project_dir=plan.project_dir,
                executors=executors,
                cancel=watch.cancel,
                logs=logs,
            )
        finally:
            for executor in executors.values():
                executor.close()
            logs.close()

    def _executors(self, section: Section) -> dict[str, Executor]:
        from stophooks.executors.host import HostExecutor  # noqa: PLC0415 -- see _run

        environ = self._public_environ()
        executors: dict[str, Executor] = {"host": HostExecutor(environ)}
        if any(command.container for command in section.commands):
            # docker-py takes several tenths of a second to import.
            from stophooks.executors.docker import DockerExecutor  # noqa: PLC0415

            home = _home(environ) or "/"
            executors["docker"] = DockerExecutor(environ, os.getuid(), os.getgid(), home)
        return executors

    def _judge(self, report: Report) -> Reply:
        notes = [] if report.blocks else self._reset()
        if report.passed:
            return self.agent.allow("\n".join(notes))
        from stophooks.reports import note  # noqa: PLC0415 -- a passing stop never needs it

        if not report.blocks:
            return self.agent.allow("\n".join((note.warned(report), *notes)))
        from stophooks.reports.reason import reason  # noqa: PLC0415 -- the same

        text = reason(report, max_bytes=REASON_BYTES)
        return self._block(text, note.spent(report, max_blocks=self._max_blocks))

    def _block(self, reason: str, note: str) -> Reply:
        """Keep the agent from stopping, unless its session's blocks are used up."""
        try:
            with open_store(self.state_dir) as store:
                count = store.record_block(self._keys[0])
        except StoreError as err:
            return self.agent.block(_bounded(reason, f"\n\nBlocks cannot be counted: {err}"))
        return self.agent.allow(note) if count > self._max_blocks else self.agent.block(reason)

    def _reset(self) -> list[str]:
        """Forget the blocks so far; what goes wrong is for the person and changes no result."""
        try:
            with open_store(self.state_dir) as store:
                for key in self._keys:
                    store.reset(key)
        except StoreError as err:
            return [f"stophooks: blocks cannot be counted: {err}"]
        return []

    @property
    def _keys(self) -> tuple[str, ...]:
        """Under what blocks are counted: the session, and where none is known the project."""
        event = self._event
        name = event.agent if event else "unknown"
        place = next(iter((*(event.directories if event else ()), *_here())), "/")
        keys = (f"{name} project {place}",)
        if event is None or event.session is None:
            return keys
        return (f"{name} session {event.session} {event.kind} {event.helper or ''}".rstrip(), *keys)

    def _public_environ(self) -> dict[str, str]:
        """Return the environment without what is the agent's own business."""
        return {
            name: value for name, value in self._environ.items() if not self.agent.private(name)
        }


def explain(err: Exception) -> str:
    """Say what went wrong, where, and what to do, for an agent and the person behind it."""
    if isinstance(err, ConfigRefusedError):
        return str(err)
    if isinstance(err, StophooksError):
        return f"stophooks could not run the checks: {err}"
    import traceback  # noqa: PLC0415 -- only our own bugs pay for it

    # Not the whole traceback: an agent reads this, and would set out to mend stophooks.
    frames = traceback.extract_tb(err.__traceback__)[-3:]
    places = " < ".join(
        f"{frame.name} in {frame.filename}:{frame.lineno}" for frame in frames[::-1]
    )
    text = (
        f"stophooks could not run the checks, by a fault of its own: {type(err).__name__}: {err} "
        f"(at {places}; Python {sys.version.split()[0]}). Tell the person: `stophooks run` in the "
        "project shows whether the checks themselves work; report this text as a bug."
    )
    return _bounded(text, "")


def _agent(argv: Sequence[str]) -> Agent:
    name = ""
    if len(argv) == 2 and argv[0] == "--agent":  # noqa: PLR2004 -- an option and its value
        name = argv[1]
    elif len(argv) == 1:
        name = argv[0].removeprefix("--agent=")
    if name not in agents.AGENTS:
        raise UsageError(
            f"`stophooks hook {' '.join(argv)}`".replace(" `", "`")
            + f" names no agent that is known. Write, in the agent's settings, {USAGE} "
            + f"{', '.join(agents.AGENTS)}; `stophooks install` writes it for you."
        )
    return agents.AGENTS[name]


def _refused(problems: Sequence[Problem]) -> ConfigRefusedError:
    from stophooks.reports.problems import text  # noqa: PLC0415 -- only a bad configuration pays

    head = "stophooks could not run the checks: the configuration has problems.\n\n"
    return ConfigRefusedError(_bounded(head + text(problems), ""))


def _bounded(text: str, tail: str) -> str:
    room = REASON_BYTES - len(tail.encode("utf-8", "replace"))
    data = text.encode("utf-8", "replace")
    return (data if len(data) <= room else data[: room - 4] + b" ...").decode(
        "utf-8", "ignore"
    ) + tail


def _here() -> tuple[str, ...]:
    try:
        return (os.getcwd(),)  # noqa: TID251 -- floor 4: the working directory is read here
    except FileNotFoundError:
        return ()


def _home(environ: Mapping[str, str]) -> str | None:
    home = environ.get("HOME") or os.path.expanduser("~")
    return home if os.path.isabs(home) else None
