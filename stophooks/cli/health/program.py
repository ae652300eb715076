"""This program and the machine that it runs on."""

from __future__ import annotations

import os
import platform
import shutil
import sys

from stophooks import __version__
from stophooks.cli.health import ok, problem, warn
from stophooks.executors.host.shell import SHELLS
from stophooks.process import family
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.proofs import Finding

ABOUT = "program"


def findings(environ: Mapping[str, str], *, needs_shell: bool) -> Iterator[Finding]:
    """The program's version, its Python, the shell, and how children are kept track of."""
    yield ok(
        ABOUT,
        f"stophooks {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()} {platform.machine()}",
        where=sys.executable,
    )
    yield _shell(environ, needed=needs_shell)
    yield _children()


def _shell(environ: Mapping[str, str], *, needed: bool) -> Finding:
    for name in SHELLS:
        if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
            return ok(ABOUT, f"{name} runs the commands of this machine", where=found)
    say = problem if needed else warn
    return say(
        ABOUT,
        f"neither {' nor '.join(SHELLS)} is on PATH, so no `run` can be run on this machine",
        "Install bash, or put it on PATH.",
    )


def _children() -> Finding:
    if not family.become_reaper():
        return warn(
            ABOUT,
            "this system has no subreaper: a child that leaves its session and loses its parent "
            "can outlive its command",
            "Run commands that start daemons in a container.",
        )
    if not _has_pidfd():
        return warn(
            ABOUT,
            "children are kept track of, without process descriptors",
            "Use Linux 5.3 or newer, which has them, where a program reuses numbers quickly.",
        )
    return ok(ABOUT, "every child of a command is kept track of (subreaper, pidfd)")


def _has_pidfd() -> bool:
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True
