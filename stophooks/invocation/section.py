"""One run of one section, with its logs, its turn in the project, and what need not run."""

from __future__ import annotations

from stophooks import threads
from stophooks.contexts import contextmanager
from stophooks.errors import ProjectBusyError
from stophooks.events import STOP_EVENTS
from stophooks.invocation import environ, home, new_run_id, public_environ, remember
from stophooks.invocation.boxes import Boxes, leaks_dir
from stophooks.memo.base import Basis, concerns
from stophooks.models import human_duration
from stophooks.plan import WAIT
from stophooks.store import state_dir
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stophooks.engine import Observer
    from stophooks.executors.base import Cancellation, Executor
    from stophooks.executors.docker.preflight import Preflight
    from stophooks.memo.base import Why
    from stophooks.memo.memo import Memo as RunMemo
    from stophooks.models import Report
    from stophooks.occasion import Occasion, Step
    from stophooks.plan import Plan, Section
    from stophooks.secrets.vault import Vault
    from stophooks.store.logs import RunLogs
    from stophooks.watchdog.guard import Guard


BASIS = Basis()
# Who waited longer for the project's turn waited for another run. Seconds.
STALE_S = 0.01
# The numbers of the projects whose turns are held by whom a command was started by.
RUNNING = "STOPHOOKS_RUNNING"


# What git sets for its hooks, or its caller, about one repository: `git rev-parse --local-env-vars`
# of git 2.39. An event about another place is not to run git in that one.
_ONE_REPOSITORY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)


