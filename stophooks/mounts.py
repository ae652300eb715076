"""Which host paths a container may never see, after resolving links.

A container that sees the engine's socket, or the host's root, is no isolation at all: it can
start any other container. So these paths are refused whatever the configuration says.
"""

from __future__ import annotations

import os
import posixpath

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Where Docker, containerd and Podman put their sockets (their documentation, read 2026-11-21).
SYSTEM_SOCKETS = (
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
)
# Where those engines keep every image, container and volume, and the sockets between their parts.
ENGINE_DIRS = (
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/run/docker",
    "/run/containerd",
    "/run/crio",
    "/run/podman",
)
KERNEL_DIRS = ("/proc", "/sys")


def container_path(path: str) -> str:
    """A path inside a container in its one form: no double slash, no dot, no slash at the end."""
    return posixpath.normpath("/" + path.lstrip("/"))


def user_sockets(uid: int, home: str | None) -> tuple[str, ...]:
    """The engine sockets that belong to one user (rootless engines, Docker Desktop)."""
    runtime = (f"/run/user/{uid}/docker.sock", f"/run/user/{uid}/podman/podman.sock")
    desktop = (f"{home}/.docker/run/docker.sock", f"{home}/.docker/desktop/docker.sock")
    return runtime + (tuple(path for path in desktop if os.path.exists(path)) if home else ())


def refusal(
    source: str, *, sockets: Sequence[str] = (), engine_dirs: Sequence[str] = ()
) -> str | None:
    """Why this host path is never mounted, or None when it may be.

    Args:
        source: An absolute path; links in it are followed.
        sockets: Engine sockets besides the well-known ones.
        engine_dirs: Engine directories besides the well-known ones.
    """
    try:
        path = os.path.realpath(source)
    except OSError as err:
        return f"its links cannot be followed ({err.strerror})"
    if _is_same(path, "/"):
        return "it is the whole file system of this machine"
    for kernel in KERNEL_DIRS:
        if _lies_in(path, kernel) or _is_same(path, kernel):
            return f"{kernel} controls this machine's kernel"
    for socket in _resolved((*SYSTEM_SOCKETS, *sockets)):
        if _lies_in(socket, path) or _is_same(path, socket):
            return f"it is or contains {socket}, an engine's socket, which is root on this machine"
    for engine_dir in _resolved((*ENGINE_DIRS, *engine_dirs)):
        is_around = _lies_in(path, engine_dir) or _lies_in(engine_dir, path)
        if is_around or _is_same(path, engine_dir):
            return f"it is, contains or lies in {engine_dir}, where an engine keeps its containers"
    return None


def _lies_in(path: str, folder: str) -> bool:
    """Whether a path is a folder, or below it; both without ``..`` and doubled slashes."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_same(path: str, other: str) -> bool:
    """Whether both are one file under two names: a hard link, or mounted twice."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _resolved(paths: Sequence[str]) -> list[str]:
    """Each path as it is and with its links followed: either may be reached."""
    both = {path for given in paths for path in (given, os.path.realpath(given))}
    return sorted(os.path.normpath(path) for path in both)
