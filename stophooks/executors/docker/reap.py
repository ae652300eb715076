"""Everything that runs left in an engine, looked at on request, and removed where it is dead."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker import endpoint, sweep
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.executors.docker.lock import clear_locks
from stophooks.executors.docker.owner import Kind
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.executors.docker.sweep import Leftover

# An engine takes several removals at a time faster than one after the other; more help little.
PARALLEL = 4


class Action(StrEnum):
    """What became of one container."""

    REMOVED = "removed"
    KEPT = "kept"
    WOULD_REMOVE = "would_remove"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaping:
    """One container and what became of it; ``problem`` says why it could not be removed."""

    leftover: Leftover
    action: Action
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """What was found in an engine, the oldest first, and how many lock files were cleared."""

    engine: str
    reapings: tuple[Reaping, ...]
    locks: int

    @property
    def failures(self) -> tuple[Reaping, ...]:
        """What is still there and should not be."""
        return tuple(one for one in self.reapings if one.action is Action.FAILED)


def reap(
    environ: Mapping[str, str],
    home: str,
    *,
    lock_dir: str,
    everything: bool = False,
    dry_run: bool = False,
) -> Reaped:
    """Remove what dead runs left in the engine that the environment means.

    Args:
        environ: Names the engine, as for `stophooks.executors.docker.DockerExecutor`.
        home: The caller's home directory.
        lock_dir: Where this user's runs keep their locks.
        everything: Remove also what no owner can be seen for; that of a living one never.
        dry_run: Only say what would be removed.

    Raises:
        ExecutorUnavailableError: The engine cannot be reached, or will not say what it has.
    """
    engine = Engine(endpoint.resolve(environ, home))
    try:
        found = sweep.find(engine)
    except EngineRefusedError as err:
        raise ExecutorUnavailableError(
            f"The engine at {engine.endpoint.url} does not say what it has: {err.text}.",
            remedy="Look at it with `docker ps --all`.",
            fault="daemon-unreachable",
        ) from err

    def one(leftover: Leftover) -> Reaping:
        if not _is_due(leftover, everything=everything):
            return Reaping(leftover=leftover, action=Action.KEPT)
        if dry_run:
            return Reaping(leftover=leftover, action=Action.WOULD_REMOVE)
        problem = sweep.remove(engine, leftover)
        action = Action.FAILED if problem else Action.REMOVED
        return Reaping(leftover=leftover, action=action, problem=problem)

    with ThreadPoolExecutor(PARALLEL) as pool:
        reapings = tuple(pool.map(one, found))
    locks = 0 if dry_run else clear_locks(lock_dir)
    return Reaped(engine=engine.endpoint.url, reapings=reapings, locks=locks)


def _is_due(leftover: Leftover, *, everything: bool) -> bool:
    return leftover.verdict.is_over or (everything and leftover.verdict.kind is not Kind.ALIVE)
