"""What an engine says about itself, as far as it matters here."""

from __future__ import annotations

import os

from stophooks.executors.docker import clock
from stophooks.typed import Any
from stophooks.values import dataclass

# The words of `uname -m` in ``/info``, and Go's in ``/version`` and in images.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
    # Podman has Go's in both.
    "amd64": "amd64",
    "arm64": "arm64",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What an engine is and can enforce, from its own ``/version`` and ``/info``.

    ``has_our_kernel`` tells an engine of this machine, with its clock, from one in a virtual
    machine behind the same socket.
    """

    api_version: str
    os: str
    architecture: str
    is_podman: bool
    is_rootless: bool
    remaps_users: bool
    has_apparmor: bool
    has_seccomp: bool
    limits_memory: bool
    limits_cpus: bool
    limits_pids: bool
    memory_bytes: int
    cpus: int
    root_dir: str
    has_our_kernel: bool
    clock_ahead_s: float = 0.0


def is_api_version(text: str) -> bool:
    """Whether it is one, as `/version` writes it: ``1.41``."""
    major, _, minor = text.partition(".")
    return all(part.isascii() and part.isdecimal() for part in (major, minor))


def version_in(found: dict[str, Any]) -> dict[str, Any] | None:
    """What ``/version`` would say, as far as `describe` asks, where `Client.about` says it too.

    An engine starts several programs to answer that question, and one more for each. None for an
    engine behind something that leaves heads out, and for a machine that nobody listed.
    """
    architecture = _ARCHITECTURES.get(str(found["info"].get("Architecture")))
    if not found["api-version"] or not found["server"] or architecture is None:
        return None
    is_podman = bool(found["libpod-api-version"]) or found["server"].startswith("Libpod/")
    return {
        "ApiVersion": found["api-version"],
        "Os": found["info"].get("OSType"),
        "Arch": architecture,
        "Components": [{"Name": "Podman Engine" if is_podman else "Engine"}],
    }


def describe(version: dict[str, Any], info: dict[str, Any]) -> Info:
    """The engine's own description of itself, as far as it matters here."""
    if not isinstance(info.get("OSType"), str):
        # Every engine says so much; without it this is another's answer.
        raise ValueError("no OSType")  # noqa: TRY004 -- callers tell answers apart, not types
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    names = {part for option in options for part in option.split(",") if part.startswith("name=")}
    components = version.get("Components") or [{}]
    is_rootless = "name=rootless" in names or bool(info.get("Rootless"))
    # A rootless engine cannot use cgroup v1 and ignores every limit there, whatever it says.
    can_limit = not (is_rootless and str(info.get("CgroupVersion", "")) == "1")
    return Info(
        api_version=str(version.get("ApiVersion", "")),
        os=str(version.get("Os") or info.get("OSType") or ""),
        architecture=str(version.get("Arch") or ""),
        is_podman=str(components[0].get("Name", "")).startswith("Podman"),
        is_rootless=is_rootless,
        remaps_users="name=userns" in names,
        has_apparmor="name=apparmor" in names,
        has_seccomp="name=seccomp" in names,
        limits_memory=can_limit and bool(info.get("MemoryLimit")),
        limits_cpus=can_limit and bool(info.get("CpuCfsQuota")),
        limits_pids=can_limit and bool(info.get("PidsLimit")),
        memory_bytes=int(info.get("MemTotal") or 0),
        cpus=int(info.get("NCPU") or 0),
        root_dir=str(info.get("DockerRootDir") or ""),
        has_our_kernel=info.get("KernelVersion") == os.uname().release,
        clock_ahead_s=clock.ahead_s(info.get("SystemTime")),
    )
