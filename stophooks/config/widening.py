"""Warnings about whatever makes a container less of a wall; each says what it opens."""

from __future__ import annotations

import os

from stophooks.config.seccomp import allows_the_rest
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.config.document import Path
    from stophooks.config.findings import Findings
    from stophooks.containers import Container

_ROOT = {"root", "0"}
# What a bind's propagation lets through, by its name without `r`.
_PROPAGATIONS = {
    "shared": "what the command mounts there appears on this machine, and the other way round",
    "slave": "what this machine mounts there later appears in the container",
}


def warn(container: Container, where: Path, findings: Findings) -> None:
    """Record one warning for each key that widens isolation."""
    _warn_filters(container, where, findings)
    _warn_network(container.network, (*where, "network"), findings)
    _warn_capabilities(container, (*where, "capabilities"), findings)
    _warn_mounts(container, (*where, "mounts"), findings)
    if container.pids_limit is None:
        findings.warning(
            (*where, "pids_limit"), "a runaway command can use up every process of this machine"
        )
    if container.user is not None and container.user.split(":")[0] in _ROOT:
        findings.warning(
            (*where, "user"),
            "root in the container: files it makes in the project belong to root, and a hole in "
            "the engine is a hole in this machine",
        )


def _warn_filters(container: Container, where: Path, findings: Findings) -> None:
    if container.seccomp == "unconfined":
        findings.warning(
            (*where, "seccomp"), "every system call is open to the command, with every hole in it"
        )
    elif container.seccomp is not None and allows_the_rest(container.seccomp):
        findings.warning(
            (*where, "seccomp"),
            "the profile allows every system call that it does not name; the engine's own "
            "forbids about 40",
        )
    if container.apparmor == "unconfined":
        findings.warning(
            (*where, "apparmor"), "nothing keeps the command from the kernel's files and mounts"
        )
    if not container.no_new_privileges:
        findings.warning(
            (*where, "no_new_privileges"), "set-uid programs such as sudo can make the command root"
        )


def _warn_network(network: str, where: Path, findings: Findings) -> None:
    if network == "host":
        findings.warning(
            where, "the command reaches every service of this machine, and listens on its ports"
        )
    elif network.startswith("container:"):
        other = network.partition(":")[2]
        findings.warning(where, f'the command shares all connections of the container "{other}"')
    elif network not in {"none", "bridge"}:
        findings.warning(where, f'the command reaches every container in the network "{network}"')


def _warn_capabilities(container: Container, where: Path, findings: Findings) -> None:
    if container.cap_add:
        names = ", ".join(container.cap_add)
        findings.warning((*where, "add"), f"the command gets rights of root: {names}")
    if "ALL" not in container.cap_drop:
        findings.warning(
            (*where, "drop"),
            "the command keeps the engine's usual capabilities, as ALL is not in the list",
        )


def _warn_mounts(container: Container, where: Path, findings: Findings) -> None:
    project = os.path.realpath(findings.project_dir)
    for index, mount in enumerate(container.mounts):
        if mount.type != "bind" or mount.source is None:
            continue
        if os.path.commonpath([project, mount.source]) != project:
            access = "read" if mount.readonly else "read and change"
            findings.warning(
                (*where, index, "source"),
                f"the command can {access} {mount.source}, which is outside the project",
            )
        for step, option in enumerate(mount.options):
            opens = _PROPAGATIONS.get(option.removeprefix("r"))
            if opens:
                findings.warning((*where, index, "options", step), opens)
