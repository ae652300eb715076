"""The script of a project that cleans up behind a session, and which version of it runs."""

from __future__ import annotations

import os
import stat

from stophooks.errors import StophooksError
from stophooks.models import MIB
from stophooks.store import contents
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = ".stophooks/on-cleanup"
# A larger one is not kept for a session; then only its being unchanged can be told.
KEPT_BYTES = MIB
_PRINT, _CONTENT = "print", "content"
_ADOPT = (
    "Nothing else was brought down in its place. A person can look at it and adopt it: "
    "stophooks trust"
)


class ScriptInvalidError(StophooksError):
    """There is a script, and it may not or cannot be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is to be started: an absolute path; ``note`` says why it is not the project's file."""

    path: str
    note: str | None = None


def check(project_dir: str) -> str | None:
    """The absolute path of the project's script, or None where it has none.

    Raises:
        ScriptInvalidError: It is no regular file, cannot be executed, or lies outside the project.
    """
    path = os.path.join(project_dir, NAME)
    try:
        os.lstat(path)
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as err:
        if os.path.lexists(path):
            raise _invalid(path, "it is a link that leads nowhere", "Mend the link.") from err
        return None
    except OSError as err:
        raise _invalid(path, f"it cannot be looked at: {err.strerror}", "Let it be read.") from err
    real, project = os.path.realpath(path), os.path.realpath(project_dir)
    if not is_inside(real, project):
        raise _invalid(path, f"it leads out of the project, to {real}", "Put it into the project.")
    if not stat.S_ISREG(found.st_mode):
        raise _invalid(path, "it is not a regular file", "Make it a script.")
    if not os.access(path, os.X_OK):
        import shlex  # noqa: PLC0415 -- see above

        raise _invalid(path, "it is not executable", f"Make it so: chmod +x {shlex.quote(path)}.")
    return path


def is_inside(path: str, directory: str) -> bool:
    """Whether a path lies below a directory; both are resolved."""
    return path.startswith(directory.rstrip("/") + "/")


def kept(project_dir: str) -> dict[str, str]:
    """The script as it is now, to be held to; empty where there is none."""
    path = os.path.join(project_dir, NAME)
    known = contents.print_of(path)
    if known == contents.GONE:
        return {}
    try:
        check(project_dir)
        with open(path, "rb") as file:
            data = file.read(KEPT_BYTES + 1)
    except (ScriptInvalidError, OSError):
        return {_PRINT: known}
    if len(data) > KEPT_BYTES:
        return {_PRINT: known}
    import base64  # noqa: PLC0415 -- every stop of an agent imports this module

    return {_PRINT: known, _CONTENT: base64.b64encode(data).decode("ascii")}


def print_in(pinned: Mapping[str, str]) -> str:
    """The print in what `kept` said; `stophooks.store.contents.GONE` where there was no script."""
    return pinned.get(_PRINT, contents.GONE)


def find(
    project_dir: str, pinned: Mapping[str, str] | None, *, copies: str | None
) -> Script | None:
    """What is to be started, or None where there is no script.

    Args:
        project_dir: The project; absolute.
        pinned: What `kept` said when the session began; None where that is not known.
        copies: Where the pinned version is written if it is another one; None: nowhere.

    Raises:
        ScriptInvalidError: There is a script, and it may not or cannot be run.
    """
    path = os.path.join(project_dir, NAME)
    now = contents.print_of(path)
    if pinned is None or now == print_in(pinned):
        sound = check(project_dir)
        return Script(path=sound) if sound else None
    if not pinned:
        raise ScriptInvalidError(f"{path} was not run: this session began without it. {_ADOPT}")
    if copies is None or _CONTENT not in pinned:
        raise ScriptInvalidError(
            f"{path} was not run: it changed since this session began, and what it was then cannot "
            f"be run. {_ADOPT}"
        )
    import base64  # noqa: PLC0415 -- see above

    return Script(
        path=_written(base64.b64decode(pinned[_CONTENT]), copies),
        note=f"{NAME} changed since the session began; the version that it began with was run",
    )


def _written(data: bytes, directory: str) -> str:
    import tempfile  # noqa: PLC0415 -- every stop of an agent imports this module

    folder = tempfile.mkdtemp(prefix="on-cleanup-", dir=directory)
    path = os.path.join(folder, "on-cleanup")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRWXU)
    with open(descriptor, "wb") as file:
        file.write(data)
    return path


def _invalid(path: str, why: str, remedy: str) -> ScriptInvalidError:
    return ScriptInvalidError(
        f"{path} was not run: {why}. {remedy} Nothing else was brought down in its place."
    )
