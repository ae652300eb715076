"""One call by an agent, from its payload to the answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from stophooks import agents
from stophooks.agents import base, payload
from stophooks.errors import StophooksError, StoreError, UsageError
from stophooks.invocation import SectionRun, directory, home, public_environ
from stophooks.plan import DEFAULT_MAX_BLOCKS
from stophooks.store import open_store, state_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.agents.base import Agent, Reply
    from stophooks.events import Event
    from stophooks.hook.watch import Watch
    from stophooks.models import Problem, Report
    from stophooks.plan import Plan

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
        self._run: SectionRun | None = None

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
        if self._run is not None:
            self._run.tidy()

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
        self._run = SectionRun(section, plan, with_caller=True)
        return self._judge(self._run.report(cancel=watch.cancel))

    def _plan(self, event: Event) -> Plan | None:
        from stophooks import config  # noqa: PLC0415 -- an unreadable payload never needs it

        for place in (*event.directories, *_here()):
            path = config.find(place, home=home())
            if path is not None:
                loaded = config.load(path, environ=public_environ())
                if loaded.plan is None:
                    raise _refused([item for item in loaded.problems if not item.warning])
                return loaded.plan
        return None

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
                notes = store.notes
        except (StoreError, ImportError, MemoryError) as err:
            # Whatever keeps us from counting, the reason is what the agent needs.
            return self.agent.block(_bounded(reason, f"\n\nBlocks cannot be counted: {err}"))
        if count > self._max_blocks:
            return self.agent.allow("\n".join((note, *notes)))
        return self.agent.block(_bounded(reason, "".join(f"\n\n{text}" for text in notes)))

    def _reset(self) -> list[str]:
        """Forget the blocks so far; what goes wrong is for the person and changes no result."""
        try:
            with open_store(self.state_dir) as store:
                store.reset(*self._keys)
                return store.notes
        except (StoreError, ImportError, MemoryError) as err:
            return [f"stophooks: blocks cannot be counted: {err}"]

    @property
    def _keys(self) -> tuple[str, ...]:
        """Under what blocks are counted: the session, and where none is known the project."""
        event = self._event
        name = event.agent if event else "unknown"
        place = next(iter((*(event.directories if event else ()), *_here())), "/")
        project = _key(name, "project", place)
        if event is None or event.session is None:
            return (project,)
        return (_key(name, "session", event.session, event.kind, event.helper or ""), project)


def _key(*parts: str) -> str:
    """One short name for what an agent may have named in any length and with any characters."""
    import hashlib  # noqa: PLC0415 -- a stop that is neither blocked nor counted needs none

    whole = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(whole).hexdigest()


def explain(err: Exception) -> str:
    """Say what went wrong, where, and what to do, for an agent and the person behind it."""
    from stophooks.reports import clean  # noqa: PLC0415 -- only a failing call pays for it

    if isinstance(err, ConfigRefusedError):
        text = str(err)
    elif isinstance(err, StophooksError):
        text = f"stophooks could not run the checks: {err}"
    else:
        text = _own_fault(err)
    # Names of files and directories are in it, and they may hold anything.
    return _bounded(clean.text(text), "")


def _own_fault(err: Exception) -> str:
    import traceback  # noqa: PLC0415 -- only our own bugs pay for it

    # Not the whole traceback: an agent reads this, and would set out to mend stophooks.
    frames = traceback.extract_tb(err.__traceback__)[-3:]
    places = " < ".join(
        f"{frame.name} in {frame.filename}:{frame.lineno}" for frame in frames[::-1]
    )
    return (
        f"stophooks could not run the checks, by a fault of its own: {type(err).__name__}: {err} "
        f"(at {places}; Python {sys.version.split()[0]}). Tell the person: `stophooks run` in the "
        "project shows whether the checks themselves work; report this text as a bug."
    )


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
        return (directory(),)
    except UsageError:
        return ()
