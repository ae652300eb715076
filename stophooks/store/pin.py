"""What one session of an agent is held to, and its form in a database."""

from __future__ import annotations

import os
import time

from stophooks import digests, jsonvalues
from stophooks import plan as plans
from stophooks.digests import sha256
from stophooks.store.database import DamagedError
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import asdict, dataclass, field

if TYPE_CHECKING:
    from stophooks.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a session is held to.

    ``plan`` is None where there was no configuration, or, with a ``refusal``, none that could be
    used. ``files`` are the prints of the configuration and of all that it names; ``scripts`` those
    of the scripts that commands start, ``warns`` the ones of them whose commands only warn;
    ``protected`` those of the files that the agent may not change, by their path in the project,
    or None where they cannot be watched. ``tree`` identifies the working tree at the session's
    start, where that was seen. ``on_cleanup`` is the script that cleans up behind it, as
    `stophooks.lifecycles.cleanup.script.kept` has it.
    """

    session: str
    project_dir: str
    plan: Plan | None = None
    refusal: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    warns: tuple[str, ...] = ()
    protected: dict[str, str] | None = field(default_factory=dict)
    tree: str | None = None
    on_cleanup: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Identifies the project's configuration by its files' content, or is empty without one."""
        files = {path: known for path, known in self.files.items() if not self._is_users(path)}
        text = jsonvalues.dumps(sorted(files.items()))
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if files else ""

    def _is_users(self, path: str) -> bool:
        """Whether a file belongs to the user's own configuration."""
        user = self.plan.user_path if self.plan else None
        return user is not None and path.startswith(os.path.dirname(user) + "/")


def session_key(agent: str, session: str) -> str:
    """The name under which a session's pin is kept.

    The directory is no part of it: an agent can change that, and would get another pin.
    """
    whole = f"{agent}\0{session}"
    return sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def row(pin: Pin) -> tuple[str, str, str, str, float]:
    """The values of a pin's columns: session, project, plan, files and when it was made."""
    plan = "" if pin.plan is None else jsonvalues.dumps(plans.to_json(pin.plan))
    rest = {key: value for key, value in asdict(pin).items() if key not in {"session", "plan"}}
    text = jsonvalues.dumps({**rest, "sum": checksum(pin.session, plan, rest)})
    return pin.session, name(pin.project_dir), plan, text, time.time()


def name(project_dir: str) -> str:
    """A path as the text that a database takes: a name may hold any byte."""
    return project_dir.encode("utf-8", "backslashreplace").decode()


def read(session: str, plan: str, text: str) -> Pin | None:
    """The pin in two columns; None for one that another version of this program has written.

    Raises:
        DamagedError: It is not what was written: something else would be run.
    """
    try:
        rest = jsonvalues.loads(text)
        told = rest.pop("sum")
        whole = jsonvalues.loads(plan) if plan else None
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise DamagedError(f"a pin cannot be read: {err}") from err
    if not digests.is_checksum(told, _text(session, plan, rest)):
        raise DamagedError("a pin is not what was written")
    try:
        pinned = None if whole is None else plans.from_json(whole)
        return Pin(session=session, plan=pinned, **{**rest, "warns": tuple(rest["warns"])})
    except (KeyError, TypeError, ValueError):
        return None


def checksum(session: str, plan: str, rest: dict[str, Any]) -> int:
    """By what a pin that was changed is told from one that was written."""
    return digests.checksum(_text(session, plan, rest))


def _text(session: str, plan: str, rest: dict[str, Any]) -> bytes:
    text = jsonvalues.dumps([session, plan, rest], sort_keys=True)
    return text.encode("utf-8", "surrogatepass")
