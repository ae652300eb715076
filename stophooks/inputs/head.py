"""What the last commit holds, file by file, and how a file of the working tree would look there."""

from __future__ import annotations

import hashlib
import os
import stat

from stophooks import process
from stophooks.models import MIB
from stophooks.process.tool import tool
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEADLINE_S = 10.0
_MAX_LIST = 256 * MIB
_SUBMODULE = "160000"
_HASHES = {40: hashlib.sha1, 64: hashlib.sha256}
_LINK, _PROGRAM, _FILE = "120000", "100755", "100644"


def blobs(root: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """Mode and object of each file of the last commit, by its path; None where there is none."""
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    try:
        told = tool(
            ("git", "-c", "core.fsmonitor=false", "ls-tree", "-r", "-z", "--full-tree", "HEAD"),
            cwd=root,
            env={**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            timeout_s=_DEADLINE_S,
            kept_bytes=_MAX_LIST,
        )
    except process.StartError:
        return None
    if told.code != 0 or len(told.stdout) >= _MAX_LIST:
        return None
    found = {}
    for entry in filter(None, told.stdout.split(b"\0")):
        # `100644 blob <object><TAB>path`
        head, _, path = os.fsdecode(entry).partition("\t")
        mode, _kind, name = head.split(" ")
        if mode != _SUBMODULE:
            found[path] = f"{mode} {name}"
    return found


def print_in(root: str, path: str, known: Mapping[str, str]) -> str:
    """Mode and object of a file as a commit would have it, where the last one has such a path.

    Nothing is asked of git's index, which may have been told not to look.
    """
    before = known.get(path)
    if before is None:
        return "new"
    whole = os.path.join(root, path)
    try:
        found = os.lstat(whole)
        if stat.S_ISLNK(found.st_mode):
            return f"{_LINK} {_object(os.fsencode(os.readlink(whole)), before)}"
        mode = _PROGRAM if found.st_mode & 0o100 else _FILE
        descriptor = os.open(whole, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return f"{mode} {_object(file.read(), before)}"
    except OSError:
        return "unreadable"


def _object(data: bytes, before: str) -> str:
    """The name that git gives to content (gitformat-pack(5)), by the repository's own hash."""
    make = _HASHES.get(len(before.split(" ")[1]), hashlib.sha256)
    return make(b"blob %d\0" % len(data) + data).hexdigest()
