"""What an event is about, and how it is fired: between those who know and the engine."""

from __future__ import annotations

from stophooks.models import Subject
from stophooks.typed import TYPE_CHECKING, Protocol
from stophooks.values import StrEnum, dataclass

if TYPE_CHECKING:
    from stophooks.models import Command, Item, Report

__all__ = ["Fire", "Occasion", "Prior", "Step", "Subject"]


class Prior(StrEnum):
    """What went before the event: the task's program, the service's exit, the session's stop."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One event that happens now, with all that its commands may be told about it.

    ``of`` names the resource or service whose own section is meant; None is the event's general
    one. ``root`` is the directory that commands run in and containers see as ``/workspace``
    (absolute; None for the project), ``working_dir`` another one for commands on the host.
    ``env`` are variables under those of the command, ``aliases`` other names for ours, without
    their prefix: ``("ITEM_NAME", "CANOPY_REPO_NAME")``. ``user`` is who commands on the host run
    as that do not say it themselves. ``session`` is the agent's or the person's, where one is
    known.
    """

    event: str
    subject: Subject
    items: tuple[Item, ...] = ()
    of: str | None = None
    root: str | None = None
    working_dir: str | None = None
    prior: Prior = Prior.SUCCESS
    branch: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    cleanup_level: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command that an event would run, for one item or for none.

    ``index`` is the command's place in its section. ``skip`` says why it would not run, or is
    None; ``condition`` is what else it depends on, or None. ``why`` is because of what it would
    run, where somebody has asked.
    """

    command: Command
    index: int = 0
    item: Item | None = None
    skip: str | None = None
    condition: str | None = None
    why: str | None = None


class Fire(Protocol):
    """Fires events; given to those who know when, by their door."""

    def __call__(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> Report:
        """Run what the event has, then ``extra``, and report on all of it.

        A failing command is in the report; so is one that was cancelled.

        Raises:
            StophooksError: Nothing could be run at all.
        """

    def preview(self, occasion: Occasion, *, extra: tuple[Command, ...] = ()) -> tuple[Step, ...]:
        """What `__call__` would run; nothing is started, asked or written."""

    def regardless(self) -> Fire:
        """The same, whatever was cancelled until now: for what is due after an interrupt too."""

    def confirm(self, occasion: Occasion) -> None:
        """Take the commands that ran ``once`` for it as done: what they were for has worked.

        Raises:
            StoreError: It cannot be remembered; they will run again.
        """
