"""The decision for each command of one run, and what is remembered of those that pass."""

from __future__ import annotations

import os
import time

from stophooks import inputs, threads
from stophooks.errors import StophooksError, StoreError
from stophooks.inputs import UnknownError
from stophooks.memo import reach, words
from stophooks.memo.base import Basis, Why, concerns
from stophooks.memo.chosen import Chosen, choose
from stophooks.memo.key import Surroundings, key, parts
from stophooks.models import Outcome, Status
from stophooks.store.passes import UNUSABLE, Pass, Passes
from stophooks.store.salt import salt
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from tempfile import TemporaryDirectory

    from stophooks.inputs import Tree
    from stophooks.models import Command, Item
    from stophooks.secrets.vault import Vault

# A command that has to know which files changed waits longer than one that could only be spared.
# Seconds.
FILES_S = 30.0
EVERY_TIME = "it runs every time"
_UNTOLD = "the files of the project cannot be told in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """What becomes of one command; ``outcome`` where it does not run.

    ``key`` and ``parts`` are what its pass would be remembered by, None where it would not;
    ``writes`` is how often it was seen until then that files were written, ``stamps`` when those
    were that its `inputs` name. Without ``parts`` only a failure is taken note of.
    """

    why: Why
    outcome: Outcome | None = None
    chosen: Chosen | None = None
    key: str | None = None
    parts: dict[str, Any] | None = None
    writes: int = 0
    stamps: str = ""


class Memo:
    """Decides for the commands of one run; safe across threads.

    Args:
        project_dir: The project; absolute.
        environ: What commands on this machine inherit, and where git and the engine are found.
        vault: The secrets of the commands.
        home: The caller's home directory.
        state_dir: Where results are remembered.
        basis: How the run decides.
    """

    def __init__(
        self,
        project_dir: str,
        *,
        environ: Mapping[str, str],
        vault: Vault,
        home: str,
        state_dir: str,
        basis: Basis,
    ) -> None:
        self._project_dir = project_dir
        self._environ = environ
        self._vault = vault
        self._home = home
        self._state_dir = state_dir
        self._basis = basis
        self._passes = Passes(state_dir)
        self._around: Surroundings | None = None
        self._aside: TemporaryDirectory[str] | None = None
        self._lock = threads.RLock()
        # Commands that run now, and the files as they were when none ran, and none has run since.
        self._running = 0
        self._settled: Tree | None = basis.tree
        self._last: Tree | None = basis.tree
        self._writes = 0
        self._decided: dict[str, _Decision] = {}

    def known(self, command: Command, item: Item | None) -> Outcome | None:
        """The outcome of a command that need not run, just before it would; else None."""
        with self._lock:
            decision = None
            if item is None and concerns(command):
                decision = self._decided[command.name] = self._decide(command)
            if decision is not None and decision.outcome is not None:
                return decision.outcome
            self._running += 1
            self._settled = None
            return None

    def ended(self, command: Command, outcome: Outcome) -> None:
        """Take note of how a command has ended that was not known."""
        with self._lock:
            self._running -= 1
            decision = self._decided.get(command.name)
            if decision is None or decision.key is None or decision.outcome is not None:
                return
            try:
                if outcome.status is Status.PASSED:
                    self._remember(command, decision)
                else:
                    self._passes.forget(decision.key)
            except UNUSABLE:
                # Not remembered: it runs again.
                return

    def chosen(self, command: Command) -> Chosen | None:
        """The files that a command runs for now; None for one that runs for no files."""
        with self._lock:
            decision = self._decided.get(command.name)
            return decision.chosen if decision else None

    def why(self, command: Command) -> Why:
        """Whether a command would run now, and because of what."""
        with self._lock:
            return self._decide(command).why

    def close(self) -> None:
        """Close what results are remembered in."""
        self._passes.close()
        if self._aside is not None:
            self._aside.cleanup()

    def _decide(self, command: Command) -> _Decision:
        if not concerns(command):
            return _Decision(why=Why(runs=True, reason=EVERY_TIME))
        tree = self._now(FILES_S if command.files else inputs.DEADLINE_S)
        chosen = None
        if command.files:
            if tree is None:
                return _without_files()
            try:
                chosen = choose(command, tree, self._basis, self._environ)
            except UnknownError:
                return _without_files()
            if chosen.skip is not None:
                return _not_run(chosen.skip, chosen)
        if not command.skip_unchanged or not self._basis.cache:
            reason = words.fits(chosen) if chosen else EVERY_TIME
            if command.skip_unchanged:
                reason = "no result is reused (--no-cache)"
            return _Decision(
                why=Why(runs=True, reason=reason),
                chosen=chosen,
                key=self._doubted(command, tree, chosen),
            )
        return self._reused_or_not(command, tree, chosen)

    def _doubted(self, command: Command, tree: Tree | None, chosen: Chosen | None) -> str | None:
        """By what a pass is known, if there is one, that a failure makes unknown."""
        if tree is None or not command.skip_unchanged:
            return None
        try:
            around = self._surroundings()
            return key(parts(command, tree, around, paths=_paths(chosen)), around)
        except UnknownError:
            return None

    def _reused_or_not(
        self, command: Command, tree: Tree | None, chosen: Chosen | None
    ) -> _Decision:
        if tree is None:
            return _Decision(why=Why(runs=True, reason=_UNTOLD), chosen=chosen)
        try:
            around = self._surroundings()
            found = parts(command, tree, around, paths=_paths(chosen))
        except UnknownError as err:
            return _Decision(why=Why(runs=True, reason=str(err) or _UNTOLD), chosen=chosen)
        name = key(found, around)
        before = self._passes.get(name)
        if before is not None:
            return _not_run(words.unchanged(before.at), chosen)
        last = self._passes.last(self._project_dir, _identity(command))
        reason = words.differs(command, last, found, tree)
        try:
            stamps = "" if self._basis.looks_only else reach.stamps(command, tree)
        except UnknownError:
            return _Decision(why=Why(runs=True, reason=reason), chosen=chosen)
        return _Decision(
            why=Why(runs=True, reason=reason),
            chosen=chosen,
            key=name,
            parts=found,
            writes=self._writes,
            stamps=stamps,
        )

    def _remember(self, command: Command, decision: _Decision) -> None:
        """Remember a pass, if all that decides the result is still what it was at first."""
        tree = self._now(inputs.DEADLINE_S)
        if tree is None or decision.parts is None or decision.key is None:
            return
        if not command.inputs and self._writes != decision.writes:
            # A file may have had other content meanwhile, and the same again.
            return
        try:
            around = self._surroundings()
            found = parts(command, tree, around, paths=_paths(decision.chosen))
            if reach.stamps(command, tree) != decision.stamps:
                return
        except UnknownError:
            return
        if key(found, around) != decision.key:
            return
        self._passes.put(
            Pass(
                key=decision.key,
                project=self._project_dir,
                command=_identity(command),
                parts=found,
                at=time.time(),
            )
        )

    def _now(self, deadline_s: float) -> Tree | None:
        """The files now; a look that nothing of ours can have outdated is not made again."""
        if self._settled is not None:
            return self._settled
        try:
            tree = inputs.look(
                self._project_dir,
                environ=self._environ,
                state_dir=self._place_of_trees(),
                deadline_s=deadline_s,
            )
        except (StophooksError, OSError, ImportError, MemoryError):
            # Not known is not unchanged: the command runs.
            return None
        if self._last is None or tree is None or not inputs.untouched(self._last, tree):
            self._writes += 1
        self._last = tree
        if self._running == 0:
            self._settled = tree
        return tree

    def _place_of_trees(self) -> str:
        """Where looks are remembered; who only asks does not make a state directory."""
        if not self._basis.looks_only or os.path.isdir(self._state_dir):
            return self._state_dir
        if self._aside is None:
            import tempfile  # noqa: PLC0415 -- only who has never run anything

            self._aside = tempfile.TemporaryDirectory(prefix="stophooks-")
        return self._aside.name

    def _surroundings(self) -> Surroundings:
        if self._around is None:
            try:
                makes = self._basis.cache and not self._basis.looks_only
                found = salt(self._state_dir, make=makes)
            except StoreError as err:
                raise UnknownError(f"no result can be remembered: {err}") from err
            if found is None:
                raise UnknownError("it has not passed here yet")
            self._around = Surroundings(
                environ=self._environ, vault=self._vault, home=self._home, salt=found
            )
        return self._around


def _paths(chosen: Chosen | None) -> tuple[str, ...] | None:
    return None if chosen is None else chosen.paths


def _identity(command: Command) -> str:
    """What makes it the same command, whatever it is now."""
    return f"{dict(command.env).get('STOPHOOKS_EVENT', '')} {command.name}"


def _not_run(reason: str, chosen: Chosen | None) -> _Decision:
    outcome = Outcome(status=Status.SKIPPED, reason=reason, started=False)
    return _Decision(why=Why(runs=False, reason=reason), outcome=outcome, chosen=chosen)


def _without_files() -> _Decision:
    outcome = Outcome(
        status=Status.UNAVAILABLE,
        started=False,
        reason=f"It runs for files that changed, and {_UNTOLD}.",
        remedy="See whether git works in the project, or remove `files`.",
        fault="files-unknown",
    )
    return _Decision(why=Why(runs=False, reason=_UNTOLD), outcome=outcome)
