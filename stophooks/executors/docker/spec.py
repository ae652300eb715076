"""A command in the engine's own words, and what is refused before the engine sees it.

The request is written out key by key for ``POST /containers/create`` (Docker Engine API v1.41,
read 2026-11-21): docker-py's builders drop values that are false or zero.
"""

from __future__ import annotations

import os

from stophooks import mounts as host_mounts
from stophooks.containers import Container, Mount
from stophooks.errors import ExecutorUnavailableError
from stophooks.executors.docker.feed import entrypoint, secret_mounts
from stophooks.models import KIB, MIB, Command
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.executors.docker.about import Info
    from stophooks.executors.docker.identity import Identity

NETWORK_MODES = frozenset({"none", "bridge", "host"})
# One argument or variable, and all of them: Linux's MAX_ARG_STRLEN, and half its usual ARG_MAX.
ARGUMENT_LIMIT = 128 * KIB
ARGUMENTS_LIMIT = 1 * MIB
PROPAGATIONS = frozenset({"private", "rprivate", "slave", "rslave", "shared", "rshared"})


def refuse(reason: str, remedy: str, fault: str = "refused") -> ExecutorUnavailableError:
    """The error for a request that is not sent."""
    return ExecutorUnavailableError(reason, remedy=remedy, fault=fault)


def check(command: Command, container: Container, info: Info) -> None:
    """Refuse what this engine would drop in silence, or could not keep.

    Raises:
        ExecutorUnavailableError: With what is asked, what is missing and what to write instead.
    """
    _check_limits(container, info)
    _check_profiles(container, info)
    _check_arguments(command)


def _check_limits(container: Container, info: Info) -> None:
    limits = (
        ("memory", container.memory_bytes, info.limits_memory),
        ("cpus", container.nano_cpus, info.limits_cpus),
        ("pids_limit", container.pids_limit, info.limits_pids),
    )
    for key, value, is_kept in limits:
        if value is not None and not is_kept:
            raise refuse(
                f"This engine cannot enforce `{key}`, and would ignore it.",
                f"Write `{key}: null` to go without, or use an engine with cgroup v2 or root.",
            )
    if container.memory_bytes and info.memory_bytes and container.memory_bytes > info.memory_bytes:
        raise refuse(
            f"`memory` asks for {container.memory_bytes} bytes, and the engine's machine has "
            f"{info.memory_bytes}.",
            f"Write at most `{info.memory_bytes // MIB}m`.",
        )
    if container.nano_cpus and info.cpus and container.nano_cpus > info.cpus * 10**9:
        raise refuse(
            f"`cpus` asks for {container.nano_cpus / 10**9:g}, and the engine's machine has "
            f"{info.cpus}.",
            f"Write at most `{info.cpus}`.",
        )


def _check_profiles(container: Container, info: Info) -> None:
    if container.apparmor is not None and not info.has_apparmor:
        raise refuse(
            f"`apparmor: {container.apparmor}` cannot be had: this engine has no AppArmor, and "
            "would ignore it in silence.",
            "Remove `apparmor`, or use an engine on a machine with AppArmor.",
        )
    if container.seccomp is not None and not info.has_seccomp:
        raise refuse(
            "`seccomp` cannot be had: this engine has no seccomp.",
            "Remove `seccomp`, or use an engine that has it.",
        )


def _check_arguments(command: Command) -> None:
    """What the kernel refuses shows up in a container as an unexplained exit code."""
    arguments = arguments_of(command)
    variables = [f"{name}={value}" for name, value in command.env]
    sizes = [len(text.encode("utf-8", "surrogateescape")) for text in (*arguments, *variables)]
    if max(sizes) >= ARGUMENT_LIMIT or sum(sizes) > ARGUMENTS_LIMIT:
        raise refuse(
            f"The command and its environment have {sum(sizes)} bytes, {max(sizes)} in one piece;"
            f" Linux takes {ARGUMENT_LIMIT} in one and {ARGUMENTS_LIMIT} in all.",
            "Put the script or the value into a file of the project.",
            "argument-too-long",
        )
    if any("\0" in text or not _is_unicode(text) for text in (*arguments, *variables)):
        raise refuse(
            "The command or its environment contains a NUL, or bytes that are not UTF-8, which no "
            "engine passes on unchanged.",
            "Remove them, or read them from a file of the project.",
        )


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def arguments_of(command: Command) -> list[str]:
    """The argument list that runs the command: a script goes whole to one shell."""
    if command.run is not None:
        return [command.shell or "/bin/sh", "-c", command.run]
    return list(command.argv or ())