class SectionRun:
    """One run of one section, with its logs.

    Args:
        section: What to run.
        plan: Where it comes from.
        with_caller: Whether it ends when the process that started this one ends.
        guard: One that may have begun to watch over it; None for a new one. With one the report
            comes before the containers of commands that ended by themselves are gone, and `close`
            has to be called behind it.
        occasion: What the event is about; None for a session that nobody knows.
        done: Whether a command that runs once has passed.
        basis: How it is decided which commands need not run.
        preflight: What `preflight_for` gave for this section, if that was asked already.
    """

    def __init__(
        self,
        section: Section,
        plan: Plan,
        *,
        with_caller: bool = False,
        guard: Guard | None = None,
        occasion: Occasion | None = None,
        done: Callable[[str], bool] = lambda _: False,
        basis: Basis = BASIS,
        preflight: Callable[[], Preflight] | None = None,
    ) -> None:
        self._section = section
        self._plan = plan
        self._occasion = occasion
        self._done = done
        self._basis = basis
        self._last: Report | None = None
        self._run_id = new_run_id()
        self._boxes = Boxes(
            section,
            self._run_id,
            session=occasion.session if occasion else None,
            answers_first=guard is not None,
            preflight=preflight,
        )
        self._logs: RunLogs | None = None
        self._running = ""
        self._with_caller = with_caller
        self._guard = guard
        self._around = environ()
        self._public = public_environ()
        self._state_dir = state_dir(self._around)

    def report(
        self,
        *,
        cancel: Cancellation,
        observer: Observer | None = None,
        wait: bool = True,
        waiting: Callable[[], None] = lambda: None,
    ) -> Report:
        """Run it to its end; everything that it started is gone afterwards, or once it is closed.

        Args:
            cancel: Ends it early.
            observer: Watches it.
            wait: Whether to wait while another run is going on in the project, if the section
                does.
            waiting: Called when that is so.

        Raises:
            ProjectBusyError: There is another run, and waiting for it was not to be or was in vain.
        """
        from stophooks.watchdog.guard import Guard  # noqa: PLC0415 -- as in `_report`

        wait = wait and self._section.when_busy == WAIT
        wait_s = wait * self._section.deadline_s
        # The guard first: it is up when there is something to watch over, and nobody goes on
        # waiting for a turn whose agent has ended.
        guard = self._guard = self._guard or Guard(
            self._around, with_caller=self._with_caller, leaks_dir=leaks_dir(self._state_dir)
        )
        guard.__enter__()
        try:
            with self._turn(cancel, wait_s=wait_s, waiting=waiting) as waited_s:
                self._last = self._report(cancel, observer, waited_s, guard)
                return self._last
        finally:
            # Where nothing is being removed, a watchdog that naps need not wake.
            if not self._boxes.are_left:
                self.close()

    def close(self) -> None:
        """Come back when all containers are gone, or a watchdog has those that are not."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        self._boxes.close(guard)
        guard.close()

    def _report(
        self, cancel: Cancellation, observer: Observer | None, waited_s: float, guard: Guard
    ) -> Report:
        # First: the engine answers while everything else is imported.
        inherited = self._command_environ()
        docker = self._boxes.executor(guard, inherited, lambda: vault)
        from stophooks import engine  # noqa: PLC0415 -- an agent's call without commands needs none
        from stophooks.executors.host import HostExecutor  # noqa: PLC0415 -- the same
        from stophooks.secrets.vault import Vault  # noqa: PLC0415 -- the same
        from stophooks.store.logs import RunLogs  # noqa: PLC0415 -- the same

        self._logs = RunLogs(self._state_dir, self._run_id)
        vault = Vault(self._public, self._section.commands, hides=(self._around,))
        host = HostExecutor(inherited, guard=guard, vault=vault, beside=self._section.jobs > 1)
        executors: dict[str, Executor] = {"host": host}
        if docker is not None:
            executors["docker"] = docker
        memo = self._memo(inherited, vault, waited_s)
        if memo is not None:
            executors = self._giving(executors, memo, self._logs, inherited)
        try:
            return engine.run(
                self._section,
                project_dir=self._plan.project_dir,
                executors=executors,
                cancel=cancel,
                logs=self._logs,
                observer=observer,
                waited_s=waited_s,
                mask=vault.mask,
                occasion=self._occasion,
                run_id=self._run_id,
                config_path=self._plan.config_path,
                done=self._done,
                memo=memo,
            )
        finally:
            if memo is not None:
                memo.close()
            for executor in executors.values():
                executor.close()
            self._logs.close()

    def explained(self, found: tuple[Step, ...]) -> tuple[Step, ...]:
        """The steps, each with because of what it would run now, or not; writes nothing."""
        from stophooks.engine import nobody  # noqa: PLC0415 -- as in `_report`
        from stophooks.occasion import Occasion  # noqa: PLC0415 -- the same
        from stophooks.occasion.binding import Run, bind  # noqa: PLC0415 -- the same
        from stophooks.secrets.vault import Vault  # noqa: PLC0415 -- the same
        from stophooks.store.turn import number  # noqa: PLC0415 -- the same

        plan = self._plan
        occasion = self._occasion or Occasion(
            event=self._section.event, subject=nobody(plan.project_dir)
        )
        named = Run(run_id="", project_dir=plan.project_dir, config_path=plan.config_path)
        inherited = self._environ() | {
            RUNNING: _inside(str(number(plan.project_dir)), self._around)
        }
        vault = Vault(self._public, self._section.commands)
        memo = self._new_memo(inherited, vault, replace(self._basis, looks_only=True))
        try:
            return tuple(
                _explained(
                    step,
                    memo.why(
                        bind(step.command, occasion, named, item=step.item, prior=occasion.prior)
                    ),
                )
                for step in found
            )
        finally:
            memo.close()

    def _memo(self, inherited: Mapping[str, str], vault: Vault, waited_s: float) -> RunMemo | None:
        """What knows which commands need not run; None where all do."""
        if not any(concerns(command) for command in self._section.commands):
            return None
        # What was seen before another run has ended is not how it is now.
        is_old = waited_s >= STALE_S
        basis = replace(self._basis, tree=None) if is_old else self._basis
        return self._new_memo(inherited, vault, basis)

    def _new_memo(self, inherited: Mapping[str, str], vault: Vault, basis: Basis) -> RunMemo:
        from stophooks.memo.memo import Memo  # noqa: PLC0415 -- only who wants it pays for it

        return Memo(
            self._plan.project_dir,
            environ=inherited,
            vault=vault,
            home=home() or "/",
            state_dir=self._state_dir,
            basis=basis,
        )

    def _giving(
        self,
        executors: Mapping[str, Executor],
        memo: RunMemo,
        logs: RunLogs,
        inherited: Mapping[str, str],
    ) -> dict[str, Executor]:
        """The executors, which then give commands the files that they are for."""
        if not any(command.files for command in self._section.commands):
            return dict(executors)
        from stophooks.memo.giving import GivingExecutor  # noqa: PLC0415 -- as in `_memo`

        return {
            place: GivingExecutor(
                executor, memo, directory=lambda: logs.directory, environ=inherited
            )
            for place, executor in executors.items()
        }

    def _command_environ(self) -> dict[str, str]:
        """What commands inherit."""
        return self._environ() | {RUNNING: self._running}

    def _environ(self) -> dict[str, str]:
        """The same, without what says that they are commands of ours."""
        kept = dict(self._public)
        if self._occasion is None or self._occasion.root is None:
            return kept
        return {name: value for name, value in kept.items() if name not in _ONE_REPOSITORY}

    @contextmanager
    def _turn(
        self, cancel: Cancellation, *, wait_s: float, waiting: Callable[[], None]
    ) -> Iterator[float]:
        """Hold the project's turn; the seconds that were waited for it."""
        from stophooks.store.turn import number, turn  # noqa: PLC0415 -- as above

        project = str(number(self._plan.project_dir))
        inside = self._around.get(RUNNING, "").split(",")
        self._running = _inside(project, self._around)
        # A command that calls us again in its own project would wait for itself. Only checks need
        # the project to themselves.
        wanted = project not in inside and self._section.event in STOP_EVENTS
        if not wanted:
            yield 0.0
            return
        stop = threads.Event()
        unsubscribe = cancel.subscribe(stop.set)
        try:
            with turn(
                self._state_dir, int(project), wait_s=wait_s, stop=stop, waiting=waiting
            ) as waited_s:
                if waited_s is None and not cancel.requested:
                    raise _busy(wait_s)
                yield waited_s or 0.0
        finally:
            unsubscribe()

    def tidy(self, *, remembers: bool = True) -> None:
        """Put the run into the history, and remove the logs of old ones; nobody waits for this.

        Without ``remembers`` whoever asked for the run puts it there, with more about it.
        """
        from stophooks.store.logs import is_due, prune  # noqa: PLC0415 -- as above

        if self._last is not None and remembers:
            remember(self._last)
        if self._logs is not None and is_due(self._logs):
            prune(self._logs.state_dir, keep=self._run_id)


def _explained(step: Step, why: Why) -> Step:
    if step.skip is not None:
        return step
    return replace(step, why=why.reason) if why.runs else replace(step, skip=why.reason)


def _inside(project: str, around: Mapping[str, str]) -> str:
    """The projects whose turns are held, by numbers, once that of this one is."""
    return ",".join(filter(None, (*around.get(RUNNING, "").split(","), project)))


def _busy(wait_s: float) -> ProjectBusyError:
    if wait_s:
        return ProjectBusyError(
            f"another run in this project did not end in time ({human_duration(wait_s)}). "
            "Try again when it has ended, or end it."
        )
    return ProjectBusyError(
        "another run is going on in this project, and this one is not to wait for it "
        "(`when_busy: block` or --no-wait). Try again when it has ended."
    )
