"""The project inside the container: its mount, and what git needs besides it."""

from __future__ import annotations

import os
import posixpath
import stat

from stophooks.containers import Container, Mount
from stophooks.errors import ExecutorUnavailableError
from stophooks.mounts import container_path
from stophooks.values import dataclass

TARGET = "/workspace"
# The longest path that Linux takes, in bytes (PATH_MAX).
PATH_LIMIT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The mounts that bring the project in, and what will not work there."""

    mounts: tuple[Mount, ...] = ()
    notes: tuple[str, ...] = ()


def workspace(container: Container, project_dir: str) -> Workspace:
    """How the project comes into this container; nothing when a mount takes its place."""
    targets = {container_path(mount.target) for mount in container.mounts}
    if container.workspace == "none" or TARGET in targets:
        return Workspace()
    project = Mount(
        type="bind",
        source=os.path.realpath(project_dir),
        target=TARGET,
        readonly=container.workspace == "ro",
    )
    git = _git(project_dir)
    return Workspace(mounts=(project, *git.mounts), notes=git.notes)


def make_mount_points(project_dir: str, mounts: tuple[Mount, ...]) -> None:
    """Make the folders of the project at which other mounts will lie, as the project's owner.

    The engine would make them too, but as root, and leave the caller a folder of root's.

    Raises:
        ExecutorUnavailableError: One cannot be made.
    """
    for mount in mounts:
        inner = posixpath.relpath(container_path(mount.target), TARGET)
        if inner == "." or inner.startswith(".."):
            continue
        is_file = mount.type == "bind" and os.path.isfile(mount.source or "")
        try:
            _make_mount_point(os.path.realpath(project_dir), inner.split("/"), is_file=is_file)
        except OSError as err:
            raise ExecutorUnavailableError(
                f"{mount.target} cannot be made in the project: {err.strerror}.",
                remedy=f"Make {inner} in {project_dir} by hand, or mount it elsewhere.",
                fault="mount",
            ) from err


def check_workdir(container: Container, project_dir: str) -> None:
    """Refuse a working directory that the engine would make in the project, as root.

    Raises:
        ExecutorUnavailableError: It does not exist in the project.
    """
    inner = posixpath.relpath(container_path(container.workdir), TARGET)
    if inner.startswith("..") or os.path.lexists(os.path.join(project_dir, inner)):
        return
    raise ExecutorUnavailableError(
        f"The working directory {container.workdir} does not exist: there is no {inner} in "
        f"{project_dir}.",
        remedy="Make it, or correct `workdir`.",
        fault="working-directory",
    )


def _make_mount_point(project_dir: str, parts: list[str], *, is_file: bool) -> None:
    owner = os.stat(project_dir)
    point = project_dir
    for left, part in enumerate(parts, 1 - len(parts)):
        point = os.path.join(point, part)
        if os.path.islink(point):
            # It may lead out of the project; the engine resolves it inside the container.
            return
        if os.path.exists(point):
            continue
        if is_file and left == 0:
            os.close(os.open(point, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
        else:
            os.mkdir(point)
        if os.geteuid() == 0:
            os.chown(point, owner.st_uid, owner.st_gid)


def _git(project_dir: str) -> Workspace:
    """What git needs besides the project: a worktree's ``.git`` is a file that points outside."""
    dot_git = os.path.join(project_dir, ".git")
    if os.path.isdir(dot_git):
        return Workspace()
    if not os.path.isfile(dot_git):
        return _inside_a_repository(project_dir)
    pointer = _first_line(dot_git).removeprefix("gitdir:").strip()
    git_dir = os.path.normpath(os.path.join(project_dir, pointer))
    common = _common_dir(git_dir, dot_git) if pointer else None
    if common is None:
        return _without_git(f"{dot_git} does not point to a worktree's directory")
    # Git in the container follows the same words from /workspace, so it must arrive there.
    seen_git_dir = posixpath.normpath(posixpath.join(TARGET, pointer))
    seen_common = posixpath.dirname(posixpath.dirname(seen_git_dir))
    return Workspace(mounts=(Mount(type="bind", source=common, target=seen_common, readonly=True),))


def _first_line(path: str) -> str:
    """The text of one of git's pointer files (gitrepository-layout(5)); empty when it is none.

    Read with care: a command may have put a pipe or a device there.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        line = os.read(file, PATH_LIMIT) if is_file else b""
    finally:
        os.close(file)
    return os.fsdecode(line.strip()).replace("\0", "")


def _common_dir(git_dir: str, dot_git: str) -> str | None:
    """The repository that a worktree belongs to, or None when this is no worktree.

    The pointers are text that a command may have written. So the repository must say by itself
    that this project is its worktree: git's link back lies where no container can write. A
    submodule has no ``commondir``, and its ``core.worktree`` names a host path.
    """
    pointer = _first_line(os.path.join(git_dir, "commondir"))
    common = os.path.realpath(os.path.join(git_dir, pointer))
    is_inside = os.path.dirname(os.path.realpath(git_dir)) == os.path.join(common, "worktrees")
    is_repository = os.path.isfile(f"{common}/HEAD") and os.path.isdir(f"{common}/objects")
    back = os.path.join(git_dir, _first_line(os.path.join(git_dir, "gitdir")))
    is_ours = os.path.realpath(back) == os.path.realpath(dot_git)
    return common if pointer and is_inside and is_repository and is_ours else None


def _inside_a_repository(project_dir: str) -> Workspace:
    """A note when the project is a folder of a repository: only the folder is mounted."""
    parent = os.path.realpath(project_dir)
    while parent != "/":
        parent = os.path.dirname(parent)
        if os.path.exists(os.path.join(parent, ".git")):
            return _without_git(f"only {project_dir} of the repository {parent} is mounted")
    return Workspace()


def _without_git(why: str) -> Workspace:
    return Workspace(notes=(f"git does not work in this container: {why}",))
