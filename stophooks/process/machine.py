"""By what a process is told from one of another start of the machine, or of another container."""

from __future__ import annotations

import os


def boot_id() -> str:
    """This start of this machine (random(4)); empty where it has no name."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def pid_namespace() -> int:
    """The number of this process's pid namespace (pid_namespaces(7)); 0 where there are none."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0
