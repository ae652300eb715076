"""What this machine is, as far as it says so."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.running import floor_bytes, output
from bench.values import Machine

if TYPE_CHECKING:
    from collections.abc import Mapping

# That imports go to a checkout costs a little of every start, so it is said.
_INSTALLED = """
import json
from importlib.metadata import distribution
found = distribution("stophooks")
origin = json.loads(found.read_text("direct_url.json") or "{}")
editable = origin.get("dir_info", {}).get("editable", False)
print(found.version + " (editable install)" * editable)
"""


def look(python: str, peers: Mapping[str, str]) -> Machine:
    """The machine as it is now.

    Args:
        python: The interpreter of the measured stophooks.
        peers: Versions by name.
    """
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 0,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=f"{platform.system()} {platform.release()}",
        system=_system(),
        python=output(python, "--version").removeprefix("Python "),
        git=output("git", "--version").removeprefix("git version "),
        docker=_docker(),
        stophooks=output(python, "-c", _INSTALLED),
        peers=dict(peers),
        load=os.getloadavg()[0],
        floor_bytes=floor_bytes(),
    )


def _cpu() -> str:
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    for line in _lines("/etc/os-release"):
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip('"')
    return sys.platform


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _docker() -> str:
    told = output("docker", "version", "--format", "{{.Client.Version}} {{.Server.Version}}")
    client, _, server = told.partition(" ")
    return f"CLI {client}, engine {server}" if server else ""
