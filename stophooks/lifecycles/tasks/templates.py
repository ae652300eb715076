"""The scripts that a new resource begins with; each works as it stands, and does nothing."""

from __future__ import annotations

import os

from stophooks.errors import StophooksError
from stophooks.lifecycles.tasks.scripts import MOMENTS
from stophooks.lifecycles.tasks.task import ON_ERROR, POST_COMPLETE, PRE_START

_HEAD = """\
#!/bin/sh
# {what}
#
# Argument 1: the absolute path of the task's file. Beside the usual environment there are
#   STOPHOOKS_SUBJECT_ID    the task's id
#   STOPHOOKS_ITEM_NAME     {name}
#   STOPHOOKS_PROJECT_DIR   the project, in which this runs
# It has 30 seconds{limit}.
set -eu

task=$1
"""
_LIMIT = ", or the task's cleanup_timeout"
_TEXTS = {
    PRE_START: (
        "Gets {name} ready for a task that has locked it. The task starts if this exits with 0.",
        "",
        """
# Exit code 75 says that it is busy: the task is not started, and may be tried again later.
# Any other one fails the task.
#   curl --fail --silent http://localhost:9222/json/version >/dev/null || exit 75

echo "{name} is ready for $task"
""",
    ),
    POST_COMPLETE: (
        "Puts {name} back in order after a task that has passed.",
        _LIMIT,
        """
# A failure here fails the task; on_error.sh runs then.
#   rm -rf "${{TMPDIR:-/tmp}}/{name}-profile"

echo "$task is done with {name}"
""",
    ),
    ON_ERROR: (
        "Puts {name} back in order after a task that failed or was interrupted.",
        _LIMIT,
        """
# It may find anything half done, or nothing at all, and may run twice: let it do no harm then.
# Its exit code changes nothing.
#   rm -rf "${{TMPDIR:-/tmp}}/{name}-profile"

echo "${{STOPHOOKS_REASON:-it failed}}: {name} is put back in order after $task"
""",
    ),
}


class ScriptExistsError(StophooksError):
    """A script is there already, and is not to be replaced."""


def install(hooks_dir: str, name: str, *, force: bool) -> tuple[str, ...]:
    """Write the three scripts of a resource, executable, and return their paths.

    Args:
        hooks_dir: Absolute path; made if need be.
        name: The resource; its form was checked.
        force: Whether scripts that are there are replaced.

    Raises:
        ScriptExistsError: One is there; then none was written.
        StophooksError: They cannot be written.
    """
    folder = os.path.join(hooks_dir, name)
    paths = {event: os.path.join(folder, file) for event, file in MOMENTS.items()}
    present = [path for path in paths.values() if os.path.lexists(path)]
    if present and not force:
        raise ScriptExistsError(
            f"{' and '.join(present)} {'is' if len(present) == 1 else 'are'} there already. "
            "Nothing was written; with --force all three are written anew."
        )
    try:
        os.makedirs(folder, exist_ok=True)
        inside = os.path.realpath(hooks_dir).rstrip("/") + "/"
        if not os.path.realpath(folder).startswith(inside):
            raise ScriptExistsError(f"{folder} leads out of {hooks_dir}. Remove that link first.")
        for event, path in paths.items():
            _write(path, _text(event, name))
    except (FileExistsError, NotADirectoryError) as err:
        # Whichever of the two is the one that is in the way.
        wrong = folder if os.path.isdir(hooks_dir) else hooks_dir
        raise StophooksError(
            f"cannot write the scripts in {folder}: {wrong} is there, and is not a directory. "
            "Move it away first."
        ) from err
    except OSError as err:
        raise StophooksError(
            f"cannot write the scripts in {folder}: {err.strerror}. Make it writable for you."
        ) from err
    return tuple(paths.values())


def _text(event: str, name: str) -> str:
    what, limit, body = _TEXTS[event]
    head = _HEAD.format(what=what.format(name=name), name=name, limit=limit)
    return head + body.format(name=name)


def _write(path: str, text: str) -> None:
    """Replace the file in one step; a link is replaced, not followed."""
    new = f"{path}.{os.getpid()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(new, flags, 0o777), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path)
