"""Which agents are on this machine, and how that is known."""

from __future__ import annotations

import os
import shutil

from stophooks.agents import INSTALLABLE
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Whether an agent is here; ``because`` says what was found, or where nothing was."""

    agent: str
    found: bool
    because: str


def signs(environ: Mapping[str, str], home: str | None) -> list[Sign]:
    """Return what is known of every agent, in the order in which they are listed."""
    return [_sign(name, environ, home) for name in INSTALLABLE]


def _sign(name: str, environ: Mapping[str, str], home: str | None) -> Sign:
    settings = INSTALLABLE[name].settings()
    for program in settings.programs:
        path = shutil.which(program, path=environ.get("PATH", os.defpath))
        if path is not None:
            return Sign(agent=name, found=True, because=path)
    folder = settings.folder(environ, home)
    if folder is not None and os.path.isdir(folder):
        return Sign(agent=name, found=True, because=folder)
    programs = " or ".join(f"`{program}`" for program in settings.programs)
    return Sign(agent=name, found=False, because=f"no {programs} on PATH, no {folder}")