def container_config(
    command: Command,
    container: Container,
    *,
    image_id: str,
    identity: Identity,
    mounts: tuple[Mount, ...],
    info: Info,
    labels: Mapping[str, str],
    secrets: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """The body of ``POST /containers/create``.

    The image's entrypoint, health check and stop signal play no part: what is configured is what
    runs. Of ``secrets``, which become files, it has the names and the sizes.
    """
    env = dict(command.env)
    if identity.home:
        env.setdefault("HOME", identity.home)
    return {
        "Image": image_id,
        "Entrypoint": entrypoint(arguments_of(command), secrets)
        if secrets
        else arguments_of(command),
        "Cmd": [],
        "Env": [f"{name}={value}" for name, value in env.items()],
        "WorkingDir": container.workdir,
        "User": identity.user,
        "Labels": dict(labels),
        "AttachStdin": bool(secrets),
        "AttachStdout": True,
        "AttachStderr": True,
        "OpenStdin": bool(secrets),
        # So that it ends when we do.
        "StdinOnce": bool(secrets),
        "Tty": False,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(
            container, identity, (*mounts, *secret_mounts(identity, secrets)), info
        ),
    }


def _host_config(
    container: Container, identity: Identity, mounts: tuple[Mount, ...], info: Info
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "Init": container.init,
        "NetworkMode": container.network,
        "CapDrop": list(container.cap_drop),
        "CapAdd": list(container.cap_add),
        "SecurityOpt": _security_options(container),
        "ReadonlyRootfs": container.read_only,
        "Privileged": False,
        "Mounts": [_mount(mount) for mount in mounts if mount.type != "tmpfs"],
        "Tmpfs": _tmpfs(container, identity, mounts),
        "Ulimits": [
            {"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard}
            for limit in container.ulimits
        ],
        # Output is attached; a log would only fill the engine's disk.
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": False,
        **_limits(container),
    }
    if info.remaps_users and identity.uid:
        # Remapped, the project would belong to nobody in the container; the caller is no root.
        config["UsernsMode"] = "host"
    return config


def _limits(container: Container) -> dict[str, int]:
    memory = container.memory_bytes
    values = {
        "Memory": memory,
        # Equal means no swap, so that the limit is the whole of it.
        "MemorySwap": memory,
        "NanoCpus": container.nano_cpus,
        "PidsLimit": container.pids_limit,
        "ShmSize": container.shm_size_bytes,
    }
    return {key: value for key, value in values.items() if value is not None}


def _security_options(container: Container) -> list[str]:
    options = []
    if container.no_new_privileges:
        options.append("no-new-privileges:true")
    if container.seccomp is not None:
        options.append(f"seccomp={container.seccomp}")
    if container.apparmor is not None:
        options.append(f"apparmor={container.apparmor}")
    return options


def _tmpfs(container: Container, identity: Identity, mounts: tuple[Mount, ...]) -> dict[str, str]:
    table = {path: _tmpfs_options(options.split(",")) for path, options in container.tmpfs}
    for mount in mounts:
        if mount.type == "tmpfs":
            mode = "ro" if mount.readonly else "rw"
            table[mount.target] = _tmpfs_options([mode, *mount.options])
    if identity.home and identity.home not in table:
        # exec: package managers build and run programs in their caches.
        owner = f"uid={identity.uid or 0},gid={identity.gid or 0}"
        table[identity.home] = _tmpfs_options(["rw", "exec", "mode=0700", owner])
    return table


def _tmpfs_options(given: list[str]) -> str:
    """The options with the closed ones said: Docker adds them by itself, Podman does not."""
    closed = ["nosuid", "nodev", *(() if "exec" in given else ("noexec",))]
    return ",".join(dict.fromkeys([option for option in (*given, *closed) if option]))


def _mount(mount: Mount) -> dict[str, Any]:
    kind = {"bind": _bind, "volume": _volume}[mount.type]
    return {
        "Type": mount.type,
        "Source": mount.source or "",
        "Target": mount.target,
        "ReadOnly": mount.readonly,
        **kind(mount),
    }


def _bind(mount: Mount) -> dict[str, Any]:
    propagation = next((option for option in mount.options if option in PROPAGATIONS), "rprivate")
    options: dict[str, Any] = {"Propagation": propagation}
    return {"BindOptions": options}


def _volume(mount: Mount) -> dict[str, Any]:
    return {"VolumeOptions": {"NoCopy": "nocopy" in mount.options}}


def resolved(
    mounts: tuple[Mount, ...], *, sockets: tuple[str, ...], engine_dir: str
) -> tuple[Mount, ...]:
    """The mounts with every link in a bind's source followed, or a refusal.

    Raises:
        ExecutorUnavailableError: A source is missing, forbidden, or cannot be read-only.
    """
    return tuple(
        _resolved_bind(mount, sockets, engine_dir) if mount.type == "bind" else mount
        for mount in mounts
    )


def _resolved_bind(mount: Mount, sockets: tuple[str, ...], engine_dir: str) -> Mount:
    source = _followed(mount.source or "")
    engine_dirs = (engine_dir,) if engine_dir else ()
    if why := host_mounts.refusal(source, sockets=sockets, engine_dirs=engine_dirs):
        raise refuse(f"{mount.source} is never mounted: {why}.", "Mount a smaller folder.", "mount")
    if source != os.path.normpath(mount.source or ""):
        # The configuration was read with every link followed, so this one is new.
        raise refuse(
            f"{mount.source} is never mounted: since the configuration was read it has become a "
            f"link to {source}.",
            "Find out what made the link, and remove it.",
            "mount",
        )
    if not os.path.exists(source):
        raise refuse(
            f"The mount source {mount.source} does not exist.",
            "Make it, or remove the mount.",
            "mount",
        )
    if mount.readonly and (inner := _mounted_below(source)):
        raise refuse(
            f"{mount.source} cannot be mounted read-only: {inner} is a file system of its own "
            "below it and would stay writable.",
            "Mount the folders beside it one by one.",
            "mount",
        )
    return Mount(
        type="bind",
        source=source,
        target=host_mounts.container_path(mount.target),
        readonly=mount.readonly,
        options=mount.options,
    )


def _followed(source: str) -> str:
    try:
        return os.path.realpath(source)
    except OSError as err:
        raise refuse(
            f"{source} is never mounted: its links cannot be followed ({err.strerror}).",
            "Name the folder itself.",
            "mount",
        ) from err


def _mounted_below(source: str) -> str | None:
    """A mount point of this machine strictly below a path (proc_pid_mountinfo(5), field 5)."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    points = (_unescaped(line.split(" ")[4]) for line in lines)
    return next((point for point in points if point.startswith(source.rstrip("/") + "/")), None)


def _unescaped(text: str) -> str:
    """A path of mountinfo with its octal escapes undone."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text
