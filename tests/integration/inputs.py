"""Repositories to look at, and a second opinion of what is in them."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

from stophooks.inputs import Tree, look

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@localhost",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@localhost",
}


def git(place: Path, *args: str) -> str:
    options = ("-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *options, *args], cwd=place, env=ENVIRON, check=True, capture_output=True
    )
    return done.stdout.decode("utf-8", "surrogateescape")


def tree_of(place: Path, state: Path, **environ: str) -> Tree:
    found = look(str(place), environ=ENVIRON | environ, state_dir=str(state), deadline_s=60)
    assert found is not None
    return found


def plain_content(place: Path) -> tuple[object, ...]:
    """All that counts in a repository, read without any short cut."""
    names = {
        name
        for how in (["--cached"], ["--others", "--exclude-standard"])
        for name in git(place, "ls-files", "-z", *how).split("\0")
        if name
    }
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=place, env=ENVIRON, capture_output=True, check=False
    )
    found = ((name, plain_file(place / name)) for name in sorted(names))
    return head.stdout if head.returncode == 0 else b"", *((n, c) for n, c in found if c)


def plain_file(path: Path) -> tuple[object, ...] | None:
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(mode):
        return "link", os.readlink(path), path.read_bytes() if path.is_file() else None
    if stat.S_ISDIR(mode):
        return None
    return ("file", bool(mode & 0o100), path.read_bytes()) if stat.S_ISREG(mode) else (mode,)
