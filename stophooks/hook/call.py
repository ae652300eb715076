"""One call by an agent, from its payload to the answer."""

from __future__ import annotations

import gc
import time

from stophooks.agents import base, payload
from stophooks.contexts import suppress
from stophooks.errors import StophooksError, UsageError
from stophooks.events import CLEANUP, SESSION_EVENTS, SESSION_START, STOP, STOP_EVENTS
from stophooks.hook import arguments, caller
from stophooks.hook.budget import Budget, Spent
from stophooks.hook.explain import explain
from stophooks.invocation import DISABLE, directory, disabled, home, public_environ
from stophooks.invocation.boxes import leaks_dir, left_behind, preflight_for
from stophooks.invocation.section import SectionRun
from stophooks.plan import DEFAULT_MAX_BLOCKS, Section
from stophooks.store import state_dir
from stophooks.store.memory import Memory, block_keys
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stophooks.agents.base import Agent, Reply
    from stophooks.events import Event
    from stophooks.hook.check import Check
    from stophooks.hook.pinned import Pinned, Surroundings
    from stophooks.hook.watch import Watch
    from stophooks.occasion import Occasion
    from stophooks.watchdog.guard import Guard

STDIN = 0
# So many objects more than before are looked through for garbage; Python's own choice is 700.
_GARBAGE = 20_000


