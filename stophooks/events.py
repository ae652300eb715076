"""The events that commands react to: one row each, read by the engine and by the agents' doors."""

from __future__ import annotations

from stophooks.models import Severity
from stophooks.values import dataclass, field

# What commands have to say at once may take minutes where an agent waits for it, and half a minute
# where the beginning or the end of something does; seconds.
_CHECK_S = 300.0
_HOOK_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event: its name and key in the configuration, and the rules of its commands.

    ``gate``: failure stops the action that the event stands for. ``subject`` is the kind of thing
    that it is about, ``items`` are the kinds of which that may have several. ``on_failure`` and
    ``fail_fast`` are what counts where the configuration says nothing, as is ``timeout_s``, which
    has to lie within ``limits_s`` where there are such. ``once``: each command passes once only.
    ``finishes``: an interrupt ends the running command, and those after it with `if: always` run.
    """

    name: str
    gate: bool
    summary: str
    subject: str = "session"
    items: tuple[str, ...] = ()
    on_failure: Severity = Severity.BLOCK
    timeout_s: float = _HOOK_S
    limits_s: tuple[float, float] | None = None
    fail_fast: bool = False
    once: bool = False
    finishes: bool = False

    @property
    def area(self) -> str:
        """The part of the configuration: what stands before the dot."""
        return self.name.partition(".")[0]

    @property
    def moment(self) -> str:
        """The key in that part, or nothing where the part is the section."""
        return self.name.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One call by an agent: which event, whose session, where.

    ``session`` is the agent's own id, or None when the payload has none. ``directories`` are
    where a configuration is looked for, most trusted first; absolute paths. ``helper`` is the id
    of the agent's helper that stops, or None when the agent itself does. ``unfinished`` says why
    this is not the end of the work although the agent asks, or is None. ``moment`` is what only
    this one event of the session has in its payload, where there is such a thing: two calls with
    the same one are about the same event.
    """

    kind: str
    agent: str
    session: str | None
    directories: tuple[str, ...]
    helper: str | None = None
    unfinished: str | None = None
    moment: str | None = field(default=None, compare=False)


STOP = EventKind(
    name="stop", gate=True, summary="the agent says that it is done", timeout_s=_CHECK_S
)
SUBAGENT_STOP = EventKind(
    name="subagent_stop",
    gate=True,
    summary="an agent's helper says that it is done",
    timeout_s=_CHECK_S,
)
SESSION_START = EventKind(name="session_start", gate=False, summary="an agent's session begins")
SESSION_END = EventKind(name="session_end", gate=False, summary="an agent's session is over")
CLEANUP = EventKind(
    name="cleanup",
    gate=False,
    summary="a session is over, and what it left running goes",
    on_failure=Severity.WARN,
    limits_s=(5.0, 300.0),
    finishes=True,
)


def _task(moment: str, summary: str, *, gate: bool = True, fail_fast: bool = False) -> EventKind:
    return EventKind(
        name=f"task.{moment}",
        gate=gate,
        summary=summary,
        subject="task",
        items=("resource",),
        on_failure=Severity.BLOCK if gate else Severity.WARN,
        fail_fast=fail_fast,
    )


def _workspace(moment: str, summary: str, *, gate: bool) -> EventKind:
    return EventKind(
        name=f"workspace.{moment}",
        gate=gate,
        summary=summary,
        subject="workspace",
        items=("repo",),
        on_failure=Severity.BLOCK if gate else Severity.WARN,
    )


def _service(moment: str, summary: str, *, gate: bool = False, once: bool = False) -> EventKind:
    return EventKind(
        name=f"service.{moment}",
        gate=gate,
        summary=summary,
        subject="service",
        on_failure=Severity.BLOCK if gate else Severity.WARN,
        fail_fast=gate,
        once=once,
    )


# An agent asks, and goes on working where they say no.
STOP_EVENTS: dict[str, EventKind] = {kind.name: kind for kind in (STOP, SUBAGENT_STOP)}
# Those that a configuration has a section for.
EVENTS: dict[str, EventKind] = STOP_EVENTS | {
    kind.name: kind
    for kind in (
        CLEANUP,
        _task("pre_start", "a task is about to start", fail_fast=True),
        _task("post_complete", "a task's program has passed"),
        _task("on_error", "a task has failed or was interrupted", gate=False),
        _workspace("post_create", "a workspace has been made", gate=False),
        _workspace("pre_close", "a workspace is about to be closed", gate=True),
        _service("on_init", "a service is about to start for the first time", gate=True, once=True),
        _service("pre_start", "a service is about to start", gate=True),
        _service("post_start", "a service has started"),
        _service("pre_stop", "a service is about to be stopped"),
        _service("post_stop", "a service was stopped"),
        _service("pre_restart", "a service is about to be restarted"),
        _service("post_restart", "a service was restarted"),
        _service("post_exit", "a service has ended by itself"),
        _service("post_healthcheck_success", "a service has become healthy"),
        _service("post_healthcheck_fail", "a service has become unhealthy"),
        _service("pre_cleanup", "what a service leaves behind is about to be removed"),
    )
}
# Those that only tell us where a session begins and ends; they are never blocked.
SESSION_EVENTS: dict[str, EventKind] = {kind.name: kind for kind in (SESSION_START, SESSION_END)}
