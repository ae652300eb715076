"""What a container command asks of the engine, resolved and checked."""

from __future__ import annotations

import re
from difflib import get_close_matches
from posixpath import normpath

from stophooks.config import widening
from stophooks.config.document import Path, quoted
from stophooks.config.known import CAPABILITIES
from stophooks.config.mounting import mounts, tmpfs, valid_target
from stophooks.config.seccomp import seccomp
from stophooks.config.units import LEAST, size_bytes
from stophooks.containers import Container, Pull, Ulimit
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.config.findings import Findings
    from stophooks.config.models import StopCommand, UlimitRange

# The least memory that Docker accepts (its documentation of --memory, read 2026-11-21).
MIN_MEMORY_BYTES = 6 * MIB
# The least share of a CPU that Docker accepts.
MIN_CPUS = 0.01
NANO = 10**9
WORKSPACE = "/workspace"
_LEAST_OR_NULL = f"{LEAST}; for no limit write null"

# Grammar of the distribution project's `reference` package (v0.6.0, read 2026-11-21).
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


def container(given: StopCommand, where: Path, findings: Findings) -> Container:
    """The container of a command that has an image."""
    image = given.image or ""
    before = len(findings.problems)
    _check_image(image, (*where, "image"), findings)
    mounted = mounts(given.mounts, (*where, "mounts"), findings)
    in_memory = tmpfs(given.tmpfs, mounted, (*where, "tmpfs"), findings)
    targets = {mount.target for mount in mounted} | {path for path, _ in in_memory}
    result = Container(
        image=image,
        pull=Pull(given.pull),
        workdir=_workdir(given.workdir, (*where, "workdir"), findings),
        workspace="none" if WORKSPACE in targets else given.workspace,
        mounts=mounted,
        network=given.network,
        memory_bytes=_memory(given.memory, (*where, "memory"), findings),
        nano_cpus=_nano_cpus(given.cpus, (*where, "cpus"), findings),
        pids_limit=given.pids_limit,
        shm_size_bytes=size(given.shm_size, (*where, "shm_size"), findings),
        user=user(given.user, (*where, "user"), findings),
        seccomp=seccomp(given.seccomp, (*where, "seccomp"), findings),
        apparmor=given.apparmor,
        cap_add=_capabilities(given.capabilities.add, (*where, "capabilities", "add"), findings),
        cap_drop=_capabilities(given.capabilities.drop, (*where, "capabilities", "drop"), findings),
        read_only=given.read_only,
        tmpfs=in_memory,
        init=given.init,
        no_new_privileges=given.no_new_privileges,
        ulimits=_ulimits(given.ulimits, (*where, "ulimits"), findings),
        platform=given.platform,
    )
    if len(findings.problems) == before:
        widening.warn(result, where, findings)
    return result


def _check_image(image: str, where: Path, findings: Findings) -> None:
    name, _, digest = image.partition("@")
    tail = name.rpartition("/")[2]
    tag = tail.partition(":")[2]
    bare = name[: len(name) - len(tag) - 1] if ":" in tail else name
    if not _NAME.fullmatch(bare):
        lower = _NAME.fullmatch(bare.lower())
        findings.problem(
            where,
            f"{quoted(image)} is not an image's name",
            hint=f'names are lower case: "{image.replace(bare, bare.lower(), 1)}"'
            if lower
            else None,
        )
    elif (":" in tail and not _TAG.fullmatch(tag)) or (
        "@" in image and not _DIGEST.fullmatch(digest)
    ):
        what = "digest" if "@" in image else "tag"
        findings.problem(where, f"{quoted(image)} has a {what} that no image can have")
    elif ":" not in tail and "@" not in image:
        findings.problem(
            where,
            f"{quoted(image)} has neither tag nor digest",
            hint=f'write the one you mean, such as "{image}:1.2"; "{image}:latest" is allowed too',
        )


def _workdir(given: str, where: Path, findings: Findings) -> str:
    valid_target(given, where, findings)
    return normpath(given)


def size(
    given: str | float | None, where: Path, findings: Findings, *, least: str = LEAST
) -> int | None:
    """A size in bytes, and a problem where no machine has so much, or it is nothing."""
    if given is None:
        return None
    found = size_bytes(given)
    if not 0 < found < 1 << 60:
        message = f"{quoted(given)} is no size that a machine can have"
        findings.problem(where, message, hint=None if found else least)
    return found


def _memory(given: str | float | None, where: Path, findings: Findings) -> int | None:
    found = size(given, where, findings, least=_LEAST_OR_NULL)
    if found is not None and 0 < found < MIN_MEMORY_BYTES:
        written = findings.document.raw(where, given)
        bare = isinstance(given, (int, float)) or str(given).isdigit()
        hint = f'a number alone counts bytes; write "{written}m" for MiB' if bare else None
        findings.problem(where, f"{quoted(given)} is below the engine's least, 6m", hint=hint)
    return found


def _nano_cpus(given: str | float | None, where: Path, findings: Findings) -> int | None:
    if given is None:
        return None
    if float(given) < MIN_CPUS:
        hint = None if float(given) else _LEAST_OR_NULL
        findings.problem(where, f"{quoted(given)} is below the engine's least, 0.01", hint=hint)
    return round(float(given) * NANO)


def user(given: str | int | None, where: Path, findings: Findings) -> str | None:
    """Who a command runs as, as an engine or this machine is told it; None where it is not said."""
    if given is None:
        return None
    parts = str(given).split(":")
    for part in parts:
        if part.isdigit() and int(part) >= 1 << 31:
            findings.problem(where, f"{part} is no user or group number", hint="most: 2147483647")
    # `00` is root too, and an engine is to be sent what the warnings were decided by.
    return ":".join(str(int(part)) if part.isdigit() else part for part in parts)


def _capabilities(given: list[str], where: Path, findings: Findings) -> tuple[str, ...]:
    names = []
    for index, name in enumerate(given):
        known = name.upper().removeprefix("CAP_")
        if known not in CAPABILITIES and known != "ALL":
            close = get_close_matches(known, CAPABILITIES, n=1)
            meant = f'; did you mean "{close[0]}"?' if close else ""
            findings.problem((*where, index), f"unknown capability {quoted(name)}{meant}")
        names.append(known)
    return tuple(dict.fromkeys(names))


def _ulimits(
    given: dict[str, int | UlimitRange], where: Path, findings: Findings
) -> tuple[Ulimit, ...]:
    limits = []
    for name, value in given.items():
        soft, hard = (value, value) if isinstance(value, int) else (value.soft, value.hard)
        if hard != -1 and (soft > hard or soft == -1):
            findings.problem((*where, name), f"the soft limit {soft} exceeds the hard limit {hard}")
        limits.append(Ulimit(name=name, soft=soft, hard=hard))
    return tuple(limits)
