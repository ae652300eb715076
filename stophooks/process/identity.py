"""Whom a program runs as when that is not the caller."""

from __future__ import annotations

from stophooks.process import tag
from stophooks.values import dataclass

# How long a look at a directory may take: one on a network that does not answer. Seconds.
LOOK_S = 10.0
_ENTER = 'cd -P -- "$1" && echo entered'


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user by numbers; ``groups`` are all of its groups and never empty.

    CPython 3.12.0 keeps root's groups where it is given no others (CVE-2023-6507).
    """

    uid: int
    gid: int
    groups: tuple[int, ...]


def enters(user: Identity, directory: str) -> bool:
    """Whether that user can make this directory its own; takes one or two milliseconds.

    `subprocess` enters it as the caller, who as root may stand anywhere.

    Raises:
        OSError, ValueError: This process may not become that user.
    """
    import subprocess  # noqa: PLC0415, TID251 -- this package is the one place that starts processes; few commands have another user

    with tag.under(None):
        asked = subprocess.Popen(
            ["/bin/sh", "-c", _ENTER, "sh", directory],
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            user=user.uid,
            group=user.gid,
            extra_groups=user.groups,
        )
    with asked:
        try:
            said, _ = asked.communicate(timeout=LOOK_S)
        except subprocess.TimeoutExpired:
            asked.kill()
            return False
    return said == b"entered\n"
