"""The Docker engine, asked through its own command-line client."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from bench.running import BrokenError, output

if TYPE_CHECKING:
    from collections.abc import Sequence

# A container that is being removed is gone within about a second.
SETTLE_S = 20.0
_PAUSE_S = 0.02


def answers() -> bool:
    """Whether there is an engine."""
    return bool(output("docker", "version", "--format", "{{.Server.Version}}"))


def missing(image: str) -> str:
    """Why no container of this image can run here, or an empty text."""
    if not answers():
        return "no Docker engine answers, or there is no docker command"
    if not output("docker", "image", "inspect", "--format", "{{.Id}}", image):
        return f"the engine has no image {image}; scripts/images busybox makes the usual one"
    return ""


def run_call(project: str, network: str, *, logs: bool = False) -> tuple[str, ...]:
    """``docker run --rm`` with the options that stophooks gives a container by itself.

    Args:
        project: What is mounted, and the mark by which the container is found.
        network: That of the container.
        logs: Whether the engine keeps a log, as it does where nothing is said.
    """
    return (
        *("docker", "run", "--rm", "--init", "--network", network),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "4096"),
        *("--user", f"{os.getuid()}:{os.getgid()}"),
        *("--volume", f"{project}:/workspace", "--workdir", "/workspace"),
        *(() if logs else ("--log-driver", "none")),
    )


def of(project: str, *, running: bool = False) -> list[str]:
    """The ids of all containers that mount a project, or of those that run."""
    which = [] if running else ["--all"]
    told = subprocess.run(
        ["docker", "ps", *which, "--quiet", "--filter", f"volume={project}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if told.returncode:
        raise BrokenError(f"docker ps: {told.stderr.strip()}")
    return told.stdout.split()


def settled(project: str, patience_s: float = SETTLE_S) -> list[str]:
    """Wait until a project has no container, and return those that it has even then."""
    deadline = time.monotonic() + patience_s
    while (found := of(project)) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
    return found


def remove(containers: Sequence[str]) -> None:
    """Remove containers, whatever they are doing."""
    if containers:
        subprocess.run(
            ["docker", "rm", "--force", "--volumes", *containers],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
