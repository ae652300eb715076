"""What is asked for, judged before anything is made."""

from __future__ import annotations

import os
import re
import shlex

from stophooks.errors import UsageError
from stophooks.lifecycles.workspaces import record
from stophooks.lifecycles.workspaces.record import Repo, Workspace
from stophooks.lifecycles.workspaces.worktrees import checked_out
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.lifecycles.workspaces.git import Git

# A directory's name, and what other programs take for one word.
_ID = re.compile(r"\w[\w.-]*")
# File systems end at 255 bytes.
_NAME_BYTES = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_NAMES = frozenset({"", ".", "..", ".git", record.NAME, record.HALF})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a workspace is to be.

    ``repos`` are ``PATH`` or ``NAME=PATH``, each path from ``directory``; ``root`` is the absolute
    path of the directory that the workspace's own will be in.
    """

    id: str
    branch: str
    repos: tuple[str, ...]
    root: str
    directory: str


def judged(asked: Asked, git: Git) -> Workspace:
    """The workspace that can be made of what is asked for; nothing is written.

    Raises:
        UsageError: It cannot be made.
        GitError: git cannot be run.
    """
    path = place(asked.root, asked.id)
    if os.path.lexists(path):
        raise UsageError(
            f"{path} is there already. Take another ID, or close that workspace first: stophooks "
            f"workspace close {shlex.quote(asked.id)}"
        )
    if not asked.repos:
        raise UsageError("A workspace needs a repository. Name each with --repo PATH.")
    repos: list[Repo] = []
    for given in asked.repos:
        repos.append(_repo(given, asked, git))
        _check_distinct(repos)
    return record.new(asked.id, path, asked.branch, tuple(repos))


def place(root: str, id_: str) -> str:
    """The directory of the workspace with this ID.

    Raises:
        UsageError: It is no ID.
    """
    if not _ID.fullmatch(id_) or len(os.fsencode(id_)) > _NAME_BYTES:
        raise UsageError(
            f"{id_!r} cannot be a workspace's ID: letters, digits, `_`, `.` and `-` can, with a "
            f"letter, a digit or `_` first, and at most {_NAME_BYTES} bytes."
        )
    return os.path.join(root, id_)


def _repo(given: str, asked: Asked, git: Git) -> Repo:
    name, path = _split(given)
    path = os.path.join(asked.directory, path)
    asked_for = ("rev-parse", "--git-common-dir", "--show-cdup")
    told = git.ask(path, *asked_for) if os.path.isdir(path) else None
    where, _, above = (told or "\n..").partition("\n")
    if above.strip():
        # git would take the repository around a directory that is none.
        raise UsageError(f"--repo {given}: {path} is not a git repository's own directory.")
    git_dir = os.path.normpath(os.path.join(path, where))
    base = git.ask(path, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if base is None:
        raise UsageError(f"--repo {given}: {path} has no commit yet that a branch could start at.")
    name = name or _own_name(git_dir)
    if name in _NOT_NAMES or _CONTROL.search(name) or name.startswith("-"):
        raise UsageError(f"--repo {given}: {name!r} cannot be a directory. Use NAME=PATH.")
    is_there = _branch(asked.branch, path, git)
    return Repo(name=name, git_dir=git_dir, base=None if is_there else base.strip())


def _split(given: str) -> tuple[str, str]:
    """The name and the path in ``NAME=PATH``; a path with ``/`` before its ``=`` is a path."""
    name, sign, path = given.partition("=")
    return (name, path) if sign and name and "/" not in name else ("", given)


def _own_name(git_dir: str) -> str:
    """A repository's name: of the directory that its ``.git`` is in; its own where it is bare."""
    name = os.path.basename(git_dir)
    if name == ".git":
        return os.path.basename(os.path.dirname(git_dir))
    return name.removesuffix(".git")


def _branch(branch: str, path: str, git: Git) -> bool:
    """Whether the branch is there already, free to be checked out.

    Raises:
        UsageError: It is no name for a branch, or checked out.
    """
    named = (
        None if branch.startswith("-") else git.ask(path, "check-ref-format", "--branch", branch)
    )
    # `@{-1}` and the like stand for a branch and are none.
    if named is None or named.removesuffix("\n") != branch:
        raise UsageError(f"--branch: git takes {branch!r} for no branch's name.")
    if git.ask(path, "show-ref", "--verify", "--quiet", f"refs/heads/{branch}") is None:
        return False
    where = checked_out(git, path, branch)
    if where is None:
        return True
    if os.path.lexists(where):
        raise UsageError(
            f"--branch: {branch} is checked out in {where}, and can be in one place only. "
            "Take another branch, or check out another one there."
        )
    raise UsageError(
        f"--branch: {branch} counts as checked out in {where}, which is gone. Tell git so: "
        f"git -C {shlex.quote(path)} worktree prune"
    )


def _check_distinct(repos: Sequence[Repo]) -> None:
    *before, last = repos
    for one in before:
        if os.path.realpath(one.git_dir) == os.path.realpath(last.git_dir):
            raise UsageError(f"--repo: {last.git_dir} is named twice. Name each repository once.")
        if one.name == last.name:
            raise UsageError(
                f"--repo: {one.git_dir} and {last.git_dir} would both be {last.name} in the "
                "workspace. Name one of them otherwise: --repo NAME=PATH"
            )
