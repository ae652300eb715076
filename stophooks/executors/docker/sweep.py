"""What killed runs left in an engine: found by its labels, judged, and removed when it is dead.

Containers without our label are never looked at, and named volumes are their user's.
"""

from __future__ import annotations

import time

from stophooks import threads
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import codes
from stophooks.executors.docker import owner as owners
from stophooks.executors.docker.engine import Engine, EngineRefusedError
from stophooks.executors.docker.lock import clear_locks
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.executors.docker.client import Client
    from stophooks.executors.docker.owner import Owner, Verdict

# A container that is running is killed first; seconds.
REMOVE_BOUND_S = 20.0
# A sweep that is not over at the end of its run is left to the next one; seconds.
CLOSE_BOUND_S = 0.5
# Somebody else removed it, or is about to.
_GONE = frozenset({codes.NOT_FOUND, codes.CONFLICT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One container of ours and what is known about its owner; ``age_s`` is in seconds."""

    id: str
    name: str
    image: str
    run: str
    state: str
    age_s: float
    owner: Owner | None
    verdict: Verdict


def find(engine: Engine) -> list[Leftover]:
    """Every container that carries our label, the oldest first.

    Raises:
        ExecutorUnavailableError: The engine cannot be reached, or did not answer in time.
        EngineRefusedError: It answers, and will not say.
    """
    now = time.time() + engine.info.clock_ahead_s

    def ask(client: Client) -> list[Leftover]:
        rows = client.containers(label=owners.RUN_LABEL)
        return [_leftover(row, now) for row in rows]

    return sorted(engine.call("list", ask), key=lambda one: -one.age_s)


def _leftover(row: dict[str, Any], now: float) -> Leftover:
    labels = row.get("Labels") or {}
    owner = owners.parse_owner(labels)
    names = row.get("Names") or [row["Id"]]
    return Leftover(
        id=row["Id"],
        name=names[0].removeprefix("/"),
        image=str(row.get("Image") or ""),
        run=str(labels.get(owners.RUN_LABEL) or ""),
        state=str(row.get("State") or ""),
        age_s=max(0.0, now - float(row.get("Created") or now)),
        owner=owner,
        verdict=owners.verdict(owner, owners.parse_expires(labels), owners.look(owner, now)),
    )


def remove(engine: Engine, leftover: Leftover) -> str | None:
    """Remove one container, with its anonymous volumes; None, or why it is still there."""

    def ask(client: Client) -> None:
        client.remove_container(leftover.id)

    try:
        engine.call("remove", ask, bound_s=REMOVE_BOUND_S)
    except EngineRefusedError as err:
        return None if err.status in _GONE else err.text
    except ExecutorUnavailableError as err:
        return err.reason
    return None


class Sweep:
    """Removes, beside a run, what dead runs left behind; the run does not wait for it.

    Args:
        engine: Asked with a cancellation of its own.
        lock_dir: Where this user's runs keep their locks, or None.
    """

    def __init__(self, engine: Engine, lock_dir: str | None) -> None:
        self._end = Cancellation()
        self._engine = engine.until(self._end)
        self._lock_dir = lock_dir
        self._thread = threads.Thread(target=self._work, name="sweep", daemon=True)
        self._thread.start()

    def close(self, *, wait: bool = True) -> None:
        """Leave what is not yet removed to the next run; ``wait`` for what is being removed."""
        self._end.request("the run is over")
        if wait:
            self._thread.join(CLOSE_BOUND_S)

    def _work(self) -> None:
        try:
            dead = [one for one in find(self._engine) if one.verdict.is_over]
        except (EngineRefusedError, ExecutorUnavailableError):
            # The run itself meets this engine, and is the one to tell.
            return
        for leftover in dead:
            if self._end.requested:
                return
            remove(self._engine, leftover)
        if self._lock_dir is not None:
            clear_locks(self._lock_dir)