class Call:
    """What is known so far about one call; an answer can be given at any time.

    ``agent`` is the one that called, or one that answers as all agents understand it while that
    is not known.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.agent: Agent = base.UNKNOWN
        self.state_dir = state_dir(environ)
        self._began = time.time()
        self._environ = environ
        self._max_blocks = DEFAULT_MAX_BLOCKS
        self._event: Event | None = None
        self._memory: Memory | None = None
        self._section_run: SectionRun | None = None
        self._guard: Guard | None = None
        self._debug: list[str] | None = None

    def answer(self, argv: Sequence[str], watch: Watch) -> Reply:
        """Return the answer; every error becomes one that explains itself."""
        try:
            reply = self._answer(argv, watch)
        except Exception as err:  # noqa: BLE001 -- the door: no error may become a silent pass
            reply = self._could_not(explain(err), for_a_person=getattr(err, "for_a_person", False))
        return reply if self._debug is None else caller.debugged(reply, self._debug)

    def refusal(self, reason: str) -> Reply:
        """Return the answer that keeps the agent from going on, where its event can be kept."""
        if self._event is not None and self._event.kind in SESSION_EVENTS:
            return self.agent.allow(None)
        return self.agent.block(reason)

    def tidy(self) -> None:
        """See to what is left to do behind the answer, such as the removal of old logs."""
        try:
            if self._memory is not None:
                self._memory.close()
            if self._section_run is not None:
                self._section_run.tidy()
        finally:
            # Last: by then most containers are gone.
            if self._section_run is not None:
                self._section_run.close()
            if self._guard is not None:
                self._guard.close()

    def _answer(self, argv: Sequence[str], watch: Watch) -> Reply:
        given = arguments.parse(argv, self._environ)
        self._debug = [] if given.debug else None
        self.agent = caller.named(given)
        if given.agent is not None:
            # What the environment alone tells counts a payload's fault for the right project.
            self._event = self.agent.parse({}, self._environ)
        found = caller.find(given, payload.read(STDIN), self._environ, state_dir=self.state_dir)
        self.agent, self._event = found.agent, found.event
        if self._debug is not None:
            self._say(*caller.explained(found))
        if found.aside:
            return self.agent.allow(None)
        if self._event.kind in SESSION_EVENTS:
            return self._session(self._event)
        if self._event.kind not in STOP_EVENTS:
            return self.agent.allow(None)
        return self._stop(self._event, watch)

    def _session(self, event: Event) -> Reply:
        """Take note of a session's beginning or end: nothing about it keeps the agent."""
        from stophooks.hook import session  # noqa: PLC0415 -- a stop needs none of it

        if not disabled(self._environ):
            enter = session.begin if event.kind == SESSION_START.name else session.end
            try:
                return self.agent.allow(enter(event, self._around(), self._environ))
            except (StophooksError, OSError) as err:
                # The stop will tell; here nobody could do anything about it.
                self._say(f"nothing is known of the session's beginning or end: {err}")
        return self.agent.allow(None)

    def _stop(self, event: Event, watch: Watch) -> Reply:
        from stophooks.hook.check import Check  # noqa: PLC0415 -- a bad payload needs none
        from stophooks.hook.pinned import plan_for  # noqa: PLC0415 -- the same
        from stophooks.watchdog.guard import Guard  # noqa: PLC0415 -- the same

        if disabled(self._environ):
            return self._disabled(event)
        around = self._around()
        held = plan_for(event, around)
        if left := left_behind():
            held = replace(held, notes=(*held.notes, *left))
        self._follow(event, held, around)
        plan = held.plan
        section = plan.section(event.kind) if plan else None
        # What is protected is so even where no command would be run.
        guarded = bool(held.findings) and event.kind == STOP.name
        if plan is None or not (guarded or (section and section.commands)):
            self._say(f"nothing is checked: there are no commands for {event.kind}")
            return self.agent.allow("\n".join(held.notes))
        section = section or Section(event=event.kind)
        self._max_blocks = section.max_blocks
        self._memory = Memory(self.state_dir, event, plan.project_dir)
        self._guard = Guard(self._environ, with_caller=True, leaks_dir=leaks_dir(self.state_dir))
        check = Check(
            agent=self.agent,
            event=event,
            held=held,
            plan=plan,
            section=section,
            memory=self._memory,
            budget=self._budget,
            environ=around.environ,
            state_dir=self.state_dir,
            began=self._began,
            preflight=preflight_for(section),
            guard=self._guard,
        )
        skipped = check.skipped()
        if skipped is None:
            return self._run(check, watch)
        if skipped != event.unfinished:  # which is said already
            self._say(f"nothing is checked: {skipped}")
        return check.skip(skipped)

    def _follow(self, event: Event, held: Pinned, around: Surroundings) -> None:
        """Take note that the session goes on, where its end is followed by anything."""
        has_section = held.plan is not None and held.plan.section(CLEANUP.name) is not None
        if event.kind != STOP.name or not (has_section or held.on_cleanup):
            return
        from stophooks.hook import aftercare  # noqa: PLC0415 -- a bad payload needs none

        try:
            note = aftercare.seen(event, held, around, self._environ)
        except (StophooksError, OSError) as err:
            # A stop is checked, whatever is to become of the session after it.
            note = f"the session's end may go without a cleanup: {err}"
        if note:
            self._say(note)

    def _run(self, check: Check, watch: Watch) -> Reply:
        section = check.section
        if section.baseline:
            from stophooks.hook import baseline  # noqa: PLC0415 -- only who wants one pays for it

            baseline.give_up(check.memory, section.event)
        self._section_run = SectionRun(
            section,
            check.plan,
            guard=check.guard,
            occasion=_occasion(check),
            basis=check.basis,
            preflight=check.preflight,
        )
        watch.running(section.deadline_s)
        # Until now nothing was made that could be garbage; commands may run for minutes, and of a
        # short one nothing is made that is worth looking for.
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        gc.enable()
        return check.judge(self._section_run.report(cancel=watch.cancel))

    def _disabled(self, event: Event) -> Reply:
        """Let the agent stop, with a note where there may have been something to check."""
        from stophooks.hook.check import remember_skip  # noqa: PLC0415 -- hardly any call needs it
        from stophooks.reports import note  # noqa: PLC0415 -- the same

        try:
            project_dir = self._project_dir(event)
        except StophooksError:
            return self.agent.allow(note.not_checked(f"{DISABLE}=1 is set"))
        if project_dir is None:
            return self.agent.allow(None)
        self._memory = Memory(self.state_dir, event, project_dir)
        remember_skip(self._memory, event, f"{DISABLE}=1 was set")
        return self.agent.allow(note.not_checked(f"{DISABLE}=1 is set"))

    def _could_not(self, reason: str, *, for_a_person: bool) -> Reply:
        """The answer where the checks could not be run."""
        from stophooks.reports import note  # noqa: PLC0415 -- only a failing call pays for it

        if self._event is not None and self._event.kind in SESSION_EVENTS:
            self._say(reason)
            return self.agent.allow(None)
        memory = None
        # What is told is the answer; what is remembered of it must not keep it from being given.
        with suppress(Exception):
            memory = self._known()
        if for_a_person and memory is not None and memory.machine_was_blamed():
            reply = self.agent.allow(note.out_of_reach(reason))
            spent = Spent(reply=reply, count=None, allowed=True)
        else:
            instead = note.given_up(reason, max_blocks=self._max_blocks)
            spent = self._budget.block(self.agent, reason, instead=instead)
        if memory is not None:
            with suppress(Exception):
                self._remember(memory, reason, spent, for_a_person=for_a_person)
        return spent.reply

    def _known(self) -> Memory | None:
        project_dir = self._project_dir(self._event) if self._event is not None else None
        if self._memory is None and self._event is not None and project_dir is not None:
            self._memory = Memory(self.state_dir, self._event, project_dir)
        return self._memory

    def _remember(self, memory: Memory, reason: str, spent: Spent, *, for_a_person: bool) -> None:
        from stophooks.reports.kept import could_not  # noqa: PLC0415 -- only a failing call pays

        if for_a_person:
            memory.blame_machine()
        if self._event is not None:
            known = could_not(self._event, reason, max_blocks=self._max_blocks)
            used = {"blocks": min(spent.count or 0, self._max_blocks), "allowed": spent.allowed}
            memory.put_state(self._event.kind, known | used)

    def _project_dir(self, event: Event) -> str | None:
        """The project that this is about, or None where it has no configuration."""
        from stophooks import config  # noqa: PLC0415 -- a passing stop does not need it

        around = self._around()
        place = config.locate(
            (*event.directories, *around.here), home=around.home, environ=around.environ
        )
        if place is None or place.project_path is place.user_path is None:
            return None
        return place.project_dir

    def _around(self) -> Surroundings:
        from stophooks.hook.pinned import Surroundings  # noqa: PLC0415 -- a bad payload needs none

        return Surroundings(
            state_dir=self.state_dir, home=home(), environ=public_environ(), here=_here()
        )

    @property
    def _budget(self) -> Budget:
        return Budget(self.state_dir, block_keys(self._event, _here()), self._max_blocks)

    def _say(self, *lines: str) -> None:
        if self._debug is not None:
            self._debug.extend(lines)


def _occasion(check: Check) -> Occasion:
    from stophooks.occasion import Occasion, Subject  # noqa: PLC0415 -- a skipped stop needs none

    event, place = check.event, check.plan.project_dir
    subject = Subject(kind="session", id=event.session or "local", path=place)
    return Occasion(event=event.kind, subject=subject, session=event.session)


def _here() -> tuple[str, ...]:
    try:
        return (directory(),)
    except UsageError:
        return ()
