"""The scripts of resources: found, held to be what they seem, and made into commands."""

from __future__ import annotations

import os
import shlex
import stat

from stophooks.errors import StophooksError
from stophooks.events import EVENTS
from stophooks.lifecycles.tasks.task import ON_ERROR, POST_COMPLETE, PRE_START, Task
from stophooks.models import Command
from stophooks.plan import RESOURCE
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOMENTS = {PRE_START: "pre_start.sh", POST_COMPLETE: "post_complete.sh", ON_ERROR: "on_error.sh"}


class ScriptUnusableError(StophooksError):
    """Scripts are there that cannot be run; the text names all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script that is there; ``fault`` says why it cannot be run, or is None."""

    event: str
    resource: str
    path: str
    fault: str | None = None


def find(hooks_dir: str, resources: Iterable[str]) -> tuple[Script, ...]:
    """Every script of these resources, in their order."""
    found = []
    for name in resources:
        for event, file in MOMENTS.items():
            path = os.path.join(hooks_dir, name, file)
            fault = _fault(path, hooks_dir)
            if fault is not None or os.path.lexists(path):
                found.append(Script(event=event, resource=name, path=path, fault=fault))
    return tuple(found)


def usable(found: Iterable[Script]) -> Mapping[tuple[str, str], str]:
    """The paths of the scripts, by event and resource.

    Raises:
        ScriptUnusableError: One cannot be run. It is never passed over: what it was to do would
            be missing.
    """
    scripts = tuple(found)
    faults = [f"{script.path} {script.fault}" for script in scripts if script.fault]
    if faults:
        raise ScriptUnusableError("\n".join([*faults, "Nothing was run."]))
    return {(script.event, script.resource): script.path for script in scripts}


def owners(hooks_dir: str) -> tuple[str, ...]:
    """The names that have a directory of scripts, sorted."""
    try:
        with os.scandir(hooks_dir) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return ()
    return tuple(sorted(name for name in names if RESOURCE.fullmatch(name)))


def command(path: str, event: str, task: Task, *, project_dir: str) -> Command:
    """A script as a command: its argument is the task's file."""
    kind = EVENTS[event]
    limit_s = None if event == PRE_START else task.cleanup_timeout_s
    return Command(
        name=os.path.basename(path),
        project_dir=project_dir,
        argv=(path, task.path),
        timeout_s=limit_s or kind.timeout_s,
        severity=kind.on_failure,
    )


def _fault(path: str, hooks_dir: str) -> str | None:
    """What is wrong with a script, and what to do about it; None where it is well, or not there."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as err:
        return f"cannot be looked at: {err.strerror}. Make it readable for you."
    real = os.path.realpath(path)
    fault = None
    if not real.startswith(os.path.realpath(hooks_dir).rstrip("/") + "/"):
        fault = f"leads out of {hooks_dir}, to {real}. Put a script of its own there."
    elif stat.S_ISLNK(mode) and not os.path.exists(path):
        fault = f"leads to {real}, which is not there. Mend the link or remove it."
    elif not os.path.isfile(path):
        fault = "is not a file. Move it away."
    elif not os.access(path, os.X_OK):
        fault = f"is not executable. If it is to run: chmod +x {shlex.quote(path)}"
    return fault
