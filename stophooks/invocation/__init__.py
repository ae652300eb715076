"""One call by a person or an agent: what it finds around it.

Both doors use it, so that a command has the same surroundings by hand as under an agent. `section`
runs a section in them, and `boxes` sees to its containers.
"""

from __future__ import annotations

import os
import time

from stophooks import agents
from stophooks.contexts import suppress
from stophooks.errors import StoreError, UsageError
from stophooks.store import state_dir
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.models import Report
    from stophooks.plan import Plan
    from stophooks.secrets.mask import Mask

# Set by a person who wants no checks for a while.
DISABLE = "STOPHOOKS_DISABLE"


def disabled(environ: Mapping[str, str]) -> bool:
    """Whether a person wants no checks; a value that says nothing clear does not."""
    return environ.get(DISABLE, "").lower() in {"1", "true", "yes", "on"}


def directory() -> str:
    """The working directory.

    Raises:
        UsageError: It was removed.
    """
    try:
        return os.getcwd()  # noqa: TID251 -- floor 4
    except FileNotFoundError as err:
        raise UsageError("The working directory no longer exists. Change to another one.") from err


# The environment and what of it is public, once it is held.
_held: tuple[dict[str, str], dict[str, str]] | None = None


def hold_environ() -> None:
    """Read the environment once for all: for a short process, in which nobody changes it."""
    global _held  # noqa: PLW0603 -- a property of the process
    own = dict(os.environ)  # noqa: TID251 -- floor 4
    _held = own, agents.public(own)


def environ() -> dict[str, str]:
    """The environment, as a copy."""
    return dict(_held[0] if _held else os.environ)  # noqa: TID251 -- floor 4


def public_environ() -> dict[str, str]:
    """The environment without what belongs to an agent: what configurations and commands see."""
    return dict(_held[1]) if _held else agents.public(environ())


def mask(plan: Plan) -> Mask:
    """What takes the secrets of a plan, and those around it, out of what is shown."""
    from stophooks.secrets.vault import Vault  # noqa: PLC0415 -- an agent's call needs none of it

    commands = [command for section in plan.sections for command in section.commands]
    return Vault(public_environ(), commands, hides=(environ(),)).mask


def home() -> str | None:
    """The home directory, or None where there is none."""
    found = os.path.expanduser("~")
    return found if os.path.isabs(found) else None


def new_run_id() -> str:
    """A name for a run that no other has: the time, and something by chance."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(4).hex()}"


def remember(report: Report, more: Mapping[str, Any] | None = None) -> None:
    """Put a run into the history; one that cannot be written changes nothing about the run.

    Args:
        report: The run.
        more: What else there is to say of it, or instead of what the report says.
    """
    from stophooks.reports.kept import entry  # noqa: PLC0415 -- after the answer
    from stophooks.store.history import History  # noqa: PLC0415 -- the same

    with suppress(StoreError):
        History(state_dir(environ())).add({**entry(report, at=time.time()), **(more or {})})
