"""What a run's decisions rest on, and what they are."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.inputs import Tree
    from stophooks.models import Command

# Different at every call although nothing is.
VOLATILE = frozenset({"SHLVL", "PWD", "OLDPWD", "_"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """How one run decides.

    ``since`` identifies the files as they were when the agent's session began; None where that was
    not seen, and then the last commit counts. ``tree`` is what they hold now, where somebody has
    looked already. With ``all_files`` every file counts as changed. Without ``cache`` no result is
    reused and none is remembered; with ``looks_only`` nothing is written anywhere.
    """

    since: str | None = None
    tree: Tree | None = None
    all_files: bool = False
    cache: bool = True
    looks_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Whether a command would run now, and because of what."""

    runs: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What decides the results of a section beside the project's files and its environment.

    ``terms`` differ when it does, ``written`` also when a file has had other content meanwhile.
    ``is_known_at_start``: the project's files tell whether it is what it was when a session began.
    """

    terms: str = ""
    written: str = ""
    is_known_at_start: bool = True


def concerns(command: Command) -> bool:
    """Whether there is anything to decide about a command."""
    return command.skip_unchanged or bool(command.files)
