"""How an agent's shell starts us."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from stophooks.agents.settings import PROGRAM
from stophooks.errors import UsageError


def command(scope: str, agent: str) -> str:
    """Return the command of a hook: in shared settings by name, where that will always work.

    Raises:
        UsageError: There is no program of ours that will be there later.
    """
    return f"{_program(scope)} hook --agent {agent}"


def is_by_name(command: str) -> bool:
    """Whether a command finds us on ``PATH``, on every machine that has us there."""
    return command.startswith(f"{PROGRAM} ")


def _program(scope: str) -> str:
    found = shutil.which(PROGRAM)
    stable = found is not None and os.path.isabs(found) and not _passing(found)
    if found is not None and stable:
        return PROGRAM if scope == "project" else shlex.quote(found)
    own = os.path.join(os.path.dirname(sys.executable), PROGRAM)
    if not os.access(own, os.X_OK):
        raise UsageError(
            f"there is no `{PROGRAM}` program on PATH or in {os.path.dirname(own)}. "
            "Install it from its checkout with `uv tool install .` or `pipx install .`."
        )
    if _is_cache(own):
        raise UsageError(
            f"{own} lies in a cache and will go away, and the agent would then stop unchecked. "
            "Install it first, from its checkout: `uv tool install .` or `pipx install .`."
        )
    return shlex.quote(own)


def _passing(program: str) -> bool:
    """Whether a program is on PATH only for now: in a virtual environment or in a cache."""
    directory = os.path.dirname(program)
    in_venv = os.path.exists(os.path.join(os.path.dirname(directory), "pyvenv.cfg"))
    return in_venv or _is_cache(program)


def _is_cache(program: str) -> bool:
    parts = program.split(os.sep)
    return ".cache" in parts or any(part.startswith("archive-v") for part in parts)
