"""A git repository as its files say: where it is, which commit it stands on, what it ignores."""

from __future__ import annotations

import os

from stophooks.inputs.prints import stamp_of
from stophooks.values import dataclass

_REFERENCES = 5
_HEX = frozenset("0123456789abcdef")
_LENGTHS = (40, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``options`` for git to do as it says, and whether it may name a further file of patterns."""

    options: tuple[str, ...]
    may_name_patterns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where a repository keeps what it knows: ``own`` is this working tree's, ``common`` all's."""

    root: str
    own: str
    common: str

    def index_stamp(self) -> str:
        """What changes when its index is written, or another one is taken; empty without one."""
        try:
            return f"{stamp_of(os.stat(os.path.join(self.own, 'index')))} {self.own}"
        except OSError:
            return ""

    @property
    def exclude(self) -> str:
        """Its own file of patterns to ignore."""
        return os.path.join(self.common, "info", "exclude")

    def commit(self) -> str | None:
        """The commit that it stands on, ``none`` before the first; None where git must be asked."""
        name = "HEAD"
        for _ in range(_REFERENCES):
            # What belongs to this working tree alone is its HEAD, as far as HEAD can lead.
            text = _text(os.path.join(self.own if name == "HEAD" else self.common, name))
            if text is None:
                return self._packed(name)
            if not text.startswith("ref:"):
                return text if len(text) in _LENGTHS and _HEX.issuperset(text) else None
            name = text[4:].strip()
            if not name.startswith("refs/heads/") or name.endswith("/.invalid"):
                return None
        return None

    def _packed(self, name: str) -> str | None:
        if name == "HEAD":
            return None
        try:
            with open(os.path.join(self.common, "packed-refs"), "rb") as file:
                data = b"\n" + file.read()
        except FileNotFoundError:
            return "none"
        except OSError:
            return None
        end = data.find(b" " + os.fsencode(name) + b"\n")
        if end < 0:
            return "none"
        return data[data.rfind(b"\n", 0, end) + 1 : end].decode("ascii", "replace")

    def settings(self) -> Settings:
        """What its own settings say of the files that it ignores."""
        data = b""
        for directory, name in ((self.common, "config"), (self.own, "config.worktree")):
            try:
                with open(os.path.join(directory, name), "rb") as file:
                    data += file.read().lower()
            except FileNotFoundError:
                continue
            except OSError:
                return Settings(options=(), may_name_patterns=True)
        dense = data.replace(b" ", b"").replace(b"\t", b"")
        return Settings(
            options=tuple(
                word
                for name in ("ignoreCase", "precomposeUnicode")
                if name.lower().encode() + b"=true" in dense
                for word in ("-c", f"core.{name}=true")
            ),
            may_name_patterns=b"excludesfile" in data or b"include" in data,
        )


def root_of(directory: str) -> str | None:
    """The root of the repository that a directory is in, or None."""
    above = os.path.realpath(directory)
    while not os.path.lexists(os.path.join(above, ".git")):
        parent = os.path.dirname(above)
        if parent == above:
            return None
        above = parent
    return above


def at(root: str) -> Repository | None:
    """The repository whose working tree a directory is, or None where it is not sound."""
    own = os.path.join(root, ".git")
    if not os.path.isdir(own):
        text = _text(own)
        if text is None or not text.startswith("gitdir:"):
            return None
        own = os.path.normpath(os.path.join(root, text[7:].strip()))
    if not os.path.lexists(os.path.join(own, "HEAD")):
        return None
    common = _text(os.path.join(own, "commondir"))
    return Repository(
        root=root, own=own, common=own if common is None else os.path.join(own, common)
    )


def _text(path: str) -> str | None:
    """A small file's text; None where it is none."""
    try:
        # Not waiting: it may be a FIFO.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.fsdecode(os.read(descriptor, 1 << 16)).rstrip("\r\n ")
        finally:
            os.close(descriptor)
    except OSError:
        return None
