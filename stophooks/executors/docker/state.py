"""What an engine says about a container, read with doubt."""

from __future__ import annotations

from stophooks.cores import datetime
from stophooks.executors.docker.waiter import exit_code
from stophooks.typed import Any
from stophooks.values import dataclass

# The words for a container that has run and has ended (Docker; the last one is Podman's).
ENDED = frozenset({"exited", "dead", "removing", "stopped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A container's state; ``code`` is None unless it has certainly run and ended.

    ``started_at`` and ``finished_at`` are on the engine's clock, in seconds since the epoch.
    """

    is_running: bool
    code: int | None
    is_oom: bool
    started_at: float | None
    finished_at: float | None


def read(inspected: dict[str, Any]) -> State:
    """The state in the answer of an inspect.

    Raises:
        ValueError: There is none.
    """
    state = inspected.get("State")
    if not isinstance(state, dict):
        raise ValueError("no state")  # noqa: TRY004 -- callers tell answers apart, not types
    is_running = state.get("Running") is True
    has_ended = not is_running and state.get("Status") in ENDED
    return State(
        is_running=is_running,
        code=exit_code(state.get("ExitCode")) if has_ended else None,
        is_oom=state.get("OOMKilled") is True,
        started_at=_moment(state.get("StartedAt")),
        finished_at=_moment(state.get("FinishedAt")),
    )


def _moment(value: object) -> float | None:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError):
        return None
