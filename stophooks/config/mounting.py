"""The mounts of a container, resolved and checked: what it sees, and where."""

from __future__ import annotations

import os
import re

from stophooks.config.document import Path, quoted
from stophooks.config.findings import is_inside
from stophooks.containers import Mount
from stophooks.mounts import container_path, refusal, user_sockets
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.config.findings import Findings
    from stophooks.config.models import Mount as GivenMount

_TMPFS_OPTION = re.compile(
    r"(no)?(exec|atime)|nosuid|nodev|ro|rw|size=[0-9]{1,15}[kKmMgG%]?|mode=[0-7]{3,4}"
    r"|(uid|gid|nr_inodes|nr_blocks)=[0-9]{1,10}[kKmMgG]?"
)
_TMPFS_WORDS = "such as size=64m, mode=1777, uid=1000, exec"
# Set-uid programs and devices would be made by the command itself, in a place of its own.
_NEVER = {"suid", "dev"}
# What the engine takes as options of each type of mount, and the words for it.
_OPTIONS = {
    "bind": (
        re.compile(r"r?(private|shared|slave)"),
        "known: private, rprivate, shared, rshared, slave and rslave",
    ),
    "volume": (re.compile(r"nocopy"), "known: nocopy"),
    "tmpfs": (_TMPFS_OPTION, _TMPFS_WORDS),
}
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
# The kernel's own directories: the engine starts nothing with a mount in or over them.
_KERNEL = ("/proc", "/sys")


def mounts(given: list[GivenMount], where: Path, findings: Findings) -> tuple[Mount, ...]:
    """The mounts besides the project, sources absolute with their links followed."""
    seen: dict[str, int] = {}
    result = []
    for index, mount in enumerate(given):
        place = (*where, index)
        target = container_path(mount.target)
        if valid_target(mount.target, (*place, "target"), findings, mounted=True):
            _once(target, index, seen, (*place, "target"), findings)
        _check_options(mount, place, findings)
        result.append(
            Mount(
                type=mount.type,
                source=_source(mount, (*place, "source"), findings),
                target=target,
                readonly=mount.readonly,
                options=tuple(mount.options),
            )
        )
    return tuple(result)


def tmpfs(
    given: list[str] | dict[str, str], mounted: tuple[Mount, ...], where: Path, findings: Findings
) -> tuple[tuple[str, str], ...]:
    """Path and options of each directory in memory."""
    taken = {mount.target: index for index, mount in enumerate(mounted)}
    result = []
    for step, path, options in _tmpfs_parts(given):
        place = (*where, step)
        target = container_path(path)
        if valid_target(path, place, findings, mounted=True):
            _once(target, len(taken), taken, place, findings)
        for option in options.split(",") if options else ():
            if not _TMPFS_OPTION.fullmatch(option):
                _refuse_tmpfs_option(option, place, findings)
        result.append((target, options))
    return tuple(result)


def valid_target(path: str, where: Path, findings: Findings, *, mounted: bool = False) -> bool:
    """Whether a path in the container may be used; a problem is recorded if not."""
    message = None
    if not path.startswith("/"):
        message = f"{quoted(path)} is not an absolute path"
    elif ".." in path.split("/"):
        message = f'{quoted(path)} contains ".."'
    elif mounted and container_path(path) == "/":
        message = "nothing can be mounted over the container's root"
    elif mounted and any(is_inside(container_path(path), kernel) for kernel in _KERNEL):
        message = f"{quoted(path)} belongs to the kernel; nothing can be mounted there"
    if message:
        findings.problem(where, message)
    return message is None


def _tmpfs_parts(given: list[str] | dict[str, str]) -> list[tuple[str | int, str, str]]:
    """Key or index, path and options of each entry."""
    if isinstance(given, dict):
        return [(path, path, options) for path, options in given.items()]
    parts = [entry.partition(":") for entry in given]
    return [(index, path, options) for index, (path, _, options) in enumerate(parts)]


def _once(target: str, index: int, seen: dict[str, int], where: Path, findings: Findings) -> None:
    if seen.setdefault(target, index) != index:
        findings.problem(where, f"something else is mounted at {target} already")


def _source(mount: GivenMount, where: Path, findings: Findings) -> str | None:
    if mount.type != "bind" or mount.source is None:
        if mount.source is not None and not _VOLUME.fullmatch(mount.source):
            findings.problem(
                where,
                f"{quoted(mount.source)} is not a volume's name",
                hint="for a path of this machine write type: bind",
            )
        return mount.source
    if mount.source.startswith("~"):
        findings.problem(where, '"~" is not filled in', hint="write the whole path")
        return mount.source
    source = findings.followed(mount.source, where)
    if source is None:
        return mount.source
    reason = refusal(source, sockets=_sockets(findings.environ))
    if reason:
        findings.problem(where, f"{quoted(mount.source)} is never mounted: {reason}")
    elif not os.path.exists(source):
        findings.problem(
            where, f"{quoted(mount.source)} does not exist", hint=f"looked for {source}"
        )
    return source


def _sockets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The engine sockets that this user has, besides the system's own."""
    scheme, _, path = environ.get("DOCKER_HOST", "").partition("://")
    own = (path,) if scheme == "unix" else ()
    return (*user_sockets(os.getuid(), environ.get("HOME")), *own)


def _refuse_tmpfs_option(option: str, where: Path, findings: Findings) -> None:
    if option in _NEVER:
        message = f"the tmpfs option {quoted(option)} is never allowed"
        findings.problem(where, message, hint=f"leave it out; no{option} is always set")
    else:
        findings.problem(where, f"unknown tmpfs option {quoted(option)}", hint=_TMPFS_WORDS)


def _check_options(mount: GivenMount, where: Path, findings: Findings) -> None:
    pattern, known = _OPTIONS[mount.type]
    for index, option in enumerate(mount.options):
        place = (*where, "options", index)
        if mount.type == "tmpfs" and option in _NEVER:
            _refuse_tmpfs_option(option, place, findings)
        elif not pattern.fullmatch(option):
            findings.problem(
                place,
                f"unknown option {quoted(option)} of a {mount.type} mount",
                hint="write readonly: true" if option == "ro" else known,
            )
